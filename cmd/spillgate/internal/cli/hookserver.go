package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/internal/frame"
	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// serverFlags are the flags of the hooks that run where a push arrives.
func serverFlags() []cli.Flag {
	return scanFlags(gitFlags(
		&cli.DurationFlag{
			Name: "deadline", Value: 4 * time.Second, Sources: cli.EnvVars("SPILLGATE_DEADLINE"),
			Usage: "end the scan after `TIME`, such as 4s or 1m; 0 for never",
			Validator: func(d time.Duration) error {
				if d < 0 {
					return errors.New("--deadline must not be negative")
				}
				return nil
			},
		},
		&cli.StringFlag{
			Name: "on-timeout", Value: "deny", Sources: cli.EnvVars("SPILLGATE_ON_TIMEOUT"),
			Usage: "what to do with a push that was not scanned to the end by then: `deny`, allow, or rescan: allow, and keep it for spillgate hook rescan",
			Validator: func(s string) error {
				if s != "deny" && s != "allow" && s != "rescan" {
					return fmt.Errorf("unknown --on-timeout %q: use deny, allow or rescan", s)
				}
				return nil
			},
		},
	)...)
}

const serverText = "A scan that reaches the deadline refuses the push (exit code 2), unless --on-timeout allow says\n" +
	"otherwise; what was found until then refuses it in any case. GitHub Enterprise Server gives all\n" +
	"hooks together 5 seconds. On GitLab every line begins with GL_HOOK_ERR:, so that the web\n" +
	"interface shows it."

func (a *app) runReceive() *cli.Command {
	return &cli.Command{
		Name:  "pre-receive",
		Usage: "on a server: scan what a push brings before it is let in",
		Description: "Reads all refs of the push from standard input and scans what no ref of the repository\n" +
			"reaches yet, in the quarantine in which git keeps it.\n\n" + serverText,
		Flags: serverFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			return a.atServer(ctx, c, func(ctx context.Context) error {
				if _, err := hookArgs(c, 0, 0, "no arguments"); err != nil {
					return err
				}
				updates, err := hooks.ReadReceive(a.Stdin)
				if err != nil {
					return err
				}
				return a.scanServer(ctx, c, updates)
			})
		},
	}
}

func (a *app) runUpdate() *cli.Command {
	return &cli.Command{
		Name:      "update",
		Usage:     "on a server: scan one ref of a push before it is let in",
		ArgsUsage: "REF OLD NEW",
		Description: "Like pre-receive, but git calls it for each ref by itself and refuses only the refs that\n" +
			"bring something.\n\n" + serverText,
		Flags: serverFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			return a.atServer(ctx, c, func(ctx context.Context) error {
				args, err := hookArgs(c, 3, 3, "REF OLD NEW")
				if err != nil {
					return err
				}
				u, err := hooks.NewUpdate(args[0], args[1], args[2])
				if err != nil {
					return usage("git passes them to the hook", "%v", err)
				}
				return a.scanServer(ctx, c, []hooks.Update{u})
			})
		},
	}
}

// scanServer scans what updates bring that no ref of the repository reaches.
func (a *app) scanServer(ctx context.Context, c *cli.Command, updates []hooks.Update) error {
	a.later = func() error { return a.spool(ctx, c, updates) }
	return a.scanRevisions(ctx, c, received(gitrepo.RevisionsOptions{What: "the push", ExcludeRefs: []string{""}}, updates), true)
}

// atServer runs scan with the deadline, and with the output that the server
// passes on.
func (a *app) atServer(ctx context.Context, c *cli.Command, scan func(context.Context) error) error {
	if onGitLab(os.Getenv) {
		out, errOut := a.Stdout, a.Stderr
		a.Stdout, a.Stderr = &prefixer{w: out}, &prefixer{w: errOut}
		defer func() { a.Stdout, a.Stderr = out, errOut }()
	}
	limit := c.Duration("deadline")
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err := scan(ctx)
	late := errors.Is(err, context.DeadlineExceeded) || err == nil && a.late && a.exit == scanner.ExitIncomplete
	var spooled error
	if late && c.String("on-timeout") == "rescan" && a.later != nil {
		spooled = a.later()
	}
	switch {
	case spooled != nil:
		a.exit = scanner.ExitIncomplete
		fmt.Fprintf(a.Stderr, "spillgate: the scan did not end within %s, and the push cannot be kept for a rescan, so it is refused: %v\n", limit, spooled)
	case late && c.String("on-timeout") == "rescan" && a.later != nil:
		a.exit = scanner.ExitClean
		fmt.Fprintf(a.Stderr, "spillgate: WARNING: the scan did not end within %s; the push is let in, and spillgate hook rescan on the server scans it\n", limit)
	case late && c.String("on-timeout") == "allow":
		a.exit = scanner.ExitClean
		fmt.Fprintf(a.Stderr, "spillgate: WARNING: the scan did not end within %s; the push is let in without it, as --on-timeout allow says\n", limit)
	case late:
		a.exit = scanner.ExitIncomplete
		fmt.Fprintf(a.Stderr, "spillgate: the scan did not end within %s, so the push is refused; push fewer commits at a time, or ask whoever runs the server for a longer --deadline\n", limit)
	case err != nil:
		// said here, so that it goes where the server shows it
		a.exit = frame.ExitCode(&frame.Failure{Err: err})
		fmt.Fprintf(a.Stderr, "spillgate: %v\n", err)
	}
	return nil
}

// timed is a source that tells whether nothing but a deadline kept it from
// being complete.
type timed struct {
	scanner.Source
	late *bool
}

// Chunks implements scanner.Source.
func (s *timed) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c, err := s.Source.Chunks(ctx, emit)
	*s.late = errors.Is(err, context.DeadlineExceeded) && c.Complete()
	return c, err
}

// onGitLab reports whether Gitaly runs the hook: it says who pushes in GL_ID
// and where to in GL_REPOSITORY
// (https://docs.gitlab.com/administration/server_hooks/).
func onGitLab(env func(string) string) bool {
	return env("GL_ID") != "" || env("GL_REPOSITORY") != ""
}

// gitLabPrefix makes GitLab show a line in its web interface
// (https://docs.gitlab.com/administration/server_hooks/, "custom error messages").
const gitLabPrefix = "GL_HOOK_ERR: "

// A prefixer writes gitLabPrefix before every line but empty ones.
type prefixer struct {
	w      io.Writer
	inLine bool
}

// Write implements io.Writer.
func (p *prefixer) Write(b []byte) (int, error) {
	var out []byte
	for _, c := range b {
		if !p.inLine && c != '\n' {
			out = append(out, gitLabPrefix...)
		}
		p.inLine = c != '\n'
		out = append(out, c)
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}
