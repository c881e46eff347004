package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Repo is a repository whose notes are read and written, by the git program.
type Repo struct {
	// Dir is where to run git, "" for the working directory.
	Dir string
	// Trust reads a repository that belongs to another user.
	Trust bool
}

// git runs git, with standard input, and returns what it prints.
func (r Repo) git(ctx context.Context, input string, args ...string) ([]byte, error) {
	global := []string{"--no-pager", "--no-replace-objects", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false", "-c", "log.showSignature=false"}
	if r.Trust {
		global = append(global, "-c", "safe.directory=*")
	}
	return run(ctx, r.Dir, input, "git", append(global, args...)...)
}

// run runs a program and returns what it prints, or the last line of what it
// complains about.
func run(ctx context.Context, dir, input, program string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0")
	c.Stdin = strings.NewReader(input)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return nil, fmt.Errorf("%s: %w: %s", program, err, lines[len(lines)-1])
	}
	return out, nil
}

// A Commit is one of a range, with its note.
type Commit struct {
	ID, Tree string
	Parents  []string
	Note     []byte // nil if it has none
}

// Commits returns the commits that git rev-list gives for revs, the newest
// first, with their notes.
func (r Repo) Commits(ctx context.Context, revs ...string) ([]Commit, error) {
	args := []string{"log", "-z", "--no-color", "--no-notes", "--notes=" + Ref, "--format=%H%n%T%n%P%n%N", "--end-of-options"}
	out, err := r.git(ctx, "", append(append(args, revs...), "--")...)
	if err != nil {
		return nil, err
	}
	var all []Commit
	for record := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if record == "" {
			continue
		}
		parts := strings.SplitN(record, "\n", 4)
		if len(parts) != 4 {
			return nil, errors.New("git log printed something else than was asked for")
		}
		c := Commit{ID: parts[0], Tree: parts[1], Parents: strings.Fields(parts[2])}
		if strings.TrimSpace(parts[3]) != "" {
			c.Note = []byte(parts[3])
		}
		all = append(all, c)
	}
	return all, nil
}

// Write keeps a note on a commit, in the place of an older one.
func (r Repo) Write(ctx context.Context, commit string, note []byte) error {
	_, err := r.git(ctx, string(note), "notes", "--ref="+Ref, "add", "-f", "-F", "-", commit)
	return err
}

// Config returns a setting of git, "" if there is none. kind is "" or a type
// such as "path".
func (r Repo) Config(ctx context.Context, key, kind string) string {
	args := []string{"config", "--get"}
	if kind != "" {
		args = append(args, "--type="+kind)
	}
	out, err := r.git(ctx, "", append(args, key)...)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(out), "\n")
}

// namespace keeps a signature of anything else from passing for one of an
// attestation (https://man.openbsd.org/ssh-keygen, -n).
const namespace = "spillgate"

// Sign signs text with an SSH key: its private file, or the public one of a key
// that an agent holds.
func Sign(ctx context.Context, key string, text []byte) ([]byte, error) {
	return run(ctx, "", string(text), "ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key)
}

// Verify returns who signed text, by a file of allowed signers
// (https://man.openbsd.org/ssh-keygen, ALLOWED SIGNERS).
func Verify(ctx context.Context, signers string, text, signature []byte) (principal string, err error) {
	dir, err := os.MkdirTemp("", "spillgate-attest-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "signature")
	if err := os.WriteFile(file, append(signature, '\n'), 0o600); err != nil {
		return "", err
	}
	out, err := run(ctx, "", "", "ssh-keygen", "-Y", "find-principals", "-n", namespace, "-s", file, "-f", signers)
	if err != nil {
		return "", errors.New("its key is not among the allowed signers")
	}
	principal, _, _ = strings.Cut(string(out), "\n")
	if _, err := run(ctx, "", string(text), "ssh-keygen", "-Y", "verify", "-n", namespace, "-I", principal, "-s", file, "-f", signers); err != nil {
		return "", errors.New("its signature does not hold")
	}
	return principal, nil
}
