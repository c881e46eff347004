package hooks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Change is one thing that Install or Uninstall did, or found done.
type Change struct {
	Event string
	// Where is the file or the section of the configuration.
	Where string
	// What was done: "installed", "renewed", "already installed", "removed",
	// "not installed".
	What string
	// Moved is where the hook that was there is now, or where it was put back
	// from.
	Moved string
}

// ownFolder reports whether the hooks folder is the one that a global install
// makes for itself.
func (s *Setup) ownFolder() bool {
	return s.Global && len(s.Paths) == 0 || s.Global && s.Paths[len(s.Paths)-1].Value == s.userFolder()
}

func (s *Setup) userFolder() string {
	base, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.ToSlash(filepath.Join(base, "spillgate", "git-hooks"))
}

// Install installs the hooks. Doing so again changes nothing, or renews the
// path of the program. It stops at the first hook that it cannot install
// without destroying something.
func (s *Setup) Install(ctx context.Context) ([]Change, error) {
	if !filepath.IsAbs(s.Program) {
		return nil, fmt.Errorf("installing hooks: %q is not the absolute path of the program", s.Program)
	}
	if s.Configured && !s.Files {
		done, err := s.configure(ctx)
		if err == nil {
			// Those of before, when git was older, would scan a second time.
			// One that somebody edited may, and stays.
			_, _ = s.removeFiles(ctx)
		}
		return done, err
	}
	done, err := s.installFiles(ctx)
	if err == nil {
		_, err = s.unconfigure(ctx)
	}
	return done, err
}

// installFiles installs the hooks as files in the hooks folder.
func (s *Setup) installFiles(ctx context.Context) ([]Change, error) {
	if err := s.mayWrite(); err != nil {
		return nil, err
	}
	if err := s.checkAll(); err != nil {
		return nil, err
	}
	made, err := s.makeFolder()
	if err != nil {
		return nil, err
	}
	if s.ownFolder() {
		return s.installGlobal(ctx, made)
	}
	var done []Change
	for _, event := range s.Events {
		c, err := s.installFile(script{event: event, program: s.Program, folders: made})
		if err != nil {
			return done, err
		}
		done = append(done, c)
	}
	return done, nil
}

// mayWrite refuses folders that are not this repository's to write to.
func (s *Setup) mayWrite() error {
	if info, err := os.Stat(s.Folder); err == nil && !info.IsDir() {
		return fmt.Errorf("core.hooksPath is %s, which is no folder, so git runs no hook at all (set in %s); take the setting out or point it to a folder",
			s.Folder, s.Paths[len(s.Paths)-1].Origin)
	}
	if s.Global || len(s.Paths) == 0 {
		return nil
	}
	p := s.Paths[len(s.Paths)-1]
	if base := filepath.Base(s.Folder); base == "_" && filepath.Base(filepath.Dir(s.Folder)) == ".husky" {
		return fmt.Errorf("husky owns the hooks folder %s and writes it anew; use `spillgate hook install --with husky`", s.Folder)
	}
	if p.Scope == "global" || p.Scope == "system" {
		return fmt.Errorf("core.hooksPath (%s, %s) makes all your repositories share the hooks in %s; to guard all of them use `spillgate hook install --global`, to give this one its own folder first type `git config core.hooksPath .git/hooks`",
			p.Scope, p.Origin, s.Folder)
	}
	return nil
}

// checkAll looks for what would hinder, before anything is changed.
func (s *Setup) checkAll() error {
	for _, event := range s.Events {
		file := filepath.Join(s.Folder, event)
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Lstat(file); err == nil {
				return fmt.Errorf("installing %s: it is a link to something that is not there; delete it first", file)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("installing the hook %s: %w", event, err)
		}
		_, ours, edited := parseScript(string(text))
		if edited {
			return fmt.Errorf("installing %s: somebody edited Spillgate's hook; keep what you need of it elsewhere, delete it and install again", file)
		}
		aside := filepath.Join(s.Folder, before(event))
		if _, err := os.Lstat(aside); err == nil && !ours {
			return fmt.Errorf("installing %s: it would be moved to %s, which is there already; move one of them away first", file, aside)
		}
	}
	return nil
}

// makeFolder makes the hooks folder and returns how many folders it made.
func (s *Setup) makeFolder() (made int, err error) {
	for dir := s.Folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		made++
	}
	if err := os.MkdirAll(s.Folder, 0o777); err != nil {
		return 0, fmt.Errorf("making the hooks folder: %w", err)
	}
	return made, nil
}

// installFile writes one hook and moves aside what was there.
func (s *Setup) installFile(h script) (Change, error) {
	file := filepath.Join(s.Folder, h.event)
	c := Change{Event: h.event, Where: file, What: "installed"}
	old, err := os.ReadFile(file)
	if err == nil {
		was, ours, _ := parseScript(string(old))
		if ours {
			h.folders, h.config = max(was.folders, h.folders), was.config || h.config
			info, err := os.Stat(file)
			if err == nil && string(old) == h.text() && executable(info) {
				c.What = "already installed"
				return c, nil
			}
			c.What = "renewed"
			return c, writeScript(file, h.text())
		}
		c.Moved = filepath.Join(s.Folder, before(h.event))
		if err := os.Rename(file, c.Moved); err != nil {
			return c, fmt.Errorf("moving the hook %s aside: %w", h.event, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("installing the hook %s: %w", h.event, err)
	}
	if err := writeScript(file, h.text()); err != nil {
		if c.Moved != "" {
			err = errors.Join(err, os.Rename(c.Moved, file))
		}
		return c, err
	}
	return c, nil
}

// writeScript writes an executable file as a whole or not at all.
func writeScript(file, text string) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".spillgate-*")
	if err != nil {
		return fmt.Errorf("writing the hook %s: %w", file, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Close(), os.Chmod(f.Name(), 0o755))
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("writing the hook %s: %w", file, err)
	}
	return nil
}

// installGlobal fills the user's hooks folder and points git to it.
func (s *Setup) installGlobal(ctx context.Context, made int) ([]Change, error) {
	s.Events = Client()
	hadConfig := s.hasGlobal() && !s.madeConfig(ctx)
	var done []Change
	for _, event := range append(Client(), passedOn()...) {
		c, err := s.installFile(script{event: event, program: s.Program, global: true, folders: made, config: !hadConfig})
		if err != nil {
			return done, err
		}
		if len(done) < len(Client()) {
			done = append(done, c)
		}
	}
	if len(s.Paths) > 0 {
		return done, nil
	}
	if _, err := s.git(ctx, "config", "--global", "core.hooksPath", filepath.ToSlash(s.Folder)); err != nil {
		return done, fmt.Errorf("pointing git to the hooks folder: %w", err)
	}
	return done, nil
}

// Uninstall takes the hooks out and puts back what was there before. A hook
// that somebody edited, or another program moved, is left alone, which is an
// error.
func (s *Setup) Uninstall(ctx context.Context) ([]Change, error) {
	done, err := s.unconfigure(ctx)
	if err != nil {
		return done, err
	}
	files, err := s.removeFiles(ctx)
	return append(done, files...), err
}

// removeFiles takes out the hooks that are files.
func (s *Setup) removeFiles(ctx context.Context) (done []Change, err error) {
	events := s.Events
	own := s.ownFolder()
	if own {
		events = append(Client(), passedOn()...)
	}
	var failed []error
	folders, config := 0, false
	for _, event := range events {
		c, was, err := s.uninstallFile(event)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		folders, config = max(folders, was.folders), config || was.config
		if c.What == "removed" && (!own || len(done) < len(Client())) {
			done = append(done, c)
		}
	}
	if len(failed) > 0 {
		return done, errors.Join(failed...)
	}
	for dir := s.Folder; folders > 0; dir, folders = filepath.Dir(dir), folders-1 {
		if os.Remove(dir) != nil {
			break // not empty: somebody else uses it
		}
	}
	if own && len(s.Paths) > 0 {
		if _, err := s.git(ctx, "config", "--global", "--unset-all", "core.hooksPath"); err != nil {
			return done, fmt.Errorf("taking core.hooksPath out of the configuration: %w", err)
		}
		removeEmptyConfig(config)
	}
	return done, nil
}

// removeEmptyConfig deletes the user's configuration file if installing made
// it and nothing else is in it.
func removeEmptyConfig(made bool) {
	for _, f := range globalFiles() {
		if info, err := os.Stat(f); made && err == nil && info.Size() == 0 {
			_ = os.Remove(f)
		}
	}
}

func (s *Setup) uninstallFile(event string) (Change, script, error) {
	file := filepath.Join(s.Folder, event)
	c := Change{Event: event, Where: file, What: "not installed"}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, script{}, fmt.Errorf("uninstalling the hook %s: %w", event, err)
	}
	was, ours, edited := parseScript(string(text))
	if edited && (s.Global || !was.global) {
		return c, was, fmt.Errorf("%s is Spillgate's hook, but somebody edited it, so it stays; delete it by hand, and rename %s back if it is there", file, before(event))
	}
	if was.global && !s.Global {
		return c, script{}, nil // of all the user's repositories, and not this one's to remove
	}
	if !ours {
		legacy := file + ".legacy"
		if text, err := os.ReadFile(legacy); err == nil && strings.Contains(string(text), markPrefix) {
			return c, was, fmt.Errorf("the pre-commit framework moved Spillgate's hook to %s; type `pre-commit uninstall --hook-type %s` first", legacy, event)
		}
		return c, was, nil
	}
	aside := filepath.Join(s.Folder, before(event))
	if _, err := os.Lstat(aside); err == nil {
		c.Moved = aside
		err = os.Rename(aside, file)
		if err != nil {
			return c, was, fmt.Errorf("putting the hook %s back: %w", event, err)
		}
	} else if err := os.Remove(file); err != nil {
		return c, was, fmt.Errorf("removing the hook %s: %w", event, err)
	}
	c.What = "removed"
	return c, was, nil
}
