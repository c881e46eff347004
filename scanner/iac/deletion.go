package iac

// The bounds of the waiting period before a key is deleted, in days, and what
// counts as short: two weeks are enough to meet whoever is on leave when the
// alarm of a key that is about to go sounds
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html;
// the default is 30).
const (
	minWindow   = 7
	maxWindow   = 30
	shortWindow = 14
)

// checkWindow reports a waiting period that KMS refuses, or that is short: a
// deleted key takes all that is encrypted under it with it.
func checkWindow(r *resource, u *unknowns, report func(problem)) {
	v := r.value(window)
	if v == nil || r.kind == policyOfKey {
		return
	}
	n, ok := v.number()
	switch {
	case !ok && (v.kind == unknown || v.partial):
		u.add(r, window, v.reason())
	case !ok, n > maxWindow, n < minWindow, n != float64(int(n)):
		report(r.finding(ruleWindow, window, r.written(window)+", which KMS refuses"))
	case n < shortWindow:
		report(r.finding(ruleWindow, window, r.written(window)))
	}
}
