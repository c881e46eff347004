package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Managers are the hook managers that Spillgate can be a part of.
func Managers() []string { return []string{"husky", "lefthook", "pre-commit", "prek"} }

// A block is what stands in a hook of husky's. It begins and ends with a line
// of its own, by which it is found again.
const (
	blockBegin = "# >>> spillgate: `spillgate hook uninstall --with husky` removes these lines"
	blockOpen  = blockBegin + ", and the line feed before them"
	blockEnd   = "# <<< spillgate"
)

// With makes Spillgate a part of a hook manager. Husky's hooks are shell files:
// lines are added to them. Lefthook gets scripts. What lefthook and the others
// read is YAML, which people format and comment: they are told what to add, as
// the text returned.
func (s *Setup) With(manager string) ([]Change, string, error) {
	events := s.managed()
	switch manager {
	case "husky":
		done, err := s.husky(events)
		return done, "", err
	case "lefthook":
		return s.lefthook(events)
	case "pre-commit", "prek":
		return nil, frameworkText(manager, events), nil
	}
	return nil, "", unknownManager(manager)
}

func unknownManager(name string) error {
	return fmt.Errorf("unknown hook manager %q: use %s", name, strings.Join(Managers(), ", "))
}

// managed returns those of the events that happen where commits are made.
func (s *Setup) managed() []string {
	return slices.DeleteFunc(slices.Clone(s.Events), func(e string) bool { return !slices.Contains(Client(), e) })
}

// huskyBlock returns the lines for a hook of husky's, which runs under sh -e.
// Those of pre-push put standard input back for the lines after them.
func huskyBlock(event, begin string) string {
	run := "spillgate hook run " + event
	switch event {
	case "commit-msg":
		run += ` -- "$1"`
	case "pre-push":
		run = "spillgate_refs=$(cat)\nprintf '%s\\n' \"$spillgate_refs\" | " + run + " -- \"$@\"\nexec <<SPILLGATE\n$spillgate_refs\nSPILLGATE"
	}
	return begin + "\n" + run + "\n" + blockEnd + "\n"
}

func (s *Setup) husky(events []string) ([]Change, error) {
	dir := filepath.Join(s.Top, ".husky")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %s: set husky up first (https://typicode.github.io/husky)", dir)
	}
	var done []Change
	for _, event := range events {
		file := filepath.Join(dir, event)
		c := Change{Event: event, Where: file, What: "installed"}
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, fmt.Errorf("reading husky's hook: %w", err)
		}
		text := string(old)
		if strings.Contains(text, blockBegin) {
			c.What = "already installed"
			done = append(done, c)
			continue
		}
		switch {
		case event == "pre-push":
			text = huskyBlock(event, blockBegin) + text
		case text != "" && !strings.HasSuffix(text, "\n"):
			text += "\n" + huskyBlock(event, blockOpen)
		default:
			text += huskyBlock(event, blockBegin)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			return done, fmt.Errorf("writing husky's hook: %w", err)
		}
		done = append(done, c)
	}
	return done, nil
}

// Without undoes With, as far as With changed something.
func (s *Setup) Without(manager string) ([]Change, string, error) {
	if !slices.Contains(Managers(), manager) {
		return nil, "", unknownManager(manager)
	}
	out := "Take Spillgate's lines out of the configuration of " + manager + ".\n"
	if manager == "lefthook" {
		done, err := s.withoutLefthook(s.managed())
		return done, out, err
	}
	if manager != "husky" {
		return nil, out, nil
	}
	var done []Change
	for _, event := range s.managed() {
		file := filepath.Join(s.Top, ".husky", event)
		c := Change{Event: event, Where: file, What: "not installed"}
		old, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, "", fmt.Errorf("reading husky's hook: %w", err)
		}
		text, found := withoutBlock(string(old))
		if found {
			c.What = "removed"
			if text == "" {
				err = os.Remove(file)
			} else {
				err = os.WriteFile(file, []byte(text), 0o755)
			}
			if err != nil {
				return done, "", fmt.Errorf("writing husky's hook: %w", err)
			}
		}
		done = append(done, c)
	}
	return done, "", nil
}

// withoutBlock takes our lines out of text.
func withoutBlock(text string) (string, bool) {
	i := strings.Index(text, blockBegin)
	if i < 0 {
		return text, false
	}
	head, rest := text[:i], text[i:]
	_, after, ok := strings.Cut(rest, blockEnd+"\n")
	if !ok {
		return text, false
	}
	if strings.HasPrefix(rest, blockOpen+"\n") {
		head = strings.TrimSuffix(head, "\n")
	}
	return head + after, true
}

func frameworkText(manager string, events []string) string {
	var b strings.Builder
	types := ""
	b.WriteString("# Add to .pre-commit-config.yaml:\nrepos:\n- repo: https://github.com/spillgate/spillgate\n  rev: HEAD # a tag or commit: `" + manager + " autoupdate` fills it in\n  hooks:\n")
	for _, event := range events {
		switch event {
		case "pre-commit":
			b.WriteString("  - id: spillgate\n")
		case "commit-msg":
			b.WriteString("  - id: spillgate-commit-msg\n")
		case "pre-push":
			b.WriteString("  - id: spillgate-pre-push\n    stages: [pre-push] # before pre-commit 3.2: [push]\n")
		}
		types += " --hook-type " + event
	}
	fmt.Fprintf(&b, "# then type: %s install%s\n", manager, types)
	return b.String()
}

// frameworkConfigs returns the names of the configuration of pre-commit and
// prek (https://pre-commit.com/#usage, https://prek.j178.dev/configuration/).
func frameworkConfigs() []string {
	return []string{".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"}
}

// managerFiles returns what hook managers read from the work tree, as far as it
// concerns Spillgate.
func managerFiles() []string {
	names := append(frameworkConfigs(), lefthookConfigs()...)
	for _, event := range Client() {
		names = append(names, lefthookFolder+"/"+event+"/spillgate")
	}
	return names
}
