package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
)

func (a *app) explain() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say what a rule finds, why it matters and what to do",
		ArgsUsage: "RULE",
		Description: "Of the generic rules, --weigh shows for each name and value in the lines on standard\n" +
			"input what speaks for a secret and what against.\n\n" +
			"Example: spillgate explain aws-kms-key-arn",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "weigh", Usage: "weigh the lines on standard input (generic rules)"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return usage("spillgate rules list shows them all", "explain takes the id of one rule")
			}
			id := c.Args().First()
			s, err := settle(ctx, c, origin{})
			if err != nil {
				return err
			}
			if r := s.Config.Rule(id); r != nil {
				if c.Bool("weigh") {
					if !r.Fallback {
						return usage("spillgate explain generic-credential --weigh < FILE", "%s is no generic rule: it has nothing to weigh", id)
					}
					return weigh(a.Stdout, a.Stdin)
				}
				return explain(a.Stdout, r)
			}
			return unknownRule(id)
		},
		ShellComplete: func(_ context.Context, c *cli.Command) {
			for _, r := range allRules() {
				fmt.Fprintln(a.Stdout, r.ID)
			}
		},
	}
}

// unknownRule is the error for an id that no rule has.
func unknownRule(id string) error {
	all := allRules()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].ID
	}
	fix := "spillgate rules list shows them all"
	if near := rules.Nearest(id, names); near != "" {
		fix = "did you mean " + near + "? " + fix
	}
	return usage(fix, "there is no rule %q", id)
}

// explain prints all that a reader of a finding may want to know of its rule.
// The examples stay out: most of them look like live secrets.
func explain(w io.Writer, r *rules.Rule) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", r.ID, r.Title)
	fmt.Fprintf(&b, "  severity    %s\n  confidence  %s\n  provider    %s\n", r.Severity, r.Confidence, r.Provider)
	if len(r.Tags) > 0 {
		fmt.Fprintf(&b, "  tags        %s\n", strings.Join(r.Tags, ", "))
	}
	fmt.Fprintf(&b, "\nWhy it matters\n  %s\n\nWhat to do\n  %s\n\nWhat it looks for\n", r.Why, r.Fix)
	for _, p := range r.Patterns {
		if p.ARN != "" {
			fmt.Fprintf(&b, "  ARN: %s\n", p.ARN)
		} else {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(p.Regexp))
		}
	}
	if len(r.Patterns) == 0 { // a check of infrastructure code, whose examples hold no secret
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(strings.TrimSpace(r.Match[0]), "\n", "\n  "))
	}
	if len(r.Validators) > 0 {
		fmt.Fprintf(&b, "  checked by %s\n", strings.Join(r.Validators, ", "))
	}
	if len(r.Placeholders) > 0 {
		fmt.Fprintf(&b, "  known examples are suppressed: %s\n", strings.Join(r.Placeholders, ", "))
	}
	b.WriteString("\nReferences\n")
	for _, ref := range r.References {
		fmt.Fprintf(&b, "  %s\n", ref)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
