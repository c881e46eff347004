package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// maxShards bounds the shards of a plan: GitHub starts at most 256 jobs of a
// matrix, and other systems not many more.
const maxShards = 1000

func (a *app) plan() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "cut a history into shards for several machines",
		Description: "Prints a shard per line, each to be given to spillgate history --shard on a clone in\n" +
			"the same state. A shard names that state, and is refused when the refs are elsewhere:\n" +
			"so the history is scanned when every shard has ended with exit code 0 or 1, which\n" +
			"spillgate plan verify tells from their reports.\n\n" +
			"Example: spillgate plan --shards 8 --matrix >>\"$GITHUB_OUTPUT\"",
		Commands: []*cli.Command{a.planVerify()},
		Flags: gitFlags(
			&cli.IntFlag{
				Name: "shards", Usage: "how many shards, 1 to " + strconv.Itoa(maxShards),
				Validator: func(n int) error {
					if n < 1 || n > maxShards {
						return fmt.Errorf("--shards %d: use 1 to %d", n, maxShards)
					}
					return nil
				},
			},
			&cli.BoolFlag{Name: "matrix", Usage: "print one line, shards=[…], for the matrix of a GitHub workflow"},
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if !c.IsSet("shards") {
				return usage("spillgate plan --shards 8", "--shards is missing")
			}
			repo, err := openRepo(ctx, c)
			if err != nil {
				return err
			}
			defer repo.Close()
			plan, err := repo.Plan(ctx)
			if err != nil {
				return fmt.Errorf("planning the history: %w", err)
			}
			return a.printPlan(plan, c.Int("shards"), c.Bool("matrix"))
		},
	}
}

// printPlan writes the shards. There are never more of them than commits.
func (a *app) printPlan(plan *gitrepo.Plan, n int, matrix bool) error {
	n = max(1, min(n, plan.Commits))
	shards := make([]string, n)
	for i := range shards {
		shards[i] = fmt.Sprintf("%d/%d@%s", i+1, n, plan.Tips)
	}
	if matrix {
		text, err := json.Marshal(shards)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Stdout, "shards=%s\n", text)
		return err
	}
	_, err := fmt.Fprintln(a.Stdout, strings.Join(shards, "\n"))
	return err
}

// parseShard reads I/N or I/N@STATE, where I may be auto: then the environment
// of a job that runs many times says which time this is.
func parseShard(text string, getenv func(string) string) (gitrepo.Shard, error) {
	wrong := usage("a shard is I/N or I/N@STATE as spillgate plan prints it, I from 1 to N, or auto in a job that runs N times", "--shard %q", text)
	span, tips, stated := strings.Cut(text, "@")
	first, second, ok := strings.Cut(span, "/")
	if !ok || stated && tips == "" {
		return gitrepo.Shard{}, wrong
	}
	index, err := strconv.Atoi(first)
	if first == "auto" {
		index, err = shardOfJob(getenv)
	}
	if err != nil {
		return gitrepo.Shard{}, wrong
	}
	count, err := strconv.Atoi(second)
	if err != nil || count < 1 || count > maxShards || index < 1 || index > count {
		return gitrepo.Shard{}, wrong
	}
	return gitrepo.Shard{Index: index, Count: count, Tips: tips}, nil
}

// shardOfJob returns the number of the shard that this job is for, from 1.
//
// Kubernetes counts the pods of an indexed Job from 0
// (https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode),
// GitLab the jobs of parallel from 1
// (https://docs.gitlab.com/ci/variables/predefined_variables/), CircleCI from 0
// (https://circleci.com/docs/variables/), Buildkite from 0
// (https://buildkite.com/docs/pipelines/environment-variables).
func shardOfJob(getenv func(string) string) (int, error) {
	for _, v := range []struct {
		name  string
		first int
	}{{"JOB_COMPLETION_INDEX", 0}, {"CI_NODE_INDEX", 1}, {"CIRCLE_NODE_INDEX", 0}, {"BUILDKITE_PARALLEL_JOB", 0}} {
		if text := getenv(v.name); text != "" {
			n, err := strconv.Atoi(text)
			return n - v.first + 1, err
		}
	}
	return 0, errors.New("no variable says which job this is")
}
