package incident

import (
	"encoding/json"
	"testing"
)

func TestGravity(t *testing.T) {
	i := &Incident{Severity: "medium"}
	if got := i.Gravity(); got != (Gravity{"medium", ""}) {
		t.Errorf("nobody asked: %+v", got)
	}
	i.Facts, i.Verdict = json.RawMessage(`{"subject":{},"status":"enabled","key":{}}`), json.RawMessage(`{"severity":"critical","severity_before":"medium"}`)
	if got := i.Gravity(); got != (Gravity{"critical", "enabled"}) {
		t.Errorf("asked: %+v", got)
	}
	i.Facts = json.RawMessage(`[]`)
	if got := i.Gravity(); got != (Gravity{"critical", ""}) {
		t.Errorf("facts that cannot be read: %+v", got)
	}
}

func TestGravityOver(t *testing.T) {
	for _, c := range []struct {
		now, told Gravity
		want      bool
	}{
		{Gravity{"high", "enabled"}, Gravity{"medium", "enabled"}, true},
		{Gravity{"medium", "enabled"}, Gravity{"high", "unknown"}, false},
		{Gravity{"medium", "enabled"}, Gravity{"medium", "unknown"}, true},
		{Gravity{"medium", "enabled"}, Gravity{"medium", "no access"}, true},
		{Gravity{"medium", "enabled"}, Gravity{"medium", ""}, true},
		{Gravity{"medium", "enabled"}, Gravity{"medium", "disabled"}, false},
		{Gravity{"medium", "enabled"}, Gravity{"medium", "enabled"}, false},
		{Gravity{"medium", "unknown"}, Gravity{"medium", "enabled"}, false},
		{Gravity{"medium", "disabled"}, Gravity{"medium", "unknown"}, false},
		{Gravity{"info", "not found"}, Gravity{"medium", "unknown"}, false},
		{Gravity{"critical", "unknown"}, Gravity{"high", "enabled"}, true},
		{Gravity{"info", ""}, Gravity{}, true}, // of which nothing was said
		{Gravity{}, Gravity{}, false},
	} {
		if got := c.now.Over(c.told); got != c.want {
			t.Errorf("%+v over %+v: %v", c.now, c.told, got)
		}
		if c.want && c.told.Over(c.now) {
			t.Errorf("%+v and %+v are each over the other: people would be told for ever", c.now, c.told)
		}
	}
}
