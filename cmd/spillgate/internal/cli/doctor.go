package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

func (a *app) doctor() *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		ArgsUsage: hookArgument,
		Usage:     "find out whether Spillgate really guards this repository, and prove it",
		Description: hookText() + "Says which hooks git runs, in which order, and what is wrong with them: core.hooksPath at\n" +
			"every level, hooks of the configuration, hook managers, files that are not executable,\n" +
			"missing programs. Then it commits and pushes a made-up secret in a scratch clone, which\n" +
			"must be refused, and the same without the secret, which must pass.\n\n" +
			"Exit code 0: all of it holds. 2: something does not.\n\nExample: spillgate doctor",
		Flags: hookFlags(&cli.BoolFlag{Name: "no-canary", Usage: "only look, commit nothing in a scratch clone"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			s, err := a.setup(ctx, c)
			if err != nil {
				return err
			}
			a.environment(s)
			color := wantsColor(c, a.Stdout)
			guarded, err := a.describe(ctx, s, color)
			if err != nil {
				return err
			}
			if c.Bool("no-canary") || s.Global {
				return nil
			}
			return a.prove(ctx, s, guarded, color)
		},
	}
}

// environment prints where git takes its hooks from.
func (a *app) environment(s *hooks.Setup) {
	say := func(format string, args ...any) {
		fmt.Fprintln(a.Stdout, report.Escape(fmt.Sprintf(format, args...)))
	}
	runs := "does not run hooks of its configuration"
	if s.Configured {
		runs = "runs hooks of its configuration"
	}
	say("%s, which %s", s.Version, runs)
	for i, p := range s.Paths {
		state := "in effect"
		if i < len(s.Paths)-1 {
			state = "overridden"
		}
		say("core.hooksPath = %s (%s, %s): %s", p.Value, p.Scope, p.Origin, state)
	}
	say("hooks folder: %s", s.Folder)
}

// prove lets the canary fly and says how it went.
func (a *app) prove(ctx context.Context, s *hooks.Setup, guarded []string, color bool) error {
	if len(guarded) == 0 {
		return nil // said already, and there is nothing to prove
	}
	trials, err := s.Prove(ctx, guarded, madeUpToken())
	if err != nil {
		return err
	}
	for _, t := range trials {
		sgr := good
		if !t.OK() {
			sgr = bad
		}
		fmt.Fprintf(a.Stdout, "canary: %s: %s\n", t.What, inColor(color, sgr, canaryVerdict(t)))
		if !t.OK() {
			a.exit = scanner.ExitIncomplete
			for line := range strings.Lines(t.Output) {
				fmt.Fprintln(a.Stdout, "    "+report.Escape(strings.TrimRight(line, "\r\n")))
			}
		}
	}
	if a.exit == scanner.ExitClean {
		fmt.Fprintln(a.Stdout, inColor(color, good, "all is well:"), "Spillgate guards", strings.Join(guarded, ", "))
	}
	return nil
}

// madeUpToken returns a token in GitHub's format, with a checksum that fits
// (https://github.blog/engineering/behind-githubs-new-authentication-token-formats):
// it is critical and certain, so that no gate lets it pass.
func madeUpToken() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b [30]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	for i := range b {
		b[i] = digits[int(b[i])%len(digits)]
	}
	sum := crc32.ChecksumIEEE(b[:])
	var check [6]byte
	for i := len(check) - 1; i >= 0; i-- {
		check[i], sum = digits[sum%62], sum/62
	}
	return "ghp" + "_" + string(b[:]) + string(check[:])
}

func canaryVerdict(t hooks.Trial) string {
	switch {
	case t.Want && t.Refused && t.BySpillgate:
		return "refused by Spillgate, as it should be"
	case t.Want && t.Refused:
		return "REFUSED, BUT NOT BY SPILLGATE: another hook or git itself said no"
	case t.Want:
		return "NOT REFUSED"
	case t.Refused:
		return "REFUSED, though there is nothing wrong with it"
	}
	return "passed, as it should"
}
