// Package compare measures Spillgate against what else does the same work: git
// itself, ripgrep, gitleaks, and a Go program that does nothing.
//
// What is claimed of Spillgate's speed is claimed as a ratio, and every ratio
// is of two programs that ran in turn, in this process's sight, on the same
// input. Each section below makes its input, checks that the programs do the
// same job on it (made-up secrets planted and counted), runs them, and compares
// the outcome with the budget that the design of Spillgate sets. A missed
// budget is printed as such.
package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/bench/measure"
)

// GitleaksVersion is the release of gitleaks that is built for comparison.
const GitleaksVersion = "v8.30.1"

// Options say what Run measures. The zero value measures everything on small
// histories, in a temporary folder.
type Options struct {
	// Dir keeps programs and histories between runs; "" is a temporary folder
	// that is removed at the end.
	Dir string
	// Root is the root of Spillgate's source; "" is the parent folder.
	Root string
	// Runs is how often each program runs; 0 is 5. Programs that take long run
	// less often, which their tables say.
	Runs int
	// Scale multiplies the size of the histories; 0 is 1.
	Scale int
	// Gitleaks is a binary to take instead of building one.
	Gitleaks string
	// Only names the sections to run, nil is all; see SectionNames. The
	// Results hold what earlier runs in Dir found out of the others.
	Only []string
	// Log gets a line about each step.
	Log func(format string, args ...any)
	// Save is called after each section with what there is until then: a whole
	// run takes long, and may be interrupted.
	Save func(*Results) error
}

// A lab is where one run of the comparison takes place.
type lab struct {
	Options
	ctx                        context.Context
	spillgate, gitleaks, empty string
	git, ripgrep               string // ripgrep is "" where there is none
	goroot                     string
	results                    *Results
}

// A section is one table of the results.
type section struct {
	name string
	run  func(*lab) error
}

func sections() []section {
	return []section{
		{"startup", (*lab).startup},
		{"staged", (*lab).staged},
		{"range", (*lab).commitRange},
		{"history", (*lab).fullHistory},
		{"dense", (*lab).denseHistory},
		{"attribution", (*lab).attribution},
		{"directory", (*lab).directory},
		{"rules", (*lab).ruleCost},
		{"linear-history", (*lab).linearHistory},
		{"linear-size", (*lab).linearSize},
		{"linear-line", (*lab).linearLine},
		{"linear-findings", (*lab).linearFindings},
		{"linear-rules", (*lab).linearRules},
	}
}

// SectionNames lists what Options.Only may name.
func SectionNames() []string {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return names
}

// Run measures. A section that fails is an error, and the sections after it run
// all the same: the Results hold what could be measured.
func Run(ctx context.Context, o Options) (*Results, error) {
	for _, n := range o.Only {
		if !slices.Contains(SectionNames(), n) {
			return nil, fmt.Errorf("unknown section %q: use %s", n, strings.Join(SectionNames(), ", "))
		}
	}
	l := &lab{Options: o, ctx: ctx}
	if l.Log == nil {
		l.Log = func(string, ...any) {}
	}
	l.Runs, l.Scale = max(l.Runs, 0), max(l.Scale, 1)
	if l.Runs == 0 {
		l.Runs = 5
	}
	if l.Dir == "" {
		tmp, err := os.MkdirTemp("", "spillgate-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(tmp)
		l.Dir = tmp
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range sections() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
			continue
		}
		l.Log("section %s", s.name)
		l.section(s.name)
		if err := s.run(l); err != nil {
			errs = append(errs, fmt.Errorf("section %s: %w", s.name, err))
			l.results.now.Failed = err.Error()
			l.Log("section %s: %v", s.name, err)
		}
		if err := l.keep(); err != nil {
			return l.results, err
		}
		if l.Save != nil {
			if err := l.Save(l.results); err != nil {
				return l.results, err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return l.results, errors.Join(errs...)
}

// prepare builds the programs and finds those of the system.
func (l *lab) prepare() error {
	var err error
	if l.Dir, err = filepath.Abs(l.Dir); err != nil {
		return err
	}
	bin := filepath.Join(l.Dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if l.Root == "" {
		l.Root = ".."
	}
	if l.git, err = exec.LookPath("git"); err != nil {
		return fmt.Errorf("the comparison needs git: %w", err)
	}
	l.ripgrep, _ = exec.LookPath("rg")
	out, err := l.command(".", "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("running go env GOROOT: %w", err)
	}
	l.goroot = strings.TrimSpace(string(out))
	l.spillgate = filepath.Join(bin, "spillgate")
	if err := l.build(l.Root, l.spillgate, "./cmd/spillgate"); err != nil {
		return err
	}
	l.empty = filepath.Join(bin, "empty")
	if err := l.build(".", l.empty, "github.com/spillgate/spillgate/bench/cmd/empty"); err != nil {
		return err
	}
	l.gitleaks = l.Gitleaks
	if l.gitleaks == "" {
		l.gitleaks = filepath.Join(bin, "gitleaks")
		if err := l.install(bin); err != nil {
			return err
		}
	}
	l.results, err = l.begin()
	return err
}

func (l *lab) command(dir, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(l.ctx, name, args...)
	c.Dir = dir
	return c
}

// build builds a program as releases are built: without symbols and paths, and
// without C.
func (l *lab) build(dir, to, pkg string) error {
	l.Log("building %s", pkg)
	c := l.command(dir, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, pkg)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := runBuild(c); err != nil {
		return err
	}
	return writeAnew(to)
}

// writeAnew copies a program and puts the copy in its place, as who unpacks a
// release does. The linker writes by way of a mapping, which leaves the file in
// memory in single pages: to start it takes up to a millisecond more than to
// start one that was written or read in long pieces, as git's was when it was
// installed. Every program that is built here is written anew.
func writeAnew(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o755); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// install builds gitleaks from its module at the pinned version.
func (l *lab) install(bin string) error {
	if _, err := os.Stat(l.gitleaks); err == nil {
		return nil
	}
	l.Log("building gitleaks %s", GitleaksVersion)
	c := l.command(l.Dir, "go", "install", "-trimpath", "-ldflags=-s -w", "github.com/zricethezav/gitleaks/v8@"+GitleaksVersion)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+bin)
	if err := runBuild(c); err != nil {
		return err
	}
	return writeAnew(l.gitleaks)
}

func runBuild(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("running %s: %w: %s", strings.Join(c.Args, " "), err, out)
	}
	return nil
}

// history returns a history, making it if l.Dir does not hold it.
func (l *lab) history(o history.Options) (string, *history.Manifest, error) {
	o.Seed, o.GOROOT = 1, l.goroot
	name := fmt.Sprintf("%s-%d", o.Shape, o.Scale)
	if o.Plant {
		name += "-planted"
	}
	dir := filepath.Join(l.Dir, name)
	if m, err := history.ReadManifest(dir); err == nil {
		return dir, m, nil
	}
	l.Log("making history %s", name)
	if err := os.RemoveAll(dir); err != nil { // of a run that was interrupted
		return "", nil, err
	}
	m, err := history.Make(l.ctx, dir, o)
	return dir, m, err
}

// The programs as the sections run them. Findings are no failure: exit codes 0
// and 1 are as they should be, 2 (something was not scanned) never is.

func (l *lab) runSpillgate(name, dir string, args ...string) measure.Command {
	return measure.Command{
		Name: name, Args: append([]string{l.spillgate}, args...), Dir: dir,
		Env: history.CleanEnv(), Exit: []int{0, 1},
	}
}

func (l *lab) runGit(name, dir string, args ...string) measure.Command {
	return measure.Command{Name: name, Args: append([]string{l.git}, args...), Dir: dir, Env: history.CleanEnv()}
}

func (l *lab) runGitleaks(name, dir string, args ...string) measure.Command {
	all := append([]string{l.gitleaks}, args...)
	all = append(all, "--no-banner", "--log-level", "error", "--exit-code", "0")
	return measure.Command{Name: name, Args: all, Dir: dir, Env: history.CleanEnv()}
}
