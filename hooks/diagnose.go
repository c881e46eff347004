package hooks

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A Step is one thing that git runs, or would run, when an event happens.
type Step struct {
	// Where is a file, or a section of the configuration and its origin.
	Where string
	// By says what it is: "Spillgate", "husky", "lefthook", "pre-commit",
	// "prek", or "" for anything else.
	By string
	// Guards says that Spillgate is called.
	Guards bool
	// Trouble says why it does not run or does not do its work, or "".
	Trouble string
	// Fails says that because of Trouble the hook refuses everything.
	Fails bool
}

// Runs reports whether the step does its work.
func (s Step) Runs() bool { return s.Trouble == "" }

// executable reports whether git would run the file.
func executable(info fs.FileInfo) bool { return runtime.GOOS == "windows" || info.Mode()&0o111 != 0 }

// Steps returns what git runs for an event, in its order: hooks of the
// configuration first, then the file in the hooks folder, before which comes
// the one that Spillgate moved aside.
func (s *Setup) Steps(ctx context.Context, event string) ([]Step, error) {
	steps, err := s.configuredSteps(ctx, event)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.Folder, event)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(file); err == nil {
			steps = append(steps, Step{Where: file, Trouble: "it is a link to something that is not there"})
		}
		return steps, nil
	}
	if err != nil {
		return append(steps, Step{Where: file, Trouble: "it cannot be read: " + err.Error()}), nil
	}
	h, ours, edited := parseScript(string(text))
	if ours && !h.global {
		aside := filepath.Join(s.Folder, before(event))
		if text, err := os.ReadFile(aside); err == nil {
			steps = append(steps, s.fileStep(aside, string(text), event))
		}
	}
	step := s.fileStep(file, string(text), event)
	if ours {
		step.By, step.Guards = "Spillgate", h.guards()
		if missing := missingProgram(h.program); step.Trouble == "" && h.guards() && missing != "" {
			step.Trouble, step.Fails = missing, true
		}
		if edited && step.Trouble == "" {
			step.Trouble = "somebody edited it: delete it and type spillgate hook install"
		}
	}
	return append(steps, step), nil
}

// missingProgram says that neither the program nor one on PATH is there.
func missingProgram(program string) string {
	if info, err := os.Stat(filepath.FromSlash(program)); err == nil && !info.IsDir() && executable(info) {
		return ""
	}
	if onPath("spillgate") {
		return ""
	}
	return program + " is gone and there is no spillgate on PATH, so it refuses everything: install Spillgate again and type spillgate hook install"
}

func onPath(name string) bool {
	names := []string{name}
	if runtime.GOOS == "windows" {
		names = append(names, name+".exe")
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		for _, n := range names {
			if info, err := os.Stat(filepath.Join(dir, n)); dir != "" && err == nil && !info.IsDir() && executable(info) {
				return true
			}
		}
	}
	return false
}

// fileStep judges a hook that is a file.
func (s *Setup) fileStep(file, text, event string) Step {
	step := Step{Where: file, Guards: calls(text)}
	if info, err := os.Stat(file); err == nil && !executable(info) {
		step.Trouble = "it is not executable, so git passes over it: chmod +x " + file
	}
	at := func(names ...string) bool {
		for _, name := range names {
			if data, err := os.ReadFile(filepath.Join(s.Top, filepath.FromSlash(name))); err == nil && strings.Contains(string(data), "spillgate") {
				return true
			}
		}
		return false
	}
	switch {
	case filepath.Base(s.Folder) == "_" && filepath.Base(filepath.Dir(s.Folder)) == ".husky":
		step.By, step.Guards = "husky", at(".husky/"+event)
	case strings.Contains(text, "prek") && strings.Contains(text, "hook-impl"):
		step.By, step.Guards = "prek", at(frameworkConfigs()...)
	case strings.Contains(text, "pre-commit") && strings.Contains(text, "hook-impl"):
		step.By, step.Guards = "pre-commit", at(frameworkConfigs()...)
	case strings.Contains(text, "lefthook"):
		step.By, step.Guards = "lefthook", at(lefthookConfigs()...)
	}
	return step
}

// calls reports whether a line of a script that is no comment names spillgate.
func calls(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "spillgate") && !strings.HasPrefix(line, "#") {
			return true
		}
	}
	return false
}

// configuredSteps returns the hooks of the configuration for an event.
func (s *Setup) configuredSteps(ctx context.Context, event string) ([]Step, error) {
	settings, err := s.settings(ctx, "hook.")
	if err != nil {
		return nil, err
	}
	var order []string
	commands, origins := map[string]string{}, map[string]string{}
	off, offAt := map[string]bool{}, map[string]string{}
	for _, v := range settings {
		name := strings.TrimPrefix(v.Key, "hook.")
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			continue
		}
		name, key := name[:i], name[i+1:]
		switch {
		case key == "event" && v.Value == "":
			order = slices.DeleteFunc(order, func(o string) bool { return o == name })
		case key == "event" && v.Value == event:
			order = append(slices.DeleteFunc(order, func(o string) bool { return o == name }), name)
			origins[name] = v.Scope + ", " + v.Origin
		case key == "command":
			commands[name] = v.Value
		case key == "enabled":
			off[name] = v.Value == "false" || v.Value == "no" || v.Value == "off" || v.Value == "0"
			offAt[name] = v.Scope + ", " + v.Origin
		}
	}
	var steps []Step
	for _, name := range order {
		step := Step{Where: "hook." + name + " (" + origins[name] + ")", Guards: calls(commands[name])}
		if program, ok := configuredProgram(commands[name]); ok {
			step.By = "Spillgate"
			if step.Trouble = missingProgram(program); step.Trouble != "" {
				step.Fails = true
			}
		}
		switch {
		case !s.Configured:
			step.Trouble = "this git (" + s.Version + ") does not run hooks of its configuration: type spillgate hook install again"
			step.Fails = false
		case off[event]:
			// it is about hooks of the configuration alone: git still runs the file
			step.Trouble, step.Fails = "hook."+event+".enabled is off ("+offAt[event]+"), so git runs no configured hook of "+event, false
		case off[name]:
			step.Trouble, step.Fails = "hook."+name+".enabled is off ("+offAt[name]+")", false
		case commands[name] == "":
			step.Trouble, step.Fails = "it has no command", false
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// configuredProgram returns the program that a command of ours runs.
func configuredProgram(command string) (string, bool) {
	if !strings.HasPrefix(command, "spillgate_hook() {") {
		return "", false
	}
	_, p, ok := strings.Cut(command, "\nprogram=")
	p, _, _ = strings.Cut(p, "\n")
	return unquote(p), ok
}

// Guarded reports whether one of the steps calls Spillgate and does its work.
func Guarded(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Guards && s.Runs() })
}
