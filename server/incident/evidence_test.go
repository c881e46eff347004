package incident

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestEvidence(t *testing.T) {
	i := &Incident{
		ID: "f1", Severity: "high",
		Verdict: json.RawMessage(`{"severity":"high","severity_before":"medium","reasons":[{"severity":"high","text":"a stranger may use it"},{"text":""}],"unknowns":["grants: no access"]}`),
		Facts: json.RawMessage(`{"subject":{"found":[{"path":"a"}]},"Status":"enabled","Key":{"KeySpec":{"value":"SYMMETRIC_DEFAULT"},"Grants":{"unknown":"no access"},
			"Aliases":{"value":["alias/a","alias/b"]},"Rotation":{"value":{"enabled":true}}},"AccessKey":null}`),
		Plan: json.RawMessage(`{"actions":[{"kind":"rotate-on-demand","call":"aws kms rotate-key-on-demand","leaves":["old ciphertext","git history"],"finding":"f1"},
			{"kind":"revoke-grant","leaves":["somebody else's"],"finding":"f2"}]}`),
		Leaves: []string{"git history"},
	}
	j := i.Judgement()
	if j.Severity != "high" || j.Before != "medium" || !slices.Equal(j.Reasons, []string{"a stranger may use it"}) || len(j.Unknowns) != 1 {
		t.Errorf("judgement %+v", j)
	}
	if steps := i.Steps(); len(steps) != 1 || steps[0].Kind != "rotate-on-demand" {
		t.Errorf("steps %+v", steps)
	}
	if got, want := i.Unfixed(), []string{"git history", "old ciphertext"}; !slices.Equal(got, want) {
		t.Errorf("unfixed %q, want %q", got, want)
	}
	want := []Known{{"Status", "enabled"}, {"Key.KeySpec", "SYMMETRIC_DEFAULT"}, {"Key.Grants", "unknown: no access"},
		{"Key.Aliases", "alias/a, alias/b"}, {"Key.Rotation.enabled", "true"}}
	if got := i.Known(); !slices.Equal(got, want) {
		t.Errorf("known %q, want %q", got, want)
	}
	broken := &Incident{Severity: "low", Verdict: json.RawMessage(`[1`), Facts: json.RawMessage(`{"a":`), Plan: json.RawMessage(`7`)}
	if j := broken.Judgement(); j.Severity != "low" || len(broken.Known()) != 0 || len(broken.Unfixed()) != 0 {
		t.Errorf("of what cannot be read: %+v %v %v", j, broken.Known(), broken.Unfixed())
	}
}

// TestNoted shows that a note on the timeline moves nothing: a closed incident
// stays closed, and nothing is told again.
func TestNoted(t *testing.T) {
	i := new(Incident)
	i.add(Entry{Stage: Found})
	i.add(Entry{Stage: Closed})
	i.add(Entry{Stage: Noted, Key: "told"})
	if i.Stage() != Closed || i.Open() || i.Openings() != 1 {
		t.Errorf("stage %s, %d openings", i.Stage(), i.Openings())
	}
	i.add(Entry{Stage: Confirmed, Key: "late"})
	if i.Open() {
		t.Error("a late confirmation opens a closed incident")
	}
	i.add(Entry{Stage: Found, Key: "again"})
	if !i.Open() || i.Openings() != 2 {
		t.Error("found again, it stays closed")
	}
	if (&Incident{Timeline: []Entry{{Stage: Noted}}}).Stage() != Found {
		t.Error("a note alone is a stage")
	}
}
