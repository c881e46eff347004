package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A gitProgram runs git so that it only reads, obeys no configuration that
// changes what it prints, starts nothing and reaches no network.
type gitProgram struct {
	path   string
	dir    string
	global []string
	env    []string
}

// newGitProgram settles how to run git in r. Running it may still fail.
func newGitProgram(r *Repo) *gitProgram {
	g := &gitProgram{path: first(r.options.Git, "git"), dir: r.Root()}
	// What of these a version does not know, it ignores.
	g.global = []string{
		"--no-pager", "--literal-pathspecs",
		"-c", "core.quotePath=false", "-c", "color.ui=false", "-c", "core.fsmonitor=false",
		"-c", "core.hooksPath=" + os.DevNull, "-c", "core.commitGraph=false",
		"-c", "core.warnAmbiguousRefs=false", "-c", "protocol.allow=never",
	}
	if r.options.TrustRepo {
		g.global = append(g.global, "-c", "safe.directory=*")
	}
	for _, e := range r.options.Environ {
		key, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(key, "GIT_TRACE") && key != "GIT_PREFIX" && key != "GIT_NAMESPACE" {
			g.env = append(g.env, e)
		}
	}
	g.set("GIT_NO_REPLACE_OBJECTS", "1")
	g.set("GIT_GRAFT_FILE", os.DevNull)
	g.set("GIT_OPTIONAL_LOCKS", "0")
	g.set("GIT_NO_LAZY_FETCH", "1")
	g.set("GIT_ALLOW_PROTOCOL", "none") // for versions before 2.45, which know no GIT_NO_LAZY_FETCH
	g.set("GIT_TERMINAL_PROMPT", "0")
	g.set("GIT_ADVICE", "0")
	g.set("LC_ALL", "C")
	// git runs in the top of the work tree: what was relative to elsewhere
	// is made absolute.
	if r.explicit {
		g.set("GIT_DIR", r.gitDir)
		if r.workTree != "" {
			g.set("GIT_WORK_TREE", r.workTree)
		}
	} else if r.env("GIT_WORK_TREE") != "" {
		g.set("GIT_WORK_TREE", r.workTree)
	}
	if r.indexNamed {
		g.set("GIT_INDEX_FILE", r.indexFile)
	}
	if r.env("GIT_COMMON_DIR") != "" {
		g.set("GIT_COMMON_DIR", r.commonDir)
	}
	if r.env("GIT_OBJECT_DIRECTORY") != "" {
		g.set("GIT_OBJECT_DIRECTORY", r.objectDir)
	}
	if len(r.alternates) > 0 {
		g.set("GIT_ALTERNATE_OBJECT_DIRECTORIES", joinAlternates(r.alternates))
	}
	return g
}

func (g *gitProgram) set(key, value string) { g.env = append(g.env, key+"="+value) }

// joinAlternates quotes the paths that hold the separator.
func joinAlternates(dirs []string) string {
	var quoted []string
	for _, d := range dirs {
		if strings.ContainsAny(d, string(os.PathListSeparator)+"\"") {
			d = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(d) + `"`
		}
		quoted = append(quoted, d)
	}
	return strings.Join(quoted, string(os.PathListSeparator))
}

// command prepares a call of git.
func (g *gitProgram) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, g.path, append(append([]string(nil), g.global...), args...)...)
	c.Dir, c.Env = g.dir, g.env
	c.WaitDelay = 2 * time.Second
	return c
}

// output runs git and returns what it prints.
func (g *gitProgram) output(ctx context.Context, args ...string) ([]byte, error) {
	c := g.command(ctx, args...)
	var stderr tail
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, g.explain(ctx, err, &stderr, args[0])
	}
	return out, nil
}

// A gitError is a failure of the git program.
type gitError struct {
	command string // the subcommand
	stderr  string
	code    int // exit code, or -1
	cause   error
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.cause)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.stderr)
}

// Unwrap returns what running the program reported.
func (e *gitError) Unwrap() error { return e.cause }

// explain makes an error of a failed run, with the way out where it is known.
func (g *gitProgram) explain(ctx context.Context, err error, stderr *tail, command string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("reading %s needs the git program: %w", g.dir, err)
	}
	text := strings.TrimSpace(stderr.String())
	if strings.Contains(text, "dubious ownership") || strings.Contains(text, "unsafe repository") {
		dir := g.dir
		if _, after, ok := strings.Cut(text, "--add safe.directory "); ok {
			dir, _, _ = strings.Cut(after, "\n")
			dir = strings.Trim(dir, "'")
		}
		return &ownerError{g.dir, dir}
	}
	e := &gitError{command: command, stderr: strings.Join(strings.Fields(text), " "), code: -1, cause: err}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		e.code = exit.ExitCode()
	}
	return e
}

// An ownerError says that git refuses a repository of another user.
type ownerError struct{ dir, safe string }

// Error says so, and the way out.
func (e *ownerError) Error() string {
	return fmt.Sprintf("git will not read %s because another user owns it: pass --trust-repo, or run `git config --global --add safe.directory '%s'`", e.dir, e.safe)
}

// tail keeps the first bytes written to it, which hold git's first complaint.
type tail struct{ b []byte }

const tailMax = 2048

// Write keeps what fits and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), tailMax-len(t.b))]...)
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }

// A gitStore reads objects through `git cat-file --batch`.
type gitStore struct {
	repo *Repo
	git  *gitProgram
	// dirs tells which objects of a partial clone are here: asking git itself
	// makes versions before 2.45 fetch them.
	dirs *objectDirs
}

func newGitStore(r *Repo) (*gitStore, error) {
	s := &gitStore{repo: r, git: r.git}
	if r.partial {
		dirs, err := newObjectDirs(&r.place, r.hashLen)
		if err != nil {
			return nil, err
		}
		s.dirs = dirs
	}
	return s, nil
}

func (s *gitStore) name() string { return backendGit }

func (s *gitStore) close() error {
	if s.dirs != nil {
		return s.dirs.close()
	}
	return nil
}

func (s *gitStore) open(ctx context.Context) (reader, error) {
	return &gitReader{ctx: ctx, store: s}, nil
}

func (s *gitStore) each(ctx context.Context, visit func(oid, kind) error) error {
	out, err := s.git.output(ctx, "cat-file", "--batch-all-objects", "--unordered",
		"--batch-check=%(objectname) %(objecttype)")
	if err != nil {
		return err
	}
	for len(out) > 0 {
		var line []byte
		line, out = cutLine(out)
		name, k, _ := strings.Cut(string(line), " ")
		id, err := parseOID(name, s.repo.hashLen)
		if err != nil {
			return fmt.Errorf("git cat-file: %w", err)
		}
		if err := visit(id, kindOf(k)); err != nil {
			return err
		}
	}
	return nil
}

// A gitReader keeps a `git cat-file --batch` running.
type gitReader struct {
	ctx    context.Context
	store  *gitStore
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
	buf    []byte
}

func (rd *gitReader) start() error {
	rd.cmd = rd.store.git.command(rd.ctx, "cat-file", "--batch")
	rd.stderr = &tail{}
	rd.cmd.Stderr = rd.stderr
	in, err := rd.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := rd.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := rd.cmd.Start(); err != nil {
		rd.cmd = nil
		return rd.store.git.explain(rd.ctx, err, rd.stderr, "cat-file")
	}
	rd.in, rd.out = in, bufio.NewReaderSize(out, 64<<10)
	return nil
}

func (rd *gitReader) read(id oid) (object, error) {
	name := rd.store.repo.hex(id)
	if rd.store.dirs != nil && !rd.store.dirs.has(id) {
		return object{}, &missingError{name}
	}
	if rd.cmd == nil {
		if err := rd.start(); err != nil {
			return object{}, err
		}
	}
	if _, err := io.WriteString(rd.in, name+"\n"); err != nil {
		return object{}, rd.died(name, err)
	}
	line, err := rd.out.ReadString('\n')
	if err != nil {
		return object{}, rd.died(name, err)
	}
	words := strings.Fields(line)
	if len(words) == 2 && words[1] == "missing" {
		return object{}, &missingError{name}
	}
	if len(words) != 3 {
		return object{}, rd.died(name, fmt.Errorf("unexpected answer %.100q", line))
	}
	size, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil || size < 0 || kindOf(words[1]) == noKind {
		return object{}, rd.died(name, fmt.Errorf("unexpected answer %.100q", line))
	}
	o := object{kind: kindOf(words[1]), size: size}
	if size > maxHeld {
		o.stream = &batchStream{rd: rd, name: name, left: size}
		return o, nil
	}
	if int64(cap(rd.buf)) < size {
		rd.buf = make([]byte, size+size/4)
	}
	o.data = rd.buf[:size]
	if _, err := io.ReadFull(rd.out, o.data); err != nil {
		return object{}, rd.died(name, err)
	}
	if _, err := rd.out.Discard(1); err != nil {
		return object{}, rd.died(name, err)
	}
	return o, nil
}

// died ends a git that broke off, as it does at a corrupt object, and returns
// what it said. The next read starts another.
func (rd *gitReader) died(name string, err error) error {
	if rd.cmd == nil {
		return err
	}
	_ = rd.in.Close()
	_, _ = io.Copy(io.Discard, rd.out)
	werr := rd.cmd.Wait()
	rd.cmd = nil
	if werr != nil {
		err = werr
	}
	return fmt.Errorf("reading object %s: %w", name, rd.store.git.explain(rd.ctx, err, rd.stderr, "cat-file"))
}

func (rd *gitReader) close() error {
	if rd.cmd == nil {
		return nil
	}
	cmd := rd.cmd
	rd.cmd = nil
	_ = rd.in.Close()
	_, _ = io.Copy(io.Discard, rd.out)
	if err := cmd.Wait(); err != nil && rd.ctx.Err() == nil {
		return rd.store.git.explain(rd.ctx, err, rd.stderr, "cat-file")
	}
	return nil
}

// A batchStream is the content of one object in the output of cat-file.
type batchStream struct {
	rd   *gitReader
	name string
	left int64
	err  error
}

// Read reads at most to the end of the object.
func (s *batchStream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.rd.out.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if err != nil {
		s.err = s.rd.died(s.name, err)
		return n, s.err
	}
	return n, nil
}

// Close skips what was not read.
func (s *batchStream) Close() error {
	if s.err != nil || s.rd.cmd == nil {
		return s.err
	}
	_, err := io.CopyN(io.Discard, s.rd.out, s.left+1) // and the line feed after it
	if err != nil {
		return s.rd.died(s.name, err)
	}
	return nil
}
