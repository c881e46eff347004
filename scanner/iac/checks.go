package iac

import (
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// A problem is what a check reports.
type problem struct {
	rule *rules.Rule
	// severity and confidence differ from the rule's where they are not zero
	// and graded is set.
	severity   rules.Severity
	confidence rules.Confidence
	// at is what is shown, and within is what makes the finding new if a line
	// of it is; the zero span stands for at.
	at, within span
	// also are other places that make it new: what refers to at.
	also []span
	// text says what is wrong. It is what the fingerprint covers: no line, no
	// file, so that it is the same in every version of a file.
	text   string
	fields []rules.Field
}

// check runs all checks on a file, in the order of its resources.
func check(f *file) []problem {
	var all []problem
	for i := range f.resources {
		r := &f.resources[i]
		report := func(p problem) {
			p.fields = append([]rules.Field{{Name: "resource", Value: short(r.label)}}, p.fields...)
			p.text = short(r.label) + ": " + p.text
			all = append(all, p)
		}
		u := &unknowns{}
		checkRotation(r, u, report)
		checkPeriod(r, u, report)
		checkWindow(r, u, report)
		checkPrincipals(r, u, report)
		checkReplica(f, r, u, report)
		u.report(r, report)
	}
	return all
}

// finding returns the problem that a setting has. What a default says may be
// overridden elsewhere: that is less sure.
func (r *resource) finding(rule ruleNumber, s setting, text string) problem {
	m := r.set[s]
	p := problem{rule: rule.rule(), text: text}
	p.severity, p.confidence = p.rule.Severity, p.rule.Confidence
	if m == nil {
		p.at, p.within = r.header, r.block
		return p
	}
	p.at = m.span
	p.from(m.v.via)
	if m.v.via != "" {
		p.also = append(p.also, m.v.span)
	}
	return p
}

// from notes that a value is the default of a variable or parameter. A local
// value of Terraform is what it is.
func (p *problem) from(via string) {
	if via != "" && !strings.HasPrefix(via, "local.") {
		p.confidence = min(p.confidence, rules.ConfidenceMedium)
		p.fields = append(p.fields, rules.Field{Name: "default-of", Value: via})
	}
}

// written returns what a setting says, for a text: a number or a truth value,
// since what else stands there may be anything.
func (r *resource) written(s setting) string {
	v := r.value(s)
	t, _ := v.text()
	_, isNumber := v.number()
	if _, isBool := v.bool(); !isNumber && !isBool {
		t = "no number"
	}
	return r.name[s] + " = " + short(t)
}

// An unknowns collects what cannot be told of one resource: one finding for all of
// it, so that a module whose variables stand in another file is one line.
type unknowns struct {
	parts []string
	spans []span
}

// add notes that a setting depends on something.
func (u *unknowns) add(r *resource, s setting, why string) {
	u.parts = append(u.parts, r.name[s]+" depends on "+short(why))
	if m := r.set[s]; m != nil {
		u.spans = append(u.spans, m.span)
	} else {
		u.spans = append(u.spans, r.header)
	}
}

func (u *unknowns) report(r *resource, report func(problem)) {
	if len(u.parts) == 0 {
		return
	}
	rule := ruleUnknown.rule()
	report(problem{
		rule: rule, severity: rule.Severity, confidence: rule.Confidence,
		at: u.spans[0], also: u.spans[1:], text: strings.Join(u.parts, "; "),
	})
}
