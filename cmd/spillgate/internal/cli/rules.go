package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
)

func (a *app) rules() *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "list and test the rules",
		Commands: []*cli.Command{a.rulesTest(), {
			Name:        "list",
			Usage:       "list the rules with their severity and confidence",
			Description: "Example: spillgate rules list --json",
			Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print them as JSON"}},
			Action: func(_ context.Context, c *cli.Command) error {
				if err := noArguments(c); err != nil {
					return err
				}
				if c.Bool("json") {
					return a.listJSON(allRules())
				}
				w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tSEVERITY\tCONFIDENCE\tTITLE")
				for _, r := range allRules() {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Confidence, r.Title)
				}
				return w.Flush()
			},
		}},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return usage("see spillgate rules --help", "unknown command %q of rules", name)
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

// listJSON prints the rules without their patterns and examples.
func (a *app) listJSON(all []rules.Rule) error {
	type rule struct {
		ID         string           `json:"id"`
		Provider   string           `json:"provider"`
		Title      string           `json:"title"`
		Severity   rules.Severity   `json:"severity"`
		Confidence rules.Confidence `json:"confidence"`
		Tags       []string         `json:"tags,omitempty"`
		References []string         `json:"references,omitempty"`
	}
	out := make([]rule, len(all))
	for i, r := range all {
		out[i] = rule{r.ID, r.Provider, r.Title, r.Severity, r.Confidence, r.Tags, r.References}
	}
	e := json.NewEncoder(a.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
