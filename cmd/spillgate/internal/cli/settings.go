package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/config"
	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/filetree"
	"github.com/spillgate/spillgate/scanner/gitrepo"
	"github.com/spillgate/spillgate/scanner/report"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// An origin says where a source comes from, and so which configuration holds
// for it. The zero value is the working directory.
type origin struct {
	// repo is the repository of a source over git objects, else nil.
	repo *gitrepo.Repo
	// ranged says that the source is a change under review, which must not
	// excuse itself, and base is the commit that it starts from, "" if none.
	ranged bool
	base   string
	// whole says that the source meets all that a baseline may list.
	whole bool
	// path is what a walk begins at. A walk obeys ignore files itself.
	path string
	// noIgnore leaves ignore files unheeded, and noBaseline the baseline.
	noIgnore, noBaseline bool
}

// settings are what flags, files and defaults come to for one run.
type settings struct {
	*config.Loaded
	gate    scanner.Gate
	origin  origin
	root    string // top of the repository, absolute, with '/'
	verbose bool
	quiet   bool
	require bool // reasons
	list    []config.Setting
}

// settle finds out what holds for a source of o.
func settle(ctx context.Context, c *cli.Command, o origin) (*settings, error) {
	s := &settings{origin: o, verbose: c.Bool("verbose"), quiet: c.Bool("quiet")}
	load := config.Options{Explicit: c.String("config"), Baseline: c.String("baseline"), NoBaseline: c.Bool("no-baseline") || o.noBaseline}
	load.Root = rootOf(o)
	s.root = filepath.ToSlash(load.Root)
	load.IgnoresCase = func() bool { return filetree.IgnoresCase(load.Root) }
	if err := from(c, o, &load); err != nil {
		return nil, err
	}
	var err error
	if s.Loaded, err = config.Load(ctx, load); err != nil {
		return nil, err
	}
	if o.ranged && c.String("config-from") == "worktree" {
		s.Says = append(s.Says, "configuration, ignore file and baseline come from the working tree, as --config-from says: the scanned change can excuse itself")
	}
	if err := s.resolve(c); err != nil {
		return nil, err
	}
	return s, nil
}

// rootOf returns the top of the repository that o lies in, or the folder that
// stands for it.
func rootOf(o origin) string {
	if o.repo != nil {
		return o.repo.Root()
	}
	cwd, err := filepath.Abs(".")
	if err != nil {
		return ""
	}
	start := cwd
	if o.path != "" {
		if start, err = filepath.Abs(o.path); err != nil {
			return cwd
		}
		if info, err := os.Stat(start); err == nil && !info.IsDir() {
			start = filepath.Dir(start)
		}
	}
	for at := start; ; {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		up := filepath.Dir(at)
		if up == at {
			break
		}
		at = up
	}
	if below, err := filepath.Rel(cwd, start); err == nil && filepath.IsLocal(below) {
		return cwd
	}
	return start
}

// from says which revision the files of the repository are read from.
func from(c *cli.Command, o origin, load *config.Options) error {
	if o.repo != nil {
		load.Read = o.repo.ReadFile
	}
	switch where := c.String("config-from"); {
	case where == "worktree", where == "" && !o.ranged:
	case where == "" || where == "base":
		if !o.ranged {
			return usage("spillgate range has a base", "--config-from base: this scan does not start from a commit")
		}
		if o.base == "" {
			load.Untrusted = true
			return nil
		}
		load.Revision = o.base
	case o.repo == nil:
		return usage("use worktree", "--config-from %s: this scan does not look at a repository", where)
	default:
		load.Revision = where
	}
	return nil
}

// resolve settles what flags, file and defaults say, in this order, and where
// each comes from.
func (s *settings) resolve(c *cli.Command) error {
	file := s.Config
	// Commands without a gate have no such flags.
	s.gate.FailOn, s.gate.MinConfidence = rules.Medium, rules.ConfidenceHigh
	if v := c.String("fail-on"); v != "" {
		if err := s.gate.FailOn.UnmarshalText([]byte(v)); err != nil {
			return err
		}
	}
	if v := c.String("min-confidence"); v != "" {
		if err := s.gate.MinConfidence.UnmarshalText([]byte(v)); err != nil {
			return err
		}
	}
	failOn, confidence := s.source(c, "fail-on", "SPILLGATE_FAIL_ON"), s.source(c, "min-confidence", "SPILLGATE_MIN_CONFIDENCE")
	if file != nil && file.FailOn != nil && !given(c, "fail-on") {
		s.gate.FailOn, failOn = *file.FailOn, s.inFile("fail-on")
	}
	if file != nil && file.MinConfidence != nil && !given(c, "min-confidence") {
		s.gate.MinConfidence, confidence = *file.MinConfidence, s.inFile("min-confidence")
	}
	unused, require := s.source(c, "fail-on-unused", ""), s.source(c, "require-reason", "")
	s.gate.FailOnUnused, s.require = c.Bool("fail-on-unused"), c.Bool("require-reason")
	if file != nil && file.FailOnUnused && !c.IsSet("fail-on-unused") {
		s.gate.FailOnUnused, unused = true, s.inFile("fail-on-unused")
	}
	if file != nil && file.RequireReason && !c.IsSet("require-reason") {
		s.require, require = true, s.inFile("require-reason")
	}
	s.list = []config.Setting{
		{Key: "fail-on", Value: fmt.Sprintf("%q", s.gate.FailOn), From: failOn},
		{Key: "min-confidence", Value: fmt.Sprintf("%q", s.gate.MinConfidence), From: confidence},
		{Key: "fail-on-unused", Value: fmt.Sprint(s.gate.FailOnUnused), From: unused},
		{Key: "require-reason", Value: fmt.Sprint(s.require), From: require},
	}
	for _, set := range s.Config.Settings() {
		switch set.Key {
		case "fail-on", "min-confidence", "fail-on-unused", "require-reason":
		default:
			s.list = append(s.list, set)
		}
	}
	return nil
}

// given reports whether a flag or its variable says something.
func given(c *cli.Command, flag string) bool { return c.IsSet(flag) && c.String(flag) != "" }

// source says whether a flag, its variable or the default set a value.
func (s *settings) source(c *cli.Command, flag, variable string) string {
	switch {
	case !c.IsSet(flag) || variable != "" && c.String(flag) == "":
		return "default"
	case variable != "" && os.Getenv(variable) == c.String(flag):
		return variable
	}
	return "--" + flag
}

func (s *settings) inFile(key string) string {
	for _, set := range s.Config.Settings() {
		if set.Key == key {
			return set.From
		}
	}
	return s.Config.Name
}

// stages returns the stages that the settings ask for.
func (s *settings) stages() []scanner.Stage {
	audit := s.verbose || s.gate.FailOnUnused
	o := suppress.Options{
		Comments: suppress.CommentOptions{
			RequireReason: s.require,
			// The text of a history is old: nobody can take a comment out of it.
			Audit: audit && !s.origin.whole,
		},
		Baseline: s.Baseline, BaselineAudit: audit && s.origin.whole, RequireReason: s.require,
	}
	if s.origin.ranged {
		o.Comments.New = suppress.ListNew
	}
	if c := s.Config; c != nil {
		o.Allow = c.Allow
		o.Comments.NoForeign = !c.ForeignComments
		if c.NewComments != nil && s.origin.ranged {
			o.Comments.New = *c.NewComments
		}
	}
	if !s.origin.noIgnore {
		o.Ignore = suppress.IgnoreOptions{File: s.Ignore, Audit: audit && s.origin.whole}
	}
	if s.origin.repo == nil {
		o.Root = s.root
		if cwd, err := filepath.Abs("."); err == nil {
			o.Base = filepath.ToSlash(cwd)
		}
	}
	return append(suppress.Stages(o), s.Config.Stages()...)
}

// say tells what the user may not expect of the configuration.
func (a *app) say(s *settings) {
	if s.quiet {
		return
	}
	for _, line := range s.Says {
		fmt.Fprintf(a.Stderr, "spillgate: %s\n", report.Escape(line))
	}
	if n := len(s.Notes); n > 0 && !s.verbose {
		fmt.Fprintf(a.Stderr, "spillgate: %d things in it mean something else here; -v lists them\n", n)
		return
	}
	for _, line := range s.Notes {
		fmt.Fprintf(a.Stderr, "spillgate: %s\n", report.Escape(line))
	}
}

// notices prints what the stages have to say: of the unused excuses only to
// who asked.
func (a *app) notices(s *settings, result *scanner.Result) {
	var without []string
	if !s.verbose && !s.gate.FailOnUnused {
		without = append(without, scanner.NoticeUnused)
	}
	if s.quiet && a.exit == scanner.ExitClean {
		return
	}
	for _, line := range report.NoticeLines(result, without...) {
		fmt.Fprintf(a.Stderr, "spillgate: %s\n", line)
	}
}

// confidence reads the name of a confidence.
func confidence(s string) error {
	var v rules.Confidence
	return v.UnmarshalText([]byte(s))
}
