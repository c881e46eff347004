package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/incident"
)

func (a *app) incident() *cli.Command {
	return &cli.Command{
		Name:  "incident",
		Usage: "what was found, and what became of it",
		Commands: []*cli.Command{
			a.incidentList(), a.incidentShow(), a.incidentClose(),
		},
	}
}

// oneID returns the argument.
func oneID(c *cli.Command) (string, error) {
	if c.Args().Len() != 1 {
		return "", errors.New("name one incident by its id; see spillgate-server incident list")
	}
	return c.Args().First(), nil
}

func (a *app) incidentShow() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show an incident: places, timeline, verdict", ArgsUsage: "ID",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			var i incident.Incident
			if err := ask(ctx, c, os.Getenv, "GET", "/api/incidents/"+url.PathEscape(id), nil, &i); err != nil {
				return err
			}
			if c.Bool("json") {
				return a.printJSON(&i)
			}
			return a.printIncident(&i)
		},
	}
}

// printIncident writes what a person wants to know first first.
func (a *app) printIncident(i *incident.Incident) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	state := "open"
	if !i.Open() {
		state = "closed"
	}
	fmt.Fprintf(w, "%s, %s, %s (%s)\n  %s\n", plain(i.Title), i.Severity, state, i.ID, plain(i.Match))
	if i.Why != "" {
		fmt.Fprintf(w, "  %s\n", plain(i.Why))
	}
	fmt.Fprintf(w, "\nPlaces (%d)\n", i.Occurrences)
	for _, p := range i.Places {
		fmt.Fprintf(w, "  %s %s:%d\t%.12s\t%s\n", plain(p.Repository), plain(p.Path), p.Line, p.Commit, plain(p.Ref))
	}
	fmt.Fprintln(w, "\nTimeline")
	for _, e := range i.Timeline {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", e.At.Local().Format(time.DateTime), e.Stage, plain(e.By), plain(e.Note))
	}
	j := i.Judgement()
	list := func(title string, lines []string) {
		for n, l := range lines {
			if n == 0 {
				fmt.Fprintf(w, "\n%s\n", title)
			}
			fmt.Fprintf(w, "  %s\n", plain(l))
		}
	}
	list("Why it is "+j.Severity, j.Reasons)
	list("Not known", j.Unknowns)
	if at := i.Waits(); at != nil {
		list("AWS is asked again from "+at.Next.Local().Format(time.DateTime)+" on", []string{at.Why})
	}
	var steps []string
	for _, step := range i.Steps() {
		steps = append(steps, step.Kind+" of "+step.Target+": "+step.Reason)
	}
	list("Plan", steps)
	list("Not fixed by the response", i.Leaves)
	if i.Fix != "" && i.Open() {
		fmt.Fprintf(w, "\nNext: %s\n", plain(i.Fix))
	}
	return w.Flush()
}

func (a *app) incidentClose() *cli.Command {
	return &cli.Command{
		Name: "close", Usage: "close an incident", ArgsUsage: "ID",
		Flags: clientFlags(&cli.StringFlag{Name: "reason", Required: true, Usage: "`TEXT`: why"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			var i incident.Incident
			body := map[string]string{"reason": c.String("reason")}
			if err := ask(ctx, c, os.Getenv, "POST", "/api/incidents/"+url.PathEscape(id)+"/close", body, &i); err != nil {
				return err
			}
			if c.Bool("json") {
				return a.printJSON(&i)
			}
			return a.printClosing(&i)
		},
	}
}

// printClosing says who closed the incident, which may have been somebody else
// before.
func (a *app) printClosing(i *incident.Incident) error {
	for n := len(i.Timeline) - 1; n >= 0; n-- {
		if e := &i.Timeline[n]; e.Stage == incident.Closed {
			_, err := fmt.Fprintf(a.Stdout, "incident %.12s was closed by %s at %s: %s\n", i.ID, plain(e.By), e.At.Local().Format(time.DateTime), plain(e.Note))
			return err
		}
	}
	return nil
}
