package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/spillgate/spillgate/rules/generic"
)

type record struct{ Line, Value, Ext, Label, Kind string }

// A sample is one candidate of a labelled line.
type sample struct {
	line     int
	features []int
	label    float64
	weight   float64
	text     string
}

type set struct {
	records []record
	samples []sample
	names   []string
	index   map[string]int
	counts  []int
	fold    []int // of each record
}

func load(file string) *set {
	f, err := os.Open(file)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	s := &set{index: map[string]int{}}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var r record
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			log.Fatal(err)
		}
		s.add(r)
	}
	s.group()
	return s
}

func (s *set) add(r record) {
	n := len(s.records)
	s.records = append(s.records, r)
	line := []byte(r.Line)
	at := strings.Index(r.Line, r.Value)
	for _, c := range generic.All(line) {
		x := sample{line: n, weight: 1, text: string(line[c.Start:c.End])}
		if r.Label == "T" {
			if r.Value == "" || at < 0 || c.Start >= at+len(r.Value) || c.End <= at {
				continue // the label says nothing of this one
			}
			x.label = 1
		}
		s.observe(&x, line, c)
		s.samples = append(s.samples, x)
	}
}

// observe notes the features of a candidate.
func (s *set) observe(x *sample, text []byte, c generic.Candidate) {
	generic.Features(text, c, func(name string) {
		i, ok := s.index[name]
		if !ok {
			i = len(s.names)
			s.index[name] = i
			s.names = append(s.names, name)
			s.counts = append(s.counts, 0)
		}
		s.counts[i]++
		x.features = append(x.features, i)
	})
}

// cleanWeight is what a candidate of unlabelled code counts: a few of them are
// secrets after all, and there are many.
const cleanWeight = 0.03

// addClean adds candidates of source files, each distinct line once, at most
// 20,000 of a folder and not from tests and examples.
func (s *set) addClean(dirs []string) {
	seen := map[string]bool{}
	for _, dir := range dirs {
		n := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(path, "test") || strings.Contains(path, "example") || n > 20_000 {
				return err
			}
			if info, err := d.Info(); err != nil || info.Size() > 1<<20 || !info.Mode().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil || bytes.IndexByte(text, 0) >= 0 {
				return err
			}
			for line := range bytes.Lines(text) {
				if len(line) > 400 || seen[string(line)] {
					continue
				}
				seen[string(line)] = true
				for _, c := range generic.All(line) {
					x := sample{line: -1, weight: cleanWeight, text: string(line[c.Start:c.End])}
					s.observe(&x, line, c)
					s.samples = append(s.samples, x)
					n++
				}
			}
			return nil
		})
		if err != nil {
			log.Fatal(err)
		}
		log.Printf("%s: %d candidates taken for no secrets", dir, n)
	}
}
