package incident

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// A Judgement is what is read of a verdict: the words for people.
type Judgement struct {
	// Severity is after enrichment, Before what the scanner said.
	Severity, Before string
	// Reasons say what made it, the strongest first; Unknowns are the
	// questions without an answer.
	Reasons  []string
	Unknowns []string
}

// Judgement reads the verdict. Without one, or with one that cannot be read,
// it is the severity that the scanner gave.
func (i *Incident) Judgement() Judgement {
	j := Judgement{Severity: i.Severity, Before: i.Severity}
	var v struct {
		Severity string `json:"severity"`
		Before   string `json:"severity_before"`
		Reasons  []struct {
			Text string `json:"text"`
		} `json:"reasons"`
		Unknowns []string `json:"unknowns"`
	}
	if len(i.Verdict) == 0 || json.Unmarshal(i.Verdict, &v) != nil {
		return j
	}
	if v.Severity != "" {
		j.Severity = v.Severity
	}
	if v.Before != "" {
		j.Before = v.Before
	}
	for _, r := range v.Reasons {
		if r.Text != "" {
			j.Reasons = append(j.Reasons, r.Text)
		}
	}
	j.Unknowns = v.Unknowns
	return j
}

// A Step is one action of a plan.
type Step struct {
	Kind   string   `json:"kind"`
	Target string   `json:"target"`
	Call   string   `json:"call"`
	Reason string   `json:"reason"`
	Undo   string   `json:"undo"`
	Leaves []string `json:"leaves"`
	// Finding is the id of the incident that the step answers.
	Finding string `json:"finding"`
}

// Steps reads the plan: a list of actions, or an object that holds one. A plan
// is made for all that one push brought; the steps are those for this incident.
func (i *Incident) Steps() []Step {
	var steps []Step
	if json.Unmarshal(i.Plan, &steps) != nil {
		var plan struct {
			Actions []Step `json:"actions"`
		}
		if json.Unmarshal(i.Plan, &plan) != nil {
			return nil
		}
		steps = plan.Actions
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Finding != "" && s.Finding != i.ID })
}

// Unfixed returns what the response does not fix: what was recorded, and what
// the steps of the plan leave, each once.
func (i *Incident) Unfixed() []string {
	all := slices.Clone(i.Leaves)
	for _, s := range i.Steps() {
		all = append(all, s.Leaves...)
	}
	var once []string
	for _, l := range all {
		if l != "" && !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	return once
}

// A Known is one fact by its name, as far as it is a single value.
type Known struct{ Name, Value string }

// maxKnown bounds the facts that are listed.
const maxKnown = 60

// Known flattens the facts into names such as Key.KeySpec and their values, in
// the order in which they were written. A fact without an answer says why.
// What was asked about is left out: the incident has its places.
func (i *Incident) Known() []Known {
	var out []Known
	flatten(&out, "", i.Facts)
	return out
}

// flatten adds the values under name. The wrapping of a fact, its value or
// why it is unknown, is taken off.
func flatten(out *[]Known, name string, raw json.RawMessage) {
	raw = bytes.TrimSpace(raw)
	if len(*out) >= maxKnown || len(raw) == 0 {
		return
	}
	switch raw[0] {
	case '{':
		for _, m := range members(raw) {
			switch {
			case name == "" && strings.EqualFold(m.name, "subject"):
			case m.name == "value" && name != "":
				flatten(out, name, m.value)
			case m.name == "unknown" && name != "":
				add(out, name, "unknown: "+text(m.value))
			default:
				flatten(out, strings.TrimPrefix(name+"."+m.name, "."), m.value)
			}
		}
	case '[':
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return
		}
		var words []string
		for _, item := range items {
			if len(item) > 0 && (item[0] == '{' || item[0] == '[') {
				flatten(out, name, item)
				continue
			}
			words = append(words, text(item))
		}
		if len(words) > 0 {
			add(out, name, strings.Join(words, ", "))
		}
	default:
		add(out, name, text(raw))
	}
}

func add(out *[]Known, name, value string) {
	if value != "" && value != "null" && len(*out) < maxKnown {
		*out = append(*out, Known{name, value})
	}
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

type member struct {
	name  string
	value json.RawMessage
}

// members returns an object's members in their order.
func members(raw json.RawMessage) []member {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil
	}
	var out []member
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return out
		}
		name, _ := t.(string)
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return out
		}
		out = append(out, member{name, v})
	}
	return out
}
