package iac

import "strings"

// A verdict says whether something holds, as far as the file tells.
type verdict uint8

const (
	no verdict = iota
	yes
	perhaps
)

// checkRotation reports a key whose material KMS does not rotate though it
// could.
func checkRotation(r *resource, u *unknowns, report func(problem)) {
	can, why := rotates(r)
	if can == no {
		return
	}
	v := r.value(rotation)
	is, ok := v.bool()
	switch {
	case ok && is:
	case v != nil && !ok:
		u.add(r, rotation, v.reason())
	case v == nil && r.open:
		u.add(r, rotation, "what Fn::Transform adds")
	case can == perhaps:
		u.add(r, rotation, why)
	case v == nil:
		// The default of both languages is off.
		report(r.finding(ruleRotation, rotation, "no "+r.name[rotation]))
	default:
		report(r.finding(ruleRotation, rotation, r.written(rotation)))
	}
}

// rotates reports whether automatic rotation can be on for a key, and on what
// that depends. It cannot for asymmetric and HMAC keys, keys in custom key
// stores and imported material; a replica follows its primary
// (https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html).
func rotates(r *resource) (can verdict, why string) {
	if r.kind != kmsKey {
		return no, ""
	}
	can = yes
	for _, s := range [...]setting{keyStore, xksKey} {
		v := r.value(s)
		t, ok := v.text()
		switch {
		case v == nil || ok && t == "":
		case v.kind == unknown:
			can, why = perhaps, r.name[s]+", which depends on "+v.reason()
		default:
			return no, ""
		}
	}
	for _, need := range [...]struct {
		s    setting
		word string
	}{{origin, "AWS_KMS"}, {keySpec, "SYMMETRIC_DEFAULT"}, {keyUsage, "ENCRYPT_DECRYPT"}} {
		is, ok := r.is(need.s, true, need.word)
		switch {
		case ok && !is:
			return no, ""
		case !ok:
			can, why = perhaps, r.name[need.s]
			if v := r.value(need.s); v != nil {
				why += ", which depends on " + v.reason()
			}
		}
	}
	return can, strings.TrimSpace(why)
}
