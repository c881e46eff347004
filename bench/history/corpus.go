package history

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A corpus is the text that histories are made of: source files of a Go
// installation, which every machine that can build the benchmarks has.
type corpus struct {
	seeds []seed
	lines [][]byte // of all seeds, with their newlines
}

// A seed is one file of the corpus. Its path is relative to GOROOT/src.
type seed struct {
	path string
	data []byte
}

const (
	// seedMax bounds the size of a seed in bytes: tables that nobody edits by
	// hand are no model of a source file.
	seedMax = 150 << 10
	// seedShare is the share of files taken, one in so many: 3,000 seeds are
	// variety enough, and fewer are faster to load.
	seedShare = 3
)

// loadCorpus reads the seeds of the Go installation at goroot in the order of
// their paths. Files that show a private key are left out: what a scanner finds
// in a history is to be what Plant put there.
func loadCorpus(goroot string) (*corpus, error) {
	root := filepath.Join(goroot, "src")
	c := &corpus{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		rel, _ := filepath.Rel(root, path)
		rel = filepath.ToSlash(rel)
		if !d.Type().IsRegular() || !isText(rel) || !chosen(rel) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if len(data) < 200 || len(data) > seedMax || showsKey(data) {
			return nil
		}
		c.seeds = append(c.seeds, seed{rel, data})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the seeds below %s: %w", root, err)
	}
	if len(c.seeds) < 100 {
		return nil, fmt.Errorf("reading the seeds below %s: only %d files; set GOROOT to a complete Go installation", root, len(c.seeds))
	}
	for _, s := range c.seeds {
		c.lines = append(c.lines, bytes.SplitAfter(s.data, []byte{'\n'})...)
	}
	return c, nil
}

func isText(path string) bool {
	switch filepath.Ext(path) {
	case ".go", ".s", ".h", ".c", ".md", ".txt", ".html":
		return true
	}
	return false
}

// chosen picks one file in seedShare by its path, so that neighbours in a
// directory are not all taken or all left.
func chosen(path string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(path))
	return h.Sum32()%seedShare == 0
}

// showsKey reports whether data holds what scanners report: key blocks of test
// data, and examples of AWS key ids.
func showsKey(data []byte) bool {
	for _, s := range []string{"PRIVATE " + "KEY", "AK" + "IA", "arn:" + "aws"} {
		if bytes.Contains(data, []byte(s)) {
			return true
		}
	}
	return false
}

// prose returns the comments of a source file as paragraphs of Markdown.
func prose(s seed) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n", strings.TrimSuffix(s.path, filepath.Ext(s.path)))
	gap := true
	for line := range bytes.Lines(s.data) {
		text, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("//"))
		if !ok {
			if !gap {
				b.WriteByte('\n')
				gap = true
			}
			continue
		}
		b.Write(bytes.TrimSpace(text))
		b.WriteByte('\n')
		gap = false
	}
	return b.Bytes()
}

// Text writes size bytes of the source text of a Go installation to w; texts
// longer than that source repeat it with every line in five changed.
func Text(w io.Writer, goroot string, size int64) error {
	c, err := loadCorpus(goroot)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 1))
	for round := 0; ; round++ {
		for _, s := range c.seeds {
			data := s.data
			if round > 0 {
				data = c.variant(data, r)
			}
			data = data[:min(size, int64(len(data)))]
			if _, err := w.Write(data); err != nil {
				return err
			}
			if size -= int64(len(data)); size == 0 {
				return nil
			}
		}
	}
}
