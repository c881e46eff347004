package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
)

func (a *app) auditLogCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit-log",
		Usage: "check the account that responses give of themselves",
		Commands: []*cli.Command{{
			Name:      "verify",
			Usage:     "check that no line was changed, taken out, put in or moved",
			ArgsUsage: "DIR",
			Description: "Follows the chain of hashes in the audit log of the folder (that of respond --ledger) and\n" +
				"holds it against the head file, which counts the lines. It names the first line that is\n" +
				"wrong. It cannot tell a log that somebody who can write both files wrote anew, unless\n" +
				"--head names a hash that was kept elsewhere: every notification and every run prints one.\n\n" +
				"Exit codes: 1 the log does not verify, 2 it could not be read.",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "head", Usage: "the `HASH` of a line, kept elsewhere; the log must contain it"},
				&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "`FORMAT`: text, json", Validator: oneOf("text", "json")},
			},
			Action: a.verifyAuditLog,
		}},
	}
}

func (a *app) verifyAuditLog(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("name the folder of the ledger", "audit-log verify takes one folder, got %d", c.Args().Len())
	}
	check, err := live.VerifyAudit(c.Args().First(), c.String("head"))
	if err != nil {
		return err
	}
	if check.Bad > 0 {
		a.exit = scanner.ExitFindings
	}
	if c.String("format") == "json" {
		return a.writeJSON(check)
	}
	text := fmt.Sprintf("%d lines verified", check.Lines)
	if !check.First.IsZero() {
		text += fmt.Sprintf(", %s to %s, head %s", check.First.Format(time.RFC3339), check.Last.Format(time.RFC3339), check.Head)
	}
	text += "\n"
	for _, n := range check.Notes {
		text += "note: " + n + "\n"
	}
	if check.Bad > 0 {
		text += fmt.Sprintf("line %d: %s\n", check.Bad, check.Why)
	}
	return a.write(text)
}
