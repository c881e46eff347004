package iac

// The bounds of the rotation period in days
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html).
const (
	minPeriod = 90
	maxPeriod = 2560
)

// checkPeriod reports a rotation period that KMS refuses.
func checkPeriod(r *resource, u *unknowns, report func(problem)) {
	v := r.value(period)
	if v == nil || r.kind != kmsKey {
		return
	}
	n, ok := v.number()
	switch {
	case !ok && (v.kind == unknown || v.partial):
		u.add(r, period, v.reason())
	case !ok, n < minPeriod, n > maxPeriod, n != float64(int(n)):
		report(r.finding(rulePeriod, period, r.written(period)))
	}
}
