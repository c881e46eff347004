package incident

import (
	"encoding/json"
	"fmt"
	"slices"
)

// A Gravity is how bad an incident is known to be, as far as it decides whether
// people who were told of it are told again.
type Gravity struct {
	// Severity is after enrichment.
	Severity string `json:"severity,omitempty"`
	// Status is what AWS says of the key or the credential, such as enabled;
	// unknown where it could not be asked, and empty where nobody asked.
	Status string `json:"status,omitempty"`
}

// Gravity returns how bad the incident is known to be now.
func (i *Incident) Gravity() Gravity {
	var facts struct {
		Status string `json:"status"`
	}
	if len(i.Facts) > 0 {
		_ = json.Unmarshal(i.Facts, &facts) // what cannot be read says nothing
	}
	return Gravity{i.Judgement().Severity, facts.Status}
}

// Over reports whether g is worth another message to who was told o: it is of a
// higher severity, or what was not known to be alive is. That something is less
// grave than it was calls nobody.
func (g Gravity) Over(o Gravity) bool {
	now, then := severityRank(g.Severity), severityRank(o.Severity)
	if now != then {
		return now > then
	}
	return g.Status == "enabled" && slices.Contains([]string{"", "unknown", "no access"}, o.Status)
}

// severityRank orders severities; -1 for a word that is none.
func severityRank(severity string) int {
	return slices.Index([]string{"info", "low", "medium", "high", "critical"}, severity)
}

// OpeningID is the id under which it is told that an incident was opened for
// the time that is counted by openings.
func OpeningID(id string, openings int) string { return fmt.Sprintf("%s-%d", id, openings) }

// OpenedID is the id under which it is told that the incident was opened: once
// for each time. Told again under it, only what is graver than what was told
// becomes a message.
func OpenedID(i *Incident) string { return OpeningID(i.ID, i.Openings()) }
