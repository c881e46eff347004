package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// knownKeys lists the keys that may stand where the key with the given path
// stands.
func knownKeys(path []string) []string {
	switch {
	case len(path) > 2 && path[0] == "rules":
		return tomlKeys(changeText{})
	case len(path) > 1 && path[0] == "allow":
		return tomlKeys(allowText{})
	}
	return tomlKeys(file{})
}

// tomlKeys lists the keys of a struct, so that the format is written down once.
func tomlKeys(v any) []string {
	t := reflect.TypeOf(v)
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("toml")
	}
	return keys
}

// nearest says which of the known names was probably meant.
func nearest(name string, known []string) string {
	near := rules.Nearest(name, known)
	switch {
	case near != "":
		return fmt.Sprintf("did you mean %q?", near)
	case len(known) > 30:
		return "spillgate rules list shows them all"
	}
	return "use one of " + strings.Join(known, ", ")
}
