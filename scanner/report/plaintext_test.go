package report

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

func plainResult(secrets ...string) *scanner.Result {
	r := &scanner.Result{}
	for _, s := range secrets {
		r.Findings = append(r.Findings, &scanner.Finding{
			Rule: &rules.Rule{ID: "r"}, Secret: scanner.NewSecret([]byte(s)),
			Location:    scanner.Location{Object: &scanner.Object{Path: "of/" + s}, StartLine: 1, StartColumn: 1},
			Fingerprint: func() string { return "f" },
		})
	}
	return r
}

func TestWritePlaintext(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files are not kept there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	odd := "a\xff\x1b[31mb"
	n, err := WritePlaintext(path, plainResult("correct horse", odd), scanner.Gate{}, false)
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "\x1b") {
		t.Error("a terminal that shows the file obeys it")
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	var got struct {
		Secret   string `json:"secret"`
		Base64   []byte `json:"secret_base64"`
		Location struct{ Path string }
	}
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil || got.Secret != "correct horse" || got.Location.Path != "of/correct horse" {
		t.Errorf("the first is another: %v", err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil || string(got.Base64) != odd {
		t.Errorf("the bytes of the second are others: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if _, err := WritePlaintext(path, plainResult("again"), scanner.Gate{}, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(text) {
		t.Error("the file that was there changed")
	}
	for _, target := range []string{path, filepath.Join(dir, "nowhere")} {
		link := filepath.Join(dir, "link")
		_ = os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if _, err := WritePlaintext(link, plainResult("linked"), scanner.Gate{}, false); err == nil {
			t.Errorf("through a link to %s", target)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a link that leads nowhere was followed")
	}
}
