package live

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

const factsEnd = `{"type":"enrichment","schema_version":1,"complete":true}` + "\n"

// factsText is a line of enrich's output about f.
func factsText(t testing.TB, f *Facts) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"type": "enriched", "facts": f})
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// Facts survive the journey through enrich's output: the plan made of what
// comes back is the same.
func TestReadFacts(t *testing.T) {
	f := keyFacts()
	f.Key.Grants = Known([]Grant{{ID: "g1", Name: "partner", Grantee: "arn:aws:iam::" + foreign + ":role/x", Operations: []string{"Decrypt"}}})
	f.Key.LastUse = Unknown[LastUse]("access denied")
	all, unknown, err := ReadFacts(strings.NewReader(factsText(t, f) + `{"type":"enriched","facts":null,"error":"no answer"}` + "\n" + factsEnd))
	if err != nil || len(all) != 1 || unknown != 1 {
		t.Fatalf("got %d facts, %d unknown, %v", len(all), unknown, err)
	}
	before, after := mustPlan([]*Facts{f}, permissive(), nil, now), mustPlan(all, permissive(), nil, now)
	if before.Hash != after.Hash || before.Acts() != 2 {
		t.Errorf("planned %s before and %s after", kinds(before), kinds(after))
	}
	if all[0].Key.LastUse.Because() != "access denied" {
		t.Errorf("the reason came back as %q", all[0].Key.LastUse.Because())
	}
}

func TestReadFactsRefuses(t *testing.T) {
	good := factsText(t, keyFacts())
	for name, in := range map[string]string{
		"text": "x\n", "no subject": `{"type":"enriched","facts":{}}` + "\n" + factsEnd, "findings": coverageLine,
		"after the end": factsEnd + good, "newer": strings.Replace(factsEnd, ":1", ":2", 1),
		"no place": strings.Replace(good, `"found":[`, `"lost":[`, 1) + factsEnd,
	} {
		if got, _, err := ReadFacts(strings.NewReader(in)); err == nil || errors.Is(err, ErrCutOff) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if got, _, err := ReadFacts(strings.NewReader(good)); !errors.Is(err, ErrCutOff) || len(got) != 1 {
		t.Errorf("cut off: %v, %v", got, err)
	}
}

// FuzzReadFacts: whatever facts say, no plan goes beyond the operator's lists,
// and what it shows of each action is what the action does.
func FuzzReadFacts(f *testing.F) {
	f.Add(factsText(f, keyFacts()) + factsEnd)
	open := keyFacts()
	open.Key.Policy = Known(policyOf(star("kms:*", "")))
	f.Add(factsText(f, open) + factsEnd)
	f.Fuzz(func(t *testing.T, in string) {
		all, _, _ := ReadFacts(strings.NewReader(in))
		op := permissive()
		p := mustPlan(all, op, nil, now)
		_ = p.Text()
		for _, a := range p.Actions {
			if a.Kind == NarrowPolicy {
				continue
			}
			if !slices.Contains(op.Accounts, a.Target.Account) || !slices.Contains(op.Actions, a.Kind) ||
				a.Target.Service != "iam" && !slices.Contains(op.Regions, a.Target.Region) {
				t.Errorf("beyond the lists: %+v", a)
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParsePlan(text); err != nil || back.Hash != p.Hash {
			t.Errorf("the plan does not come back: %v", err)
		}
	})
}

func FuzzParsePlan(f *testing.F) {
	text, _ := json.Marshal(planOf(nil))
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := ParsePlan(text); err == nil {
			_ = p.Text()
			if p.Hash != p.hash() {
				t.Error("a plan with another hash")
			}
		}
	})
}
