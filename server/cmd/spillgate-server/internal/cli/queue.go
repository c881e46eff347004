package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/api"
	"github.com/spillgate/spillgate/server/queue"
)

func (a *app) queue() *cli.Command {
	return &cli.Command{
		Name:  "queue",
		Usage: "what waits, and what could not be scanned",
		Commands: []*cli.Command{
			a.queueStatus(), a.queueDead(),
			a.onDead("replay", "put a dead push into the queue again"),
			a.onDead("forget", "remove a dead push without scanning it"),
		},
	}
}

func (a *app) queueStatus() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "count what waits, is worked on, and is dead",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			var s queue.State
			if err := ask(ctx, c, os.Getenv, "GET", "/api/queue", nil, &s); err != nil {
				return err
			}
			if c.Bool("json") {
				return a.printJSON(s)
			}
			_, err := fmt.Fprintf(a.Stdout, "waiting %d, in work %d, dead %d\n", s.Waiting, s.InWork, s.Dead)
			return err
		},
	}
}

func (a *app) queueDead() *cli.Command {
	return &cli.Command{
		Name: "dead", Usage: "list the pushes that could not be scanned, with the reason",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			var dead []api.Dead
			if err := ask(ctx, c, os.Getenv, "GET", "/api/dead", nil, &dead); err != nil {
				return err
			}
			if c.Bool("json") {
				return a.printJSON(dead)
			}
			w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
			for _, d := range dead {
				attempts := fmt.Sprintf("%d attempts", d.Attempts)
				if d.Crashes > 0 {
					attempts += fmt.Sprintf(", %d cut off", d.Crashes)
				}
				fmt.Fprintf(w, "%d\t%s\t%s %s\t%s\t%s\n", d.Seq, d.At.Local().Format("2006-01-02 15:04"),
					plain(d.Push.Repository), plain(d.Push.Ref), attempts, plain(d.Reason))
			}
			return w.Flush()
		},
	}
}

func (a *app) onDead(verb, text string) *cli.Command {
	return &cli.Command{
		Name: verb, Usage: text, ArgsUsage: "NUMBER",
		Flags: clientFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			seq, err := strconv.ParseUint(c.Args().First(), 10, 64)
			if err != nil || c.Args().Len() != 1 {
				return errors.New("name one dead push by its number; see spillgate-server queue dead")
			}
			var none struct{}
			return ask(ctx, c, os.Getenv, "POST", fmt.Sprintf("/api/dead/%d/%s", seq, verb), nil, &none)
		},
	}
}
