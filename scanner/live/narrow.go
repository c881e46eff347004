package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// narrowed returns the difference between the key's policy and a narrower one
// that keeps strangers out, as lines that begin with "-", "+" or a space; empty
// where the policy exposes the key to nobody, or cannot be read. Only the
// statements that expose the key are in it. Who reviews it decides: a stranger
// to the operator's file may be a partner.
func narrowed(f *Facts, v *Verdict, op *Operator) string {
	policy, ok := f.Key.Policy.Get()
	if !ok {
		return ""
	}
	top, err := object([]byte(policy))
	if err != nil {
		return ""
	}
	raws, err := listOf(top["statement"], '{')
	if err != nil {
		return ""
	}
	var b strings.Builder
	n := narrower{own: f.target().Account, trusted: op.Trusted}
	for i, raw := range raws {
		var by []Exposure
		for _, e := range v.Exposures {
			if e.Statement == i+1 && e.Region == "" && gradeOf(&e) > 0 {
				by = append(by, e)
			}
		}
		if len(by) == 0 {
			continue
		}
		before, err := object(raw)
		if err != nil {
			return ""
		}
		fmt.Fprintf(&b, "  %s\n", by[0].Via)
		b.WriteString(diffLines(elements(before), elements(n.narrow(before, by))))
	}
	return b.String()
}

// narrower makes statements narrower.
type narrower struct {
	own     string
	trusted []string
}

// narrow returns the elements of a statement without what exposes the key by
// it; nil where nothing of it should stay. What it cannot narrow by itself it
// drops.
func (n *narrower) narrow(before map[string]json.RawMessage, by []Exposure) map[string]json.RawMessage {
	if _, ok := before["notprincipal"]; ok {
		return nil // everybody but a few: the few are not the point
	}
	principals, err := parsePrincipals(before["principal"])
	if err != nil {
		return nil
	}
	stranger := func(e Exposure) bool { return e.Reach == ForeignAccount || e.Reach == FederatedUsers }
	dropped := map[string]bool{}
	services := 0
	principals = slices.DeleteFunc(principals, func(p principal) bool {
		if slices.ContainsFunc(by, func(e Exposure) bool { return e.Principal == p.value && stranger(e) }) {
			dropped[p.value] = true
			return true
		}
		if p.kind == "Service" {
			services++
		}
		return false
	})
	if len(principals) == 0 {
		return nil
	}
	after := maps.Clone(before)
	after["principal"] = principalElement(principals)
	if !slices.ContainsFunc(by, func(e Exposure) bool { return !dropped[e.Principal] }) {
		return after
	}
	key := "kms:CallerAccount"
	switch services {
	case 0:
	case len(principals):
		key = "aws:SourceAccount"
	default:
		return nil // a condition that fits services keeps everybody else out
	}
	condition, err := n.withCondition(before["condition"], key)
	if err != nil {
		return nil
	}
	after["condition"] = condition
	return after
}

// principalElement writes a Principal element.
func principalElement(principals []principal) json.RawMessage {
	kinds := map[string][]string{}
	for _, p := range principals {
		kinds[p.kind] = append(kinds[p.kind], p.value)
	}
	return raw(kinds)
}

// withCondition adds to a Condition element that key is the own account or a
// trusted one, in place of what it says of the key now.
func (n *narrower) withCondition(old json.RawMessage, key string) (json.RawMessage, error) {
	var conditions []condition
	if len(old) > 0 {
		var err error
		if conditions, err = parseConditions(old); err != nil {
			return nil, err
		}
	}
	accounts := []string{n.own}
	for _, t := range n.trusted {
		if IsAccount(t) && t != n.own && key == "kms:CallerAccount" {
			accounts = append(accounts, t)
		}
	}
	operators := map[string]map[string][]string{}
	set := func(op, key string, values []string) {
		if operators[op] == nil {
			operators[op] = map[string][]string{}
		}
		operators[op][key] = values
	}
	for _, c := range conditions {
		if !strings.EqualFold(c.key, key) {
			set(c.operator, c.name, c.values)
		}
	}
	equals := "StringEquals"
	for op := range operators {
		if strings.EqualFold(op, equals) {
			equals = op // however it is written: twice would be an error
		}
	}
	set(equals, key, accounts)
	return raw(operators), nil
}

// raw returns v as JSON; v holds strings alone.
func raw(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

// elementNames are the elements of a statement, in the order in which AWS's
// documents show them.
var elementNames = [...]string{
	"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}

// elements returns a statement as indented lines, always in the same order.
func elements(fields map[string]json.RawMessage) []string {
	if fields == nil {
		return nil
	}
	lines := []string{"{"}
	for _, name := range elementNames {
		value, ok := fields[strings.ToLower(name)]
		if !ok {
			continue
		}
		if name == "Principal" {
			if p, err := parsePrincipals(value); err == nil {
				value = principalElement(p) // one form for "*" and lists of one
			}
		}
		if name == "Condition" {
			value = sameForm(value)
		}
		var b bytes.Buffer
		if json.Indent(&b, value, "  ", "  ") != nil {
			return nil
		}
		lines = append(lines, strings.Split(fmt.Sprintf("  %q: %s,", name, b.String()), "\n")...)
	}
	lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], ",")
	return append(lines, "}")
}

// sameForm returns a Condition element as withCondition writes it.
func sameForm(old json.RawMessage) json.RawMessage {
	conditions, err := parseConditions(old)
	if err != nil {
		return old
	}
	operators := map[string]map[string][]string{}
	for _, c := range conditions {
		if operators[c.operator] == nil {
			operators[c.operator] = map[string][]string{}
		}
		operators[c.operator][c.name] = c.values
	}
	return raw(operators)
}

// diffLines returns the shortest difference between two short texts, by their
// longest common subsequence.
func diffLines(a, b []string) string {
	const most = 2000 // lines: a statement of a policy has few
	if len(a) > most || len(b) > most {
		return "- (a statement too long to show)\n"
	}
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			fmt.Fprintf(&out, "  %s\n", a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || length[i+1][j] >= length[i][j+1]):
			fmt.Fprintf(&out, "- %s\n", a[i])
			i++
		default:
			fmt.Fprintf(&out, "+ %s\n", b[j])
			j++
		}
	}
	return out.String()
}
