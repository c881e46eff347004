package suppress

import (
	"fmt"
	"iter"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// Target is which text the expressions of an Allow are tried on.
type Target uint8

// The targets.
const (
	TargetSecret Target = iota // the secret
	TargetMatch                // all that the rule matched
	TargetLine                 // the lines that the finding is on, at most 4 KiB to either side
)

// An Allow excuses findings by what they are. Of its lists, one that covers a
// finding is enough, or with All each that is not empty must.
type Allow struct {
	// Name says where it stands, such as ".spillgate.toml:12".
	Name string
	// Reason is for people.
	Reason string
	// Rules are ids of the rules it holds for, in which '*' stands for
	// anything; none means all rules.
	Rules []string
	// All demands that every list covers the finding.
	All bool
	// Fingerprints are those of reports.
	Fingerprints []string
	// Values are expressions, one of which matches somewhere in the Target.
	Values []*regexp.Regexp
	Target Target
	// Stopwords are lower-case words, one of which the secret holds in any
	// case.
	Stopwords []string
	// Paths are patterns in the syntax of .gitignore, and PathExpressions
	// expressions that match somewhere in the path.
	Paths           *ignore.File
	PathExpressions []*regexp.Regexp
	// Commits are ids of commits, whole or their first seven digits or more.
	Commits []string
	// Places are where secrets stand; what stands at one is excused in every
	// version of its file.
	Places []Place
	// Outside turns it round: findings that no list covers are excused. So a
	// rule is confined to some paths.
	Outside bool
	// EntropyBelow excuses secrets with less Shannon entropy, in bits per
	// byte, than this; 0 excuses none.
	EntropyBelow float64
}

// allowlists is the stage of all Allows.
type allowlists struct {
	all  []Allow
	tree tree

	placed map[[3]string]bool // secrets that stand at a place: Allow, path, secret
}

func newAllowlists(all []Allow, t tree) *allowlists {
	return &allowlists{all: all, tree: t}
}

// JudgeNear implements scanner.NearStage. It looks at what of the text the
// finding does not keep, notes the Allows whose values match beyond the secret,
// and leaves the verdict to Judge.
func (s *allowlists) JudgeNear(f *scanner.Finding, c *scanner.Chunk, h *scanner.Hit) {
	for i := range s.all {
		a := &s.all[i]
		if !a.looksAround() || len(a.Rules) > 0 && !coversRule(a.Rules, f.Rule.ID) {
			continue
		}
		text := c.Data[h.Start:h.End]
		if a.Target == TargetLine {
			n := nearText{data: c.Data}
			text = c.Data[n.lineStart(h.Start):n.lineEnd(h.End)]
		}
		if slices.ContainsFunc(a.Values, func(re *regexp.Regexp) bool { return re.Match(text) }) {
			f.Noted = append(f.Noted, i)
		}
	}
}

// looksAround reports whether a is about more than the secret.
func (a *Allow) looksAround() bool { return a.Target != TargetSecret && len(a.Values) > 0 }

// Quiet implements scanner.QuietStage.
func (s *allowlists) Quiet([]byte) bool {
	return !slices.ContainsFunc(s.all, func(a Allow) bool { return a.looksAround() })
}

// QuietIn implements scanner.QuietStage.
func (s *allowlists) QuietIn(*scanner.Chunk) bool { return true }

// Judge implements scanner.Stage.
func (s *allowlists) Judge(f *scanner.Finding) {
	for i := range s.all {
		a := &s.all[i]
		if len(a.Rules) > 0 && !coversRule(a.Rules, f.Rule.ID) || s.covers(i, f) == a.Outside {
			continue
		}
		reason := a.Reason
		if reason == "" {
			reason = "allowed by the configuration"
		}
		if a.Name != "" {
			reason = a.Name + ": " + reason
		}
		f.Suppression = &scanner.Suppression{By: "allowlist", Reason: reason}
		return
	}
}

// covers reports whether the lists of the i-th Allow cover f.
func (s *allowlists) covers(i int, f *scanner.Finding) bool {
	a := &s.all[i]
	asked, yes := 0, 0
	ask := func(given bool, covered func() bool) {
		if given && (a.All || yes == 0) {
			asked++
			if covered() {
				yes++
			}
		}
	}
	path := s.tree.path(f)
	secret := f.Secret.Reveal()
	ask(!a.Paths.Empty() || len(a.PathExpressions) > 0, func() bool {
		return slices.ContainsFunc(s.tree.paths(f), func(path string) bool {
			return a.Paths.Covers(path, f.Rule.ID) != nil ||
				slices.ContainsFunc(a.PathExpressions, func(re *regexp.Regexp) bool { return re.MatchString(path) })
		})
	})
	ask(len(a.Commits) > 0, func() bool { return f.Object.Commit != nil && isCommit(a.Commits, f.Object.Commit.ID) })
	ask(len(a.Stopwords) > 0, func() bool {
		lower := strings.ToLower(secret)
		return slices.ContainsFunc(a.Stopwords, func(w string) bool { return strings.Contains(lower, w) })
	})
	ask(a.EntropyBelow > 0, func() bool { return entropy(secret) < a.EntropyBelow })
	ask(len(a.Values) > 0, func() bool {
		if a.Target != TargetSecret {
			return slices.Contains(f.Noted, i)
		}
		return slices.ContainsFunc(a.Values, func(re *regexp.Regexp) bool { return re.MatchString(secret) })
	})
	ask(len(a.Fingerprints) > 0, func() bool {
		return slices.Contains(a.Fingerprints, scanner.Fingerprinter{}.Fingerprint(f.Rule.ID, f.Secret))
	})
	ask(len(a.Places) > 0, func() bool { return s.placed[placeKey(i, path, secret)] })
	return yes > 0 && (!a.All || yes == asked)
}

// A Place is a line of a file, in one commit or, without one, in any.
type Place struct {
	Commit, Path string
	Line         int
}

// ParsePlace reads "commit:path:line" or "path:line".
func ParsePlace(s string) (Place, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return Place{}, fmt.Errorf("%q is not of the form commit:path:line or path:line", s)
	}
	line, err := strconv.Atoi(s[i+1:])
	if err != nil || line < 1 {
		return Place{}, fmt.Errorf("%q does not end in the number of a line", s)
	}
	p := Place{Path: s[:i], Line: line}
	if commit, path, ok := strings.Cut(p.Path, ":"); ok && len(commit) >= minCommit && strings.Trim(commit, "0123456789abcdef") == "" {
		p.Commit, p.Path = commit, path
	}
	if p.Path == "" {
		return p, fmt.Errorf("%q names no file", s)
	}
	return p, nil
}

// Prepare implements scanner.Preparer: it finds the secrets that stand at the
// places of each Allow.
func (s *allowlists) Prepare(all iter.Seq[*scanner.Finding]) {
	s.placed = map[[3]string]bool{}
	for i := range s.all {
		places := map[Place]bool{}
		for _, p := range s.all[i].Places {
			places[p] = true
		}
		if len(places) == 0 {
			continue
		}
		for f := range all {
			p := Place{Path: s.tree.path(f), Line: f.StartLine}
			there := places[p]
			if c := f.Object.Commit; c != nil && !there {
				for n := len(c.ID); n >= minCommit && !there; n-- {
					p.Commit = c.ID[:n]
					there = places[p]
				}
			}
			if there {
				s.placed[placeKey(i, p.Path, f.Secret.Reveal())] = true
			}
		}
	}
}

func placeKey(i int, path, secret string) [3]string {
	return [3]string{strconv.Itoa(i), path, secret}
}

// minCommit is how many digits of a commit's id name it.
const minCommit = 7

func isCommit(list []string, id string) bool {
	return slices.ContainsFunc(list, func(c string) bool { return len(c) >= minCommit && strings.HasPrefix(id, c) })
}

// entropy returns the Shannon entropy of the bytes of s in bits per byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
