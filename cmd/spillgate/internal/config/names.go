package config

import (
	"fmt"
	"reflect"
	"strings"
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
	best, at := len(name)/2+1, ""
	for _, k := range known {
		if d := distance(strings.ToLower(name), k); d < best {
			best, at = d, k
		}
	}
	switch {
	case at != "":
		return fmt.Sprintf("did you mean %q?", at)
	case len(known) > 30:
		return "spillgate rules list shows them all"
	}
	return "use one of " + strings.Join(known, ", ")
}

// distance counts the insertions, deletions and replacements between a and b.
// Names longer than 64 bytes are cut: nobody meant them.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
