package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// locate puts line and column of a fault before it: those of its setting or,
// where that is missing, of the table that lacks it.
func locate(text []byte, err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return fmt.Errorf(" %w", err)
	}
	known := positions(text)
	for at := f.at; at != ""; {
		if p, ok := known[at]; ok {
			return fmt.Errorf("%d:%d: %w", p.Line, p.Column, f.err)
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	return fmt.Errorf("1:1: %w", f.err)
}

// positions tells where each setting and table of the file stands, by its path.
func positions(text []byte) map[string]unstable.Position {
	all := map[string]unstable.Position{}
	var p unstable.Parser
	p.Reset(text)
	counts := map[string]int{} // of tables that are there several times
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		var start unstable.Position
		path := ""
		if e.Kind == unstable.KeyValue {
			path = table
		}
		for it := e.Key(); it.Next(); {
			if path == "" || path == table {
				start = p.Shape(it.Node().Raw).Start
			}
			if path != "" {
				path += "."
			}
			path += string(it.Node().Data)
			if n := counts[path]; n > 0 && !(e.Kind == unstable.ArrayTable && it.IsLast()) {
				path = fmt.Sprintf("%s[%d]", path, n-1)
			}
		}
		switch e.Kind {
		case unstable.ArrayTable:
			counts[path]++
			path = fmt.Sprintf("%s[%d]", path, counts[path]-1)
			table = path
		case unstable.Table:
			table = path
		case unstable.KeyValue:
		default:
			continue
		}
		if _, before := all[path]; !before {
			all[path] = start
		}
	}
	return all
}
