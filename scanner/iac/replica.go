package iac

import "github.com/spillgate/spillgate/rules"

// checkReplica reports a replica of a multi-Region key without a key policy. The
// policy is no shared property: a replica has its own, and the default one if
// nobody writes it, however narrow that of its primary is
// (https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html#mrk-sync-properties).
func checkReplica(f *file, r *resource, u *unknowns, report func(problem)) {
	if r.kind != replicaKey && r.kind != externalCopy || r.set[keyPolicy] != nil || f.hasPolicy(r) {
		return
	}
	if r.open {
		u.add(r, keyPolicy, "what Fn::Transform adds")
		return
	}
	p := r.finding(ruleReplica, keyPolicy, "no "+r.name[keyPolicy])
	for i := range f.resources {
		other := &f.resources[i]
		if !refersTo(r.value(primary), other.address) {
			continue
		}
		if other.set[keyPolicy] == nil && !f.hasPolicy(other) {
			return // both have the default one
		}
		p.fields = append(p.fields, rules.Field{Name: "primary", Value: short(other.label)})
		report(p)
		return
	}
	// The primary is in another file: whether it has a policy of its own is
	// not known.
	p.severity = rules.Info
	report(p)
}

// hasPolicy reports whether the file attaches a policy to a key in a resource
// of its own.
func (f *file) hasPolicy(key *resource) bool {
	for i := range f.resources {
		if r := &f.resources[i]; r.kind == policyOfKey && refersTo(r.value(keyID), key.address) {
			return true
		}
	}
	return false
}
