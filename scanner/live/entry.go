package live

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// EntryState is how far an action has come, as the ledger knows it.
type EntryState string

// The states of an entry. An entry in the first two has a change behind it
// that may or may not have happened.
const (
	// Intended: the intent was written, and nothing after it. Whether the call
	// was made nobody knows until AWS is asked.
	Intended EntryState = "intended"
	// Answered: AWS accepted the call; the effect is not confirmed yet.
	Answered EntryState = "answered"
	// Effective: AWS shows the effect.
	Effective EntryState = "confirmed"
	// Refused: it is certain that nothing was changed. The action may be tried
	// again.
	Refused EntryState = "not done"
	// Abandoned: what became of it could not be found out in time. It counts
	// as done, so that nothing is done twice.
	Abandoned EntryState = "unresolved"
)

// An Entry is what the ledger holds of one action.
type Entry struct {
	ID     string     `json:"id"`
	Action Action     `json:"action"`
	Plan   string     `json:"plan"`
	State  EntryState `json:"state"`
	// Intent is when the intent was written, before the call.
	Intent    time.Time `json:"intent"`
	RequestID string    `json:"request_id,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// ID returns what makes an action the same as an earlier one in the ledger:
// account, resource, kind and finding. It is the same for the same finding,
// however often it is pushed.
func (a *Action) ID() string {
	text, err := json.Marshal([]string{
		a.Account(), a.Target.String(), string(a.Kind), a.GrantID, a.AccessKeyID, a.Finding,
	})
	if err != nil {
		return "" // never: strings alone
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
