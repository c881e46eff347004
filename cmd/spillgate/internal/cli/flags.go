package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/decode"
	"github.com/spillgate/spillgate/scanner/report"
)

// scanFlags are the flags of every command that scans. They are made anew for
// each: a flag holds the value it was given.
func scanFlags(more ...cli.Flag) []cli.Flag {
	formats := strings.Join(report.Formats(), ", ")
	return append(depthFlags(gateFlags(configFlags(more...)...)...),
		&cli.StringFlag{
			Name: "format", Aliases: []string{"f"}, Value: "text",
			Usage:     "`FORMAT` of the report on standard output: " + formats,
			Validator: knownFormat,
		},
		&cli.StringFlag{
			Name: "output", Aliases: []string{"o"}, Value: "-", TakesFile: true,
			Usage: "write the report to `FILE` instead (- is standard output)",
		},
		&cli.StringSliceFlag{
			Name: "report", Usage: "write a further report, `FORMAT=FILE`; may be repeated",
			Validator: func(all []string) error {
				for _, s := range all {
					if _, _, err := splitReport(s); err != nil {
						return err
					}
				}
				return nil
			},
		},
		&cli.BoolFlag{Name: "show-suppressed", Usage: "list suppressed findings, with the reason, too"},
		&cli.BoolFlag{Name: "no-baseline", Usage: "report what the baseline excuses too"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print findings and errors only"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say what was scanned, how, and what was skipped"},
		&cli.BoolFlag{Name: "no-color", Usage: "no colours (NO_COLOR does the same)"},
	)
}

// gateFlags are the flags that say what fails a run.
func gateFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{
			Name: "fail-on", Value: "medium", Sources: cli.EnvVars("SPILLGATE_FAIL_ON"),
			Usage:     "lowest `SEVERITY` that fails the run: " + strings.Join(rules.SeverityNames(), ", "),
			Validator: orEmpty(func(s string) error { _, err := severity(s); return err }),
		},
		&cli.StringFlag{
			Name: "min-confidence", Value: "high", Sources: cli.EnvVars("SPILLGATE_MIN_CONFIDENCE"),
			Usage:     "lowest `CONFIDENCE` that fails the run: low, medium, high; less sure findings are warnings",
			Validator: orEmpty(confidence),
		},
		&cli.IntFlag{
			Name: "exit-code", Value: scanner.ExitFindings, Sources: cli.EnvVars("SPILLGATE_EXIT_CODE"),
			Usage: "exit with `CODE` instead of 1 if findings fail the run; 0 only warns, all other codes stay",
			Validator: func(code int) error {
				if code < 0 || code > 125 || code == scanner.ExitIncomplete || code == scanner.ExitUsage {
					return fmt.Errorf("--exit-code %d: use 0 to 125, but neither %d nor %d, which mean other things", code, scanner.ExitIncomplete, scanner.ExitUsage)
				}
				return nil
			},
		},
		&cli.BoolFlag{Name: "fail-on-unused", Usage: "fail if a comment, ignore line or baseline entry excuses nothing"},
		&cli.BoolFlag{Name: "require-reason", Usage: "honour only comments and baseline entries that give a reason"},
	)
}

// orEmpty lets "" through, which an empty variable stands for: it sets nothing.
func orEmpty(check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return nil
		}
		return check(s)
	}
}

// depthFlags are the flags that say how deep a scan looks, and with how many
// threads.
func depthFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{
			Name: "template", TakesFile: true,
			Usage: "`FILE` with the template of the format template, in the language of Go's text/template",
		},
		&cli.IntFlag{
			Name: "decode-depth", Value: decode.DefaultDepth,
			Usage: "undo up to `N` encodings inside each other (base64, gzip, escapes and others; 0: none)",
			Validator: func(n int) error {
				if n < 0 || n > decode.MaxDepth {
					return fmt.Errorf("--decode-depth must lie between 0 and %d", decode.MaxDepth)
				}
				return nil
			},
		},
		&cli.BoolFlag{Name: "no-archives", Usage: "do not look into zip, tar and compressed files"},
		&cli.BoolFlag{Name: "no-iac", Usage: "do not judge KMS keys in Terraform and CloudFormation"},
		memoryFlag(),
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Usage: "scan with `N` threads (default: all cores)", Validator: func(n int) error {
			if n < 0 || n > 1024 {
				return fmt.Errorf("--jobs must lie between 1 and 1024")
			}
			return nil
		}},
	)
}

// configFlags are the flags of every command that reads the configuration.
func configFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{
			Name: "config", TakesFile: true,
			Usage: "read the configuration from `FILE` (SPILLGATE_CONFIG does the same; default: .spillgate.toml at the top of the repository)",
		},
		&cli.StringFlag{
			Name: "config-from", Sources: cli.EnvVars("SPILLGATE_CONFIG_FROM"),
			Usage: "read the repository's configuration, ignore file and baseline from `WHERE`: worktree, base (where a range starts), or a revision (default: base for a range, else worktree)",
		},
		&cli.StringFlag{
			Name: "baseline", TakesFile: true,
			Usage: "the baseline is `FILE` (default: .spillgate-baseline.jsonl at the top of the repository)",
		},
	)
}

// gitFlags are the further flags of commands that read a repository.
func gitFlags(more ...cli.Flag) []cli.Flag {
	return append(append(more, liveFlags()...),
		&cli.StringFlag{
			Name: "repo", Aliases: []string{"C"}, TakesFile: true,
			Usage: "the repository in `DIR` instead of the one around the working directory",
		},
		&cli.StringFlag{
			Name: "backend", Usage: "what reads the repository: packs, go-git, git (default: packs, and git where only git can)",
			Validator: func(s string) error {
				switch s {
				case "", "packs", "go-git", "git":
					return nil
				}
				return fmt.Errorf("unknown backend %q: use packs, go-git or git", s)
			},
		},
		&cli.BoolFlag{Name: "recurse-submodules", Usage: "scan what changed in submodules too, in their repositories on this machine; one that is missing is exit code 2"},
		&cli.BoolFlag{Name: "lfs", Usage: "scan the files behind LFS pointers too, as far as this machine has them; one that is missing is exit code 2"},
		&cli.BoolFlag{
			Name: "trust-repo", Sources: cli.EnvVars("SPILLGATE_TRUST_REPO"),
			Usage: "read a repository that belongs to another user, for this run only",
		},
	)
}

func severity(s string) (rules.Severity, error) {
	var v rules.Severity
	err := v.UnmarshalText([]byte(s))
	return v, err
}

func knownFormat(s string) error {
	for _, f := range report.Formats() {
		if f == s {
			return nil
		}
	}
	return fmt.Errorf("unknown format %q: use %s", s, strings.Join(report.Formats(), ", "))
}

// splitReport splits FORMAT=FILE.
func splitReport(s string) (format, file string, err error) {
	format, file, ok := strings.Cut(s, "=")
	if !ok || file == "" {
		return "", "", fmt.Errorf("--report %q is not FORMAT=FILE", s)
	}
	return format, file, knownFormat(format)
}
