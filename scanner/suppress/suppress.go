// Package suppress holds the Stages that excuse findings, one file per
// mechanism. Every source goes through the same ones, in the same order, so
// that what excuses a finding in a hook excuses it in CI and in a directory
// scan. An excused finding is never dropped: it stands in Result.Suppressed
// with the mechanism and the reason, and every report can show it.
//
// # Comments
//
//	password = "…"  # spillgate:allow generic-password made up for the docs until=2027-01-31
//
//	# spillgate:allow aws-kms-key-arn,aws-kms-alias-arn the demo account
//	key_id = "arn:aws:kms:…"
//
//	# spillgate:allow-begin private-key test fixtures
//	…
//	# spillgate:allow-end
//
// The word is followed by ids of rules, parted by commas, a reason, and a last
// day (UTC), in any order after the rules. In an id '*' stands for any
// characters; such an id, "*" alone among them, needs a reason. The word
// stands at the beginning of a line or after white space, a quote or a sign that begins a
// comment. It excuses what begins or ends on its own line, at most 4 KiB away;
// if nothing but comment signs stands before it, what begins on the next line
// that is not such a comment itself, up to eight lines on; and as a block what stands between its begin and its end,
// both at most 32 KiB away. A block without an end excuses nothing. What
// cannot be understood, has no needed reason or is past its day excuses
// nothing and is told in a notice.
//
// The comments of other tools are honoured on the line where those tools read
// them: gitleaks:allow; trufflehog:ignore; kingfisher:ignore, also alone on the
// line before; `pragma: allowlist secret` and, on the line before, `pragma:
// allowlist nextline secret` of detect-secrets. They give no reason, so where one is required
// they are not.
//
// A change can bring a comment that excuses what it brings itself. That is
// honoured, because a hook must let a developer excuse a false alarm in the
// commit that has it; but a scan of a range lists each such comment, for the reviewer, and can be told
// to refuse them.
//
// # Ignore file
//
// .spillgateignore at the top of the repository, in the syntax of .gitignore
// with sections per rule (see package ignore), excuses by path. Sources over
// git obey the one file at the top; a walk of a folder also honours those in
// the folders it enters, and leaves out what the lines without a section cover
// before it reads it.
//
// # Allowlists
//
// Allowlists of the configuration excuse by value, path, commit or
// fingerprint; see Allow.
//
// # Baseline
//
// A baseline excuses the secrets that were there when it was made; see
// Baseline.
package suppress

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// Options say what excuses findings. The zero value honours comments.
type Options struct {
	Comments CommentOptions
	Allow    []Allow
	Ignore   IgnoreOptions
	// Baseline may be nil.
	Baseline *Baseline
	// BaselineAudit tells which entries of the baseline excused nothing. It
	// needs a scan that meets everything that is in the baseline.
	BaselineAudit bool
	// RequireReason refuses entries of the baseline without a reason.
	// Comments have an option of their own.
	RequireReason bool
	// Root is the top of the repository, which the paths in ignore files and
	// lists are relative to, and Base the folder that the paths of findings
	// are relative to: absolute, with '/' between their parts. Where both are
	// "" they are the same.
	Root, Base string
	// Today is the day in UTC, "2027-01-31", by which dates are judged; "" is
	// the day of the call.
	Today string
}

// Stages returns the stages that o asks for, in the order in which they judge:
// what stands nearest to the finding comes first, so that a comment does not
// look unused because of a baseline.
func Stages(o Options) []scanner.Stage {
	if o.Today == "" {
		o.Today = time.Now().UTC().Format(time.DateOnly)
	}
	var stages []scanner.Stage
	if !o.Comments.Off {
		c := newComments(o.Comments, o.Today)
		if o.Comments.Audit {
			stages = append(stages, watchingComments{c})
		} else {
			stages = append(stages, c)
		}
	}
	if len(o.Allow) > 0 {
		stages = append(stages, newAllowlists(o.Allow, o.tree()))
	}
	if !o.Ignore.File.Empty() {
		stages = append(stages, &ignoreFile{options: o.Ignore, tree: o.tree(), used: map[*ignore.Pattern]bool{}})
	}
	if o.Baseline != nil {
		stages = append(stages, newBaselineStage(o.Baseline, &o))
	}
	return stages
}

// A tree tells what the paths of findings are at the top of the repository.
type tree struct{ root, base string }

func (o *Options) tree() tree { return tree{strings.TrimSuffix(o.Root, "/"), o.Base} }

// paths returns the path of the finding relative to the top of the repository,
// and those of the archives that it was unpacked from; none if it has no path
// or lies outside.
func (t tree) paths(f *scanner.Finding) []string {
	var all []string
	for o := f.Object; o != nil; o = o.Container {
		if p := t.relative(o.Path); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// path returns the first of paths, or "".
func (t tree) path(f *scanner.Finding) string { return t.relative(f.Object.Path) }

func (t tree) relative(p string) string {
	absolute := strings.HasPrefix(p, "/") || len(p) > 2 && p[1] == ':' && p[2] == '/'
	switch {
	case p == "":
		return ""
	case t.root == "" && t.base == "" && absolute:
		return ""
	case t.root == "" && t.base == "":
		p = path.Clean(p)
	default:
		if !absolute {
			p = path.Join(t.base, p)
		}
		below, ok := strings.CutPrefix(path.Clean(p), t.root+"/")
		if !ok {
			return ""
		}
		return below
	}
	if p == "." || p == ".." || strings.HasPrefix(p, "../") {
		return ""
	}
	return p
}

func coversRule(ids []string, rule string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return ignore.Glob(id, rule) })
}

func join(ids []string) string { return strings.Join(ids, ",") }
