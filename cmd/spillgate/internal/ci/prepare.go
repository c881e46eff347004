package ci

import (
	"context"
	"fmt"
	"strings"
)

// A Clone is the clone to scan.
type Clone struct {
	// Dir is in the clone, "" for the current directory.
	Dir string
	// Remote is where it came from, "" for origin.
	Remote string
	// NoFetch leaves the remote alone: what is missing is an error.
	NoFetch bool
	// TrustRepo lets git read a clone that belongs to another user, for these
	// calls only.
	TrustRepo bool
	// Note is told what was done, in a line each. It may be nil.
	Note func(string)

	depth string // how this system fetches more
}

// A Range is a plan made true in a clone.
type Range struct {
	// Spec are the words for gitrepo's Range: the head, and with ^ before them
	// the commits whose history is not new. It is "" if Everything or Nothing.
	Spec string
	// Head is the id of the newest commit, and Bases are those in Spec.
	Head  string
	Bases []string
	// Everything asks for the whole history, and Nothing for none of it.
	Everything, Nothing bool
}

// String says for people what r is.
func (r *Range) String() string {
	switch {
	case r.Nothing:
		return "nothing"
	case r.Everything:
		return "everything that any ref reaches"
	case len(r.Bases) == 1:
		return r.Bases[0] + ".." + r.Head
	}
	return strings.Join(append([]string{r.Head}, r.Bases...), " ^")
}

// Prepare resolves what p names, fetching what the clone lacks unless NoFetch
// is set. An error means that the plan cannot be scanned in full, and says what
// to change.
func (c *Clone) Prepare(ctx context.Context, p *Plan) (*Range, error) {
	c.depth = wholeHistory(p.System)
	r, err := c.prepare(ctx, p)
	if err != nil || c.NoFetch {
		return r, err
	}
	return r, c.fill(ctx, r)
}

// prepare finds the commits.
func (c *Clone) prepare(ctx context.Context, p *Plan) (*Range, error) {
	switch p.Scope {
	case Nothing:
		return &Range{Nothing: true}, nil
	case Everything:
		return c.everything(ctx)
	}
	head, err := c.head(ctx, p)
	if err != nil {
		return nil, err
	}
	r := &Range{Head: head}
	targets, measured := p.Targets, p.Scope == Commits
	for _, base := range p.Bases {
		id, err := c.commit(ctx, base, "")
		if err != nil {
			return nil, err
		}
		if id == "" && !isID(base) {
			return nil, fmt.Errorf("%s names no commit of the clone", base)
		}
		if id == "" {
			c.note("%s is gone, even from the remote (a force push?): the default branch is the measure instead", short(base))
			measured = false
			continue
		}
		r.Bases = append(r.Bases, id)
	}
	if !measured {
		name := c.defaultBranch(ctx, p)
		if name == "" || name == p.Branch && !p.PullRequest {
			if len(r.Bases) == 0 && len(targets) == 0 {
				c.note("there is no other branch to measure new commits against: everything is scanned")
				return c.everything(ctx)
			}
		} else {
			targets = append(targets[:len(targets):len(targets)], name)
		}
	}
	for _, t := range targets {
		id, err := c.target(ctx, t)
		if err != nil {
			return nil, err
		}
		r.Bases = append(r.Bases, id)
	}
	r.Spec = r.String()
	return r, c.complete(ctx, r, p, targets)
}

// everything makes sure that the clone has its whole history.
func (c *Clone) everything(ctx context.Context) (*Range, error) {
	if cut, err := c.cuts(ctx); err != nil || len(cut) == 0 {
		return &Range{Everything: true}, err
	}
	if c.NoFetch {
		return nil, fmt.Errorf("the clone is shallow, so its history cannot be scanned, and --no-fetch forbids to complete it: %s", c.depth)
	}
	if err := c.fetch(ctx, "--unshallow"); err != nil {
		return nil, fmt.Errorf("completing the shallow clone: %w; %s", err, c.depth)
	}
	c.note("fetched the whole history, which the clone lacked")
	return &Range{Everything: true}, nil
}

// head returns the id of the newest commit of p.
func (c *Clone) head(ctx context.Context, p *Plan) (string, error) {
	id, err := c.commit(ctx, p.Head, p.HeadRef)
	if err == nil && id == "" {
		err = fmt.Errorf("commit %s, the newest of the %s, is not in the clone, and the remote does not give it: %s", p.Head, first(p.Event, "run"), c.depth)
	}
	return id, err
}

// commit returns the id of the commit that rev names, which is fetched if it is
// missing: by its id, or else by the ref that leads to it. "" means that the
// remote has it no longer, and so is no error.
func (c *Clone) commit(ctx context.Context, rev, ref string) (string, error) {
	if id := c.resolve(ctx, rev); id != "" {
		return id, nil
	}
	cut, err := c.cuts(ctx)
	if err != nil {
		return "", err
	}
	if c.NoFetch {
		if len(cut) > 0 {
			return "", fmt.Errorf("commit %s is not in the clone, which is shallow, and --no-fetch forbids to fetch it: %s", rev, c.depth)
		}
		return "", nil
	}
	var depth []string
	if len(cut) > 0 {
		depth = []string{"--depth=50"}
	}
	for _, what := range []string{rev, ref} {
		if what == "" || c.fetch(ctx, append(depth[:len(depth):len(depth)], c.remote(), what)...) != nil {
			continue
		}
		if id := c.resolve(ctx, rev); id != "" {
			c.note("fetched %s, which the clone lacked", short(id))
			return id, nil
		}
	}
	return "", nil
}

// target returns the id of the newest commit of a branch of the remote.
func (c *Clone) target(ctx context.Context, name string) (string, error) {
	tracking := "refs/remotes/" + c.remote() + "/" + name
	if id := c.resolve(ctx, tracking); id != "" {
		return id, nil
	}
	if c.NoFetch {
		// A clone of one branch may have the other as a branch of its own.
		if id := c.resolve(ctx, "refs/heads/"+name); id != "" {
			return id, nil
		}
		return "", fmt.Errorf("the clone lacks the branch %s, against which new commits are measured, and --no-fetch forbids to fetch it: "+
			"run `git fetch %s %s:%s`, or %s", name, c.remote(), "refs/heads/"+name, tracking, c.depth)
	}
	args := []string{c.remote(), "+refs/heads/" + name + ":" + tracking}
	if cut, err := c.cuts(ctx); err != nil {
		return "", err
	} else if len(cut) > 0 {
		args = append([]string{"--depth=50"}, args...)
	}
	if err := c.fetch(ctx, args...); err != nil {
		return "", fmt.Errorf("fetching the branch %s, against which new commits are measured: %w; %s", name, err, c.depth)
	}
	c.note("fetched the branch %s, which the clone lacked", name)
	if id := c.resolve(ctx, tracking); id != "" {
		return id, nil
	}
	return "", fmt.Errorf("the branch %s was fetched and is no commit", name)
}

// complete deepens a shallow clone until none of its cuts lies in r: a cut
// commit seems to have brought every file it holds.
func (c *Clone) complete(ctx context.Context, r *Range, p *Plan, targets []string) error {
	for _, step := range []string{"--deepen=100", "--deepen=1000", "--unshallow", ""} {
		cut, err := c.cutInside(ctx, r)
		if err != nil || cut == "" {
			return err
		}
		if c.NoFetch {
			return fmt.Errorf("the clone is shallow and cut at %s, inside the commits to scan, and --no-fetch forbids to deepen it: %s", short(cut), c.depth)
		}
		if step == "" {
			return fmt.Errorf("the clone is shallow and cut at %s, inside the commits to scan, and so is the remote: %s", short(cut), c.depth)
		}
		args := []string{step, c.remote()}
		if p.Head != "HEAD" && step != "--unshallow" {
			args = append(args, r.Head)
			args = append(args, p.Bases...)
			for _, t := range targets {
				args = append(args, "+refs/heads/"+t+":refs/remotes/"+c.remote()+"/"+t)
			}
		}
		if err := c.fetch(ctx, args...); err != nil && step == "--unshallow" {
			return fmt.Errorf("deepening the shallow clone: %w; %s", err, c.depth)
		} else if err == nil {
			c.note("fetched more of the history, which the clone lacked (%s)", step)
		}
	}
	return nil
}

// cutInside returns a commit of r where the history of the clone is cut, or "".
func (c *Clone) cutInside(ctx context.Context, r *Range) (string, error) {
	cut, err := c.cuts(ctx)
	if err != nil || len(cut) == 0 {
		return "", err
	}
	out, err := c.git(ctx, append([]string{"rev-list"}, strings.Fields(r.Spec)...)...)
	if err != nil {
		return "", fmt.Errorf("listing the commits to scan: %w", err)
	}
	for id := range strings.FieldsSeq(out) {
		if cut[id] {
			return id, nil
		}
	}
	return "", nil
}

// defaultBranch returns the name of the remote's default branch, or "".
func (c *Clone) defaultBranch(ctx context.Context, p *Plan) string {
	if p.Default != "" {
		return p.Default
	}
	prefix := "refs/remotes/" + c.remote() + "/"
	if out, err := c.git(ctx, "symbolic-ref", "--quiet", prefix+"HEAD"); err == nil {
		return strings.TrimPrefix(strings.TrimSpace(out), prefix)
	}
	if !c.NoFetch {
		if out, err := c.git(ctx, "ls-remote", "--symref", c.remote(), "HEAD"); err == nil {
			if name, ok := strings.CutPrefix(out, "ref: refs/heads/"); ok {
				name, _, _ = strings.Cut(name, "\t")
				if isRefName(name) {
					return name
				}
			}
		}
	}
	for _, name := range []string{"main", "master"} {
		if c.resolve(ctx, prefix+name) != "" {
			return name
		}
	}
	return ""
}

func (c *Clone) remote() string { return first(c.Remote, "origin") }

func (c *Clone) note(format string, args ...any) {
	if c.Note != nil {
		c.Note(fmt.Sprintf(format, args...))
	}
}

func short(id string) string {
	if isID(id) {
		return id[:12]
	}
	return id
}
