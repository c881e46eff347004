package iac

import (
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// checkPrincipals reports statements of a key policy that let everybody use
// the key: "An asterisk (*) gives every identity in every AWS account
// permission to use the KMS key, unless another policy statement explicitly
// denies it"
// (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html).
func checkPrincipals(r *resource, u *unknowns, report func(problem)) {
	m := r.set[keyPolicy]
	if m == nil {
		return // the default policy names the key's own account
	}
	p := readPolicy(m.v)
	if denied(p) {
		return
	}
	unsure := p.open
	for i := range p.statements {
		st := &p.statements[i]
		if !st.allow || narrowed(st) {
			continue
		}
		switch {
		case st.unsure != "":
			unsure = st.unsure
		case !st.anyone:
		case st.unread != "":
			unsure = st.unread
		default:
			report(r.everybody(st, m))
		}
	}
	if unsure != "" {
		u.add(r, keyPolicy, unsure)
	}
}

// everybody makes the problem of a statement.
func (r *resource) everybody(st *statement, m *member) problem {
	what := strings.Join(st.actions, ", ")
	switch {
	case st.all:
		what = "all actions but some"
	case what == "":
		what = "actions that are not known"
	}
	rule := rulePrincipal.rule()
	p := problem{
		rule: rule, severity: grade(st), confidence: rule.Confidence, at: st.span,
		text: "statement " + short(st.name) + " allows everybody " + short(what),
	}
	if st.span.start < r.block.start || st.span.end > r.block.end {
		p.also = []span{m.span} // a document elsewhere becomes a key's policy here
	}
	p.from(st.via)
	return p
}

// grade says how bad it is that everybody may do what a statement allows.
// CreateGrant and PutKeyPolicy give whatever the key can do, and so are as
// strong as decrypting; with all actions, the key is the stranger's.
func grade(st *statement) rules.Severity {
	can := func(action string) bool {
		for _, a := range st.actions {
			if covers(a, action) {
				return true
			}
		}
		return st.all
	}
	switch {
	case can("kms:Decrypt") && can("kms:PutKeyPolicy"):
		return rules.Critical
	case can("kms:Decrypt"), can("kms:ReEncryptFrom"), can("kms:CreateGrant"), can("kms:PutKeyPolicy"):
		return rules.High
	}
	return rulePrincipal.rule().Severity
}

// narrowed reports whether a condition of st tells some of the world from the
// rest of it. A value that is not known counts as one that does: nothing in the
// file speaks against it.
func narrowed(st *statement) bool {
	for i := range st.conditions {
		c := &st.conditions[i]
		operator := strings.ToLower(c.operator)
		// Where the key is missing in a request, a condition with one of these
		// holds, and so tells nobody apart.
		if strings.HasSuffix(operator, "ifexists") || strings.HasPrefix(operator, "forallvalues:") {
			continue
		}
		switch strings.TrimPrefix(operator, "foranyvalue:") {
		case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress":
			if (narrows(c.key) || encryptionContext(c.key) && cryptographic(st)) && particular(c) {
				return true
			}
		case "bool":
			if strings.EqualFold(c.key, "kms:GrantIsForAWSResource") && len(c.values) == 1 && c.values[0] != "false" {
				return true
			}
		}
	}
	return false
}

// narrows reports whether a condition key tells principals or callers apart
// (https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
func narrows(key string) bool {
	key = strings.ToLower(key)
	switch key {
	case "kms:calleraccount", "kms:viaservice",
		"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:userid", "aws:username",
		"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths",
		"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn":
		return true
	}
	return strings.HasPrefix(key, "aws:principaltag/")
}

func encryptionContext(key string) bool {
	return len(key) > len("kms:EncryptionContext:") && strings.EqualFold(key[:len("kms:EncryptionContext:")], "kms:EncryptionContext:")
}

// cryptographic reports whether all actions of st take an encryption context:
// in requests for others a condition on it says nothing.
func cryptographic(st *statement) bool {
	if st.all || st.unlisted || len(st.actions) == 0 {
		return false
	}
	for _, a := range st.actions {
		a = strings.ToLower(a)
		if a != "kms:encrypt" && a != "kms:decrypt" && !strings.HasPrefix(a, "kms:generatedatakey") && !strings.HasPrefix(a, "kms:reencrypt") {
			return false
		}
	}
	return true
}

// particular reports whether no value of c stands for everything.
func particular(c *condition) bool {
	for _, v := range c.values {
		switch {
		case strings.Trim(v, "*?") == "", v == "0.0.0.0/0", v == "::/0":
			return false
		}
		// An ARN of any account is nobody's.
		if parts := strings.SplitN(v, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[4] != "" && strings.Trim(parts[4], "*?") == "" {
			return false
		}
	}
	return true
}

// denied reports whether another statement denies everything to everybody but
// some.
func denied(p policy) bool {
	for i := range p.statements {
		st := &p.statements[i]
		if !st.deny || !st.anyone || st.unsure != "" || st.unread != "" || !denies(st) {
			continue
		}
		if len(st.conditions) == 0 {
			return true
		}
		c := &st.conditions[0]
		operator := strings.TrimSuffix(strings.ToLower(c.operator), "ifexists")
		switch strings.TrimPrefix(operator, "forallvalues:") {
		case "stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress":
			if len(st.conditions) == 1 && narrows(c.key) && particular(c) {
				return true
			}
		}
	}
	return false
}

// denies reports whether st is about every action of KMS.
func denies(st *statement) bool {
	for _, a := range st.actions {
		if a == "*" || strings.EqualFold(a, "kms:*") {
			return true
		}
	}
	return false
}
