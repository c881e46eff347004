package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// PagerDutyURL is where PagerDuty takes events.
// Source: https://developer.pagerduty.com/docs/send-alert-event
const PagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// A PagerDuty triggers an alert per incident, with the incident's id as its
// dedup_key, and resolves it when the incident is closed. One that has become
// graver is triggered again under the same key. A digest is one alert for all
// incidents in it, under a key of its own: it calls somebody once and is resolved
// by hand. What belongs to an alert that is there is never put together: closings,
// and what has become graver of which there is one.
type PagerDuty struct {
	url, key string
	client   *http.Client
}

// NewPagerDuty returns a channel for the integration with the routing key of
// 32 characters. The URL is PagerDutyURL if empty; the EU has another.
func NewPagerDuty(routingKey, to string) (*PagerDuty, error) {
	if to == "" {
		to = PagerDutyURL
	}
	if err := checkURL(to); err != nil {
		return nil, fmt.Errorf("pagerduty: url: %w", err)
	}
	if len(routingKey) != 32 {
		return nil, errors.New("pagerduty: a routing key has 32 characters; it is the integration key of an Events API v2 integration")
	}
	return &PagerDuty{to, routingKey, newClient()}, nil
}

// Kind returns "pagerduty".
func (p *PagerDuty) Kind() string { return "pagerduty" }

type pagerEvent struct {
	RoutingKey string        `json:"routing_key"`
	Action     string        `json:"event_action"`
	DedupKey   string        `json:"dedup_key"`
	Client     string        `json:"client,omitempty"`
	ClientURL  string        `json:"client_url,omitempty"`
	Payload    *pagerPayload `json:"payload,omitempty"`
	Links      []pagerLink   `json:"links,omitempty"`
}

type pagerPayload struct {
	Summary   string    `json:"summary"` // at most 1024 characters
	Source    string    `json:"source"`
	Severity  string    `json:"severity"`
	Timestamp time.Time `json:"timestamp,omitzero"`
	Component string    `json:"component,omitempty"`
	Class     string    `json:"class,omitempty"`
	Details   any       `json:"custom_details,omitempty"`
}

type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// pagerSeverity maps to PagerDuty's four words.
func pagerSeverity(s string) string {
	switch s {
	case "critical":
		return "critical"
	case "high":
		return "error"
	case "info", "low":
		return "info"
	}
	return "warning"
}

// Send triggers or resolves the incident's alert. That it was answered changes
// nothing of the alert.
func (p *PagerDuty) Send(ctx context.Context, m *Message) error {
	i := &m.Incident
	if m.Event == Answered {
		return nil // the alert is there, and who was called sees the incident's page
	}
	e := pagerEvent{Action: "trigger", DedupKey: i.ID}
	if m.Event == Closed {
		e.Action = "resolve"
		return p.post(ctx, e)
	}
	e.Payload = &pagerPayload{
		Summary: clean(i.headline(m.Event), 1000), Source: i.first().Repository, Severity: pagerSeverity(i.Severity),
		Timestamp: i.Found, Component: i.first().Path, Class: i.Rule, Details: i,
	}
	if e.Payload.Source == "" {
		e.Payload.Source = "spillgate"
	}
	if i.Link != "" {
		e.Client, e.ClientURL = "Spillgate", i.Link
		e.Links = []pagerLink{{i.Link, "The incident: evidence, timeline, what to do"}}
	}
	return p.post(ctx, e)
}

// Digest triggers one alert for all that have none, and sends the others by
// themselves.
func (p *PagerDuty) Digest(ctx context.Context, id string, messages []Message) error {
	var open []Message
	for i := range messages {
		if m := &messages[i]; m.Event == Opened || m.Event == Escalated && !m.Alone {
			open = append(open, messages[i])
			continue
		}
		if err := p.Send(ctx, &messages[i]); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		return nil
	}
	if len(open) == 1 {
		return p.Send(ctx, &open[0])
	}
	worst := "info"
	var titles []string
	for _, m := range open {
		if rank(m.Incident.Severity) > rank(worst) {
			worst = m.Incident.Severity
		}
		if len(titles) < 20 {
			titles = append(titles, m.Incident.headline(m.Event)+" "+m.Incident.Link)
		}
	}
	return p.post(ctx, pagerEvent{Action: "trigger", DedupKey: "spillgate-digest-" + id, Payload: &pagerPayload{
		Summary: fmt.Sprintf("%d more incidents in a short time (resolve this one by hand)", len(open)), Source: "spillgate", Severity: pagerSeverity(worst),
		Details: map[string]any{"incidents": titles, "count": len(open)},
	}})
}

func (p *PagerDuty) post(ctx context.Context, e pagerEvent) error {
	e.RoutingKey = p.key
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return post(ctx, p.client, p.url, http.Header{}, body)
}
