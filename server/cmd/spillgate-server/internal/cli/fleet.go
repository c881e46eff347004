package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/api"
	"github.com/spillgate/spillgate/server/fleet"
)

func (a *app) fleet() *cli.Command {
	return &cli.Command{
		Name:     "fleet",
		Usage:    "scan all repositories of an organisation",
		Commands: []*cli.Command{a.fleetScan(), a.fleetStatus(), a.fleetList()},
	}
}

func (a *app) fleetScan() *cli.Command {
	return &cli.Command{
		Name:  "scan",
		Usage: "have every repository of an organisation, or of a list, scanned",
		Description: "The server lists and queues the repositories; what it scanned before is not scanned again.\n" +
			"With --wait the exit code is 0 only when every repository was scanned to its end. What was\n" +
			"found earlier is counted as no new finding; spillgate-server incident list has it.\n\n" +
			"Example: spillgate-server fleet scan --source hub --organization acme --wait",
		Flags: clientFlags(
			&cli.StringFlag{Name: "source", Required: true, Usage: "`NAME` of the source in the server's file"},
			&cli.StringFlag{Name: "organization", Usage: "`NAME` of the organisation or group"},
			&cli.StringFlag{Name: "repositories", Usage: "`FILE` with a full name per line instead (- is standard input)"},
			&cli.BoolFlag{Name: "wait", Usage: "until all is scanned or given up"},
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			body := api.FleetRequest{Source: c.String("source"), Organization: c.String("organization")}
			if file := c.String("repositories"); file != "" {
				var err error
				if body.Repositories, err = a.readNames(file); err != nil {
					return err
				}
			}
			if (body.Organization == "") == (len(body.Repositories) == 0) {
				return errors.New("give either --organization or --repositories")
			}
			var p fleet.Plan
			if err := ask(ctx, c, os.Getenv, "POST", "/api/fleets", body, &p); err != nil {
				return err
			}
			if !c.Bool("wait") {
				_, err := fmt.Fprintln(a.Stdout, p.ID)
				return err
			}
			fmt.Fprintf(a.Stderr, "fleet %s; it goes on without this program, and spillgate-server fleet status --wait %s waits for it again\n", p.ID, p.ID)
			return a.waitForFleet(ctx, c, p.ID)
		},
	}
}

// readNames reads a list of repositories; empty lines and comments are left
// out.
func (a *app) readNames(file string) ([]string, error) {
	in := a.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var names []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if name := strings.TrimSpace(lines.Text()); name != "" && name[0] != '#' {
			names = append(names, name)
		}
	}
	return names, lines.Err()
}

// waitForFleet waits until all is scanned, or what is not is given up. A server
// that is away for a while, as while it is started again, is waited for.
func (a *app) waitForFleet(ctx context.Context, c *cli.Command, id string) error {
	answered := time.Now()
	for {
		s, err := a.fleetOf(ctx, c, id)
		var away *unreachable
		switch {
		case err == nil:
			answered = time.Now()
			if s.Complete || s.Failed != "" || s.Listed && s.Scanned+s.GivenUp >= s.Total {
				return a.printFleet(c, s)
			}
		case !errors.As(err, &away) || time.Since(answered) > maxAway:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// maxAway is for how long a server may be away before waiting for it ends.
const maxAway = 5 * time.Minute

func (a *app) fleetOf(ctx context.Context, c *cli.Command, id string) (*fleet.Status, error) {
	s := new(fleet.Status)
	return s, ask(ctx, c, os.Getenv, "GET", "/api/fleets/"+url.PathEscape(id), nil, s)
}

// printFleet shows what became of a fleet; one that is not complete is an
// error, since nobody may take it for an all-clear.
func (a *app) printFleet(c *cli.Command, s *fleet.Status) error {
	if c.Bool("json") {
		if err := a.printJSON(s); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
		for _, e := range s.Entries {
			if e.State != fleet.Scanned || e.Findings > 0 {
				fmt.Fprintf(w, "%s\t%s\t%d findings\t%s\n", plain(e.Repository), e.State, e.Findings, plain(e.Note))
			}
		}
		fmt.Fprintf(w, "fleet %s: %d of %d repositories scanned, %d new findings\n", s.ID, s.Scanned, s.Total, s.Findings)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if s.Failed != "" {
		return &failure{fmt.Errorf("fleet %s is not complete: not all of its repositories could be listed: %s; the server tries again when it starts", s.ID, plain(s.Failed))}
	}
	if s.Listed && s.Total == 0 {
		return &failure{fmt.Errorf("fleet %s holds no repository: is the organisation's name right, and may the token list it?", s.ID)}
	}
	if !s.Listed {
		return &failure{fmt.Errorf("fleet %s is not complete: its repositories are still being listed, %d so far", s.ID, s.Total)}
	}
	if !s.Complete {
		return &failure{fmt.Errorf("fleet %s is not complete: %d repositories are not scanned, of which %d are given up; see spillgate-server queue dead", s.ID, s.Total-s.Scanned, s.GivenUp)}
	}
	return nil
}

func (a *app) fleetStatus() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show what became of a fleet scan; exit code 2 while it is not complete", ArgsUsage: "ID",
		Flags: clientFlags(&cli.BoolFlag{Name: "wait", Usage: "until all is scanned or given up"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return errors.New("name one fleet by its id; see spillgate-server fleet list")
			}
			if c.Bool("wait") {
				return a.waitForFleet(ctx, c, c.Args().First())
			}
			s, err := a.fleetOf(ctx, c, c.Args().First())
			if err != nil {
				return err
			}
			return a.printFleet(c, s)
		},
	}
}

func (a *app) fleetList() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list fleet scans, the newest first",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			var plans []fleet.Plan
			if err := ask(ctx, c, os.Getenv, "GET", "/api/fleets", nil, &plans); err != nil {
				return err
			}
			if c.Bool("json") {
				return a.printJSON(plans)
			}
			for _, p := range plans {
				fmt.Fprintln(a.Stdout, p.ID, p.Started.Local().Format("2006-01-02 15:04"), plain(p.Source), plain(p.Organization))
			}
			return nil
		},
	}
}
