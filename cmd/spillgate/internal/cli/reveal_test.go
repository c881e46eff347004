package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doors are all functions of the programs that take the text out of a
// scanner.Secret, and what becomes of it. Two print it: to the owner's file, and
// to a runner that swallows the line.
var doors = map[string]string{
	"scanner/report/plaintext.go writePlaintext":       "PRINTS: a new file of mode 0600, see WritePlaintext",
	"cmd/spillgate/internal/cli/cigithub.go tellMasks": "PRINTS: ::add-mask::, which the runner swallows",
	"scanner/finding.go Display":                       "an identifier: no secret",
	"scanner/report/jsonl.go accessKeyID":              "an access key id, where it is to be named: no secret",
	"scanner/report/view.go newRedactor":               "taken out of paths and names",
	"scanner/suppress/allowlist.go covers":             "compared",
	"scanner/suppress/allowlist.go Prepare":            "compared",
	"scanner/suppress/baseline.go Judge":               "hashed",
	"cmd/spillgate/internal/cli/baseline.go shown":     "compared",
	"cmd/spillgate/internal/cli/selftest.go expect":    "compared",
	"cmd/spillgate/internal/cli/verify.go verifyLive":  "compared",
}

// TestReveal holds the list above to the code: whoever adds a way out for
// secrets has to add it there, with what becomes of them.
func TestReveal(t *testing.T) {
	found := map[string]bool{}
	root := "../../../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && exists(filepath.Join(path, "go.mod")) {
			return fs.SkipDir // other modules scan nothing
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			function, ok := decl.(*ast.FuncDecl)
			where := filepath.ToSlash(name)
			if ok {
				where += " " + function.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
					found[where] = true
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range slices.Sorted(maps.Keys(found)) {
		if doors[where] == "" {
			t.Errorf("%s takes the text out of a secret; if it must, say in this test what becomes of it", where)
		}
	}
	for where := range doors {
		if !found[where] {
			t.Errorf("%s is no door any more: take it off the list", where)
		}
	}
}
