package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/internal/frame"
	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// hookRun is the command that installed hooks call, with a subcommand for each
// event.
func (a *app) hookRun() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "do what a git hook of that name should do",
		Description: "Git's hooks call it with git's own arguments and standard input. It exits with 0 only if\n" +
			"everything was scanned and nothing blocks, so a hook needs one line:\n\n" +
			"Example: exec spillgate hook run pre-push -- \"$@\"",
		Commands: []*cli.Command{
			a.runIndex("pre-commit", "scan what the commit would add"),
			a.runIndex("pre-merge-commit", "scan what the merge would add"),
			a.runMessage(), a.runPush(), a.runReceive(), a.runUpdate(),
		},
		Action: needsSubcommand,
	}
}

// needsSubcommand is the action of a command that does nothing by itself.
func needsSubcommand(_ context.Context, c *cli.Command) error {
	name := c.Args().First()
	if name == "" {
		return usage("see "+c.FullName()+" --help", "%s needs to know what to do: %s", c.FullName(), strings.Join(frame.CommandNames(c), ", "))
	}
	fix := "use one of " + strings.Join(frame.CommandNames(c), ", ")
	if near := rules.Nearest(name, frame.CommandNames(c)); near != "" {
		fix = "did you mean " + near + "?"
	}
	return usage(fix, "%s: unknown %q", c.FullName(), name)
}

// hookArgs returns the arguments of a hook, without a "--" before them, and
// checks their number.
func hookArgs(c *cli.Command, least, most int, what string) ([]string, error) {
	args := c.Args().Slice()
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) < least || len(args) > most {
		return nil, usage("the hook passes on what git gave it: "+c.FullName()+" -- \"$@\"", "%s takes %s, got %s", c.FullName(), what, plural(len(args), "argument", "arguments"))
	}
	return args, nil
}

// runIndex is for the hooks before a commit is made.
func (a *app) runIndex(event, what string) *cli.Command {
	return &cli.Command{
		Name:  event,
		Usage: what,
		Flags: scanFlags(gitFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if _, err := hookArgs(c, 0, 0, "no arguments"); err != nil {
				return err
			}
			return a.scanStaged(ctx, c, gitrepo.StagedOptions{})
		},
	}
}

func (a *app) runMessage() *cli.Command {
	return &cli.Command{
		Name:      "commit-msg",
		Usage:     "scan the message of the commit",
		ArgsUsage: "FILE",
		Description: "Scans what git will keep of the message in FILE: subject, body and trailers, without\n" +
			"comments (core.commentChar) and without the diff of git commit -v.",
		Flags: scanFlags(gitFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := hookArgs(c, 1, 1, "the file of the message")
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading the commit message: %w", err)
			}
			config := func(key string) string { return gitConfig(ctx, c.String("repo"), key) }
			cleanup := hooks.Cleanup{
				Mode: config("commit.cleanup"), Comment: config("core.commentString"),
				Edited: os.Getenv("GIT_EDITOR") != ":",
			}
			if cleanup.Comment == "" {
				cleanup.Comment = config("core.commentChar")
			}
			return a.scan(ctx, c, message(cleanup.Message(string(text))))
		},
	}
}

// gitConfig returns a setting of git's configuration, as the last file that
// names it says, or "" if none does or there is no git.
func gitConfig(ctx context.Context, dir, key string) string {
	g := exec.CommandContext(ctx, "git", "config", "--get", key)
	g.Dir = dir
	out, err := g.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(out), "\n"), "\r")
}

// message is the source of one commit message.
type message string

// Chunks implements scanner.Source.
func (m message) Chunks(_ context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c := scanner.Coverage{What: "the commit message", Messages: 1, Bytes: int64(len(m))}
	var f scanner.Feeder
	return c, f.Bytes(&scanner.Object{Kind: scanner.CommitMessage}, []byte(m), emit)
}

func (a *app) runPush() *cli.Command {
	return &cli.Command{
		Name:      "pre-push",
		Usage:     "scan what a push brings and the remote lacks",
		ArgsUsage: "[REMOTE URL]",
		Description: "Reads all refs of the push from standard input, as git writes them, and scans the commits,\n" +
			"tags and names of refs that the remote lacks: neither its old values of the refs nor\n" +
			"refs/remotes/REMOTE/ reach them. A ref that is deleted brings nothing.\n\n" +
			"The pre-commit framework keeps standard input to itself and tells one ref of the push\n" +
			"only. Under it all branches and tags are scanned, as far as the remote lacks them.",
		Flags: scanFlags(gitFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := hookArgs(c, 0, 2, "the name of the remote and its URL")
			if err != nil {
				return err
			}
			if f, ok := a.Stdin.(*os.File); ok && isTerminal(f) {
				return usage("to scan what the branch has and its upstream lacks: spillgate range", "pre-push reads the refs of a push from standard input, which git gives to the hook")
			}
			updates, err := hooks.ReadPush(a.Stdin)
			if err != nil {
				return err
			}
			remote := ""
			if len(args) > 0 {
				remote = args[0]
			}
			o := pushed(updates, remote)
			if len(updates) == 0 && os.Getenv("PRE_COMMIT") == "1" {
				var pushing bool
				if o, pushing = underFramework(os.Getenv); !pushing {
					fmt.Fprintln(a.Stderr, "spillgate: no push is under way and nothing was scanned; in .pre-commit-config.yaml give the hook `stages: [pre-push]`, or `[push]` before pre-commit 3.2")
					return nil
				}
			}
			return a.scanRevisions(ctx, c, o, false)
		},
	}
}

// pushed says what the updates of a push bring that a remote lacks.
func pushed(updates []hooks.Update, remote string) gitrepo.RevisionsOptions {
	o := gitrepo.RevisionsOptions{What: "the push"}
	if remote != "" {
		o.What = "the push to " + remote
		o.ExcludeRefs = []string{"refs/remotes/" + remote + "/"}
	}
	return received(o, updates)
}

// received adds updates of refs to o.
func received(o gitrepo.RevisionsOptions, updates []hooks.Update) gitrepo.RevisionsOptions {
	for _, u := range updates {
		if !u.Creates() {
			o.Exclude = append(o.Exclude, u.Old)
		}
		if u.Deletes() {
			continue
		}
		t := gitrepo.Tip{Rev: u.New}
		if u.Creates() {
			t.Ref = u.Ref
		}
		o.Tips = append(o.Tips, t)
	}
	return o
}

// underFramework says what to scan when the pre-commit framework called. It
// names the first ref of a push alone (https://pre-commit.com/#pre-push), so
// whatever could be pushed counts. pushing is false where there is no push.
func underFramework(env func(string) string) (o gitrepo.RevisionsOptions, pushing bool) {
	from, to := env("PRE_COMMIT_FROM_REF"), env("PRE_COMMIT_TO_REF")
	remote := env("PRE_COMMIT_REMOTE_NAME")
	if remote == "" {
		if from == "" || to == "" {
			return o, false
		}
		// pre-commit run --hook-stage pre-push --from-ref A --to-ref B
		return gitrepo.RevisionsOptions{
			Tips: []gitrepo.Tip{{Rev: to}}, Exclude: []string{from}, What: from + ".." + to,
		}, true
	}
	o = pushed(nil, remote)
	o.What = "all branches and tags that " + remote + " lacks"
	o.TipRefs = []string{"refs/heads/", "refs/tags/", "HEAD"}
	if to != "" {
		o.Tips = []gitrepo.Tip{{Rev: to}}
	}
	if name := env("PRE_COMMIT_REMOTE_BRANCH"); name != "" && to != "" {
		o.Tips[0].Ref = name
	}
	return o, true
}

// scanRevisions scans what o says of the repository that the flags name.
//
// A push arrives at a server from anybody, so there the configuration of the
// default branch holds and the push cannot excuse itself. Before a push leaves,
// that of the working tree does, as for a commit.
func (a *app) scanRevisions(ctx context.Context, c *cli.Command, o gitrepo.RevisionsOptions, server bool) error {
	repo, err := openRepo(ctx, c)
	if err != nil {
		return err
	}
	defer repo.Close()
	source, err := repo.Revisions(ctx, o)
	if err != nil {
		return err
	}
	a.origin = origin{repo: repo}
	if server {
		a.origin.ranged = true
		if a.origin.base, err = repo.HeadID(ctx); err != nil {
			return err
		}
	}
	return a.scan(ctx, c, &timed{source, &a.late})
}
