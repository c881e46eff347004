package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDeployed reads the file that the Kubernetes manifests ship.
func TestDeployed(t *testing.T) {
	c, err := Read(filepath.Join("..", "..", "deploy", "kubernetes", "server.toml"), "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Queue.Replicas != 3 || len(c.Sources) != 1 || len(c.Sources[0].Secrets) != 1 || len(c.Tokens) != 1 {
		t.Errorf("got %+v", c)
	}
}

// TestClusterElsewhere holds that the replicas of the file are those of a cluster
// that only the command line names.
func TestClusterElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.toml")
	if err := os.WriteFile(file, []byte("data = \"x\"\n[queue]\nreplicas = 3\n"+source+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file, ""); err == nil || !strings.Contains(err.Error(), ":3:1: ") {
		t.Errorf("without a cluster: %v", err)
	}
	c, err := Read(file, "nats://127.0.0.1:4222")
	if err != nil || c.Queue.NATS != "nats://127.0.0.1:4222" || c.Queue.Replicas != 3 {
		t.Errorf("with one: %v, %v", c, err)
	}
}

const (
	source = "[[source]]\nname = \"a\"\nkind = \"github\"\nclone = \"https://h/{repository}.git\"\n"
	secret = "[[source.secret]]\nenv = \"X\"\n"
)

func TestErrorsSayWhere(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"data = ", "1:7: "},
		{"data = 3\n", "1:8: "},
		{"data = \"x\"\nlisten-on = \":1\"\n", `2:1: unknown key "listen-on"`},
		{"data = \"x\"\n[queue]\nreplica = 3\n", `3:1: unknown key "queue.replica"`},
		{"listen = \":1\"\n", "data is missing"},
		{"data = \"x\"\n", "[[source]]"},
		{"data = \"x\"\nworkers = -1\n", "workers = -1"},
		{"data = \"x\"\nmemory-megabytes = -1\n", "2:1: it is not negative"},
		{"data = \"x\"\n[scan]\ntimeout = \"-3s\"\n", "negative"},
		{"data = \"x\"\n" + source, "[[source.secret]]"},
		{"data = \"x\"\n" + source + secret + source + secret, "taken"},
		{"data = \"x\"\n" + strings.Replace(source, "{repository}", "app", 1) + secret, "{repository}"},
		{"data = \"x\"\n" + strings.Replace(source, "https://", "", 1) + secret, "scheme"},
		{"data = \"x\"\n" + source + secret + "[source.app]\nid = 1\n", "installation"},
		{"data = \"x\"\n" + source + "ssh-key = \"k\"\n" + secret, "known-hosts"},
		{"data = \"x\"\n" + source + secret + "[[token]]\nname = \"t\"\nrole = \"root\"\n", "viewer, closer or manager"},
	} {
		if _, err := Parse([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %q", tc.text, err, tc.want)
		}
	}
	if _, err := Parse([]byte("data = \"x\"\n" + source + secret)); err != nil {
		t.Error(err)
	}
}

// TestWhere holds that what is wrong is said with line and column, in the right
// one of several tables.
func TestWhere(t *testing.T) {
	good := "data = \"x\"\nurl = \"https://s.example\"\n" + source + secret + "[[source]]\nname = \"b\"\nkind = \"github\"\nclone = \"https://h/{repository}\"\n" +
		"  [[source.secret]]\n  env = \"A\"\n  [[source.secret]]\n  env = \"B\"\n[[token]]\nname = \"t\"\nrole = \"viewer\"\ntoken = { env = \"T\" }\n" +
		"[[notify]]\nname = \"n\"\nkind = \"slack\"\nsecret = { env = \"S\" }\n"
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new string }{
		{`kind = "github"` + "\nclone = \"https://h/", `kind = "gitbub"` + "\nclone = \"https://h/"},
		{`env = "B"`, `env = ""`},
		{`role = "viewer"`, `role = "boss"`},
		{`kind = "slack"`, `kind = "slak"`},
		{`url = "https://`, `url = "http://`},
		{`data = "x"`, `data = 1`},
		{`name = "b"`, `name = "B"`},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		at := strings.Index(bad, c.new)
		line := 1 + strings.Count(bad[:at], "\n")
		column := at - strings.LastIndex(bad[:at], "\n")
		if c.new == `data = 1` {
			column += len("data = ")
		}
		want := fmt.Sprintf("%d:%d: ", line, column)
		if strings.HasPrefix(c.new, "env") {
			want = fmt.Sprintf("%d:%d: ", line-1, column+2) // the table that lacks it: its name, after [[
		}
		_, err := Parse([]byte(bad))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "config.") {
			t.Errorf("%q: got %v, want %s", c.new, err, want)
		}
	}
}

// TestAskAgain: a time that is too short, or asks nobody, is an error.
func TestAskAgain(t *testing.T) {
	const rest = "[[source]]\nname = \"b\"\nkind = \"github\"\nclone = \"https://h/{repository}\"\n[[source.secret]]\nenv = \"B\"\n"
	for live, want := range map[string]string{
		"enabled = true":                         "",
		"enabled = true\nask-again = \"720h\"":   "",
		"enabled = true\nask-again = \"0s\"":     "",
		"enabled = true\nask-again = \"9m\"":     "4:1: 9m0s is too short to ask again: use at least 10m0s, or 0s for never",
		"enabled = true\nask-again = \"-1h\"":    "4:13: a duration is not negative",
		"enabled = true\nask-again = \"a week\"": `time: invalid duration "a week"`,
		"ask-again = \"24h\"":                    "3:1: AWS is not asked at all: live.enabled is not set",
	} {
		c, err := Parse([]byte("data = \"x\"\n[live]\n" + live + "\n" + rest))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: got %v, want %q", live, err, want)
		case err == nil && (c.Live.AskAgain == nil) != (live == "enabled = true"):
			t.Errorf("%q: got %v", live, c.Live.AskAgain)
		}
	}
}

func TestReveal(t *testing.T) {
	dir := t.TempDir()
	c := &Config{dir: dir}
	if err := os.WriteFile(filepath.Join(dir, "s"), []byte("made up\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Reveal(Secret{File: "s"}); err != nil || got != "made up" {
		t.Errorf("a file: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "s"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reveal(Secret{File: "s"}); err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "made up") {
		t.Errorf("a file that anyone may read: %v", err)
	}
	t.Setenv("SPILLGATE_TEST", "")
	if _, err := c.Reveal(Secret{Env: "SPILLGATE_TEST"}); err == nil {
		t.Error("an empty variable was taken")
	}
	if _, err := c.Reveal(Secret{Env: "A", File: "b"}); err == nil {
		t.Error("both env and file were taken")
	}
	if got, err := c.Reveal(Secret{}); err != nil || got != "" {
		t.Errorf("none: %v", err)
	}
}

// FuzzParse holds that no text makes the reader panic or accept a source
// without a secret.
func FuzzParse(f *testing.F) {
	f.Add("data = \"x\"\n[[source]]\nname = \"a\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			return
		}
		for _, s := range c.Sources {
			if len(s.Secrets) == 0 || !strings.Contains(s.Clone, "{repository}") {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}

// TestDocumented reads the file that the documentation shows.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "server.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```toml\n")
	example, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("docs/server.md shows no file")
	}
	c, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Sources) != 1 || c.Sources[0].App == nil || len(c.Notify) != 1 || !c.Live.Enabled {
		t.Errorf("got %+v", c)
	}
}
