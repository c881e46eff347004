package filetree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/spillgate/spillgate/scanner/ignore"
)

// The names that mean something to a walk.
const (
	gitIgnore   = ".gitignore"
	spillIgnore = ".spillgateignore"
	gitFolder   = ".git"
)

// maxIgnoreFile bounds an ignore file; git refuses files over 100 MB.
const maxIgnoreFile = 16 << 20

// A ruleFile is an ignore file that applies to a folder, linked to those of
// the folders above. It never changes once built, so folders share it.
type ruleFile struct {
	parent *ruleFile
	base   int // length of the path of the file's folder, with its slash
	file   *ignore.File
	// used has an entry for each pattern of a .spillgateignore file whose whole
	// folder the walk sees; nil otherwise. See audit.
	used map[*ignore.Pattern]*atomic.Bool
}

// decide asks the ignore files from the nearest to the farthest; the last
// pattern of the first file that has a matching one decides.
func (r *ruleFile) decide(abs string, name int, isDir bool) (ignored, decided bool) {
	for ; r != nil; r = r.parent {
		if p := r.file.Decide(abs[r.base:], abs[name:], isDir); p != nil {
			if r.used != nil {
				r.used[p].Store(true)
			}
			return !p.Negate, true
		}
	}
	return false, false
}

// ignores are the ignore files that apply to a folder. What
// .spillgateignore files say comes before what .gitignore files say, so that
// "!.env" in the one gets a file scanned that the other ignores.
type ignores struct {
	spill, git *ruleFile
	fold       bool // core.ignoreCase of the repository
}

// none reports whether nothing can be ignored.
func (g *ignores) none() bool { return g.spill == nil && g.git == nil }

// reason returns why the entry abs, whose base name begins at name, is not
// scanned, or "". The folders above it are known not to be ignored, because a
// walk does not enter those that are; that also is why nothing below an
// ignored folder can be included again, as in git.
func (g *ignores) reason(abs string, name int, isDir bool) string {
	if ignored, decided := g.spill.decide(abs, name, isDir); decided {
		if ignored {
			return "ignored by " + spillIgnore
		}
		return ""
	}
	if ignored, _ := g.git.decide(abs, name, isDir); ignored {
		return "ignored by " + gitIgnore
	}
	return ""
}

// add returns g with the ignore files of the folder dir (which ends in '/')
// on top. has tells whether the folder holds an entry of that name, so that
// a folder without ignore files costs nothing.
func (g ignores) add(dir string, has func(name string) bool, fail func(where, what, fix string)) ignores {
	if has(gitFolder) {
		// A repository of its own: the .gitignore files above do not reach into it.
		g.fold = false
		g.git = nil
		if common := gitCommonDir(dir + gitFolder); common != "" {
			g.fold = ignoresCase(common)
			g.git = load(nil, ignore.Parse, common+"/info/exclude", dir, g.fold, fail)
		}
	}
	if has(gitIgnore) {
		g.git = load(g.git, ignore.Parse, dir+gitIgnore, dir, g.fold, fail)
	}
	if has(spillIgnore) {
		g.spill = load(g.spill, unscoped, dir+spillIgnore, dir, g.fold, fail)
	}
	return g
}

// A parser reads the text of an ignore file.
type parser func(text string, fold bool) *ignore.File

// unscoped reads a .spillgateignore file without the sections that hold for
// some rules only: a walk scans what those cover, and the findings are judged
// one by one (see package suppress).
func unscoped(text string, fold bool) *ignore.File {
	return ignore.ParseSections(text, fold).Unscoped()
}

// load reads the ignore file at path, whose patterns are relative to dir. One
// that cannot be read ignores nothing: more is scanned, never less. A file
// that is there and cannot be read is a Problem all the same, because
// what the user wanted ignored then is reported.
func load(parent *ruleFile, parse parser, path, dir string, fold bool, fail func(where, what, fix string)) *ruleFile {
	text, err := readSmall(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			fail(path, "ignore file not honoured: "+cause(err), "replace it by a readable plain file, or use --no-ignore")
		}
		return parent
	}
	file := parse(text, fold)
	if file.Empty() {
		return parent
	}
	return &ruleFile{parent: parent, base: len(dir), file: file}
}

// readSmall reads a regular file. Git does not follow an ignore file that is
// a symbolic link, and a named pipe must not hold up the walk.
func readSmall(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s, not a plain file", typeName(info.Mode()))
	}
	if info.Size() > maxIgnoreFile {
		return "", fmt.Errorf("larger than %d MiB", maxIgnoreFile>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreFile))
	return string(text), err
}

// above returns the ignore files of the folders above dir, up to the top of
// the repository that dir lies in. Outside a repository there are none.
func above(dir string, fail func(where, what, fix string)) ignores {
	var chain []string
	if exists(dir + gitFolder) {
		// The folder itself is the top; the walk reads its files when it lists it.
		return ignores{}
	}
	for at := dir; ; {
		up := parentFolder(at)
		if up == at {
			return ignores{} // no repository
		}
		at = up
		chain = append(chain, at)
		if exists(at + gitFolder) {
			break
		}
	}
	var g ignores
	for i := len(chain) - 1; i >= 0; i-- {
		at := chain[i]
		g = g.add(at, func(name string) bool { return exists(at + name) }, fail)
	}
	return g
}

// parentFolder returns the folder above dir; both end in '/'. The top is its
// own parent.
func parentFolder(dir string) string {
	up := filepath.ToSlash(filepath.Dir(filepath.FromSlash(strings.TrimSuffix(dir, "/"))))
	if !strings.HasSuffix(up, "/") {
		up += "/"
	}
	if len(up) >= len(dir) {
		return dir
	}
	return up
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// gitCommonDir returns the folder that holds config and info/exclude of the
// repository whose .git is given, or "": a linked worktree and a submodule
// have a .git file that names another folder, and a linked worktree shares
// the files of its main one (gitrepository-layout(5)).
func gitCommonDir(dotGit string) string {
	info, err := os.Stat(dotGit)
	if err != nil {
		return ""
	}
	dir := dotGit
	if info.Mode().IsRegular() {
		text, err := readSmall(dotGit)
		target, ok := strings.CutPrefix(text, "gitdir: ")
		if err != nil || !ok {
			return ""
		}
		dir = relativeTo(parentFolder(dotGit+"/"), strings.TrimRight(target, "\r\n"))
	}
	if text, err := readSmall(dir + "/commondir"); err == nil {
		dir = relativeTo(dir+"/", strings.TrimRight(text, "\r\n"))
	}
	return dir
}

func relativeTo(dir, path string) string {
	path = filepath.ToSlash(path)
	if filepath.IsAbs(filepath.FromSlash(path)) {
		return path
	}
	return dir + path
}

// IgnoresCase reports whether letters match in any case in the ignore files of
// the repository whose work tree begins at top: whoever judges by them must
// answer as the walk does.
func IgnoresCase(top string) bool {
	common := gitCommonDir(filepath.ToSlash(filepath.Join(top, ".git")))
	return common != "" && ignoresCase(common)
}

// ignoresCase reports whether the repository's own config sets
// core.ignoreCase, as git init does on file systems that ignore case. The
// user's configuration is not asked: it must not change what is scanned.
func ignoresCase(common string) bool {
	text, err := readSmall(common + "/config")
	if err != nil {
		return false
	}
	fold, inCore := false, false
	for line := range strings.Lines(text) {
		line = strings.ToLower(strings.TrimSpace(line))
		if strings.HasPrefix(line, "[") {
			section, rest, _ := strings.Cut(line, "]")
			inCore, line = section == "[core", strings.TrimSpace(rest)
		}
		key, value, hasValue := strings.Cut(line, "=")
		if !inCore || strings.TrimSpace(key) != "ignorecase" {
			continue
		}
		value, _, _ = strings.Cut(value, "#")
		value, _, _ = strings.Cut(value, ";")
		switch strings.Trim(strings.TrimSpace(value), `"`) {
		case "true", "yes", "on", "1":
			fold = true
		default:
			fold = !hasValue // a key alone means true
		}
	}
	return fold
}
