package hooks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// section is the name of the configured hook of an event
// (https://git-scm.com/docs/git-hook, "hook.<name>.command").
func section(event string) string { return "hook.spillgate-" + event }

// command is what hook.<name>.command holds. git gives it to a shell with the
// hook's arguments after it, so it ends in the name of a function.
func command(program, event string) string {
	return "spillgate_hook() {\n" + findProgram(program, event, "return") +
		"\"$program\" hook run " + event + " -- \"$@\"\n}\nspillgate_hook"
}

// scope returns the option of git config for where hooks are installed.
func (s *Setup) scope() string {
	if s.Global {
		return "--global"
	}
	return "--local"
}

// configure installs the hooks in git's configuration.
func (s *Setup) configure(ctx context.Context) ([]Change, error) {
	made := s.Global && (!s.hasGlobal() || s.madeConfig(ctx))
	var done []Change
	for _, event := range s.Events {
		name := section(event)
		c := Change{Event: event, Where: s.scope()[2:] + " configuration, " + name, What: "installed"}
		want := command(s.Program, event)
		old, _ := s.git(ctx, "config", s.scope(), "--get", name+".command")
		old = strings.TrimSuffix(old, "\n")
		kind, _ := s.git(ctx, "config", s.scope(), "--get-all", name+".event")
		switch {
		case old == want && kind == event+"\n":
			c.What = "already installed"
			done = append(done, c)
			continue
		case old != "":
			c.What = "renewed"
		}
		for _, kv := range [][2]string{{"event", event}, {"command", want}} {
			if _, err := s.git(ctx, "config", s.scope(), "--replace-all", name+"."+kv[0], kv[1]); err != nil {
				return done, fmt.Errorf("configuring the hook %s: %w", event, err)
			}
		}
		if made {
			// for Uninstall: git itself knows no such key and passes over it
			if _, err := s.git(ctx, "config", s.scope(), name+".madeFile", "true"); err != nil {
				return done, fmt.Errorf("configuring the hook %s: %w", event, err)
			}
		}
		done = append(done, c)
	}
	return done, nil
}

// madeConfig reports whether an installation that is still there made the
// user's configuration file.
func (s *Setup) madeConfig(ctx context.Context) bool {
	for _, event := range Client() {
		if _, err := s.git(ctx, "config", s.scope(), "--get", section(event)+".madeFile"); err == nil {
			return true
		}
		text, err := os.ReadFile(filepath.Join(s.Folder, event))
		if was, ours, _ := parseScript(string(text)); err == nil && ours && was.config {
			return true
		}
	}
	return false
}

// unconfigure takes the hooks out of git's configuration, whether this git
// runs them or not.
func (s *Setup) unconfigure(ctx context.Context) ([]Change, error) {
	var done []Change
	made := false
	for _, event := range s.Events {
		name := section(event)
		if _, err := s.git(ctx, "config", s.scope(), "--get", name+".command"); err != nil {
			continue
		}
		if _, err := s.git(ctx, "config", s.scope(), "--get", name+".madeFile"); err == nil {
			made = true
		}
		if _, err := s.git(ctx, "config", s.scope(), "--remove-section", name); err != nil {
			return done, fmt.Errorf("removing the hook %s: %w", event, err)
		}
		done = append(done, Change{Event: event, Where: s.scope()[2:] + " configuration, " + name, What: "removed"})
	}
	removeEmptyConfig(made)
	return done, nil
}
