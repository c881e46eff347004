// Package gitrepo reads git repositories for the scanner: what is staged, what
// a range of commits brought, what a whole history holds.
//
// It reads objects (blobs, trees, commits, tags) and never the text of a diff.
// `git diff` and `git log -p` obey the user's configuration and the
// repository's attributes: a line "*.env -diff" or "color.ui=always" is enough
// to hide a secret from whoever parses them. Objects have no such switches.
// For the same reason replacement refs and grafts are not looked at.
//
// What is new is decided on objects too. The scanner gets each changed blob as
// a whole, and a finding counts when it touches a line that no parent of the
// change holds (see newLines); so a secret of two halves is found although
// only one is new, and a merge is judged by what neither side had.
//
// Three stores read objects. "packs" is our own reader of packs (see its
// package) and the usual one. "go-git" decodes packs with go-git and is there
// to be compared with. Neither starts a process. "git" asks the git program,
// for formats that only git knows (reftable, SHA-256, a split index) and for
// objects that the others fail to decode. Coverage.Backend says which served.
//
// Nothing here writes to the repository, and nothing missing is passed over:
// it becomes a Problem of the coverage, or an error.
package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// Options say which repository to open and how to read it. The zero value
// opens the repository of the current directory.
type Options struct {
	// Dir is where to look for the repository, "" for the current directory.
	// If that lies in another repository than the current directory, Open
	// ignores the GIT_* variables that describe the current one, unless
	// Environ is set.
	Dir string
	// Git is the git program, "" for "git" from PATH. It runs only where the
	// repository's format needs it.
	Git string
	// Backend says who reads: "git" or "go-git" alone, or "packs", which is
	// the default, with "git" for what that cannot read.
	Backend string
	// Jobs is how many goroutines read and scan at a time, 0 for one per
	// processor.
	Jobs int
	// Memory bounds, in bytes, what is kept of objects because others are
	// made of them, 0 for a default of a few hundred megabytes.
	Memory int64
	// TrustRepo makes the git program read a repository that belongs to
	// another user. It holds for this call and changes no configuration.
	TrustRepo bool
	// Environ is the environment, "KEY=value" each, in which to look for
	// GIT_* variables and to run git; nil for the process's own.
	Environ []string
	// Submodules lets the sources go on in the repositories of submodules, and
	// LFS look at the files that Git LFS keeps outside of git's objects, as far
	// as they are on this machine; what is not becomes a Problem. Without them
	// both are counted as skipped.
	Submodules, LFS bool
	// Program is the rule program of the detectors. With it, blobs of ranges
	// come with their anchors, which for versions of a file cost little to
	// find. Nil leaves all of that to the detectors. HistoryOptions has one of
	// its own.
	Program *rules.Program
	// Encoded is to Program what HistoryOptions.Encoded is.
	Encoded pack.Anchorer

	family *family // of a submodule, and of what has some
}

// The names of the backends, as Options.Backend and Coverage.Backend spell them.
const (
	backendPacks = "packs"
	backendGoGit = "go-git"
	backendGit   = "git"
)

// A Repo is an open repository. Its methods are safe for concurrent use.
type Repo struct {
	place
	options Options
	env     func(string) string
	cwd     string
	config  *config
	hashLen int
	// needGit says why only the git program can read the repository, or "".
	needGit string
	partial bool // a partial clone: objects may be absent by design
	git     *gitProgram
	// gitServed says that git read an object that another store could not.
	gitServed atomic.Bool

	mu     sync.Mutex
	stores map[string]store
	spare  []reader // of the lazy line differences

	progress *scanner.Progress // or nil
}

// Open finds and opens the repository as git would, following the variables
// that git gives to hooks: GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE,
// GIT_COMMON_DIR, GIT_OBJECT_DIRECTORY and GIT_ALTERNATE_OBJECT_DIRECTORIES.
// It starts no process. That there is no repository is an error.
func Open(ctx context.Context, o Options) (*Repo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch o.Backend {
	case "", backendPacks, backendGoGit, backendGit:
	default:
		return nil, &scanner.UsageError{What: fmt.Sprintf("unknown backend %q", o.Backend), Fix: "use packs, go-git or git"}
	}
	r := &Repo{options: o, stores: map[string]store{}}
	if o.Jobs <= 0 {
		r.options.Jobs = runtime.GOMAXPROCS(0)
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	var err error
	if r.place, err = locate(r.cwd, r.env); err != nil {
		return nil, fmt.Errorf("opening the repository of %s: %w", r.cwd, err)
	}
	if r.config, err = r.repositoryConfig(); err != nil {
		return nil, err
	}
	if err := r.readFormat(); err != nil {
		return nil, err
	}
	r.git = newGitProgram(r)
	return r, nil
}

// enter settles the directory and the environment to work in.
func (r *Repo) enter() error {
	cwd, err := os.Getwd()
	if err != nil && !filepath.IsAbs(r.options.Dir) {
		return fmt.Errorf("finding the current directory: %w", err)
	}
	r.cwd = absIn(cwd, r.options.Dir)
	if info, err := os.Stat(r.cwd); err != nil {
		return fmt.Errorf("opening the repository: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("opening the repository: %s is no directory", r.cwd)
	}
	if r.options.Environ == nil {
		r.options.Environ = os.Environ()
		r.env = lookup(r.options.Environ)
		if r.cwd != filepath.Clean(cwd) {
			r.elsewhere(filepath.Clean(cwd))
		}
	}
	r.env = lookup(r.options.Environ)
	return nil
}

// elsewhere settles which variables hold for a directory other than the
// current one, cwd. Where both lie in the same repository they describe it,
// and the index that a hook was given must not get lost; where they do not,
// they must not leak.
func (r *Repo) elsewhere(cwd string) {
	other := dropLocal(r.options.Environ)
	here, err := locate(cwd, r.env)
	there, terr := locate(r.cwd, lookup(other))
	if err == nil && terr == nil && sameFile(here.gitDir, there.gitDir) {
		r.cwd = cwd
		return
	}
	r.options.Environ = other
}

func sameFile(a, b string) bool {
	ia, err := os.Stat(a)
	ib, berr := os.Stat(b)
	return err == nil && berr == nil && os.SameFile(ia, ib)
}

// lookup returns a function that reads a variable of environ.
func lookup(environ []string) func(string) string {
	return func(key string) string {
		for i := len(environ) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(environ[i], key); ok && strings.HasPrefix(v, "=") {
				return v[1:]
			}
		}
		return ""
	}
}

// dropLocal returns environ without the variables that describe a repository.
func dropLocal(environ []string) []string {
	var kept []string
	for _, e := range environ {
		key, _, _ := strings.Cut(e, "=")
		local := false
		for _, l := range localEnv {
			local = local || l == key
		}
		if !local {
			kept = append(kept, e)
		}
	}
	return kept
}

// readFormat learns from extensions.* what the repository demands of a reader
// (https://git-scm.com/docs/repository-version).
func (r *Repo) readFormat() error {
	r.hashLen = sha1Len
	if f, ok := r.config.get("extensions.objectformat"); ok && !strings.EqualFold(f, "sha1") {
		if !strings.EqualFold(f, "sha256") {
			return fmt.Errorf("reading %s: unknown object format %q", filepath.Join(r.commonDir, "config"), f)
		}
		r.hashLen, r.needGit = sha256Len, "SHA-256 objects"
	}
	if f, ok := r.config.get("extensions.refstorage"); ok && !strings.EqualFold(f, "files") {
		r.needGit = "ref storage " + f
	}
	if name := r.unknownExtension(); name != "" && r.needGit == "" {
		r.needGit = "the extension " + name
	}
	_, r.partial = r.config.get("extensions.partialclone")
	for _, s := range r.config.settings {
		if strings.HasPrefix(s.key, "remote.") && strings.HasSuffix(s.key, ".promisor") {
			r.partial = true
		}
	}
	if r.needGit != "" && r.options.Backend == backendGoGit {
		return &scanner.UsageError{
			What: fmt.Sprintf("the repository has %s, which the go-git backend cannot read", r.needGit),
			Fix:  "leave the choice of backend to Spillgate, or choose git",
		}
	}
	return nil
}

// unknownExtension returns the name of an extension, or the version, of the
// repository's format that this code does not know; git may, or says that it
// does not. Version 0 obeys no others than those that git has always obeyed.
func (r *Repo) unknownExtension() string {
	version, _ := r.config.get("core.repositoryformatversion")
	switch version {
	case "", "0":
		return ""
	case "1":
	default:
		return "of repository format version " + version
	}
	for _, s := range r.config.settings {
		name, ok := strings.CutPrefix(s.key, "extensions.")
		switch name {
		case "noop", "noop-v1", "objectformat", "compatobjectformat", "partialclone", "preciousobjects",
			"refstorage", "relativeworktrees", "worktreeconfig":
		default:
			if ok {
				return name
			}
		}
	}
	return ""
}

// Close ends the programs and closes the files that were used.
func (r *Repo) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, rd := range r.spare {
		errs = append(errs, rd.close())
	}
	for _, s := range r.stores {
		errs = append(errs, s.close())
	}
	r.spare, r.stores = nil, map[string]store{}
	return errors.Join(errs...)
}

// Watch has p told of the blobs that the sources of r emit. It is called before
// they are used.
func (r *Repo) Watch(p *scanner.Progress) { r.progress = p }

// Root returns the absolute path of the top of the work tree, or of the
// repository itself if it is bare. Paths of objects are relative to it.
func (r *Repo) Root() string { return first(r.workTree, r.gitDir) }

// GitDir returns the absolute path of the git directory; in a linked work tree
// that is its own, below the shared one.
func (r *Repo) GitDir() string { return r.gitDir }

// hex returns id as git prints it.
func (r *Repo) hex(id oid) string { return id.hex(r.hashLen) }

// store returns the object store that the format and the options ask for;
// needGit is true when the caller needs the git program for its own part.
func (r *Repo) store(needGit bool) (store, error) {
	name := first(r.options.Backend, backendPacks)
	if needGit || r.needGit != "" {
		name = backendGit
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stores[name]; s != nil {
		return s, nil
	}
	var s store
	var err error
	switch name {
	case backendGit:
		s, err = newGitStore(r)
	case backendGoGit:
		s, err = newGoGitStore(r)
	default:
		s, err = newPackStore(r)
	}
	if err != nil {
		return nil, err
	}
	r.stores[name] = s
	return s, nil
}
