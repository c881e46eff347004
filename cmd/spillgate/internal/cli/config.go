package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/config"
	"github.com/spillgate/spillgate/scanner/report"
)

// configuration is the command that deals with the configuration file.
func (a *app) configuration() *cli.Command {
	return &cli.Command{
		Name:     "config",
		Usage:    "check, explain and import the configuration",
		Commands: []*cli.Command{a.configValidate(), a.configExplain(), a.configImport(), a.configSchema()},
		Action:   needsSubcommand,
	}
}

func (a *app) configValidate() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     "check the configuration, the ignore file and the baseline",
		ArgsUsage: "[FILE]",
		Description: "Exit code 0 if all is well and 3 with file, line and column if not. FILE stands for the\n" +
			"configuration that a scan would use. Example: spillgate config validate .spillgate.toml",
		Flags: gateFlags(gitFlags(configFlags()...)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() > 1 {
				return usage("see "+c.FullName()+" --help", "config validate takes one file, got %d", c.Args().Len())
			}
			if file := c.Args().First(); file != "" {
				if err := c.Set("config", file); err != nil {
					return err
				}
			}
			s, err := a.discover(ctx, c)
			if err != nil {
				return err
			}
			line := "no configuration file: the defaults hold"
			if f := s.Config; f != nil {
				line = fmt.Sprintf("%s: valid, %s, %s, %s", report.Escape(f.Name), plural(len(f.Rules), "rule of its own", "rules of its own"),
					plural(len(f.Changes), "changed rule", "changed rules"), plural(len(f.Allow), "allowlist", "allowlists"))
			}
			if s.Ignore != nil {
				line += fmt.Sprintf("\n.spillgateignore: %s", plural(len(s.Ignore.Patterns()), "pattern", "patterns"))
			}
			if s.Baseline != nil {
				line += fmt.Sprintf("\n%s: valid, %s", report.Escape(s.Baseline.Name), plural(len(s.Baseline.Entries), "entry", "entries"))
			}
			_, err = fmt.Fprintln(a.Stdout, line)
			return err
		},
	}
}

// discover settles what a scan of the working directory would go by.
func (a *app) discover(ctx context.Context, c *cli.Command) (*settings, error) {
	var o origin
	repo, err := openRepo(ctx, c)
	switch {
	case err == nil:
		defer repo.Close()
		o.repo = repo
	case c.String("repo") != "":
		return nil, err
	}
	s, err := settle(ctx, c, o)
	if err != nil {
		return nil, err
	}
	s.verbose = true
	a.say(s)
	return s, nil
}

func (a *app) configExplain() *cli.Command {
	return &cli.Command{
		Name:        "explain",
		Usage:       "say what is set, and which flag, variable or file set it",
		Description: "Example: spillgate config explain --fail-on high",
		Flags:       gateFlags(gitFlags(configFlags()...)...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			s, err := a.discover(ctx, c)
			if err != nil {
				return err
			}
			list := append([]config.Setting{}, s.list...)
			for i := range list {
				list[i].Value = report.Escape(list[i].Value)
			}
			if s.Ignore != nil {
				list = append(list, config.Setting{Key: "ignore file", Value: plural(len(s.Ignore.Patterns()), "pattern", "patterns"), From: ".spillgateignore"})
			}
			if s.Baseline != nil {
				list = append(list, config.Setting{Key: "baseline", Value: plural(len(s.Baseline.Entries), "entry", "entries"), From: s.Baseline.Name})
			}
			return config.Explain(a.Stdout, list)
		},
	}
}

func (a *app) configImport() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "print the configuration of gitleaks as one of Spillgate",
		ArgsUsage: "[FILE]",
		Description: "Reads FILE, or .gitleaks.toml in the working directory, and .gitleaksignore beside it.\n" +
			"What means something else here is told on standard error.\n\n" +
			"Example: spillgate config import > .spillgate.toml",
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() > 1 {
				return usage("see "+c.FullName()+" --help", "config import takes one file, got %d", c.Args().Len())
			}
			file := c.Args().First()
			if file == "" {
				file = ".gitleaks.toml"
			}
			text, err := os.ReadFile(file)
			if err != nil && (c.Args().Present() || !errors.Is(err, fs.ErrNotExist)) {
				return usage("name the configuration of gitleaks", "reading the configuration: %v", err)
			}
			places, err := os.ReadFile(filepath.Join(filepath.Dir(file), ".gitleaksignore"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return usage("make it readable", "reading the configuration: %v", err)
			}
			if text == nil && places == nil {
				return usage("name the file", "there is neither .gitleaks.toml nor .gitleaksignore here")
			}
			own, notes, err := config.Import(filepath.ToSlash(file), text, places)
			if err != nil {
				return usage("", "%v", err)
			}
			if _, err := config.Parse("the imported configuration", own); err != nil {
				return fmt.Errorf("importing %s: %w", file, err)
			}
			for _, n := range notes {
				fmt.Fprintf(a.Stderr, "spillgate: %s\n", report.Escape(n))
			}
			_, err = a.Stdout.Write(own)
			return err
		},
	}
}

func (a *app) configSchema() *cli.Command {
	return &cli.Command{
		Name:        "schema",
		Usage:       "print the JSON Schema of .spillgate.toml, for editors",
		Description: "Example: spillgate config schema > spillgate.schema.json",
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			_, err := a.Stdout.Write(config.Schema())
			return err
		},
	}
}
