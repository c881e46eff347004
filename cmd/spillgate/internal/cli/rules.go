package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/config"
	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/report"
)

func (a *app) rules() *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "list and test the rules",
		Commands: []*cli.Command{a.rulesTest(), {
			Name:  "list",
			Usage: "list the rules with their severity and confidence",
			Description: "Lists the rules as the configuration of the working directory has them: its own too,\n" +
				"severities as it sets them, rules that it switches off as off.\n\n" +
				"Example: spillgate rules list --json",
			Flags: append(configFlags(), &cli.BoolFlag{Name: "json", Usage: "print them as JSON"}),
			Action: func(ctx context.Context, c *cli.Command) error {
				if err := noArguments(c); err != nil {
					return err
				}
				s, err := a.discover(ctx, c)
				if err != nil {
					return err
				}
				all := listed(s.Config)
				if c.Bool("json") {
					return a.listJSON(all)
				}
				w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tSEVERITY\tCONFIDENCE\tTITLE")
				for _, r := range all {
					severity := r.Severity.String()
					if r.Off {
						severity = "off"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, severity, r.Confidence, report.Escape(r.Title))
				}
				return w.Flush()
			},
		}},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return needsSubcommand(ctx, c)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// A listedRule is a rule without its patterns and examples, as far as the list
// shows it.
type listedRule struct {
	ID         string           `json:"id"`
	Provider   string           `json:"provider"`
	Title      string           `json:"title"`
	Severity   rules.Severity   `json:"severity"`
	Confidence rules.Confidence `json:"confidence"`
	Tags       []string         `json:"tags,omitempty"`
	References []string         `json:"references,omitempty"`
	// Off says that the configuration switches the rule off, Own that it
	// brings the rule.
	Off bool `json:"off,omitempty"`
	Own bool `json:"own,omitempty"`
}

// listed returns the rules as c, which may be nil, has them: those of c stand
// where they replace a built-in rule, or at the end.
func listed(c *config.Config) []listedRule {
	var out []listedRule
	add := func(r *rules.Rule, own bool) {
		out = append(out, listedRule{
			ID: r.ID, Provider: r.Provider, Title: r.Title, Severity: r.Severity, Confidence: r.Confidence,
			Tags: r.Tags, References: r.References, Off: c.Change(r.ID).Off, Own: own,
		})
	}
	replaced := map[string]bool{}
	for _, r := range allRules() {
		own := c != nil && slices.ContainsFunc(c.Rules, func(x rules.Rule) bool { return x.ID == r.ID })
		replaced[r.ID] = own
		add(c.Rule(r.ID), own)
	}
	if c != nil {
		for i := range c.Rules {
			if id := c.Rules[i].ID; !replaced[id] {
				add(c.Rule(id), true)
			}
		}
	}
	return out
}

// listJSON prints the rules.
func (a *app) listJSON(all []listedRule) error {
	e := json.NewEncoder(a.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(all)
}
