package iac

import (
	"strconv"
	"strings"
)

// A policy is a key policy as far as it can be read
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
type policy struct {
	statements []statement
	// open names what further statements depend on, "" if there are none.
	open string
}

// A statement is one of a policy. Its parts have one form, whether they were
// written in JSON or in Terraform's blocks.
type statement struct {
	span span
	name string // Sid, or its number
	// allow and deny are false both where the effect is not known.
	allow, deny bool
	// anyone says that it is about everybody: every principal of every account.
	anyone bool
	// unsure names what decides whether it is, "" where that is known.
	unsure string
	// actions may have holes; all says that it is about all but some, and
	// unlisted that there are more, which could not be read.
	actions       []string
	all, unlisted bool
	// conditions must all hold. unread names what further ones depend on.
	conditions []condition
	unread     string
	via        string
}

// A condition is one operator with one key.
type condition struct {
	operator, key string
	values        []string // with holes
	unread        bool     // values could not be listed
}

// maxPolicies bounds how deep policy documents may include each other.
const maxPolicies = 8

// readPolicy reads the value of a setting that holds a policy: a JSON text, an
// object that becomes one, or a policy document of Terraform.
func readPolicy(v *value) policy { return readPolicyAt(v, 0) }

func readPolicyAt(v *value, depth int) policy {
	switch {
	case depth > maxPolicies:
		return policy{open: "policies in policies"}
	case v == nil || v.kind == null:
		return policy{}
	case v.kind == text:
		parsed, err := parseJSON([]byte(v.s), v.at)
		if err != nil || parsed.kind != object {
			if v.partial {
				return policy{open: "parts of the text"}
			}
			return policy{open: "a text that is no policy"}
		}
		p := readPolicyAt(parsed, depth+1)
		for i := range p.statements {
			p.statements[i].via = v.via
		}
		return p
	case v.kind != object:
		return policy{open: v.reason()}
	case v.document:
		return readDocument(v, depth)
	}
	var p policy
	if v.partial {
		p.open = "keys that are computed"
	}
	s := v.fold("Statement")
	if s != nil && s.kind == list && s.partial || s != nil && s.kind == unknown {
		p.open = s.reason()
	}
	for i, item := range s.items() {
		if item.kind != object {
			p.open = item.reason()
			continue
		}
		p.statements = append(p.statements, readStatement(item, i, v.via))
	}
	return p
}

// reason says what a value that cannot be read depends on.
func (v *value) reason() string {
	if v != nil && v.why != "" {
		return v.why
	}
	return "an expression"
}

// readStatement reads a statement in JSON. The names of its elements are not
// case-sensitive there.
func readStatement(v *value, i int, via string) statement {
	st := statement{span: v.span, name: strconv.Itoa(i + 1), via: via}
	if st.via == "" {
		st.via = v.via
	}
	if s, ok := v.fold("Sid").text(); ok && s != "" {
		st.name = strconv.Quote(s)
	}
	st.effect(v.fold("Effect"), false)
	if p := v.fold("Principal"); p != nil {
		st.principal(p)
	} else if v.fold("NotPrincipal") != nil {
		st.anyone = true // but for some
	} else if v.partial {
		st.unsure = "keys that are computed"
	}
	st.act(v.fold("Action"))
	if v.fold("NotAction") != nil {
		st.all = true
	}
	c := v.fold("Condition")
	if c == nil {
		return st
	}
	if c.kind != object || c.partial {
		st.unread = c.reason()
		return st
	}
	for _, operator := range c.fields {
		if operator.v.kind != object || operator.v.partial {
			st.unread = operator.v.reason()
			continue
		}
		for _, key := range operator.v.fields {
			st.condition(operator.key, key.key, key.v)
		}
	}
	return st
}

// effect reads Allow or Deny; absent is Allow in a policy document.
func (st *statement) effect(v *value, absent bool) {
	s, ok := v.text()
	switch {
	case v == nil || v.kind == null:
		st.allow = absent
	case !ok || v.partial:
		st.unsure = v.reason()
		st.allow = true // it may
	default:
		st.allow, st.deny = s == "Allow", s == "Deny"
	}
}

// principal reads the element Principal: "*" and {"AWS": "*"} are everybody
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
func (st *statement) principal(v *value) {
	switch v.kind {
	case object:
		if aws := v.fold("AWS"); aws != nil {
			st.principals(aws)
		}
		if v.partial {
			st.unsure = "keys that are computed"
		}
	default:
		st.principals(v)
	}
}

// principals reads names of AWS principals.
func (st *statement) principals(v *value) {
	if v.partial && v.kind == list {
		st.unsure = v.reason()
	}
	for _, item := range v.items() {
		s, ok := item.text()
		switch {
		case item.named:
		case !ok || s == hole:
			st.unsure = item.reason()
		case s == "*":
			st.anyone = true
			if st.via == "" {
				st.via = item.via
			}
		}
	}
}

func (st *statement) act(v *value) {
	st.unlisted = v != nil && v.partial && v.kind == list
	for _, item := range v.items() {
		if s, ok := item.text(); ok {
			st.actions = append(st.actions, s)
		} else {
			st.unlisted = true
		}
	}
}

func (st *statement) condition(operator, key string, v *value) {
	c := condition{operator: operator, key: key, unread: v == nil || v.kind == unknown || v.partial && v.kind == list}
	for _, item := range v.items() {
		if s, ok := item.text(); ok {
			c.values = append(c.values, s)
		} else {
			c.unread = true
		}
	}
	st.conditions = append(st.conditions, c)
}

// readDocument reads data "aws_iam_policy_document"
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document).
func readDocument(v *value, depth int) policy {
	var p policy
	if v.partial {
		p.open = "dynamic blocks"
	}
	for _, from := range [...]string{"source_policy_documents", "override_policy_documents", "source_json", "override_json"} {
		docs := v.get(from)
		if docs != nil && docs.partial {
			p.open = docs.reason()
		}
		for _, doc := range docs.items() {
			sub := readPolicyAt(doc, depth+1)
			p.statements = append(p.statements, sub.statements...)
			if sub.open != "" {
				p.open = sub.open
			}
		}
	}
	for i, s := range v.get("statement").items() {
		if s.kind != object {
			p.open = s.reason()
			continue
		}
		p.statements = append(p.statements, documentStatement(s, i, v.via))
		if len(p.statements) > maxItems {
			return policy{open: "too many statements"}
		}
	}
	return p
}

// documentStatement reads a block "statement" of a policy document.
func documentStatement(v *value, i int, via string) statement {
	st := statement{span: v.span, name: strconv.Itoa(i + 1), via: via}
	if s, ok := v.get("sid").text(); ok && s != "" {
		st.name = strconv.Quote(s)
	}
	st.effect(v.get("effect"), true)
	if v.partial {
		st.unsure, st.unread = "dynamic blocks", "dynamic blocks"
	}
	if v.get("not_principals") != nil {
		st.anyone = true
	}
	for _, p := range v.get("principals").items() {
		kind, ok := p.get("type").text()
		switch {
		case !ok:
			st.unsure = p.get("type").reason()
		case kind == "*" || kind == "AWS":
			if ids := p.get("identifiers"); ids != nil {
				st.principals(ids)
			}
		}
	}
	st.act(v.get("actions"))
	if v.get("not_actions") != nil {
		st.all = true
	}
	for _, c := range v.get("condition").items() {
		operator, ok := c.get("test").text()
		key, ok2 := c.get("variable").text()
		if !ok || !ok2 {
			st.unread = c.reason()
			continue
		}
		st.condition(operator, key, c.get("values"))
	}
	return st
}

// covers reports whether the pattern of an action, in which * and ? stand for
// others, matches the action. Actions are not case-sensitive.
func covers(pattern, action string) bool {
	p, a := strings.ToLower(pattern), strings.ToLower(action)
	// The latest star takes as little as it can.
	star, back := -1, 0
	i, j := 0, 0
	for j < len(a) {
		switch {
		case i < len(p) && (p[i] == '?' || p[i] == a[j] && p[i] != '*'):
			i, j = i+1, j+1
		case i < len(p) && p[i] == '*':
			star, back, i = i, j, i+1
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
