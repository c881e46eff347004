package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/suppress"
)

func (a *app) baselineMerge() *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "join the baselines of two branches, for git",
		ArgsUsage: "BASE OURS THEIRS",
		Description: "A merge driver (gitattributes(5)): writes to OURS what both sides accept. What one side took\n" +
			"out stays out, which a merge of lines does not see to. Exit code 1: the two cannot be\n" +
			"joined, and git takes it for a conflict.\n\n" +
			"Once in each clone: spillgate baseline merge --install",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "install", Usage: "set git up to call it, in this clone, and print the line for .gitattributes"},
			&cli.StringFlag{Name: "repo", Aliases: []string{"C"}, TakesFile: true, Usage: "with --install, the repository in `DIR`"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Bool("install") {
				if err := noArguments(c); err != nil {
					return err
				}
				return a.installMerge(ctx, c.String("repo"))
			}
			if c.Args().Len() != 3 {
				return usage("git calls it; to have it do so: spillgate baseline merge --install", "baseline merge takes BASE OURS THEIRS, got %s", plural(c.Args().Len(), "argument", "arguments"))
			}
			if err := mergeFiles(c.Args().Get(0), c.Args().Get(1), c.Args().Get(2)); err != nil {
				fmt.Fprintf(a.Stderr, "spillgate: the baselines cannot be joined: %v\n", err)
				a.exit = scanner.ExitFindings // git's sign of a conflict; more than 128 would end the merge
			}
			return nil
		},
	}
}

// mergeFiles joins the three files and writes the second one.
func mergeFiles(base, ours, theirs string) error {
	var all [3]*suppress.Baseline
	for i, file := range []string{base, ours, theirs} {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if i == 0 && len(bytes.TrimSpace(text)) == 0 {
			continue // the branches have none in common
		}
		if all[i], err = suppress.ParseBaseline([]string{"of the common ancestor", "ours", "theirs"}[i], text); err != nil {
			return err
		}
	}
	merged, err := suppress.MergeBaselines(all[0], all[1], all[2])
	if err != nil {
		return err
	}
	return os.WriteFile(ours, merged.Bytes(), 0o644)
}

// installMerge writes into the configuration of the clone. The file that names
// the driver is committed; what the driver runs is each clone's own decision.
func (a *app) installMerge(ctx context.Context, dir string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	quoted := "'" + strings.ReplaceAll(filepath.ToSlash(program), "'", `'\''`) + "'"
	for _, set := range [][2]string{
		{"merge.spillgate.name", "baseline of Spillgate"},
		{"merge.spillgate.driver", quoted + " baseline merge %O %A %B"},
	} {
		g := exec.CommandContext(ctx, "git", "config", "--local", set[0], set[1])
		g.Dir = dir
		if out, err := g.CombinedOutput(); err != nil {
			return errors.New("git config: " + strings.TrimSpace(string(out)))
		}
	}
	_, err = fmt.Fprintf(a.Stdout, "# Add to .gitattributes, and commit it:\n/%s merge=spillgate\n", suppress.BaselineName)
	return err
}
