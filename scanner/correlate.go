package scanner

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// Findings are worth more together. All of them are looked at, once each knows
// its commit and path and stages have judged it: what is excused, or an example,
// makes nothing worse.
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

// pair joins what stands together in one object, of which all has what was found.
func (l *ledger) pair(all []standing) {
	ids, secrets := false, false
	for i := range all {
		if all[i].suppression == nil {
			ids, secrets = ids || isAccessKeyID(all[i].rule), secrets || isSecretKey(all[i].rule)
		}
	}
	if !ids || !secrets {
		return
	}
	var some []*Finding
	for i := range all {
		if s := &all[i]; isAccessKeyID(s.rule) || isSecretKey(s.rule) {
			s.paired = new(Finding)
			s.expand(s.paired, l.table, s.place)
			some = append(some, s.paired)
		}
	}
	pairAWS(some)
}

func isAccessKeyID(r *rules.Rule) bool { return r.ID == "aws-access-key-id" }

func isSecretKey(r *rules.Rule) bool { return r.ID == "aws-secret-access-key" }

// isExcused reports whether f does not count.
func isExcused(f *Finding) bool { return f.Suppression != nil }

// pairAWS joins access key ids and secret keys.
func pairAWS(all []*Finding) {
	pair(all,
		func(f *Finding) bool { return isAccessKeyID(f.Rule) },
		func(f *Finding) bool { return isSecretKey(f.Rule) },
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

// A holding is an account in a change: a commit, or whatever of one scan has
// none, such as the staged files or a directory.
type holding struct{ change, account string }

func holdingOf(o *Object, account string) holding {
	if o.Commit == nil {
		return holding{"", account}
	}
	return holding{o.Commit.ID, account}
}

// credentials returns which change has credentials of which account, and says
// where the first are.
func (l *ledger) credentials() map[holding]string {
	arns, keys := false, false
	for _, s := range l.table.all {
		arns, keys = arns || isARN(s.rule), keys || isCredential(s.rule)
	}
	if !arns || !keys {
		return nil
	}
	known := map[holding]string{}
	l.byPlace(func(s *standing) {
		if !isCredential(s.rule) || s.suppression != nil {
			return
		}
		account := fieldOf(s.known(), fieldAccount)
		if account == "" {
			return
		}
		if h := holdingOf(s.object, account); known[h] == "" {
			known[h] = s.rule.ID + " at " + s.location().String()
		}
	})
	return known
}

// weigh returns how grave it is what stands there, and why if that is graver
// than its rule says. An ARN that comes with known credentials of its account is
// critical.
func (s *standing) weigh(known map[holding]string) (severity rules.Severity, why string) {
	severity, why = s.severity, fieldOf(s.known(), fieldRaised)
	if s.paired != nil {
		severity = s.paired.Severity
	}
	if len(known) == 0 || s.suppression != nil || !isARN(s.rule) {
		return severity, why
	}
	account := fieldOf(s.known(), fieldAccount)
	if c := known[holdingOf(s.object, account)]; c != "" && account != "" {
		return rules.Critical, "credentials of account " + account + " in the same change: " + c
	}
	return severity, why
}

func isARN(r *rules.Rule) bool { return slices.Contains(r.Tags, "arn") }

// isCredential reports whether r finds credentials that name their account.
func isCredential(r *rules.Rule) bool {
	return slices.Contains(r.Tags, "aws") && slices.Contains(r.Tags, "credential")
}

func field(f *Finding, name string) string { return fieldOf(f.Fields, name) }

func fieldOf(fields []rules.Field, name string) string {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Value
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
