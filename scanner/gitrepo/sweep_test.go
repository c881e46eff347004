package gitrepo

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// plant makes a history of versions of a few files whose lines come and go, and
// with them secrets, whole and broken, in several files and encodings.
func (s *sandbox) plant(repo string, commits int) {
	s.t.Helper()
	rnd := rand.New(rand.NewSource(11))
	s.init(repo)
	secret := func() string {
		const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
		b := make([]byte, 20)
		for i := range b {
			b[i] = letters[rnd.Intn(len(letters))]
		}
		return string(b)
	}
	line := func() string {
		switch rnd.Intn(9) {
		case 0:
			return "db_password = \"" + secret() + "\""
		case 1:
			return "token: os.Getenv(\"TOKEN\")"
		case 2:
			return "https://deploy:" + secret() + "@git.internal/x.git"
		case 3:
			return "arn:aws:" + "kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-" + fmt.Sprintf("%012x", rnd.Int63n(1<<40))
		case 4:
			return "key := parse(author, secretary, token) // pass it on"
		}
		return fmt.Sprintf("line %d of plain text, with nothing in it", rnd.Intn(1000))
	}
	files := make([][]string, 6)
	for i := range commits {
		n := rnd.Intn(len(files))
		for range 1 + rnd.Intn(4) {
			at := rnd.Intn(len(files[n]) + 1)
			files[n] = slices.Insert(files[n], at, line())
			if len(files[n]) > 60 {
				at = rnd.Intn(len(files[n]) - 5)
				files[n] = slices.Delete(files[n], at, at+rnd.Intn(5))
			}
		}
		text := strings.Join(files[n], "\n")
		switch i % 9 {
		case 3:
			text = "\xef\xbb\xbf" + text
		case 5:
			text = wide(text)
		case 7:
			text += "\x00"
		}
		s.commit(repo, fmt.Sprintf("d%d/f%d.txt", n%2, n), text)
	}
	s.git(repo, "checkout", "-q", "-b", "gone")
	s.commit(repo, "gone.txt", line()+"\n"+"pwd = \""+secret()+"\"\n")
	s.git(repo, "checkout", "-q", "main")
	s.git(repo, "branch", "-q", "-D", "gone")
}

// wide returns text in UTF-16 with a byte order mark.
func wide(text string) string {
	b := []byte{0xff, 0xfe}
	for i := range len(text) {
		b = append(b, text[i], 0)
	}
	return string(b)
}

// findingsOf scans with the built-in rules and lists everything that is known
// of the findings, which hold made-up secrets only.
func findingsOf(t *testing.T, src scanner.Source) (list []string, c scanner.Coverage) {
	t.Helper()
	r, err := scanner.Scan(context.Background(), scanner.Options{
		Sources:   []scanner.Source{src},
		Detectors: []scanner.Detector{scanner.RuleDetector{Program: rules.Builtin()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(r.Findings, r.Suppressed...) {
		for _, l := range append([]scanner.Location{f.Location}, f.More...) {
			o := l.Object
			commit := ""
			if o.Commit != nil {
				commit = o.Commit.ID
			}
			list = append(list, fmt.Sprint(f.Rule.ID, f.Severity, f.Confidence, f.Occurrences, f.Fingerprint(), l.StartLine, l.StartColumn, l.EndColumn,
				l.Offset, o.Kind, o.Path, o.ID, commit, o.Mode, o.Binary, o.Encoding))
		}
		list = append(list, fmt.Sprint(f.Rule.ID, f.Fingerprint(), f.Object.OtherCommits))
	}
	slices.Sort(list)
	return list, r.Coverage[0]
}

// TestSweepEqualsOneByOne wants the findings and the coverage of a scan that
// reads each blob by itself and searches it from end to end.
func TestSweepEqualsOneByOne(t *testing.T) {
	s := newSandbox(t)
	s.plant("r", 150)
	for _, stored := range []string{"loose", "packed", "both"} {
		switch stored {
		case "packed":
			s.git("r", "repack", "-q", "-a", "-d", "--depth=50", "--window=50")
		case "both":
			s.commit("r", "late.txt", "token = \"Zt7Rw2"+"qPmX0vKe93LsBd\"\n")
		}
		for _, all := range []bool{false, true} {
			slow := s.open("r", "").History(HistoryOptions{AllObjects: all}).(*history)
			slow.oneByOne = true
			want, covered := findingsOf(t, slow)
			if len(want) < 100 {
				t.Fatalf("only %d findings", len(want))
			}
			for _, p := range []*rules.Program{nil, rules.Builtin()} {
				got, c := findingsOf(t, s.open("r", "").History(HistoryOptions{AllObjects: all, Program: p}))
				if !slices.Equal(got, want) {
					t.Errorf("%s, all objects %v: %d lines of findings, want %d", stored, all, len(got), len(want))
				}
				if c.String() != covered.String() || c.Names != covered.Names || len(c.Problems) != 0 {
					t.Errorf("%s, all objects %v: covered %s, want %s", stored, all, c.String(), covered.String())
				}
			}
		}
	}
}

// TestSweepUnreachable wants what no ref reaches left alone, as it was above,
// and found where all objects are asked for.
func TestSweepUnreachable(t *testing.T) {
	s := newSandbox(t)
	s.plant("r", 20)
	for _, packed := range []bool{false, true} {
		if packed {
			s.git("r", "repack", "-q", "-a", "-d", "-k")
		}
		for _, all := range []bool{false, true} {
			list, _ := findingsOf(t, s.open("r", "").History(HistoryOptions{AllObjects: all, Program: rules.Builtin()}))
			found := strings.Contains(strings.Join(list, "\n"), "gone.txt")
			if found != all {
				t.Errorf("packed %v, all objects %v: the dropped branch's file is reported: %v", packed, all, found)
			}
		}
	}
}

// TestSweepDamage wants a damaged blob reported with its place, and the rest
// scanned.
func TestSweepDamage(t *testing.T) {
	s := newSandbox(t)
	s.plant("r", 30)
	id := s.git("r", "rev-parse", "HEAD:d0/f0.txt")
	before, _ := findingsOf(t, s.open("r", "").History(HistoryOptions{Program: rules.Builtin()}))
	s.corrupt("r", id)
	after, c := findingsOf(t, s.open("r", "").History(HistoryOptions{Program: rules.Builtin()}))
	if len(c.Problems) != 1 || !strings.Contains(c.Problems[0].Error(), "d0/f0.txt") {
		t.Errorf("the problems are %v", c.Problems)
	}
	if len(after) == 0 || len(after) > len(before) {
		t.Errorf("%d lines of findings, %d before the damage", len(after), len(before))
	}
}
