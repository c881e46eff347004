package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/cmd/spillgate/internal/attest"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
	"github.com/spillgate/spillgate/scanner/report"
)

// attest is the family of commands about attestations.
func (a *app) attest() *cli.Command {
	return &cli.Command{
		Name:     "attest",
		Usage:    "note on commits that they were scanned, and find those that were not",
		Commands: []*cli.Command{a.attestWrite(), a.attestVerify()},
		Action:   needsSubcommand,
	}
}

func (a *app) attestWrite() *cli.Command {
	return &cli.Command{
		Name:      "write",
		Usage:     "scan commits, and if nothing blocks note that on each",
		ArgsUsage: "[A..B]",
		Description: "Scans the commit at HEAD, or those of a range, and writes a note (refs/notes/spillgate) on\n" +
			"each: commit and tree, version, digest of rules and configuration, what was scanned. With\n" +
			"--sign an SSH key signs it. A post-commit hook with this line attests each commit:\n\n" +
			"    spillgate attest write --quiet\n\n" +
			"Notes are pushed by git push REMOTE refs/notes/spillgate. Exit codes as for a scan;\n" +
			"without 0 no note is written.\n\n" +
			"Example: spillgate attest write --sign ~/.ssh/id_ed25519 origin/main..HEAD",
		Flags: scanFlags(gitFlags(&cli.StringFlag{
			Name: "sign", TakesFile: true, Sources: cli.EnvVars("SPILLGATE_SIGN"), Usage: "sign with the SSH key in `FILE` (ssh-keygen -Y sign)",
		})...),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() > 1 {
				return usage("write A..B for the commits that B has and A has not", "attest write takes one argument, got %d", c.Args().Len())
			}
			notes := attest.Repo{Dir: c.String("repo"), Trust: c.Bool("trust-repo")}
			spec := c.Args().First()
			commits, err := notes.Commits(ctx, first(spec, "HEAD^!"))
			if err != nil {
				return fmt.Errorf("listing the commits: %w", err)
			}
			repo, err := openRepo(ctx, c)
			if err != nil {
				return err
			}
			defer repo.Close()
			source, err := a.attested(ctx, repo, spec, commits)
			if err != nil {
				return err
			}
			scanned := &whole{Source: source}
			if err := a.scan(ctx, c, scanned); err != nil {
				return err
			}
			if a.exit != scanner.ExitClean || !scanned.complete {
				return nil
			}
			return a.writeNotes(ctx, c, notes, commits, scanned.coverage.String())
		},
	}
}

// attested returns the source of the commits that are to be attested.
func (a *app) attested(ctx context.Context, repo *gitrepo.Repo, spec string, commits []attest.Commit) (scanner.Source, error) {
	if spec != "" {
		source, err := repo.Range(ctx, spec)
		if err == nil {
			a.origin = origin{repo: repo, ranged: true, base: repo.BaseOf(source)}
		}
		return source, err
	}
	head := commits[0]
	a.origin = origin{repo: repo, ranged: true}
	if len(head.Parents) > 0 {
		a.origin.base = head.Parents[0]
	}
	return repo.Revisions(ctx, gitrepo.RevisionsOptions{Tips: []gitrepo.Tip{{Rev: head.ID}}, Exclude: head.Parents, What: "HEAD"})
}

// writeNotes attests commits.
func (a *app) writeNotes(ctx context.Context, c *cli.Command, notes attest.Repo, commits []attest.Commit, scanned string) error {
	digest, err := rulesDigest(a.settings)
	if err != nil {
		return err
	}
	for _, commit := range commits {
		s := attest.Statement{Commit: commit.ID, Tree: commit.Tree, Program: build().Version, Rules: digest, Scanned: scanned}
		text := []byte(s.Text())
		if key := c.String("sign"); key != "" {
			signature, err := attest.Sign(ctx, key, text)
			if err != nil {
				return fmt.Errorf("signing with %s: %w", report.Escape(key), err)
			}
			text = append(text, signature...)
		}
		if err := notes.Write(ctx, commit.ID, text); err != nil {
			return fmt.Errorf("writing the note of commit %s: %w", commit.ID, err)
		}
	}
	if !c.Bool("quiet") {
		fmt.Fprintf(a.Stderr, "spillgate: %s attested\n", plural(len(commits), "commit", "commits"))
	}
	return nil
}

// rulesDigest returns the SHA-256 of what decides what is found: rules,
// configuration and gate. The ignore file and the baseline, which grow with
// commits, are in the tree that an attestation names.
func rulesDigest(s *settings) (string, error) {
	type kept struct {
		ID         string
		Patterns   any
		Validators []string
	}
	var all []kept
	for _, r := range allRules() {
		all = append(all, kept{r.ID, r.Patterns, r.Validators})
	}
	decides := []any{all, s.gate}
	if c := s.Config; c != nil {
		decides = append(decides, c.Changes, c.Rules, c.Allow)
	}
	text, err := json.Marshal(decides)
	if err != nil {
		return "", fmt.Errorf("digesting the rules: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

func (a *app) attestVerify() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "list the commits that nobody attested",
		ArgsUsage: "A..B",
		Description: "Reads the notes of each commit of the range. Exit code 0: all of them are attested. 1: the\n" +
			"listed ones are not, because they went round the hooks, were rebased since, or came from\n" +
			"a machine without them. 2: the notes cannot be read. Nothing is scanned.\n\n" +
			"Example: spillgate attest verify --allowed-signers .signers origin/main..HEAD",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "repo", Aliases: []string{"C"}, TakesFile: true, Usage: "the repository in `DIR` instead of the one around the working directory"},
			&cli.StringFlag{Name: "allowed-signers", TakesFile: true, Usage: "who may sign, a `FILE` as ssh-keygen reads it (default: gpg.ssh.allowedSignersFile); a signature by anybody else does not count"},
			&cli.BoolFlag{Name: "require-signature", Usage: "what is not signed does not count"},
			&cli.BoolFlag{Name: "trust-repo", Usage: "read a repository that belongs to another user, for this run only"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print what is not attested only"},
		},
		Action: a.verifyNotes,
	}
}

func (a *app) verifyNotes(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("spillgate attest verify origin/main..HEAD", "attest verify takes a range, got %s", plural(c.Args().Len(), "argument", "arguments"))
	}
	notes := attest.Repo{Dir: c.String("repo"), Trust: c.Bool("trust-repo")}
	signers := first(c.String("allowed-signers"), notes.Config(ctx, "gpg.ssh.allowedSignersFile", "path"))
	if signers == "" && c.Bool("require-signature") {
		return usage("add --allowed-signers FILE", "whose signatures count is not known")
	}
	a.signals.handle() // a signature is checked as a file
	commits, err := notes.Commits(ctx, c.Args().First())
	if err != nil {
		return fmt.Errorf("reading the notes: %w", err)
	}
	attested := 0
	for _, commit := range commits {
		if why := unattested(ctx, commit, signers, c.Bool("require-signature")); why != "" {
			// The subject would tell more, but nobody has scanned it.
			fmt.Fprintf(a.Stdout, "%.12s: %s\n", commit.ID, why)
			a.exit = scanner.ExitFindings
			continue
		}
		attested++
	}
	if !c.Bool("quiet") {
		fmt.Fprintf(a.Stdout, "%d of %s attested\n", attested, plural(len(commits), "commit is", "commits are"))
	}
	return nil
}

// unattested says why a commit is not attested, or "".
func unattested(ctx context.Context, commit attest.Commit, signers string, signed bool) string {
	if commit.Note == nil {
		return "no attestation"
	}
	s, text, signature, err := attest.Parse(commit.Note)
	switch {
	case err != nil:
		return "its note is none: " + err.Error()
	case s.Commit != commit.ID || s.Tree != commit.Tree:
		return "its attestation is of another commit"
	case signature == nil && signed:
		return "its attestation is not signed"
	case signature == nil || signers == "":
		return ""
	}
	if _, err := attest.Verify(ctx, signers, text, signature); err != nil {
		return err.Error()
	}
	return ""
}
