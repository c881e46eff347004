package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// regions are those of the keys: the server asks each within its limits.
var regions = [...]string{"eu-central-1", "eu-west-1", "eu-north-1", "eu-south-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"}

const account = "471938265017"

// key returns a made-up key ARN that is no placeholder. Those of a run that goes
// on from another (-kept) are others than those of that one.
func (l *load) key(n int) string {
	if l.kept != "" {
		n += keptKeys
	}
	return "arn:aws:kms:" + regions[n%len(regions)] + ":" + fmt.Sprintf("%s:key/5f0c7d1e-93ab-4e26-8d74-b1c6%08x", account, n)
}

// id returns the id of a delivery, which likewise is none of that other run's: it
// would be known as done.
func (l *load) id(repo, commit int) string {
	id := fmt.Sprintf("%d-%d", repo, commit)
	if l.kept != "" {
		return "more-" + id
	}
	return id
}

// keptKeys is more than a run has keys.
const keptKeys = 1 << 24

// history makes the repositories: each commit adds one file with one key ARN
// that is nowhere else. Their branch is moved on, commit by commit, as they
// are pushed.
func (l *load) history() error {
	l.commits = make([][]string, l.repos)
	each := (l.deliveries + l.repos - 1) / l.repos
	l.deliveries = each * l.repos
	n := 0
	for r := range l.repos {
		bare := filepath.Join(l.dir, "hub", fmt.Sprintf("team/app%d.git", r))
		if out, err := exec.Command("git", "init", "-q", "--bare", bare).CombinedOutput(); err != nil {
			return fmt.Errorf("git init: %w\n%s", err, out)
		}
		var in bytes.Buffer
		for c := range each {
			n++
			text := fmt.Sprintf("# settings %d\nkey = %q\n", n, l.key(n))
			fmt.Fprintf(&in, "commit refs/load/main\nmark :%d\ncommitter a <a@localhost> %d +0000\ndata 6\nchange\n", c+1, 1700000000+n)
			fmt.Fprintf(&in, "M 100644 inline keys/%d.toml\ndata %d\n%s\n", n, len(text), text)
		}
		marks := filepath.Join(bare, "load-marks")
		cmd := exec.Command("git", "-C", bare, "fast-import", "--quiet", "--export-marks="+marks)
		cmd.Stdin = &in
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git fast-import: %w\n%s", err, out)
		}
		text, err := os.ReadFile(marks)
		if err != nil {
			return err
		}
		l.commits[r] = make([]string, each)
		for line := range strings.Lines(string(text)) {
			mark, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			c, err := strconv.Atoi(strings.TrimPrefix(mark, ":"))
			if err != nil || c < 1 || c > each {
				return fmt.Errorf("git fast-import wrote the mark %q", line)
			}
			l.commits[r][c-1] = id
		}
	}
	return nil
}
