package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/rules"
)

// A Verdict is what the facts about a subject amount to.
type Verdict struct {
	// Severity is after enrichment, and Before the highest that the scanner
	// gave.
	Severity rules.Severity `json:"severity"`
	Before   rules.Severity `json:"severity_before"`
	// Reasons say what made the severity, the strongest first.
	Reasons []Reason `json:"reasons"`
	// Unknowns are the questions without an answer. None of them lowers the
	// severity.
	Unknowns  []string   `json:"unknowns,omitempty"`
	Exposures []Exposure `json:"exposures,omitempty"`
}

// A Reason is one piece of evidence, with the grade that it stands for. One
// that only informs has the grade info.
type Reason struct {
	Severity rules.Severity `json:"severity"`
	// Lowers says that the evidence takes weight off the finding.
	Lowers bool   `json:"lowers,omitempty"`
	Text   string `json:"text"`
}

// recentUse is within which time a use counts as recent. GetKeyLastUsage keeps
// the newest use alone, so it is about as long as CloudTrail keeps its events.
const recentUse = 90 * 24 * time.Hour

// Judge grades what was found out. Evidence raises: a stranger who can use the
// key makes it high, anybody without a condition critical, and so does a
// credential of the key's account in the same change. Only what is sure lowers:
// a key that is gone, or about to go, in the caller's own account is worth a
// note. What is unknown changes nothing and is listed. Allowed are the accounts
// and organisations that the operator trusts.
//
// That a key is in use raises only what somebody else may have a part in: all
// keys worth having are in use, and a key's ARN alone stays what its rule says.
func Judge(f *Facts, allowed []string) Verdict {
	j := judge{facts: f, allowed: allowed}
	for _, l := range f.Subject.Found {
		j.v.Before = max(j.v.Before, l.Severity)
	}
	j.v.Severity = j.v.Before
	if f.Key != nil {
		j.key(f.Key, "")
		for i := range f.Key.Replicas {
			replica := &f.Key.Replicas[i]
			j.key(replica, replica.ARN.Or(ARN{}).Region)
		}
		j.use()
		j.events()
	}
	lowered := j.gone()
	j.credentials(lowered)
	if f.AccessKey != nil {
		j.accessKey(f.AccessKey)
	}
	if !known(f.Status) {
		j.unknown("status", f.Why)
	}
	sortReasons(j.v.Reasons)
	return j.v
}

// known reports whether a status is an answer.
func known(s Status) bool { return s != NoAccess && s != StatusUnknown && s != "" }

type judge struct {
	facts   *Facts
	allowed []string
	v       Verdict
}

func (j *judge) raise(s rules.Severity, format string, args ...any) {
	j.v.Severity = max(j.v.Severity, s)
	j.v.Reasons = append(j.v.Reasons, Reason{Severity: s, Text: fmt.Sprintf(format, args...)})
}

func (j *judge) unknown(what, because string) {
	j.v.Unknowns = append(j.v.Unknowns, what+": "+because)
}

// key adds the exposures of the key, or of its replica in a Region.
func (j *judge) key(k *KeyFacts, region string) {
	where := ""
	if region != "" {
		where = "replica in " + region + ": "
	}
	arn, ok := k.ARN.Get()
	if !ok {
		arn = j.facts.Subject.ARN
	}
	j.silence(k, where)
	grants := k.Grants.Or(nil)
	policy, hasPolicy := k.Policy.Get()
	if !hasPolicy {
		policy = policyOfNobody
	}
	exposures, err := Exposures(arn, policy, grants, j.allowed)
	if err != nil {
		j.unknown(where+"who may use the key", err.Error())
	}
	for i := range exposures {
		e := &exposures[i]
		e.Region = region
		j.raise(gradeOf(e), "%s%s", where, e)
	}
	j.v.Exposures = append(j.v.Exposures, exposures...)
}

// policyOfNobody stands for a policy that could not be read, so that the
// grants are looked at all the same.
const policyOfNobody = `{"Statement":[]}`

// gradeOf grades one exposure.
func gradeOf(e *Exposure) rules.Severity {
	switch {
	case e.Reach == Gone:
		return rules.Info
	case e.Weak():
		return rules.Low
	case e.Reach == AnyoneViaService && len(e.Narrowed) > 0:
		return rules.Low
	case e.Reach == AnyoneViaService:
		return rules.Medium // a deputy that can be confused, and no stranger's own access
	case e.Reach == Everyone && len(e.Narrowed) == 0:
		return rules.Critical
	}
	return rules.High
}

// silence lists the questions about a key that have no answer.
func (j *judge) silence(k *KeyFacts, where string) {
	note := func(what string, known bool, because string) {
		if !known {
			j.unknown(where+what, because)
		}
	}
	note("key policy", k.Policy.IsKnown(), k.Policy.Because())
	note("grants", k.Grants.IsKnown(), k.Grants.Because())
	if where != "" {
		return
	}
	note("key state", k.KeyState.IsKnown(), k.KeyState.Because())
	note("rotation", k.Rotation.IsKnown(), k.Rotation.Because())
	note("rotations", k.Rotations.IsKnown(), k.Rotations.Because())
	note("tags", k.Tags.IsKnown(), k.Tags.Because())
	note("last use", k.LastUse.IsKnown(), k.LastUse.Because())
}

// use weighs that the key is in use.
func (j *judge) use() {
	last, ok := j.facts.Key.LastUse.Get()
	if !ok || last.Operation == "" || j.facts.Asked.Sub(last.At) > recentUse {
		return
	}
	text := fmt.Sprintf("in use: last %s at %s", last.Operation, last.At.UTC().Format(time.RFC3339))
	grade := rules.Info
	for i := range j.v.Exposures {
		if e := &j.v.Exposures[i]; gradeOf(e) == rules.Medium {
			grade = rules.High
			text += ", and " + e.Via + " lets somebody else use it"
			break
		}
	}
	j.raise(grade, "%s", text)
}

// events weighs calls by principals of accounts that are not trusted.
func (j *judge) events() {
	x := exposer{key: j.facts.Subject.ARN, allowed: j.allowed}
	for _, e := range j.facts.Key.Events.Or(nil) {
		a, err := ParseARN(e.Principal)
		if err != nil || !IsAccount(a.Account) || x.trusted(a.Account) || weakAction(e.Name) || e.ErrorCode != "" {
			continue
		}
		j.raise(rules.Critical, "%s called %s at %s: a stranger has used the key", e.Principal, e.Name, e.At.UTC().Format(time.RFC3339))
	}
}

// gone lowers the severity of a key that is no more, and reports whether it
// did. A stranger's key that is not found may only be hidden from the caller,
// so the account must be the caller's own.
func (j *judge) gone() bool {
	caller, ok := j.facts.Caller.Get()
	if !ok || caller.Account == "" || caller.Account != j.account() {
		return false
	}
	switch j.facts.Status {
	case NotFound:
		j.lower("not found in the caller's own account " + caller.Account + ": it is gone, or never was")
	case PendingDeletion:
		if j.replicaInUse() {
			return false
		}
		text := "pending deletion: it can be used for nothing"
		if at, ok := j.facts.deletion(); ok {
			text += ", and goes on " + at.UTC().Format(time.DateOnly)
		}
		j.lower(text)
	default:
		return false
	}
	return true
}

func (j *judge) lower(text string) {
	j.v.Severity = rules.Info
	j.v.Reasons = append(j.v.Reasons, Reason{Severity: rules.Info, Lowers: true, Text: text})
}

// account returns the account of the subject.
func (j *judge) account() string {
	if j.facts.AccessKey != nil {
		return j.facts.AccessKey.Account.Or("")
	}
	return j.facts.Subject.ARN.Account
}

// replicaInUse reports whether a replica may live on while the key goes.
func (j *judge) replicaInUse() bool {
	if j.facts.Key == nil {
		return false
	}
	for _, r := range j.facts.Key.Replicas {
		if state, ok := r.KeyState.Get(); !ok || state != "PendingDeletion" {
			return true
		}
	}
	role, ok := j.facts.Key.MultiRegion.Get()
	return ok && len(role.Replicas) > len(j.facts.Key.Replicas)
}

// deletion returns when the key goes.
func (f *Facts) deletion() (time.Time, bool) {
	if f.Key == nil {
		return time.Time{}, false
	}
	at, ok := f.Key.DeletionDate.Get()
	return at, ok && !at.IsZero()
}

// credentials weighs the credentials that were found with the subject. They
// count for a key that is being deleted too: its deletion can be cancelled.
func (j *judge) credentials(lowered bool) {
	s := &j.facts.Subject
	if s.AccessKeyID != "" {
		return // it is one
	}
	if len(s.Beside) > 0 && j.facts.Status != NotFound {
		j.raise(rules.Critical, "a credential of account %s is in the same change: %s", s.ARN.Account, places(s.Beside))
	}
	if len(s.Elsewhere) > 0 && !lowered {
		j.raise(rules.High, "a credential of account %s is in another change of this report: %s", s.ARN.Account, places(s.Elsewhere))
	}
}

// places lists where a few locators point.
func places(all []Locator) string {
	const most = 3
	var texts []string
	for i, l := range all {
		if i == most {
			texts = append(texts, fmt.Sprintf("and %d more", len(all)-most))
			break
		}
		texts = append(texts, l.String())
	}
	return strings.Join(texts, ", ")
}

// accessKey weighs what is known of an access key.
func (j *judge) accessKey(k *AccessKeyFacts) {
	if k.Canary != "" {
		j.raise(rules.Info, "its account is a tripwire of %s: whoever tries it is reported, so it was not tried", k.Canary)
	}
	status, ok := k.Status.Get()
	switch {
	case !ok:
		j.unknown("status of the access key", k.Status.Because())
	case strings.EqualFold(status, "Inactive"):
		j.v.Severity = min(j.v.Severity, rules.Low)
		j.v.Reasons = append(j.v.Reasons, Reason{Severity: rules.Low, Lowers: true, Text: "inactive: it signs nothing until somebody activates it again"})
	case strings.EqualFold(status, "Active"):
		j.raise(rules.Critical, "active: who has the secret can use it now")
	}
	if at, ok := k.LastUsed.Get(); ok && !at.IsZero() {
		j.raise(rules.Info, "last used at %s", at.UTC().Format(time.RFC3339))
	}
}

// sortReasons puts the strongest first and keeps the order of equals.
func sortReasons(all []Reason) {
	slices.SortStableFunc(all, func(a, b Reason) int { return cmp.Compare(b.Severity, a.Severity) })
}
