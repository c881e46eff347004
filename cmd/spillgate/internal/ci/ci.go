// Package ci tells what a run of a continuous integration system should scan.
//
// Detect reads the environment, and on GitHub the event, and makes a Plan: pure
// reading, so that the recorded environments of every system are table tests.
// Prepare then makes the plan true in the clone at hand: it resolves the names
// and, since these systems clone as little as they can, fetches what is missing.
// It is the only place of Spillgate that makes git talk to a remote, and no hook
// reaches it.
//
// Whatever cannot be told leads to more being scanned, never less: a push whose
// old commit is gone is measured against the default branch, and a run that does
// not say what it brings scans everything. A range that is empty is proven
// empty: both of its ends were resolved.
package ci

import (
	"fmt"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// An Env returns the value of an environment variable, or "".
type Env func(name string) string

// A Scope says how much a run scans.
type Scope uint8

const (
	// Commits are those of Head that Bases and Targets lack.
	Commits Scope = iota
	// NewRef are the commits of Head that the default branch lacks, or
	// everything if Head is the default branch.
	NewRef
	// Everything is what any ref of the clone reaches.
	Everything
	// Nothing is for events that bring nothing, such as a deleted branch.
	Nothing
)

var scopeNames = [...]string{"commits", "new ref", "everything", "nothing"}

// String returns the name of s.
func (s Scope) String() string {
	if int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return fmt.Sprintf("scope(%d)", uint8(s))
}

// A Plan is what an event asks to scan. Names and ids in it were read from the
// environment and are valid: ids are hexadecimal, and branch names are such as
// git allows.
type Plan struct {
	// System is the name of the CI system, and Event what it calls the event.
	System, Event string
	Scope         Scope
	// Head is the id of the newest commit to scan, or "HEAD".
	Head string
	// HeadRef is a ref of the remote that leads to Head, or "".
	HeadRef string
	// Bases are ids of commits that were there before.
	Bases []string
	// Targets are names of branches of the remote whose commits are not new.
	Targets []string
	// Branch is the name of the branch that the event is about, which is never
	// the measure of its own commits; "" for a tag or if it is unknown.
	Branch string
	// Default is the name of the default branch, or "" if the system does not
	// say.
	Default string
	// Why says in a few words what the scope is.
	Why string
	// PullRequest says that somebody asks for the commits to be taken: what
	// they change in the configuration is not to be trusted.
	PullRequest bool
}

// systems has a row per CI system. Of those that set another one's variables
// too, the first row that matches wins. whole is how its configuration asks for
// the whole history.
var systems = [...]struct {
	name    string
	markers []string // any of them is set in every run
	plan    func(Env) (*Plan, error)
	whole   string
}{
	{"GitHub Actions", []string{"GITHUB_ACTIONS"}, github, "give actions/checkout `with: {fetch-depth: 0}`"},
	{"GitLab CI", []string{"GITLAB_CI"}, gitlab, "add `variables: {GIT_DEPTH: 0}` to the job"},
	{"Bitbucket Pipelines", []string{"BITBUCKET_BUILD_NUMBER", "BITBUCKET_COMMIT"}, bitbucket, "add `clone: {depth: full}` to the step"},
	{"Azure Pipelines", []string{"TF_BUILD", "BUILD_BUILDID"}, azure, "add `fetchDepth: 0` to the step `checkout: self`"},
	{"CircleCI", []string{"CIRCLECI"}, circle, "write the step as `checkout: {method: full}`"},
	{"Buildkite", []string{"BUILDKITE"}, buildkite, "take --depth out of BUILDKITE_GIT_CLONE_FLAGS and BUILDKITE_GIT_FETCH_FLAGS"},
	{"Drone", []string{"DRONE"}, drone, "take `depth` out of the pipeline's `clone`"},
	{"Travis CI", []string{"TRAVIS"}, travis, "add `git: {depth: false}`"},
	{"TeamCity", []string{"TEAMCITY_VERSION"}, teamcity, "set the parameter `teamcity.git.shallowClone` to false"},
	{"Jenkins", []string{"JENKINS_URL", "JENKINS_HOME"}, jenkins, "give the checkout `extensions: [cloneOption(shallow: false)]`"},
}

// wholeHistory says how to give a run of a system, "" for none of them, a clone
// of the whole history.
func wholeHistory(system string) string {
	for i := range systems {
		if systems[i].name == system {
			return systems[i].whole + ", or run `git fetch --unshallow` before"
		}
	}
	return "let the checkout fetch the whole history, or run `git fetch --unshallow` before"
}

// Systems returns the names of the CI systems that Detect knows.
func Systems() []string {
	names := make([]string, len(systems))
	for i := range systems {
		names[i] = systems[i].name
	}
	return names
}

// System returns the name of the CI system that env is of, or "".
func System(env Env) string {
	for i := range systems {
		if marked(env, systems[i].markers) {
			return systems[i].name
		}
	}
	return ""
}

func marked(env Env, markers []string) bool {
	for _, m := range markers {
		if v := env(m); v != "" && v != "false" {
			return true
		}
	}
	return false
}

// Detect returns the plan for the run that env describes, or nil if that is no
// CI system that it knows. The error says what the environment lacks.
func Detect(env Env) (*Plan, error) {
	for i := range systems {
		s := &systems[i]
		if !marked(env, s.markers) {
			continue
		}
		p, err := s.plan(env)
		if err != nil {
			return nil, fmt.Errorf("reading the environment of %s: %w", s.name, err)
		}
		p.System = s.name
		if p.Head == "" {
			p.Head = "HEAD"
		}
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("reading the environment of %s: %w", s.name, err)
		}
		return p, nil
	}
	return nil, nil
}

// check refuses what is no id and no branch name: both go to git's command
// line, and whoever opens a pull request names its branch.
func (p *Plan) check() error {
	for _, id := range append([]string{p.Head}, p.Bases...) {
		if id != "HEAD" && !isID(id) {
			return fmt.Errorf("%q is no commit id", id)
		}
	}
	for _, name := range append([]string{p.Branch, p.Default, p.HeadRef}, p.Targets...) {
		if name != "" && !isRefName(name) {
			return fmt.Errorf("%q is no name of a branch", name)
		}
	}
	return nil
}

// pushed completes p for a push of branch that moved it from before to after.
func (p *Plan) pushed(before, after string) *Plan {
	p.Head = after
	switch {
	case isZero(after):
		p.Scope, p.Head, p.Why = Nothing, "", "the ref was deleted, which brings nothing"
	case before == "" || isZero(before):
		return p.created()
	default:
		p.Scope, p.Bases, p.Why = Commits, []string{before}, "what the push brought"
	}
	return p
}

// created completes p for a ref of which nothing says what was there before.
func (p *Plan) created() *Plan {
	p.Scope, p.Why = NewRef, "what the default branch lacks"
	if p.Branch != "" && p.Branch == p.Default {
		return p.all("nothing says what was there before on the default branch")
	}
	return p
}

func (p *Plan) all(why string) *Plan {
	p.Scope, p.Why = Everything, why
	return p
}

// isID reports whether s is a full id of SHA-1 or SHA-256.
func isID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// isZero reports whether s is the id that stands for no commit.
func isZero(s string) bool { return s != "" && strings.Trim(s, "0") == "" }

// isRefName reports whether s can name a branch or a ref
// (https://git-scm.com/docs/git-check-ref-format).
func isRefName(s string) bool {
	if s == "" || s == "@" || s[0] == '-' || s[0] == '/' || strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".") {
		return false
	}
	for _, part := range strings.Split(s, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f || strings.IndexByte(`~^:?*[\`, s[i]) >= 0 {
			return false
		}
	}
	return !strings.Contains(s, "..") && !strings.Contains(s, "@{")
}

// branch returns the branch that a full ref names, s itself if it is short, and
// "" for refs that are no branch.
func branch(s string) string {
	if b, ok := strings.CutPrefix(s, "refs/heads/"); ok {
		return b
	}
	if strings.HasPrefix(s, "refs/") {
		return ""
	}
	return s
}

// first returns the first of its arguments that is not empty.
func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// Given returns the plan of a run that says itself where to start and stop.
// base and head are revisions; head may be "HEAD".
func Given(system, base, head string) (*Plan, error) {
	for _, rev := range []string{base, head} {
		if isZero(rev) || rev == "" || rev[0] == '-' || rev[0] == '^' || strings.ContainsAny(rev, " \t\r\n") || strings.Contains(rev, "..") {
			return nil, &scanner.UsageError{What: fmt.Sprintf("%q is no revision", rev), Fix: "name a commit, a branch or a tag"}
		}
	}
	return &Plan{System: system, Event: "as told", Head: head, Bases: []string{base}, Why: "what came after " + base}, nil
}
