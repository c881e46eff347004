package rules

import (
	"os"
	"strings"
	"testing"
)

// Floors of TestUnseenLines, in percent. They are below what is measured
// (docs/detection.md), by about what chance makes of 200 lines.
const (
	minUnseenPrecision = 96
	minUnseenRecall    = 84
)

// TestUnseenLines measures what fails a commit on lines that neither the rules
// nor the weights of package generic were made from. A miss here is mended by
// its cause, never by training on the line.
func TestUnseenLines(t *testing.T) {
	text, err := os.ReadFile("testdata/unseen.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := compileAll(t)
	marked, clean, found, alarms := 0, 0, 0, 0
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 3)
		if len(f) != 3 || f[0] != "T" && f[0] != "F" || (f[0] == "T") != strings.Contains(f[2], "«") {
			t.Fatalf("unseen.txt:%d: want T or F, an extension and a line with its credential marked", n+1)
		}
		if f[0] == "F" {
			clean++
			if rule := gateStops(p, f[2], 0, len(f[2])); rule != "" {
				alarms++
				t.Logf("unseen.txt:%d: false: %s", n+1, rule)
			}
			continue
		}
		marked++
		from, to := strings.Index(f[2], "«"), strings.Index(f[2], "»")-len("«")
		plain := strings.NewReplacer("«", "", "»", "").Replace(f[2])
		switch {
		case gateStops(p, plain, from, to) != "":
			found++
		case gateStops(p, plain, 0, len(plain)) != "":
			alarms++
			t.Logf("unseen.txt:%d: false: beside the credential", n+1)
		default:
			t.Logf("unseen.txt:%d: missed", n+1)
		}
	}
	precision, recall := 100*float64(found)/float64(found+alarms), 100*float64(found)/float64(marked)
	t.Logf("%d lines with a credential, %d without: %d found, %d false: precision %.1f %%, recall %.1f %%", marked, clean, found, alarms, precision, recall)
	if marked < 150 || clean < 150 || precision < minUnseenPrecision || recall < minUnseenRecall {
		t.Errorf("want precision %d %% and recall %d %% at least, on 150 lines of each kind", minUnseenPrecision, minUnseenRecall)
	}
}
