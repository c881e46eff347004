package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/filetree"
	"github.com/spillgate/spillgate/scanner/report"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// baseline is the command that keeps the list of known secrets.
func (a *app) baseline() *cli.Command {
	return &cli.Command{
		Name:  "baseline",
		Usage: "keep the list of secrets that are known and accepted for now",
		Description: "The list lies in .spillgate-baseline.jsonl at the top of the repository, a line per secret,\n" +
			"without the secrets. Commit it. spillgate baseline merge --install has git join those of\n" +
			"two branches.\n\n" +
			"Example: spillgate baseline create --reason \"before the gate\" --owner platform",
		Commands: []*cli.Command{a.baselineCreate(), a.baselineUpdate(), a.baselineAudit(), a.baselinePrune(), a.baselineMerge()},
		Action:   needsSubcommand,
	}
}

// baselineFlags are the flags of all subcommands.
func baselineFlags(more ...cli.Flag) []cli.Flag {
	return gitFlags(depthFlags(configFlags(append(more,
		&cli.StringFlag{
			Name:  "source",
			Usage: "look for secrets in `WHERE`: history (all that any ref reaches) or dir (the files) (default: history in a repository, else dir)",
			Validator: func(s string) error {
				if s != "" && s != "history" && s != "dir" {
					return fmt.Errorf("--source %q: use history or dir", s)
				}
				return nil
			},
		},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say what was scanned, how, and what was skipped"},
	)...)...)...)
}

// entryFlags are the flags that describe entries.
func entryFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{Name: "reason", Usage: "why they are accepted"},
		&cli.StringFlag{Name: "owner", Usage: "who has to deal with them"},
		&cli.StringFlag{Name: "until", Usage: "the last `DAY` on which they are excused, such as 2027-01-31 (UTC)", Validator: suppress.CheckDate},
	)
}

// A survey is what a baseline command starts from: the settings and all that
// is found without the baseline.
type survey struct {
	*settings
	result *scanner.Result
}

// survey scans for a baseline command.
func (a *app) survey(ctx context.Context, c *cli.Command) (*survey, error) {
	var source scanner.Source
	repo, err := openRepo(ctx, c)
	switch {
	case err == nil && c.String("source") != "dir":
		defer repo.Close()
		a.origin = origin{repo: repo, whole: true}
		source = repo.History(historyOptions(c))
	case err != nil && c.String("source") == "history", err != nil && c.String("repo") != "":
		return nil, err
	default:
		dir := "."
		if err == nil {
			dir = repo.Root()
			repo.Close()
		}
		a.origin = origin{path: dir}
		source = filetree.New([]string{dir}, filetree.Options{Jobs: c.Int("jobs"), Base: dir})
	}
	a.origin.noBaseline = true
	result, err := a.result(ctx, c, source)
	if err != nil {
		return nil, err
	}
	a.conclude(c, result)
	if result.Interrupted {
		return nil, context.Canceled
	}
	if !result.Complete() {
		return nil, errors.New("not everything could be scanned, so the baseline would not be true: nothing was written")
	}
	return &survey{a.settings, result}, nil
}

// entries returns an entry for each secret found, without a reason; by path
// one for each file that it stands in.
func (s *survey) entries(b *suppress.Baseline, byPath bool) []suppress.Entry {
	var all []suppress.Entry
	for _, f := range s.result.Findings {
		e := suppress.Entry{Fingerprint: b.Fingerprint(f.Rule.ID, f.Secret), Rule: f.Rule.ID, Seen: shown(f, f.Object.Path)}
		if !byPath {
			all = append(all, e)
			continue
		}
		paths := map[string]bool{}
		for _, l := range append([]scanner.Location{f.Location}, f.More...) {
			if p := shown(f, l.Object.Path); p != "" && !paths[p] {
				paths[p] = true
				e.Path, e.Seen = escapeGlob(p), ""
				all = append(all, e)
			}
		}
	}
	return all
}

// shown returns the path for an entry, or "" if it would give the secret away.
func shown(f *scanner.Finding, path string) string {
	if s := f.Secret.Reveal(); s == "" || strings.Contains(path, s) {
		return ""
	}
	return strings.ToValidUTF8(path, "\uFFFD")
}

// escapeGlob returns the pattern that matches path alone.
func escapeGlob(path string) string {
	return "/" + strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, " ", `\ `).Replace(path)
}

func (a *app) baselineCreate() *cli.Command {
	return &cli.Command{
		Name:        "create",
		Usage:       "list all secrets that are there now",
		Description: "Example: spillgate baseline create --reason \"before the gate\" --until 2027-01-31",
		Flags: baselineFlags(entryFlags(
			&cli.BoolFlag{Name: "by-path", Usage: "excuse each secret in the files only where it stands now"},
			&cli.BoolFlag{Name: "force", Usage: "replace a baseline that is there, with its reasons"},
		)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return a.grow(ctx, c, func(s *survey) (*suppress.Baseline, error) {
				if _, err := os.Lstat(s.BaselineFile); err == nil && !c.Bool("force") {
					return nil, usage("spillgate baseline update adds what is new; --force makes it anew", "there is a baseline already: %s", s.BaselineFile)
				}
				return suppress.NewBaseline(s.BaselineFile), nil
			})
		},
	}
}

func (a *app) baselineUpdate() *cli.Command {
	return &cli.Command{
		Name:        "update",
		Usage:       "add the secrets that are not in the list yet",
		Description: "What is in the list stays as it is. Example: spillgate baseline update --owner platform",
		Flags: baselineFlags(entryFlags(
			&cli.BoolFlag{Name: "by-path", Usage: "excuse each secret in the files only where it stands now"},
		)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return a.grow(ctx, c, func(s *survey) (*suppress.Baseline, error) { return readBaseline(s.BaselineFile) })
		},
	}
}

// grow adds what a survey found to the baseline that start returns.
func (a *app) grow(ctx context.Context, c *cli.Command, start func(*survey) (*suppress.Baseline, error)) error {
	s, err := a.survey(ctx, c)
	if err != nil {
		return err
	}
	b, err := start(s)
	if err != nil {
		return err
	}
	known := map[[2]string][]string{} // paths by rule and fingerprint
	for _, e := range b.Entries {
		k := [2]string{e.Rule, e.Fingerprint}
		known[k] = append(known[k], e.Path)
	}
	kept, added := len(b.Entries), 0
	for _, e := range s.entries(b, c.Bool("by-path")) {
		if covered(known[[2]string{e.Rule, e.Fingerprint}], e.Path) {
			continue
		}
		e.Reason, e.Owner, e.Until = c.String("reason"), c.String("owner"), c.String("until")
		b.Entries = append(b.Entries, e)
		added++
	}
	if err := writeBaseline(s.BaselineFile, b); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Stdout, "%s: %s added, %d kept\n", relative(s.BaselineFile), plural(added, "entry", "entries"), kept)
	return err
}

// covered reports whether entries with these paths excuse what one with path
// would.
func covered(paths []string, path string) bool {
	for _, p := range paths {
		if p == "" || p == path {
			return true
		}
	}
	return false
}

func (a *app) baselinePrune() *cli.Command {
	return &cli.Command{
		Name:  "prune",
		Usage: "take out what is not found any more or has expired",
		Description: "Scans all that the list may be about, so a secret that is still in the history stays in\n" +
			"the list. Example: spillgate baseline prune --dry-run",
		Flags: baselineFlags(&cli.BoolFlag{Name: "dry-run", Usage: "say what would be taken out and write nothing"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			s, err := a.survey(ctx, c)
			if err != nil {
				return err
			}
			b, err := readBaseline(s.BaselineFile)
			if err != nil {
				return err
			}
			return a.prune(s, b, c.Bool("dry-run"))
		},
	}
}

func (a *app) prune(s *survey, b *suppress.Baseline, dry bool) error {
	found := map[[2]string]bool{}
	for _, e := range s.entries(b, false) {
		found[[2]string{e.Rule, e.Fingerprint}] = true
	}
	var kept []suppress.Entry
	for _, e := range b.Entries {
		why := ""
		switch {
		case !found[[2]string{e.Rule, e.Fingerprint}]:
			why = "not found any more"
		case e.Until != "" && e.Until < today():
			why = "expired on " + e.Until
		}
		if why == "" {
			kept = append(kept, e)
			continue
		}
		if _, err := fmt.Fprintf(a.Stdout, "%s %s%s: %s\n", e.Fingerprint[:8], e.Rule, in(e), why); err != nil {
			return err
		}
	}
	gone := len(b.Entries) - len(kept)
	b.Entries = kept
	did := "taken out"
	if dry {
		did = "would be taken out"
	} else if err := writeBaseline(s.BaselineFile, b); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s %s, %d kept\n", relative(s.BaselineFile), plural(gone, "entry", "entries"), did, len(kept))
	return err
}

// in says where an entry's secret stood.
func in(e suppress.Entry) string {
	switch {
	case e.Path != "":
		return " in " + report.Escape(e.Path)
	case e.Seen != "":
		return " in " + report.Escape(e.Seen)
	}
	return ""
}

// readBaseline reads the baseline of a command that changes one.
func readBaseline(file string) (*suppress.Baseline, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("make one with spillgate baseline create", "there is no baseline %s", relative(file))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	b, err := suppress.ParseBaseline(relative(file), text)
	if err != nil {
		return nil, usage("", "%v", err)
	}
	return b, nil
}

// writeBaseline replaces the file in one step, so that nobody reads half of
// it.
func writeBaseline(file string, b *suppress.Baseline) error {
	t, err := os.CreateTemp(filepath.Dir(file), ".spillgate-baseline-*")
	if err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	defer os.Remove(t.Name()) // fails when all went well: the name is gone
	_, err = t.Write(b.Bytes())
	mode := fs.FileMode(0o644)
	if info, statErr := os.Stat(file); statErr == nil {
		mode = info.Mode().Perm()
	}
	if err = errors.Join(err, t.Close(), os.Chmod(t.Name(), mode)); err == nil {
		err = os.Rename(t.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("writing the baseline %s: %w", file, err)
	}
	return nil
}

// relative returns the path as seen from the working directory, if it lies
// below it.
func relative(file string) string {
	if cwd, err := os.Getwd(); err == nil {
		if r, err := filepath.Rel(cwd, file); err == nil && filepath.IsLocal(r) {
			return filepath.ToSlash(r)
		}
	}
	return filepath.ToSlash(file)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
