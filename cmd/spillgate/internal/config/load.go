package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// The names of the files at the top of a repository.
const (
	ownName      = ".spillgate.toml"
	ownNameBelow = ".config/spillgate.toml"
	leaksName    = ".gitleaks.toml"
	leaksIgnore  = ".gitleaksignore"
)

// variable names the variable that names the configuration file.
const variable = "SPILLGATE_CONFIG"

// Options say where to look. The zero value is the current folder, without a
// repository.
type Options struct {
	// Explicit is the file that --config names, or "".
	Explicit string
	// Root is the top of the repository, or the folder to look in.
	Root string
	// Revision is the commit to read the repository's files from, with Read;
	// "" reads them from Root.
	Revision string
	// Read reads a file of a revision; its error wraps fs.ErrNotExist if there
	// is none.
	Read func(ctx context.Context, revision, path string) ([]byte, error)
	// Untrusted passes over the repository's files, because the commit that
	// they would be read from is not known, and says so if there are any.
	Untrusted bool
	// Baseline is the file that --baseline names, or "".
	Baseline string
	// NoBaseline leaves the baseline out.
	NoBaseline bool
	// IgnoresCase says whether letters match in any case in the ignore file
	// (core.ignoreCase); it is asked if there is one. Nil says no.
	IgnoresCase func() bool
	// Getenv is os.Getenv unless set.
	Getenv func(string) string
}

// A Loaded is all that excuses findings and changes rules.
type Loaded struct {
	// Config is nil where there is no file.
	Config *Config
	// Ignore is the ignore file, or nil.
	Ignore *ignore.File
	// Baseline is nil where there is none, and BaselineFile the path of the
	// file to write one to.
	Baseline     *suppress.Baseline
	BaselineFile string
	// Says are lines for standard error: what the user may not expect. Notes
	// say what of imported configuration means something else here.
	Says, Notes []string
}

// Load finds and reads the files. The errors are *scanner.UsageErrors, but for
// objects of a revision that cannot be read.
func Load(ctx context.Context, o Options) (*Loaded, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	l := &loader{Options: o, ctx: ctx}
	out := &Loaded{}
	var err error
	if out.Config, err = l.config(); err != nil {
		return nil, err
	}
	text, err := l.read(suppress.IgnoreName)
	if err != nil {
		return nil, err
	}
	if text != nil {
		out.Ignore = ignore.ParseSections(string(text), o.IgnoresCase != nil && o.IgnoresCase())
	}
	if err := l.baseline(out); err != nil {
		return nil, err
	}
	if out.Config != nil && out.Config.Imported {
		l.say("using %s, as there is no %s; `spillgate config import` makes one of it", out.Config.Name, ownName)
		out.Notes = out.Config.Notes
	}
	l.differences()
	out.Says = l.says
	return out, nil
}

// A loader reads files for one Load.
type loader struct {
	Options
	ctx    context.Context
	asked  []string // files of the repository that were looked for
	gotten map[string][]byte
	says   []string
}

func (l *loader) say(format string, args ...any) {
	l.says = append(l.says, fmt.Sprintf(format, args...))
}

// read returns a file of the repository, nil if there is none.
func (l *loader) read(name string) ([]byte, error) {
	if l.Root == "" && l.Revision == "" {
		return nil, nil
	}
	if l.Untrusted {
		l.asked = append(l.asked, name)
		return nil, nil
	}
	if l.Revision == "" {
		return readFile(filepath.Join(l.Root, filepath.FromSlash(name)), false)
	}
	text, err := l.Read(l.ctx, l.Revision, name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	l.asked = append(l.asked, name)
	if l.gotten == nil {
		l.gotten = map[string][]byte{}
	}
	l.gotten[name] = text
	return text, nil
}

// readFile reads a plain file, nil if there is none and none is needed. A
// named pipe must not hold up a hook.
func readFile(path string, needed bool) ([]byte, error) {
	if path == os.DevNull {
		return []byte{}, nil // the usual name for "none at all"
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !needed:
		return nil, nil
	case err != nil:
		return nil, &scanner.UsageError{What: "reading configuration: " + err.Error(), Fix: "name a file that is there"}
	case !info.Mode().IsRegular():
		return nil, &scanner.UsageError{What: "reading configuration: " + path + " is no plain file", Fix: "replace it by one"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &scanner.UsageError{What: "reading configuration: " + err.Error(), Fix: "make it readable"}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<20))
	if err != nil {
		return nil, &scanner.UsageError{What: "reading configuration: " + err.Error(), Fix: "make it readable"}
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

// shown is what messages call a file of the repository.
func (l *loader) shown(name string) string {
	if l.Revision == "" {
		return name
	}
	return name + "@" + l.Revision[:min(len(l.Revision), 12)]
}

// config finds the configuration and reads it.
func (l *loader) config() (*Config, error) {
	for _, path := range [...]string{l.Explicit, l.Getenv(variable)} {
		if path != "" {
			text, err := readFile(path, true)
			if err != nil {
				return nil, err
			}
			return parseAny(path, text)
		}
	}
	for _, name := range [...]string{ownName, ownNameBelow} {
		text, err := l.read(name)
		if err != nil {
			return nil, err
		}
		if text != nil {
			return parsed(Parse(l.shown(name), text))
		}
	}
	if c, err := l.gitleaks(); c != nil || err != nil {
		return c, err
	}
	path := l.userFile()
	if path == "" {
		return nil, nil
	}
	text, err := readFile(path, false)
	if text == nil || err != nil {
		return nil, err
	}
	return parsed(Parse(path, text))
}

// parseAny reads a file that may be one of gitleaks, by its name.
func parseAny(path string, text []byte) (*Config, error) {
	if filepath.Base(path) == leaksName || filepath.Base(path) == "gitleaks.toml" {
		return parsed(Imported(path, text, nil))
	}
	return parsed(Parse(path, text))
}

func parsed(c *Config, err error) (*Config, error) {
	if err != nil {
		return nil, &scanner.UsageError{What: err.Error()}
	}
	return c, nil
}

// gitleaks reads the files of gitleaks, if there are any.
func (l *loader) gitleaks() (*Config, error) {
	text, err := l.read(leaksName)
	if err != nil {
		return nil, err
	}
	places, err := l.read(leaksIgnore)
	if err != nil || text == nil && places == nil {
		return nil, err
	}
	name := l.shown(leaksName)
	if text == nil {
		name = l.shown(leaksIgnore)
	}
	return parsed(Imported(name, text, places))
}

// userFile is the user's own file, or "".
func (l *loader) userFile() string {
	dir := l.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // the specification has relative ones ignored
		home := l.Getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "spillgate", "config.toml")
}

// baseline reads the baseline.
func (l *loader) baseline(out *Loaded) error {
	name, given := suppress.BaselineName, false
	if out.Config != nil && out.Config.Baseline != "" {
		name, given = filepath.ToSlash(out.Config.Baseline), true
	}
	var text []byte
	var err error
	if l.Baseline != "" {
		name, out.BaselineFile = l.Baseline, l.Baseline
		if !l.NoBaseline {
			text, err = readFile(l.Baseline, true)
		}
	} else {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return &scanner.UsageError{What: fmt.Sprintf("%s: baseline: %q is no path below the top of the repository", out.Config.Name, name), Fix: "name a file in the repository, or use --baseline"}
		}
		out.BaselineFile = filepath.Join(l.Root, filepath.FromSlash(name))
		if !l.NoBaseline {
			if text, err = l.read(name); err == nil && text == nil && given {
				l.say("there is no baseline %s, which %s names", l.shown(name), out.Config.Name)
			}
			name = l.shown(name)
		}
	}
	if err != nil || text == nil {
		return err
	}
	if out.Baseline, err = suppress.ParseBaseline(name, text); err != nil {
		return &scanner.UsageError{What: err.Error()}
	}
	return nil
}

// differences says which files of the revision are others in the work tree, so
// that nobody wonders why a change of them does nothing.
func (l *loader) differences() {
	if l.Revision == "" && !l.Untrusted || l.Root == "" {
		return
	}
	var changed []string
	for _, name := range l.asked {
		text, err := readFile(filepath.Join(l.Root, filepath.FromSlash(name)), false)
		if err == nil && (text == nil) != (l.gotten[name] == nil) || !bytes.Equal(text, l.gotten[name]) {
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 && l.Untrusted {
		l.say("%s not used: the range starts from no commit that could vouch for what is in it (--config-from worktree does otherwise)", strings.Join(changed, ", "))
	} else if len(changed) > 0 {
		l.say("%s not as in the working tree, but as in %s, where the range starts: a change must not excuse itself (--config-from worktree does otherwise)",
			strings.Join(changed, ", "), l.Revision[:min(len(l.Revision), 12)])
	}
}
