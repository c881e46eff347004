package service

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
)

// TestAsksAgain shows that a server which is started asks again about an incident of
// which AWS gave no answer.
func TestAsksAgain(t *testing.T) {
	const account, arn = "471938265017", "arn:aws:kms:eu-central-1:471938265017:key/" + "5d2a1c3e-9b8f-4e6d-8a7c-0f1e2d3c4b5a"
	fake := kmsfake.New(t, &kmsfake.Model{
		Home: account, Regions: []string{"eu-central-1"}, Keys: []*kmsfake.Key{{ARN: arn, Policy: kmsfake.DefaultPolicy(account)}},
	})
	for name, value := range fake.Env() {
		t.Setenv(name, value)
	}
	s := open(t, "[live]\nenabled = true\n")
	s.responder.FirstSweep = time.Millisecond
	found := incident.Incident{ID: "f1", Rule: "aws-kms-key-arn", Severity: "medium", ARN: arn}
	if _, err := s.incidents.Found(t.Context(), found, incident.Place{Path: "a.txt", Line: 1, At: time.Now()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err := s.incidents.Update(t.Context(), "f1", func(i *incident.Incident) (*incident.Incident, error) {
		i.Waiting = &incident.Waiting{Why: "AWS gave no answer", Since: time.Now(), Next: time.Now()}
		return i, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.goOn(ctx, &wg) })
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		i, err := s.incidents.Get(t.Context(), "f1")
		if err != nil {
			t.Fatal(err)
		}
		if _, enriched := i.First(incident.Enriched); enriched {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not asked: %+v", i)
		}
	}
	cancel()
	wg.Wait()
}
