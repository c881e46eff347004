package live

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// candidates returns the actions that would answer the facts, whether or not
// they are allowed: what contains first, what is hygiene last.
func candidates(f *Facts, v *Verdict, op *Operator) []Action {
	base := Action{Subject: f.Subject.ID(), Finding: f.Finding(), Target: f.target()}
	var all []Action
	add := func(k Kind, fill func(*Action)) {
		a := base
		a.Kind = k
		if fill != nil {
			fill(&a)
		}
		a.Reason = f.reason(v)
		a.describe()
		all = append(all, a)
	}
	switch {
	case f.AccessKey != nil:
		add(DeactivateAccessKey, func(a *Action) {
			a.AccessKeyID, a.User = f.Subject.AccessKeyID, f.AccessKey.User.Or("")
		})
	case f.Subject.ARN.Service == "secretsmanager":
		add(RotateSecret, nil)
	case f.Key != nil:
		for i := range v.Exposures {
			e := &v.Exposures[i]
			if g := f.grant(e); g != nil && (slices.Contains(op.Grants.Revoke, g.ID) || g.Name != "" && slices.Contains(op.Grants.Revoke, g.Name)) {
				add(RevokeGrant, func(a *Action) { a.GrantID, a.Target = g.ID, a.Target.In(orText(e.Region, a.Target.Region)) })
			}
		}
		if diff := narrowed(f, v, op); diff != "" {
			add(NarrowPolicy, func(a *Action) { a.Diff = diff })
		}
		if r, ok := f.Key.Rotation.Get(); !ok || !r.Enabled && r.NotApplicable == "" {
			add(EnableRotation, func(a *Action) { a.PeriodInDays = op.period() })
		}
		add(RotateOnDemand, nil)
	}
	return all
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Finding returns the fingerprint that stands for the subject: that of its
// first place, since it covers rule and text and no place.
func (f *Facts) Finding() string {
	if len(f.Subject.Found) == 0 {
		return ""
	}
	return f.Subject.Found[0].Fingerprint
}

// target returns the resource that an action on the subject would change.
func (f *Facts) target() ARN {
	switch {
	case f.Key != nil:
		return f.Key.ARN.Or(f.Subject.ARN)
	case f.Secret != nil:
		return f.Secret.ARN.Or(f.Subject.ARN)
	case f.AccessKey != nil:
		caller, _ := ParseARN(f.Caller.Or(Caller{}).ARN)
		return ARN{
			Partition: orText(caller.Partition, "aws"), Service: "iam", Account: f.AccessKey.Account.Or(""),
			Resource: "user/" + f.AccessKey.User.Or("unknown"),
		}
	}
	return f.Subject.ARN
}

// grant returns the grant that an exposure is by, or nil.
func (f *Facts) grant(e *Exposure) *Grant {
	if e.GrantID == "" {
		return nil
	}
	grants := f.Key.Grants
	for i := range f.Key.Replicas {
		if r := &f.Key.Replicas[i]; e.Region != "" && r.ARN.Or(ARN{}).Region == e.Region {
			grants = r.Grants
		}
	}
	for _, g := range grants.Or(nil) {
		if g.ID == e.GrantID {
			return &g
		}
	}
	return nil
}

// reason says where the subject was found and what it amounts to, in words that
// stay the same for the same report and the same access to the key: they are
// part of the plan's hash.
func (f *Facts) reason(v *Verdict) string {
	text := "found"
	if len(f.Subject.Found) > 0 {
		text += " in " + f.Subject.Found[0].String()
	}
	if n := max(f.Subject.Places, len(f.Subject.Found)) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more places", n)
	}
	text += fmt.Sprintf("; %s after enrichment", v.Severity)
	if len(v.Exposures) > 0 {
		text += ": " + v.Exposures[0].String()
	}
	return text
}

// Texts on what actions do not fix. Source for rotation:
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
const (
	leavesCiphertext = "what was encrypted before: the old key material still decrypts it; re-encrypt what matters"
	leavesDataKeys   = "data keys already handed out; re-encrypt the data of those that may have leaked"
	leavesAccess     = "the ARN, the policy, the grants and the aliases: who could use the key still can; narrow them"
	leavesHistory    = "the git history: what was pushed cannot be unpublished; rewriting it is for tidiness"
	leavesUses       = "what was done with the access until now; look into CloudTrail"
)

// describe fills in the texts of an action, and adds to its reason.
func (a *Action) describe() {
	region := " --region " + quote(a.Target.Region)
	key := region + " --key-id " + quote(a.Target.String())
	switch a.Kind {
	case RotateOnDemand:
		a.Call = "aws kms rotate-key-on-demand" + key
		a.Undo = fmt.Sprintf("not possible: a key has %d on-demand rotations in its life, and this is one", MaxOnDemandRotations)
		a.Leaves = []string{leavesCiphertext, leavesDataKeys, leavesAccess, leavesHistory}
	case EnableRotation:
		a.Call = "aws kms enable-key-rotation" + key + " --rotation-period-in-days " + strconv.Itoa(a.PeriodInDays)
		a.Undo = "aws kms disable-key-rotation" + key
		a.Reason += "; its automatic rotation is off"
		a.Leaves = []string{"today's key material: the first rotation comes one period from now", leavesAccess}
	case RevokeGrant:
		a.Call = "aws kms revoke-grant" + key + " --grant-id " + quote(a.GrantID)
		a.Undo = "aws kms create-grant, with what aws kms list-grants shows of it now"
		a.Reason += "; the grant's holder is a stranger, and the operator names the grant"
		a.Leaves = []string{"what the key policy allows", leavesUses}
	case DeactivateAccessKey:
		who := " --user-name " + quote(a.User) + " --access-key-id " + quote(a.AccessKeyID)
		a.Call = "aws iam update-access-key" + who + " --status Inactive"
		a.Undo = "aws iam update-access-key" + who + " --status Active"
		a.Leaves = []string{"sessions that were made with the key: they last up to 36 hours; deny older tokens (aws:TokenIssueTime)", leavesUses, leavesHistory}
	case RotateSecret:
		a.Call = "aws secretsmanager rotate-secret" + region + " --secret-id " + quote(a.Target.String())
		a.Undo = "aws secretsmanager update-secret-version-stage, back to AWSPREVIOUS"
		a.Leaves = []string{"the ARN, and the policies that allow reading it", leavesHistory}
	case NarrowPolicy:
		a.Call = "aws kms put-key-policy" + key + " --policy file://narrowed.json"
		a.Undo = "aws kms put-key-policy with the policy of today; save it first"
		a.Reason = "the key policy lets strangers use the key; a narrower one, to be reviewed and put by a person, with the lockout check on:"
		a.Leaves = []string{leavesUses}
	}
}

// quote returns s for a POSIX shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_:/.+=,@", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
