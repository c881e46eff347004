package gitrepo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A place says where the parts of a repository lie. All paths are absolute.
type place struct {
	gitDir    string // HEAD and index of this work tree
	commonDir string // refs, config and objects, shared by linked work trees
	workTree  string // "" in a bare repository
	indexFile string
	objectDir string
	// alternates are further object directories that the environment names,
	// as receive-pack does for a push in quarantine.
	alternates []string
	// explicit says that GIT_DIR named the repository.
	explicit bool
	// indexNamed says that GIT_INDEX_FILE named the index.
	indexNamed bool
}

// localEnv are the variables that describe one repository; they must not leak
// into a look at another one (`git rev-parse --local-env-vars`).
var localEnv = [...]string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_PREFIX",
	"GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_GRAFT_FILE",
	"GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
	"GIT_INTERNAL_SUPER_PREFIX", "GIT_IMPLICIT_WORK_TREE", "GIT_NAMESPACE",
}

// errNotRepository says that no repository was found.
var errNotRepository = errors.New("not a git repository (nor any of the parent directories)")

// locate finds the repository that git would use in directory dir, given the
// environment that git gives to hooks (https://git-scm.com/docs/git#_environment_variables).
func locate(dir string, env func(string) string) (place, error) {
	var p place
	if g := env("GIT_DIR"); g != "" {
		p.explicit = true
		p.gitDir = absIn(dir, g)
		if target, ok, err := gitFile(p.gitDir); err != nil {
			return p, err
		} else if ok {
			p.gitDir = target
		}
		if !isGitDir(p.gitDir, env) {
			return p, fmt.Errorf("GIT_DIR=%s: not a git repository", g)
		}
		p.workTree = dir
	} else if err := p.walkUp(dir, env); err != nil {
		return p, err
	}
	p.commonDir = commonDir(p.gitDir, dir, env)
	if err := p.findWorkTree(dir, env); err != nil {
		return p, err
	}
	p.findFiles(dir, env)
	return p, nil
}

// findFiles sets what the environment may point elsewhere: the index and the
// object directories.
func (p *place) findFiles(dir string, env func(string) string) {
	top := first(p.workTree, p.gitDir)
	p.indexFile = filepath.Join(p.gitDir, "index")
	if f := env("GIT_INDEX_FILE"); f != "" {
		// git itself reads it after it changed into the top of the work tree
		p.indexFile, p.indexNamed = absIn(top, f), true
	}
	p.objectDir = filepath.Join(p.commonDir, "objects")
	if o := env("GIT_OBJECT_DIRECTORY"); o != "" {
		p.objectDir = absIn(dir, o)
	}
	for _, a := range splitAlternates(env("GIT_ALTERNATE_OBJECT_DIRECTORIES")) {
		p.alternates = append(p.alternates, absIn(dir, a))
	}
}

// splitAlternates cuts the list at the platform's separator; a part may stand
// in double quotes with C escapes.
func splitAlternates(list string) []string {
	var parts []string
	for list != "" {
		var part string
		if list[0] == '"' {
			if p, rest, ok := unquoteC(list); ok {
				part, list = p, strings.TrimPrefix(rest, string(os.PathListSeparator))
				parts = append(parts, part)
				continue
			}
		}
		part, list, _ = strings.Cut(list, string(os.PathListSeparator))
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// unquoteC reads a string quoted as in C from the start of s.
func unquoteC(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c != '\\':
			b.WriteByte(c)
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3':
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | s[i+3] - '0')
			i += 3
		case i+1 < len(s):
			i++
			if j := strings.IndexByte("abtnvfr", s[i]); j >= 0 {
				b.WriteByte(byte('\a' + j))
			} else {
				b.WriteByte(s[i])
			}
		}
	}
	return "", s, false
}

// walkUp looks for .git, or a bare repository, in dir and its parents.
func (p *place) walkUp(dir string, env func(string) string) error {
	ceilings := filepath.SplitList(env("GIT_CEILING_DIRECTORIES"))
	for at := dir; ; {
		dotGit := filepath.Join(at, ".git")
		target, ok, err := gitFile(dotGit)
		if err != nil {
			return err
		}
		if !ok {
			target = dotGit
		}
		if isGitDir(target, env) {
			p.gitDir, p.workTree = target, at
			return nil
		}
		if ok {
			return fmt.Errorf("%s points to %s, which is not a git repository", dotGit, target)
		}
		if isGitDir(at, env) {
			p.gitDir = at
			return nil
		}
		up := filepath.Dir(at)
		if up == at {
			return errNotRepository
		}
		for _, c := range ceilings {
			if c != "" && filepath.Clean(c) == up {
				return errNotRepository
			}
		}
		at = up
	}
}

// gitFile reads a .git file, "gitdir: PATH", as linked work trees and
// submodules have. ok is false when name is no file.
func gitFile(name string) (target string, ok bool, err error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return "", false, nil
	}
	if info.Size() > 1<<16 {
		return "", false, fmt.Errorf("%s is too large for a .git file", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", false, err
	}
	line, found := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), "gitdir: ")
	if !found || line == "" {
		return "", false, fmt.Errorf("%s does not say where its repository is (\"gitdir: PATH\")", name)
	}
	return absIn(filepath.Dir(name), line), true, nil
}

// isGitDir tests what git tests: HEAD, refs and objects
// (is_git_directory in git's setup.c).
func isGitDir(dir string, env func(string) string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	common := commonDir(dir, dir, env)
	if env("GIT_OBJECT_DIRECTORY") == "" {
		if info, err := os.Stat(filepath.Join(common, "objects")); err != nil || !info.IsDir() {
			return false
		}
	}
	info, err := os.Stat(filepath.Join(common, "refs"))
	return err == nil && info.IsDir()
}

// commonDir returns the directory that gitDir shares with other work trees.
func commonDir(gitDir, cwd string, env func(string) string) string {
	if c := env("GIT_COMMON_DIR"); c != "" {
		return absIn(cwd, c)
	}
	data, err := os.ReadFile(filepath.Join(gitDir, "commondir"))
	if err != nil {
		return gitDir
	}
	return absIn(gitDir, strings.TrimRight(string(data), "\r\n"))
}

// findWorkTree settles where the work tree is: GIT_WORK_TREE, core.worktree,
// or what was found, unless core.bare says that there is none.
func (p *place) findWorkTree(dir string, env func(string) string) error {
	if w := env("GIT_WORK_TREE"); w != "" {
		p.workTree = absIn(dir, w)
		return nil
	}
	c, err := p.repositoryConfig()
	if err != nil {
		return err
	}
	if w, ok := c.get("core.worktree"); ok && w != "" {
		p.workTree = absIn(p.gitDir, w)
	} else if c.truth("core.bare") && p.gitDir == p.commonDir {
		p.workTree = ""
	}
	return nil
}

// repositoryConfig reads the configuration of the repository alone.
func (p *place) repositoryConfig() (*config, error) {
	var c config
	if err := c.load(filepath.Join(p.commonDir, "config")); err != nil {
		return nil, fmt.Errorf("reading git configuration: %w", err)
	}
	if c.truth("extensions.worktreeconfig") {
		if err := c.load(filepath.Join(p.gitDir, "config.worktree")); err != nil {
			return nil, fmt.Errorf("reading git configuration: %w", err)
		}
	}
	return &c, nil
}

// absIn returns name, cleaned, as seen from dir.
func absIn(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}
