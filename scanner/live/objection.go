package live

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// objections returns why the action may not be done, given the facts of now;
// nil where it may. It is asked when a plan is made, and again before each act.
func objections(a *Action, f *Facts, op *Operator, history []*Entry, now time.Time) []string {
	if !slices.Contains(op.Actions, a.Kind) {
		return []string{"it is not among the operator's actions"}
	}
	o := objector{a: a, f: f, op: op, now: now}
	o.scope()
	o.identity()
	switch a.Kind {
	case RotateOnDemand, EnableRotation:
		o.rotatable()
	case RevokeGrant:
		o.revocable()
	case DeactivateAccessKey:
		o.deactivatable()
	case RotateSecret:
		o.secret()
	default:
		o.say("nobody carries out %s", a.Kind)
	}
	if a.Kind == RotateOnDemand {
		o.budget(history)
	}
	o.past(history)
	return o.reasons
}

type objector struct {
	a       *Action
	f       *Facts
	op      *Operator
	now     time.Time
	reasons []string
}

func (o *objector) say(format string, args ...any) {
	o.reasons = append(o.reasons, fmt.Sprintf(format, args...))
}

// scope holds the action against the operator's allow lists.
func (o *objector) scope() {
	t := o.a.Target
	if !slices.Contains(o.op.Accounts, t.Account) {
		o.say("account %s is not among the operator's accounts", orText(t.Account, "unknown"))
	}
	if t.Service != "iam" && !slices.Contains(o.op.Regions, t.Region) { // IAM has no Regions
		o.say("Region %s is not among the operator's Regions", orText(t.Region, "unknown"))
	}
	tags, tagged := o.tags()
	if !o.allowedResource(tags) {
		o.say("neither a pattern of resources nor a tag of the operator's allows %s", t)
	}
	if o.a.Kind == DeactivateAccessKey {
		return // access keys have no tags
	}
	if because := tagged; because != "" {
		o.say("whether it is tagged %s is unknown: %s", NoRotateTag, because)
	}
	for k := range tags {
		if strings.EqualFold(k, NoRotateTag) {
			o.say("it is tagged %s", NoRotateTag)
		}
	}
}

// tags returns the tags of the resource, or why they are unknown.
func (o *objector) tags() (map[string]string, string) {
	switch {
	case o.f.Key != nil:
		return o.f.Key.Tags.Or(nil), o.f.Key.Tags.Because()
	case o.f.Secret != nil:
		return o.f.Secret.Tags.Or(nil), o.f.Secret.Tags.Because()
	}
	return nil, notAsked
}

func (o *objector) allowedResource(tags map[string]string) bool {
	t := o.a.Target.String()
	if slices.ContainsFunc(o.op.Resources, func(p string) bool { return Glob(p, t) }) {
		return true
	}
	for k, v := range o.op.Tags {
		if have, ok := tags[k]; ok && have == v {
			return true
		}
	}
	return false
}

// identity holds the caller and the answers against the finding.
func (o *objector) identity() {
	caller, ok := o.f.Caller.Get()
	switch {
	case !ok:
		o.say("who calls is unknown: %s", o.f.Caller.Because())
	case caller.Account == "" || caller.Account != o.a.Target.Account:
		o.say("the caller's account %s is not the resource's", orText(caller.Account, "unknown"))
	}
	found, key := o.f.Subject.ARN, o.f.Key
	if key == nil {
		return
	}
	arn, ok := key.ARN.Get()
	switch {
	case !ok:
		o.say("DescribeKey gave no ARN: %s", key.ARN.Because())
	case found.IsKey() && arn != found:
		o.say("DescribeKey answers with another key, %s", arn)
	case found.Partition != arn.Partition || found.Account != arn.Account || found.Region != arn.Region || !arn.IsKey():
		o.say("DescribeKey answers with a key of another place, %s", arn)
	case o.a.Target != arn && o.a.Kind != RevokeGrant:
		o.say("the action is for %s, and DescribeKey answers with %s", o.a.Target, arn)
	}
}

// want objects where a fact is unknown or is not the value that it must be.
func want[T comparable](o *objector, what string, fact Fact[T], values ...T) {
	v, ok := fact.Get()
	switch {
	case !ok:
		o.say("%s is unknown: %s", what, fact.Because())
	case !slices.Contains(values, v):
		o.say("%s is %v", what, v)
	}
}

// rotatable holds the key against what KMS rotates.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
func (o *objector) rotatable() {
	k := o.f.Key
	if k == nil {
		o.say("nothing is known of the key: %s", orText(o.f.Why, notAsked))
		return
	}
	want(o, "the key state", k.KeyState, "Enabled")
	if o.f.Status != Enabled {
		o.say("its status is %s: %s", orText(string(o.f.Status), string(StatusUnknown)), o.f.Why)
	}
	want(o, "the key manager", k.KeyManager, "CUSTOMER")
	want(o, "the key spec", k.KeySpec, "SYMMETRIC_DEFAULT")
	want(o, "the key usage", k.KeyUsage, "ENCRYPT_DECRYPT")
	want(o, "the origin of the key material", k.Origin, "AWS_KMS")
	switch m, ok := k.MultiRegion.Get(); {
	case !ok:
		o.say("its role among multi-Region keys is unknown: %s", k.MultiRegion.Because())
	case m.Role != "" && m.Role != "PRIMARY":
		o.say("it is a %s; the primary key in %s is the one that rotates", strings.ToLower(m.Role), m.Primary.Region)
	case m.Role == "" && o.a.Target.IsMultiRegionKey():
		o.say("its ARN is that of a multi-Region key, and DescribeKey names no role")
	}
	switch r, ok := k.Rotation.Get(); {
	case !ok:
		o.say("its rotation status is unknown: %s", k.Rotation.Because())
	case r.NotApplicable != "":
		o.say("it cannot rotate: %s", r.NotApplicable)
	case !r.OnDemandStarted.IsZero():
		o.say("a rotation is in progress")
	case o.a.Kind == EnableRotation && r.Enabled:
		o.say("its automatic rotation is on already, every %d days", r.PeriodInDays)
	}
	if o.a.Kind == EnableRotation && o.a.PeriodInDays != o.op.period() {
		o.say("the action sets a period of %d days, and the operator's is %d", o.a.PeriodInDays, o.op.period())
	}
}

// budget keeps on-demand rotations in reserve and lets the key rest. What the
// ledger knows counts beside what KMS lists, since the list lags behind.
func (o *objector) budget(history []*Entry) {
	if o.f.Key == nil {
		return
	}
	rotations, ok := o.f.Key.Rotations.Get()
	if !ok {
		o.say("how often it was rotated is unknown: %s", o.f.Key.Rotations.Because())
		return
	}
	used, newest := 0, time.Time{}
	for _, r := range rotations {
		if r.Type != "AUTOMATIC" {
			used++
		}
		if r.At.After(newest) {
			newest = r.At
		}
	}
	listed := newest
	for _, e := range history {
		if e.Action.Kind != RotateOnDemand || e.Action.Target != o.a.Target || e.State == Refused {
			continue
		}
		if e.Intent.After(listed) {
			used++ // not among the listed ones yet
		}
		if e.Intent.After(newest) {
			newest = e.Intent
		}
	}
	if left := MaxOnDemandRotations - used; left <= o.op.reserve() {
		o.say("%d of its %d on-demand rotations are left, and the operator keeps %d", max(left, 0), MaxOnDemandRotations, o.op.reserve())
	}
	if rest := o.op.coolDown(); !newest.IsZero() && o.now.Sub(newest) < rest {
		o.say("it was rotated at %s, and rests for %s (limits.cool_down)", newest.UTC().Format(time.RFC3339), rest)
	}
}

// revocable holds a grant against what is known of it now.
func (o *objector) revocable() {
	k := o.f.Key
	if k == nil {
		o.say("nothing is known of the key: %s", orText(o.f.Why, notAsked))
		return
	}
	want(o, "the key manager", k.KeyManager, "CUSTOMER")
	if t := o.a.Target; t.In(o.f.Subject.ARN.Region) != k.ARN.Or(ARN{}) {
		o.say("the action is for %s, which is not related to the key found", t)
	}
	exposures, _ := Exposures(o.a.Target, policyOfNobody, o.grants(), o.op.Trusted)
	if !slices.ContainsFunc(exposures, func(e Exposure) bool { return e.GrantID == o.a.GrantID }) {
		o.say("no stranger holds a grant %q now, as far as is known", o.a.GrantID)
	}
	if g := o.f.grant(&Exposure{GrantID: o.a.GrantID, Region: o.region()}); g == nil ||
		!slices.Contains(o.op.Grants.Revoke, g.ID) && (g.Name == "" || !slices.Contains(o.op.Grants.Revoke, g.Name)) {
		o.say("the operator's file does not name the grant (grants.revoke)")
	}
}

// region returns the Region of the replica that the action is for, or the empty
// string for the key itself.
func (o *objector) region() string {
	if o.a.Target == o.f.Key.ARN.Or(ARN{}) {
		return ""
	}
	return o.a.Target.Region
}

// grants returns the grants of the key or replica that the action is for.
func (o *objector) grants() []Grant {
	for i := range o.f.Key.Replicas {
		if r := &o.f.Key.Replicas[i]; o.region() != "" && r.ARN.Or(ARN{}) == o.a.Target {
			return r.Grants.Or(nil)
		}
	}
	if o.region() != "" {
		return nil
	}
	return o.f.Key.Grants.Or(nil)
}

// deactivatable holds an access key against what may be deactivated.
func (o *objector) deactivatable() {
	k, id := o.f.AccessKey, o.a.AccessKeyID
	if k == nil {
		o.say("nothing is known of the access key: %s", orText(o.f.Why, notAsked))
		return
	}
	if k.Canary != "" {
		o.say("its account is a tripwire of %s", k.Canary)
	}
	if id == "" || id != o.f.Subject.AccessKeyID {
		o.say("the action is for another access key than the one found")
	}
	if !strings.HasPrefix(id, "AKIA") {
		o.say("only long-term access keys (AKIA…) can be deactivated")
	}
	want(o, "its status", k.Status, "Active")
	user, ok := k.User.Get()
	switch {
	case !ok:
		o.say("its user is unknown: %s", k.User.Because())
	case user == "" || user != o.a.User:
		o.say("it belongs to the user %q, and the action is for %q", user, o.a.User)
	}
	// With the leaked key itself nothing is ever changed.
	if caller, _ := ParseARN(o.f.Caller.Or(Caller{}).ARN); caller.Service == "iam" && user != "" &&
		(caller.Resource == "user/"+user || strings.HasSuffix(caller.Resource, "/"+user) && strings.HasPrefix(caller.Resource, "user/")) {
		o.say("the caller is the user whose key leaked; respond with another identity")
	}
}

// secret holds a secret against what Secrets Manager rotates.
func (o *objector) secret() {
	s := o.f.Secret
	if s == nil {
		o.say("nothing is known of the secret: %s", orText(o.f.Why, notAsked))
		return
	}
	if o.f.Status != Enabled {
		o.say("its status is %s: %s", orText(string(o.f.Status), string(StatusUnknown)), o.f.Why)
	}
	want(o, "whether a rotation is set up", s.Rotation, true)
	want(o, "its ARN", s.ARN, o.f.Subject.ARN)
	switch at, ok := s.LastRotated.Get(); {
	case !ok:
		o.say("when it was last rotated is unknown: %s", s.LastRotated.Because())
	case !at.IsZero() && o.now.Sub(at) < o.op.coolDown():
		o.say("it was rotated at %s, and rests for %s (limits.cool_down)", at.UTC().Format(time.RFC3339), o.op.coolDown())
	}
}

// past holds the action against the ledger: the same finding is answered once,
// and nothing is begun while something else on the resource is unresolved.
func (o *objector) past(history []*Entry) {
	id := o.a.ID()
	for _, e := range history {
		switch {
		case e.State == Refused:
		case e.ID == id:
			o.say("the ledger says that this finding was answered so at %s (%s)", e.Intent.UTC().Format(time.RFC3339), e.State)
		case e.State == Intended && e.Action.Target == o.a.Target:
			o.say("the ledger holds an act on it whose outcome is not known, of %s", e.Intent.UTC().Format(time.RFC3339))
		}
	}
}
