package kms

import (
	"fmt"
	"time"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/live"
)

// An Outcome is what a check says of a key. Unknown is neither a pass nor a
// failure, and NotApplicable counts in no rate.
type Outcome string

// The outcomes.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotApplicable Outcome = "not applicable"
	Unknown       Outcome = "unknown"
)

// A Result is the outcome of one check, and why.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why"`
}

// A Check is a rule of an audit.
type Check struct {
	Name, Text string
	check      func(*live.Facts, *Standard) Result
}

// A Standard is what an audit holds keys to. The zero value is the default.
type Standard struct {
	// MaxPeriod is the longest rotation period in days; 0 is 365.
	MaxPeriod int
	// Allowed are accounts and organisations that may use keys.
	Allowed []string
	// Now is the time of the audit.
	Now time.Time
}

// Checks are the rules of an audit, in the order of reports.
func Checks() []Check {
	return []Check{
		{"rotation", "automatic rotation is on, for keys that KMS can rotate", checkRotation},
		{"period", "keys that rotate do so often enough", checkPeriod},
		{"overdue", "the next rotation is not in the past", checkOverdue},
		{"exposure", "no stranger can use the key by its policy or a grant", checkExposure},
		{"deletion", "the key is not scheduled for deletion", checkDeletion},
	}
}

// Apply returns what c says of a key.
func (c *Check) Apply(f *live.Facts, s Standard) Result {
	if s.MaxPeriod == 0 {
		s.MaxPeriod = 365
	}
	return c.check(f, &s)
}

// rotates says whether a key is one that KMS rotates automatically as its
// owner likes. Where it does not, the result is that of every check of
// rotation.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
func rotates(f *live.Facts) (Result, bool) {
	k := f.Key
	no := func(why string) (Result, bool) { return Result{NotApplicable, why}, false }
	for _, fact := range []live.Fact[string]{k.KeyManager, k.KeySpec, k.Origin} {
		if !fact.IsKnown() {
			return Result{Unknown, fact.Because()}, false
		}
	}
	switch {
	case k.KeyManager.Or("") == "AWS":
		return no("AWS manages and rotates the key")
	case rotationFixed(k) != "":
		return no(rotationFixed(k))
	case k.Origin.Or("") == "EXTERNAL":
		return no("imported key material rotates on demand alone")
	}
	switch f.Status {
	case live.PendingDeletion:
		return no("the key is scheduled for deletion")
	case live.PendingImport:
		return no("the key has no material")
	case live.Disabled:
		return no("KMS does not rotate disabled keys")
	case live.Enabled:
	default:
		return Result{Unknown, "the key's state is " + string(f.Status) + ": " + f.Why}, false
	}
	m, ok := k.MultiRegion.Get()
	switch {
	case !ok:
		return Result{Unknown, k.MultiRegion.Because()}, false
	case m.Role == "REPLICA":
		return no("a replica: the primary key in " + m.Primary.Region + " is what rotates")
	}
	r, ok := k.Rotation.Get()
	switch {
	case !ok:
		return Result{Unknown, k.Rotation.Because()}, false
	case r.NotApplicable != "":
		return no(r.NotApplicable)
	}
	return Result{}, true
}

func checkRotation(f *live.Facts, _ *Standard) Result {
	if r, ok := rotates(f); !ok {
		return r
	}
	if !f.Key.Rotation.Or(live.RotationStatus{}).Enabled {
		return Result{Fail, "automatic rotation is off"}
	}
	return Result{Pass, "automatic rotation is on"}
}

func checkPeriod(f *live.Facts, s *Standard) Result {
	if r, ok := rotates(f); !ok {
		return r
	}
	r := f.Key.Rotation.Or(live.RotationStatus{})
	switch {
	case !r.Enabled:
		return Result{NotApplicable, "automatic rotation is off"}
	case r.PeriodInDays == 0:
		return Result{Unknown, "GetKeyRotationStatus gave no period"}
	case r.PeriodInDays > s.MaxPeriod:
		return Result{Fail, fmt.Sprintf("rotates every %d days; at most %d are wanted", r.PeriodInDays, s.MaxPeriod)}
	}
	return Result{Pass, fmt.Sprintf("rotates every %d days", r.PeriodInDays)}
}

// late is by how much a rotation may come after its date: KMS rotates on or
// about it.
const late = 48 * time.Hour

func checkOverdue(f *live.Facts, s *Standard) Result {
	if r, ok := rotates(f); !ok {
		return r
	}
	r := f.Key.Rotation.Or(live.RotationStatus{})
	switch {
	case !r.Enabled:
		return Result{NotApplicable, "automatic rotation is off"}
	case r.Next.IsZero():
		return Result{Unknown, "GetKeyRotationStatus gave no date of the next rotation"}
	case s.Now.Sub(r.Next) > late:
		return Result{Fail, "the rotation of " + r.Next.Format(time.DateOnly) + " has not come"}
	}
	return Result{Pass, "next rotation " + r.Next.Format(time.DateOnly)}
}

func checkExposure(f *live.Facts, s *Standard) Result {
	k := f.Key
	switch manager, ok := k.KeyManager.Get(); {
	case !ok:
		return Result{Unknown, k.KeyManager.Because()}
	case manager == "AWS":
		return Result{NotApplicable, "AWS manages the key and its policy"}
	case f.Status == live.PendingDeletion:
		return Result{NotApplicable, "the key is scheduled for deletion and cannot be used"}
	}
	v := live.Judge(f, s.Allowed)
	worst := ""
	for _, r := range v.Reasons {
		if r.Severity >= rules.High && !r.Lowers {
			worst = r.Text
			break
		}
	}
	switch {
	case worst != "":
		return Result{Fail, worst}
	case !k.Policy.IsKnown():
		return Result{Unknown, k.Policy.Because()}
	case !k.Grants.IsKnown():
		return Result{Unknown, k.Grants.Because()}
	}
	if _, err := live.Exposures(k.ARN.Or(f.Subject.ARN), k.Policy.Or(""), k.Grants.Or(nil), s.Allowed); err != nil {
		return Result{Unknown, err.Error()}
	}
	return Result{Pass, "no stranger can use the key"}
}

func checkDeletion(f *live.Facts, _ *Standard) Result {
	switch f.Status {
	case live.PendingDeletion:
		why := "scheduled for deletion"
		if d, ok := f.Key.DeletionDate.Get(); ok && !d.IsZero() {
			why += " at " + d.Format(time.DateOnly)
		}
		return Result{Fail, why}
	case live.NoAccess, live.StatusUnknown, live.NotFound:
		return Result{Unknown, f.Why}
	}
	return Result{Pass, "not scheduled for deletion"}
}
