package live

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
)

const operatorText = `
accounts = ["` + own + `"]
regions = ["eu-west-1"]
actions = ["rotate-on-demand", "enable-rotation", "revoke-grant"]
resources = ["arn:aws:kms:*:` + own + `:key/*"]
tags = { "spillgate" = "respond" }
trusted = ["` + friend + `", "o-a1b2c3d4e5"]
min_severity = "high"

[limits]
per_run = 3
per_day = 7
reserve = 0
cool_down = "48h"
confirm = "20m"

[rotation]
period_in_days = 180

[grants]
revoke = ["partner-import"]

[stop]
file = "/etc/spillgate/stop"
env = "NO_CHANGES_NOW"

[notify]
command = ["/usr/local/bin/tell", "#security"]
timeout = "3s"

[standing]
apply = ["rotate-on-demand"]
`

func TestParseOperator(t *testing.T) {
	op, err := ParseOperator("op.toml", []byte(operatorText))
	if err != nil {
		t.Fatal(err)
	}
	if op.perRun() != 3 || op.PerDay() != 7 || op.reserve() != 0 || op.coolDown() != 48*time.Hour || op.period() != 180 || op.minSeverity() != rules.High {
		t.Errorf("the numbers are misread: %+v", op)
	}
	if len(op.Digest) != 64 || op.Standing.Apply[0] != RotateOnDemand || op.Notify.Command[1] != "#security" || op.Tags["spillgate"] != "respond" {
		t.Errorf("misread: %+v", op)
	}
	none, err := ParseOperator("op.toml", nil)
	if err != nil || none.perRun() != 1 || none.PerDay() != 5 || none.reserve() != 5 || none.coolDown() != 24*time.Hour || none.period() != 365 || none.minSeverity() != rules.Medium {
		t.Errorf("the defaults are %+v, %v", none, err)
	}
}

func TestParseOperatorRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"acounts = []":                                 `op.toml:1: unknown key "acounts"; did you mean accounts?`,
		"\n[limits]\nper_ruun = 1":                     `op.toml:3: unknown key "limits.per_ruun"; did you mean per_run?`,
		"zzzzzzzzzzzzzzzzzzzz = 1":                     `op.toml:1: unknown key "zzzzzzzzzzzzzzzzzzzz"`,
		"accounts = 3":                                 "op.toml:1:",
		"accounts = [":                                 "op.toml:1:",
		`accounts = ["*"]`:                             "no account of 12 digits",
		`regions = ["eu-*"]`:                           "no Region",
		`resources = ["*"]`:                            "no pattern of ARNs",
		`trusted = ["*"]`:                              "trusted",
		`actions = ["schedule-key-deletion"]`:          "unknown action",
		`actions = ["disable-key"]`:                    "unknown action",
		`actions = ["narrow-policy"]`:                  "unknown action",
		"[standing]\napply = [\"everything\"]":         "unknown action",
		"[limits]\nper_run = -1":                       "negative",
		"[limits]\nreserve = 26":                       "between 0 and 25",
		"[limits]\ncool_down = \"0s\"":                 "positive duration",
		"[limits]\ncool_down = \"1 day\"":              "positive duration",
		"[rotation]\nperiod_in_days = 30":              "between 90 and 2560",
		`min_severity = "grave"`:                       "grave",
		"[tags]\n\"spillgate:no-rotate\" = \"yes\"":    "cannot allow",
		"[notify]\ncommand = [\"\"]":                   "empty",
		"accounts = []\n" + strings.Repeat("#", 2<<20): "no operator's file",
	} {
		if _, err := ParseOperator("op.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}

// Every key that the file may have is among the names that a misspelt one is
// compared with.
func TestOperatorKeyNames(t *testing.T) {
	known := strings.Fields(operatorKeyNames)
	for line := range strings.Lines(operatorText) {
		name, _, _ := strings.Cut(strings.Trim(line, "[]\n"), " ")
		if name == "" {
			continue
		}
		found := false
		for _, k := range known {
			found = found || k == name
		}
		if !found {
			t.Errorf("%q is not among the names", name)
		}
	}
}

// TestRule03OperatorFile: what a response may do never comes from a
// repository, nor from somebody else's hand.
func TestRule03OperatorFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(operatorText), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("op.toml", 0o600)
	if op, err := LoadOperator(good); err != nil || len(op.Accounts) != 1 {
		t.Fatalf("got %+v, %v", op, err)
	}
	inRepo := write("repo/deep/op.toml", 0o600)
	if err := os.MkdirAll(filepath.Join(dir, "repo", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(dir, "linked.toml")
	if err := os.Symlink(inRepo, linked); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	bad := map[string]string{inRepo: "git work tree", linked: "git work tree", filepath.Join(dir, "none.toml"): "finding the operator's file", dir: "no regular file"}
	if runtime.GOOS == "windows" {
		delete(bad, linked)
	} else {
		bad[write("shared.toml", 0o666)] = "can be written by other users"
		bad[write("group.toml", 0o660)] = "can be written by other users"
		open := write("open/op.toml", 0o600)
		if err := os.Chmod(filepath.Dir(open), 0o777); err != nil {
			t.Fatal(err)
		}
		bad[open] = "the folder of the operator's file"
	}
	for path, want := range bad {
		if _, err := LoadOperator(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	// A work tree of git worktree and of a submodule has a file there.
	if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: /elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOperator(good); err == nil {
		t.Error("a linked work tree is not seen")
	}
}

func FuzzParseOperator(f *testing.F) {
	f.Add([]byte(operatorText))
	f.Fuzz(func(t *testing.T, text []byte) {
		op, err := ParseOperator("op.toml", text)
		if err != nil {
			return
		}
		if op.perRun() < 1 || op.PerDay() < 1 || op.reserve() < 0 || op.coolDown() <= 0 || op.period() < minPeriod {
			t.Errorf("limits that bound nothing: %+v", op)
		}
	})
}
