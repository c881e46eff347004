package scanner_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/decode"
	"github.com/spillgate/spillgate/scanner/gitrepo"
	"github.com/spillgate/spillgate/scanner/report"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// denseUnits are what versions of a file are made of: things to be found, alone
// and beside one another, and comments that excuse some.
func denseUnits(r *rand.Rand, i int) string {
	id, key := "AKIA"+"QYLPMN5HHHFPZAM2", "wJalrXUtnFEMI/K7MDENG"+"/bPxRfiCYEXAMZLEKEY"
	token := func(n int) string {
		return "gh" + "p_" + strings.Repeat(string(rune('a'+n%3)), 3) + "Q7zK4mW9tXe2RvB8nLp5Yc1Hd6Js3Gf0u"
	}
	account := []string{"471938265017", "123456789012"}[i%2]
	switch i % 12 {
	case 0:
		return fmt.Sprintf("role = \"arn:aws:iam::%s:role/service-%x\"\n", account, i%30)
	case 1:
		return fmt.Sprintf("kms = \"arn:aws:kms:eu-central-1:%s:key/8d3f1a52-6c0b-4e77-9a1e-%012x\"\n", account, 0x5b2d90c41e7f+i%40)
	case 2:
		return fmt.Sprintf("token = %q\n", token(i))
	case 3:
		return "aws_access_key_id = " + id + "\naws_secret_access_key = " + key + "\n"
	case 4:
		return fmt.Sprintf("client(access_key=\"AKIA"+"IOSFODNN7EXAMPLE\", n=%d)\n", i)
	case 5:
		return fmt.Sprintf("db_user = bob\ndb_password = \"x9Kq%d2vLmW7\"\n", i%20)
	case 6:
		return "# spillgate:allow * made up\nother_token = " + token(i) + "\n"
	case 7:
		return "fifth_token = " + token(i) + "  # gitleaks:allow\n"
	case 8:
		return "url = https://alice:s3cr" + fmt.Sprintf("3tPa55w0rd%d@db.example.net/x\n", i%9)
	case 9:
		return "data = aHR0cHM6Ly9hbGljZTpzM2NyM3RQYTU1dzByZDFAZGIuZXhhbXBsZS5uZXQveA==\n" // the URL in base64
	}
	return fmt.Sprintf("value_%d = compute(%d, \"é%06x\")\n", i, r.IntN(1000), r.IntN(1<<24))
}

// makeDense makes a history of versions of two files.
func makeDense(t *testing.T, versions int) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs the git program")
	}
	dir := t.TempDir()
	git := func(in string, args ...string) {
		c := exec.Command("git", append([]string{"-C", dir}, args...)...)
		c.Stdin = strings.NewReader(in)
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	git("", "init", "-q")
	r := rand.New(rand.NewPCG(3, 4))
	units := make([]string, 240)
	for i := range units {
		units[i] = denseUnits(r, i)
	}
	var b strings.Builder
	for v := range versions {
		for range 3 {
			i := r.IntN(len(units))
			units[i] = denseUnits(r, i)
			if r.IntN(6) == 0 {
				units[i] = "" // a line is gone, and all behind it move
			}
		}
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n", 1700000000+60*v)
		for path, text := range map[string]string{"src/a.py": strings.Join(units, ""), "docs/b.md": strings.Join(units[:50], "")} {
			fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
		}
	}
	git(b.String(), "fast-import", "--quiet")
	git("", "repack", "-q", "-a", "-d", "-f")
	return dir
}

// TestDenseHistoryAsPlain holds that a history whose versions have the same
// findings again and again gives the same reports, in every format and byte for
// byte, as when every place is a finding of its own until the end.
func TestDenseHistoryAsPlain(t *testing.T) {
	dir := makeDense(t, 60)
	scan := func(f func(context.Context, scanner.Options) (*scanner.Result, error)) *scanner.Result {
		repo, err := gitrepo.Open(t.Context(), gitrepo.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer repo.Close()
		program := rules.Builtin()
		result, err := f(t.Context(), scanner.Options{
			Sources:   []scanner.Source{repo.History(gitrepo.HistoryOptions{Program: program, Encoded: decode.Anchorer{Program: program}})},
			Detectors: []scanner.Detector{decode.New(scanner.RuleDetector{Program: program}, decode.Options{})},
			Stages: suppress.Stages(suppress.Options{
				Today:    "2026-06-15",
				Comments: suppress.CommentOptions{Audit: true},
				Allow:    []suppress.Allow{{Places: []suppress.Place{{Path: "src/a.py", Line: 3}}}},
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		result.Started, result.Took = time.Time{}, 0
		return result
	}
	got, want := scan(scanner.Scan), scan(scanner.PlainScan)
	places := 0
	for _, f := range got.Findings {
		places += f.Occurrences
	}
	if len(got.Findings) < 20 || len(got.Suppressed) < 4 || places < 3000 {
		t.Fatalf("%d findings at %d places and %d excused: too few to tell anything", len(got.Findings), places, len(got.Suppressed))
	}
	for _, format := range report.Formats() {
		t.Run(format, func(t *testing.T) {
			o := report.Options{Verbose: true, ShowSuppressed: true, Version: "test", Template: "{{range .Findings}}{{.Rule}} {{.Match}} {{.Fingerprint}} {{.Location.Path}}:{{.Location.StartLine}} {{.Occurrences}}\n{{end}}"}
			var texts [2]bytes.Buffer
			for i, r := range []*scanner.Result{got, want} {
				sink, err := report.New(format, o)
				if err != nil {
					t.Fatal(err)
				}
				if err := sink.Write(&texts[i], r); err != nil {
					t.Fatal(err)
				}
			}
			if a, b := texts[0].Bytes(), texts[1].Bytes(); !bytes.Equal(a, b) {
				at := 0
				for at < min(len(a), len(b)) && a[at] == b[at] {
					at++
				}
				t.Errorf("the reports have %d and %d bytes and part at %d", len(a), len(b), at)
			}
		})
	}
}
