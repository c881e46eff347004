package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"
)

// An outcome is what the whole program says of a labelled line.
type outcome struct {
	found, warned bool // what overlaps the value: a finding that blocks, one that does not or does
	alarm, worry  bool // what does not, likewise
	rules         []string
}

// reportProgram prints precision and recall of the whole program: each line is
// scanned, as a file of its own, by one that was built with the weights of the
// model that has not seen it.
func (s *set) reportProgram(models [folds][]float64, verbose bool) {
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	all := make([]outcome, len(s.records))
	for k, w := range models {
		program := s.build(dir, w)
		s.scanFold(program, dir, k, all)
	}
	for i := range all { // beside a credential that was found, no more is counted
		all[i].alarm = all[i].alarm && !all[i].found
		all[i].worry = all[i].worry && !all[i].warned
	}
	fmt.Println("\nthe whole program        precision  recall   F1")
	s.programRow("what blocks", all, func(o outcome) (bool, bool) { return o.found, o.alarm })
	s.programRow("warnings too", all, func(o outcome) (bool, bool) { return o.warned, o.worry })
	fmt.Println("\nwhat blocks, by kind           marked  found  false")
	kinds := map[string][3]int{}
	for i, r := range s.records {
		n := kinds[r.Kind]
		n[0] += count(r.Label == "T")
		n[1] += count(all[i].found)
		n[2] += count(all[i].alarm)
		kinds[r.Kind] = n
	}
	var names []string
	for k := range kinds {
		names = append(names, k)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := names[i], names[j]
		return kinds[a][0] > kinds[b][0] || kinds[a][0] == kinds[b][0] && a < b
	})
	for _, k := range names {
		fmt.Printf("%-30s %6d %6d %6d\n", k, kinds[k][0], kinds[k][1], kinds[k][2])
	}
	if !verbose {
		return
	}
	for i, r := range s.records {
		switch o := all[i]; {
		case o.alarm:
			fmt.Printf("alarm  %s %v | %s\n", r.Kind, o.rules, strings.TrimSpace(r.Line))
		case r.Label == "T" && !o.found:
			fmt.Printf("missed %s %v | %s\n", r.Kind, o.rules, strings.TrimSpace(r.Line))
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *set) programRow(title string, all []outcome, of func(outcome) (found, alarm bool)) {
	var marked, hits, alarms float64
	for i, r := range s.records {
		found, alarm := of(all[i])
		marked += float64(count(r.Label == "T"))
		hits += float64(count(found))
		alarms += float64(count(alarm))
	}
	p, r := hits/max(1, hits+alarms), hits/max(1, marked)
	fmt.Printf("%-24s %8.1f %% %6.1f %% %5.1f   %.0f of %.0f found, %.0f false\n", title, 100*p, 100*r, 200*p*r/max(1e-9, p+r), hits, marked, alarms)
}

// build makes the program with the weights w and returns its path.
func (s *set) build(dir string, w []float64) string {
	weights, program := filepath.Join(dir, weightsName), filepath.Join(dir, "spillgate")
	write(weights, s.weightsFile(w))
	here, err := filepath.Abs(weightsName)
	if err != nil {
		log.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {here: weights}})
	if err != nil {
		log.Fatal(err)
	}
	write(filepath.Join(dir, "overlay.json"), overlay)
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "github.com/spillgate/spillgate/cmd/spillgate")
	if out, err := cmd.CombinedOutput(); err != nil {
		log.Fatalf("%v: %s", err, out)
	}
	return program
}

// scanFold scans the lines of a fold and notes what is found in them: one run
// a line, for a report shows each secret once.
func (s *set) scanFold(program, dir string, fold int, all []outcome) {
	for i, r := range s.records {
		if s.fold[i] != fold {
			continue
		}
		name := filepath.Join(dir, "line"+r.Ext)
		write(name, []byte(r.Line+"\n"))
		cmd := exec.Command(program, "dir", "--no-ignore", "--quiet", "--format", "jsonl", name)
		out, err := cmd.Output()
		if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
			log.Fatalf("%s: %v: %s", program, err, exit.Stderr)
		}
		for line := range bytes.Lines(out) {
			all[i].note(r, line)
		}
		if err := os.Remove(name); err != nil {
			log.Fatal(err)
		}
	}
}

// note takes in a line of the program's report on r.
func (o *outcome) note(r record, line []byte) {
	var f struct {
		Type, Rule string
		Blocking   bool
		Location   struct {
			StartLine   int `json:"start_line"`
			StartColumn int `json:"start_column"`
			EndLine     int `json:"end_line"`
			EndColumn   int `json:"end_column"`
		}
	}
	if err := json.Unmarshal(line, &f); err != nil {
		log.Fatal(err)
	}
	if f.Type != "finding" {
		return
	}
	from, to := byteAt(r.Line, f.Location.StartColumn), byteAt(r.Line, f.Location.EndColumn)
	at := strings.Index(r.Line, r.Value)
	hit := r.Label == "T" && (at < 0 || from < at+len(r.Value) && to > at || f.Location.EndLine > f.Location.StartLine)
	o.found = o.found || hit && f.Blocking
	o.warned = o.warned || hit
	o.alarm = o.alarm || !hit && f.Blocking
	o.worry = o.worry || !hit
	o.rules = append(o.rules, f.Rule)
}

// byteAt returns the offset of a column, which counts characters from 1.
func byteAt(line string, column int) int {
	at := 0
	for ; column > 1 && at < len(line); column-- {
		_, n := utf8.DecodeRuneInString(line[at:])
		at += n
	}
	return at
}
