package scanner

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// Findings are worth more together. Correlate looks at all of them, once each
// knows its commit and path and stages have judged it: what is excused, or an
// example, makes nothing worse.
//
//   - an AWS access key id and its secret key name each other in the field
//     "with", and the id is as severe as the secret;
//   - a password says in that field where the user name to it stands;
//   - an ARN is critical where credentials of the same account come with it, in
//     the same file or in the same change: whoever reads them can use what it
//     names. The field "raised" says so.

// pairReach is how many lines the halves of a credential may stand apart.
const pairReach = 30

const (
	fieldWith    = "with"
	fieldRaised  = "raised"
	fieldAccount = "account"
)

// correlate sets the fields and severities described above, in the time that it
// takes to sort the findings.
func correlate(all []*Finding) {
	pairAWS(all)
	nameUsers(all)
	raiseARNs(all)
}

// dropContainers returns the findings without those in the bytes of an archive
// that a member of it repeats, as in a tar or in a zip that does not compress:
// they are kept where they can be read.
func dropContainers(all []*Finding) []*Finding {
	type key struct {
		object       *Object
		rule, secret string
	}
	inside := map[key]bool{}
	for _, f := range all {
		for o := f.Object.Container; o != nil; o = o.Container {
			inside[key{o, f.Rule.ID, f.Secret.text}] = true
		}
	}
	if len(inside) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		return inside[key{f.Object, f.Rule.ID, f.Secret.text}]
	})
}

// isExcused reports whether f does not count.
func isExcused(f *Finding) bool { return f.Suppression != nil }

// pairAWS joins access key ids and secret keys.
func pairAWS(all []*Finding) {
	pair(all,
		func(f *Finding) bool { return f.Rule.ID == "aws-access-key-id" },
		func(f *Finding) bool { return f.Rule.ID == "aws-secret-access-key" },
		func(id, secret *Finding) {
			// Together they sign requests: the id is as bad as the secret.
			id.Severity = max(id.Severity, secret.Severity)
			setField(id, fieldRaised, "its secret access key stands beside it")
			if a := field(id, fieldAccount); a != "" && field(secret, fieldAccount) == "" {
				setField(secret, fieldAccount, a)
			}
		})
}

// pair joins every finding of one kind with the nearest one of the other kind in
// the same object, and the other way round, and calls joined for each two that
// are nearest to each other.
func pair(all []*Finding, isLeft, isRight func(*Finding) bool, joined func(left, right *Finding)) {
	var some []*Finding
	for _, f := range all {
		if !isExcused(f) && (isLeft(f) || isRight(f)) {
			some = append(some, f)
		}
	}
	objects := map[*Object]int{} // in the order of their findings, to be deterministic
	for _, f := range some {
		if _, ok := objects[f.Object]; !ok {
			objects[f.Object] = len(objects)
		}
	}
	slices.SortStableFunc(some, func(a, b *Finding) int {
		return cmp.Or(cmp.Compare(objects[a.Object], objects[b.Object]), cmp.Compare(a.Offset, b.Offset),
			strings.Compare(a.Rule.ID, b.Rule.ID), strings.Compare(a.Secret.text, b.Secret.text))
	})
	partner := make([]int, len(some))
	for i := range partner {
		partner[i] = -1
	}
	nearest(some, isLeft, partner, false)
	nearest(some, isLeft, partner, true)
	for i, j := range partner {
		if j < 0 || partner[j] != i {
			continue
		}
		setField(some[i], fieldWith, some[j].Rule.ID+" in line "+strconv.Itoa(some[j].StartLine))
		if isLeft(some[i]) {
			joined(some[i], some[j])
		}
	}
}

// nearest sets for each finding the nearest one of the other kind: behind it
// (backward false walks up and sees what stands before), at equal distance the
// one that follows, as a secret follows its id.
func nearest(some []*Finding, isLeft func(*Finding) bool, partner []int, backward bool) {
	last := map[bool]int{} // the latest left and right one
	for k := range some {
		i := k
		if backward {
			i = len(some) - 1 - k
		}
		f := some[i]
		left := isLeft(f)
		if j, ok := last[!left]; ok && some[j].Object == f.Object {
			d := distance(f, some[j])
			old := partner[i]
			if d <= pairReach && (old < 0 || d < distance(f, some[old]) || d == distance(f, some[old]) && backward && left) {
				partner[i] = j
			}
		}
		last[left] = i
	}
}

// distance returns how many lines two findings of one object stand apart.
func distance(a, b *Finding) int {
	if a.StartLine > b.StartLine {
		a, b = b, a
	}
	return max(0, b.StartLine-a.EndLine)
}

// raiseARNs makes ARNs critical that come with credentials of their account.
func raiseARNs(all []*Finding) {
	type place struct{ change, account string }
	with := map[place]*Finding{}
	for _, f := range all {
		if !isCredential(f) || isExcused(f) {
			continue
		}
		p := place{change(f), field(f, fieldAccount)}
		if p.account == "" {
			continue
		}
		if old, ok := with[p]; !ok || byPlace(f, old) < 0 {
			with[p] = f
		}
	}
	if len(with) == 0 {
		return
	}
	for _, f := range all {
		if !slices.Contains(f.Rule.Tags, "arn") || isExcused(f) {
			continue
		}
		account := field(f, fieldAccount)
		c, ok := with[place{change(f), account}]
		if !ok || account == "" {
			continue
		}
		f.Severity = rules.Critical
		setField(f, fieldRaised, "credentials of account "+account+" in the same change: "+c.Rule.ID+" at "+c.Location.String())
	}
}

// isCredential reports whether f is a credential that names its account.
func isCredential(f *Finding) bool {
	return slices.Contains(f.Rule.Tags, "aws") && slices.Contains(f.Rule.Tags, "credential")
}

// change returns what f came with: a commit, or whatever of one scan has none,
// such as the staged files or a directory.
func change(f *Finding) string {
	if f.Object.Commit == nil {
		return ""
	}
	return f.Object.Commit.ID
}

func field(f *Finding, name string) string {
	for _, x := range f.Fields {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// setField sets the first field of that name, or adds one.
func setField(f *Finding, name, value string) {
	f.Fields = slices.Clone(f.Fields) // others may share them
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			f.Fields[i].Value = value
			return
		}
	}
	f.Fields = append(f.Fields, rules.Field{Name: name, Value: value})
}
