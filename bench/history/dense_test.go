package history

import (
	"path/filepath"
	"strings"
	"testing"
)

// Every version differs from the one before, and holds all that the first one holds.
func TestDenseVersions(t *testing.T) {
	for _, kind := range DenseKinds() {
		t.Run(kind.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "repo")
			if err := kind.make(t.Context(), dir, 5); err != nil {
				t.Fatal(err)
			}
			commits := lines(t, dir, "rev-list", "main")
			if len(commits) != 5 {
				t.Fatalf("%d commits", len(commits))
			}
			seen := map[string]bool{}
			for _, c := range commits {
				text, err := gitOutput(t.Context(), dir, "cat-file", "blob", c+":"+kind.path)
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; kind.every > 0 && i < kind.units; i += kind.every {
					if !strings.Contains(text, strings.TrimSpace(kind.held(i))) {
						t.Errorf("%s does not hold what unit %d has", c, i)
					}
				}
				seen[text] = true
			}
			if len(seen) != 5 {
				t.Errorf("%d of 5 versions differ", len(seen))
			}
		})
	}
}
