package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/worker"
)

// A responder stands for AWS: unknown is what it cannot tell, and answered
// counts what it did.
type responder struct {
	w        *worker.Worker
	out      *outbox
	unknown  error
	answered int
	told     int // messages before the answer
}

func (r *responder) Enrich(_ context.Context, _ []byte, incidents []*incident.Incident) (func(context.Context) error, error) {
	if r.unknown != nil {
		return nil, r.unknown
	}
	return func(ctx context.Context) error {
		r.answered++
		r.told = len(r.out.messages)
		for _, i := range incidents {
			if _, err := r.w.Incidents.Advance(ctx, i.ID, incident.Entry{Stage: incident.Responded, Key: "once", Note: "rotated"}, nil); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// TestToldBeforeAnswered: who has to know does not wait for AWS, neither for an
// answer that takes minutes nor for one that does not come.
func TestToldBeforeAnswered(t *testing.T) {
	h := newHost(t)
	w, out := newWorker(t, h)
	r := &responder{w: w, out: out, unknown: errors.New("AWS is down")}
	w.Responder = r
	after := h.commit("main", "a.txt", key(8)+"\n")
	h.push("main")
	p := pushed("refs/heads/main", "", after)
	if err := w.Work(t.Context(), p, 1); err == nil || !strings.Contains(err.Error(), "AWS is down") {
		t.Fatalf("got %v, want the push to come again", err)
	}
	if len(out.messages) != 1 || r.answered != 0 {
		t.Fatalf("AWS is down: %v told, answered %d times", out.messages, r.answered)
	}
	r.unknown = nil
	work(t, w, p)
	work(t, w, p)
	if len(out.messages) != 2 || r.answered != 1 || r.told != 1 {
		t.Fatalf("%v told, %d before the answer, answered %d times", out.messages, r.told, r.answered)
	}
	for id := range out.messages {
		if !strings.HasSuffix(id, "-1") && !strings.HasSuffix(id, "-1"+incident.AnsweredSuffix) {
			t.Errorf("told under the id %s", id)
		}
	}
}
