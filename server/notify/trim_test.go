package notify

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/server/incident"
)

// TestTrim: a message that waits holds what its incident is called where there is a
// store to ask for the rest, and everything that a channel shows where there is none.
func TestTrim(t *testing.T) {
	i := &incident.Incident{
		ID: "f1", Title: "AWS KMS key ARN", Severity: "medium", Facts: json.RawMessage(`{}`),
		Verdict: json.RawMessage(`{"severity":"critical","reasons":["` + strings.Repeat("so it is ", 500) + `"]}`),
	}
	kept := (&Outbox{options: Options{Incidents: incident.NewStore(nil)}}).trim(i)
	if text, err := json.Marshal(kept); err != nil || len(text) > 500 || kept.ID != i.ID || kept.Title != i.Title || kept.Severity != i.Severity {
		t.Errorf("with a store %d bytes are kept: %+v, %v", len(text), kept, err)
	}
	if kept := new(Outbox).trim(i); string(kept.Verdict) != string(i.Verdict) || kept.Facts != nil {
		t.Errorf("without a store it is %+v", kept)
	}
}
