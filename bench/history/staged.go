package history

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// A Change is how much MakeStaged stages. The zero value is ten files with 200
// new lines each in an index of 5,000.
type Change struct {
	Index, Files, Lines int
	Plants              []Plant // put into the changed files in turn
	GOROOT              string  // as in Options
}

// MakeStaged makes a repository at dir with a working tree of c.Index files in
// one commit, changes c.Lines lines in each of c.Files of them and stages that.
func MakeStaged(ctx context.Context, dir string, c Change) error {
	c.Index, c.Files, c.Lines = orElse(c.Index, 5000), orElse(c.Files, 10), orElse(c.Lines, 200)
	goroot := c.GOROOT
	if goroot == "" {
		var err error
		if goroot, err = findGOROOT(ctx); err != nil {
			return err
		}
	}
	text, err := loadCorpus(goroot)
	if err != nil {
		return err
	}
	wide, err := shapeNamed("monorepo")
	if err != nil {
		return err
	}
	s := *wide
	s.files, s.binary = c.Index, 0
	m := newMaker(&s, text, Options{Seed: 1})
	if err := fastImport(ctx, dir, func(out *stream) {
		m.out = out
		m.root(m.main, m.shape.files)
	}); err != nil {
		return err
	}
	if err := run(Git(ctx, dir, "reset", "--quiet", "--hard", "main")); err != nil {
		return err
	}
	return m.stage(ctx, dir, c)
}

func orElse(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

// stage changes files all over the tree and adds them to the index.
func (m *maker) stage(ctx context.Context, dir string, c Change) error {
	r := rand.New(rand.NewPCG(2, 2))
	changed := 0
	for i := 0; changed < c.Files; i++ {
		if i == len(m.main.paths) {
			return fmt.Errorf("staging changes in %s: only %d files have %d lines", dir, changed, 2*c.Lines)
		}
		// A step that shares no factor with the number of files visits each.
		p := m.main.paths[i*379%len(m.main.paths)]
		f := m.main.files[p]
		lines := bytes.SplitAfter(f.data, []byte{'\n'})
		if !f.text() || !plain(p) || len(lines) < 2*c.Lines {
			continue
		}
		at := r.IntN(len(lines) - c.Lines)
		fresh := slices.Clone(m.corpus.passage(r, c.Lines))
		for j := range c.Plants {
			if j%c.Files == changed {
				fresh[j/c.Files] = c.Plants[j].Text()
			}
		}
		copy(lines[at:], fresh)
		name := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.WriteFile(name, bytes.Join(lines, nil), 0o644); err != nil {
			return fmt.Errorf("staging changes: %w", err)
		}
		changed++
	}
	return run(Git(ctx, dir, "add", "-A"))
}
