package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Lefthook leaves out a command of pre-commit when it sees no staged files, and
// one of pre-push when the branch that is checked out has nothing to push. Both
// are wrong: a file that becomes a link is not among its staged files, and a
// push may be of any branch (seen with 2.2.2). It never leaves out a script
// (https://lefthook.dev/configuration/Scripts), so what it runs is a script,
// one for each hook, in the folder of scripts that it looks in by default.
const (
	lefthookFolder = ".lefthook"
	lefthookMark   = "# Spillgate's script for lefthook: `spillgate hook uninstall --with lefthook` removes it.\n"
)

// lefthookScript returns the script for an event. Lefthook gives it the
// arguments of the hook.
func lefthookScript(event string) string {
	return lefthookMark + "# It is a script because lefthook skips commands when it thinks that no files changed.\n" +
		"exec spillgate hook run " + event + " -- \"$@\"\n"
}

// lefthook writes the scripts, and returns what to add to lefthook.yml.
func (s *Setup) lefthook(events []string) ([]Change, string, error) {
	var done []Change
	for _, event := range events {
		file := filepath.Join(s.Top, lefthookFolder, event, "spillgate")
		c := Change{Event: event, Where: file, What: "installed"}
		old, err := os.ReadFile(file)
		switch {
		case err == nil && string(old) == lefthookScript(event):
			c.What = "already installed"
			done = append(done, c)
			continue
		case err == nil && !strings.HasPrefix(string(old), lefthookMark):
			return done, "", fmt.Errorf("installing %s: there is another script of that name; rename it first", file)
		case err == nil:
			c.What = "renewed"
		case !errors.Is(err, fs.ErrNotExist):
			return done, "", fmt.Errorf("reading lefthook's script: %w", err)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return done, "", fmt.Errorf("making the folder of lefthook's scripts: %w", err)
		}
		if err := writeScript(file, lefthookScript(event)); err != nil {
			return done, "", err
		}
		done = append(done, c)
	}
	return done, lefthookText(events), nil
}

// withoutLefthook removes the scripts, and the folders that they leave empty.
func (s *Setup) withoutLefthook(events []string) ([]Change, error) {
	var done []Change
	for _, event := range events {
		file := filepath.Join(s.Top, lefthookFolder, event, "spillgate")
		c := Change{Event: event, Where: file, What: "not installed"}
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, fmt.Errorf("reading lefthook's script: %w", err)
		}
		if strings.HasPrefix(string(old), lefthookMark) {
			if string(old) != lefthookScript(event) {
				return done, fmt.Errorf("%s is Spillgate's script, but somebody edited it, so it stays; delete it by hand", file)
			}
			if err := os.Remove(file); err != nil {
				return done, fmt.Errorf("removing lefthook's script: %w", err)
			}
			c.What = "removed"
			if os.Remove(filepath.Dir(file)) == nil { // it fails where other scripts are
				_ = os.Remove(filepath.Join(s.Top, lefthookFolder))
			}
		}
		done = append(done, c)
	}
	return done, nil
}

// lefthookText returns what to add to lefthook's configuration.
func lefthookText(events []string) string {
	var b strings.Builder
	b.WriteString("# Add to lefthook.yml, then type `lefthook install`. With a source_dir of your own, move the scripts there.\n")
	for _, event := range events {
		fmt.Fprintf(&b, "%s:\n  scripts:\n    spillgate:\n      runner: sh\n", event)
		if readsInput(event) {
			b.WriteString("      use_stdin: true\n")
		}
	}
	return b.String()
}

// lefthookConfigs returns the names that lefthook gives its configuration
// (https://lefthook.dev/configuration), from the top of the work tree. Those
// with "local" are each user's own.
func lefthookConfigs() []string {
	var names []string
	for _, base := range []string{"lefthook", ".lefthook", ".config/lefthook", "lefthook-local", ".lefthook-local", ".config/lefthook-local"} {
		for _, ext := range []string{".yml", ".yaml", ".toml", ".json", ".jsonc"} {
			names = append(names, base+ext)
		}
	}
	return names
}
