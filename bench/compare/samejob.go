package compare

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
	"github.com/spillgate/spillgate/scanner"
)

// A found tells which plants a scanner reported, by their numbers.
type found map[int]bool

// spillgateFound runs a scan with a JSON report and looks for the plants in it.
// The report holds no secret: a plant is recognised by its fingerprint.
func (l *lab) spillgateFound(c measure.Command, plants []history.Plant) (found, int, error) {
	file, done, err := tempFile()
	if err != nil {
		return nil, 0, err
	}
	defer done()
	c.Args = append(c.Args, "--format", "json", "--output", file)
	if _, err := measure.Run(l.ctx, c); err != nil {
		return nil, 0, err
	}
	type finding struct{ Rule, Fingerprint string }
	var report struct{ Findings, Suppressed []finding }
	if err := readJSON(file, &report); err != nil {
		return nil, 0, err
	}
	prints := map[string]bool{}
	ids := map[string]bool{}
	for _, f := range report.Findings {
		prints[f.Fingerprint] = true
		ids[f.Rule] = true
	}
	got := found{}
	for _, p := range plants {
		for rule := range ids {
			for _, v := range []string{p.Value(), strings.TrimSpace(p.Value())} {
				if prints[(scanner.Fingerprinter{}).Fingerprint(rule, scanner.NewSecret([]byte(v)))] {
					got[p.Number] = true
				}
			}
		}
	}
	return got, len(report.Findings), nil
}

// gitleaksFound does the same for gitleaks, whose report holds the secrets.
func (l *lab) gitleaksFound(c measure.Command, plants []history.Plant) (found, int, error) {
	file, done, err := tempFile()
	if err != nil {
		return nil, 0, err
	}
	defer done()
	c.Args = append(c.Args, "--report-format", "json", "--report-path", file)
	if _, err := measure.Run(l.ctx, c); err != nil {
		return nil, 0, err
	}
	var report []struct{ Secret, Match string }
	if err := readJSON(file, &report); err != nil {
		return nil, 0, err
	}
	got := found{}
	for _, p := range plants {
		v := strings.TrimSpace(p.Value())
		for _, f := range report {
			if strings.Contains(f.Secret, v) || strings.Contains(f.Match, v) {
				got[p.Number] = true
			}
		}
	}
	return got, len(report), nil
}

func tempFile() (name string, remove func(), err error) {
	f, err := os.CreateTemp("", "spillgate-bench-*.json")
	if err != nil {
		return "", nil, err
	}
	_ = f.Close()
	return f.Name(), func() { _ = os.Remove(f.Name()) }, nil
}

// readJSON reads a report. Its error does not quote the file, which may hold
// secrets, made up or not.
func readJSON(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("reading a scanner's JSON report: not the expected document")
	}
	return nil
}

// sameJob runs both scanners over something planted and says in a sentence for
// the table whether they do the same job: whether each finds every plant of the
// kinds that both have rules for, in places where both look.
func (l *lab) sameJob(plants []history.Plant, ours, theirs measure.Command) (string, error) {
	us, _, err := l.spillgateFound(ours, plants)
	if err != nil {
		return "", err
	}
	them, _, err := l.gitleaksFound(theirs, plants)
	if err != nil {
		return "", err
	}
	type tally struct{ all, us, them int }
	count := func(in func(history.Plant) bool) (t tally) {
		for _, p := range plants {
			if !in(p) {
				continue
			}
			t.all++
			if us[p.Number] {
				t.us++
			}
			if them[p.Number] {
				t.them++
			}
		}
		return t
	}
	common := count(func(p history.Plant) bool { return p.Place == "file" && !history.SpillgateOnly(p.Kind) })
	verdict := "They do the same job."
	if common.all == 0 {
		verdict = "**That they do the same job was not shown: there was nothing to find.**"
	} else if common.us != common.all || common.them != common.all {
		verdict = fmt.Sprintf("**They do not do the same job: missed by Spillgate: %s; by gitleaks: %s.**",
			missed(plants, us), missed(plants, them))
	}
	s := fmt.Sprintf("Same job: of %d planted secrets of kinds that both know, in text files, Spillgate finds %d and gitleaks %d. %s",
		common.all, common.us, common.them, verdict)
	other := count(func(p history.Plant) bool { return p.Place != "file" || history.SpillgateOnly(p.Kind) })
	if other.all > 0 {
		s += fmt.Sprintf(" Of %d more (key ARNs; merges, binary files, UTF-16, messages of commits and tags) Spillgate finds %d and gitleaks %d.",
			other.all, other.us, other.them)
	}
	return s, nil
}

// missed names the kinds of common plants that a scanner did not find.
func missed(plants []history.Plant, got found) string {
	n := map[string]int{}
	for _, p := range plants {
		if p.Place == "file" && !history.SpillgateOnly(p.Kind) && !got[p.Number] {
			n[p.Kind]++
		}
	}
	var parts []string
	for _, k := range history.PlantKinds() {
		if n[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[k], k))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
