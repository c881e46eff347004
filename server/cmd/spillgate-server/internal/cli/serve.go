package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/config"
	"github.com/spillgate/spillgate/server/service"
)

func configFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "config", Required: true, TakesFile: true, Sources: cli.EnvVars("SPILLGATE_SERVER_CONFIG"),
		Usage: "the operator's `FILE`",
	}
}

func natsFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "nats", Sources: cli.EnvVars("SPILLGATE_SERVER_NATS"),
		Usage: "keep the queue in the cluster at `URL` (nats://host:4222,…) instead of where the file says",
	}
}

func (a *app) serve() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "receive webhooks and work on them until SIGTERM",
		Description: "Webhooks arrive at /webhooks/NAME for the sources of the file. A delivery is answered\n" +
			"once it is on disk; what it announces is scanned after that, and again after a crash.\n\n" +
			"Example: spillgate-server serve --config /etc/spillgate/server.toml",
		Flags: []cli.Flag{configFlag(), natsFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			settings, err := config.Read(c.String("config"), c.String("nats"))
			if err != nil {
				return err
			}
			log := slog.New(slog.NewJSONHandler(a.Stderr, nil))
			s, err := service.New(ctx, settings, log)
			if err != nil {
				return &failure{err}
			}
			defer s.Close()
			err = s.Run(ctx, func(addr net.Addr) { fmt.Fprintln(a.Stdout, "listening on", addr) })
			if err != nil {
				return &failure{err}
			}
			return nil
		},
	}
}

func (a *app) configuration() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "check the operator's file",
		Commands: []*cli.Command{{
			Name:  "validate",
			Usage: "say what is wrong with the file, with line and column",
			Description: "Needs neither the network nor the secrets; which of those cannot be had on this machine\n" +
				"is said, and is no error.",
			Flags: []cli.Flag{configFlag(), natsFlag()},
			Action: func(_ context.Context, c *cli.Command) error {
				settings, err := config.Read(c.String("config"), c.String("nats"))
				if err != nil {
					return err
				}
				fmt.Fprintf(a.Stdout, "%s: nothing is wrong with it (sources: %d, tokens: %d, channels: %d)\n",
					c.String("config"), len(settings.Sources), len(settings.Tokens), len(settings.Notify))
				for _, why := range settings.Unset() {
					fmt.Fprintln(a.Stdout, "  a secret cannot be had here:", why)
				}
				return nil
			},
		}},
	}
}
