package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/worker"
)

// A responder stands for AWS: unknown is what it cannot tell, and answered
// counts what it did.
type responder struct {
	w        *worker.Worker
	out      *outbox
	unknown  error
	failing  error
	answered int
	told     int // messages before the answer
}

func (r *responder) Enrich(_ context.Context, _ []byte, incidents []*incident.Incident) (func(context.Context) error, error) {
	if r.unknown != nil {
		return nil, r.unknown
	}
	return func(ctx context.Context) error {
		if r.failing != nil {
			return r.failing
		}
		r.answered++
		r.told = len(r.out.messages)
		for _, i := range incidents {
			if _, err := r.w.Incidents.Advance(ctx, i.ID, incident.Entry{Stage: incident.Responded, Key: "once", Note: "rotated"}, nil); err != nil {
				return err
			}
			if _, err := r.w.Incidents.Advance(ctx, i.ID, incident.Entry{Stage: incident.Confirmed, Key: "once"}, nil); err != nil {
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

// TestUnansweredIsGivenUp: a finding that cannot be answered is tried again some
// times, and then noted; its repository is scanned all the same.
func TestUnansweredIsGivenUp(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	r := &responder{w: w, failing: &incident.Unanswered{Err: errors.New("the call was refused")}}
	w.Responder = r
	after := h.commit("main", "a.txt", key(9)+"\n")
	h.push("main")
	p := pushed("refs/heads/main", "", after)
	for attempt := 1; attempt < 5; attempt++ {
		if err := w.Work(t.Context(), p, attempt); err == nil || !strings.Contains(err.Error(), "the call was refused") {
			t.Fatalf("attempt %d: got %v, want the push to come again", attempt, err)
		}
	}
	if err := w.Work(t.Context(), p, 5); err != nil {
		t.Fatalf("the fifth attempt: %v", err)
	}
	all := incidents(t, w)
	if len(all) != 1 {
		t.Fatalf("%d incidents", len(all))
	}
	last := all[0].Timeline[len(all[0].Timeline)-1]
	if last.Stage != incident.Noted || !strings.Contains(last.Note, "not tried again: the call was refused") {
		t.Errorf("the timeline ends with %+v", last)
	}
	// Who waits for an outcome waits as long as it takes.
	r.failing = &queue.Later{Err: errors.New("not known yet")}
	after = h.commit("main", "b.txt", key(10)+"\n")
	h.push("main")
	var later *queue.Later
	if err := w.Work(t.Context(), pushed("refs/heads/main", p.After, after), 9); !errors.As(err, &later) {
		t.Errorf("got %v, want the queue's Later", err)
	}
}

// TestGivenUpIsAskedAgain: where the responder says of which incident it asks again,
// that one says so, and no other.
func TestGivenUpIsAskedAgain(t *testing.T) {
	h := newHost(t)
	w, _ := newWorker(t, h)
	asked := h.commit("main", "c.txt", key(11)+"\n"+key(12)+"\n")
	h.push("main")
	w.Responder = asker(func(incidents []*incident.Incident) error {
		_, err := w.Incidents.Update(t.Context(), incidents[0].ID, func(i *incident.Incident) (*incident.Incident, error) {
			i.Waiting = &incident.Waiting{Why: "AWS is down", Since: time.Now()}
			return i, nil
		})
		return errors.Join(err, &incident.Unanswered{Err: errors.New("AWS is down")})
	})
	if err := w.Work(t.Context(), pushed("refs/heads/main", "", asked), 5); err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, i := range incidents(t, w) {
		if e := i.Timeline[len(i.Timeline)-1]; e.Stage == incident.Noted {
			notes = append(notes, e.Note)
		}
	}
	if text := strings.Join(notes, "\n"); len(notes) != 1 || strings.Count(text, "AWS is asked again from time to time: AWS is down") != 1 {
		t.Errorf("the timelines end with %s", text)
	}
	w.Responder = &responder{w: w, failing: &incident.Unanswered{Err: errors.New("the call was refused")}}
	// A queue that tries a push twice has it given up the second time.
	w.MaxAttempts = 2
	few := h.commit("main", "d.txt", key(13)+"\n")
	h.push("main")
	for attempt := 1; attempt <= 2; attempt++ {
		if err := w.Work(t.Context(), pushed("refs/heads/main", asked, few), attempt); (err == nil) != (attempt == 2) {
			t.Errorf("attempt %d of 2: %v", attempt, err)
		}
	}
}

// TestAnsweredIsLeftAlone: what an earlier attempt at a push has answered, the
// next one leaves alone; another push of the same secret does not.
func TestAnsweredIsLeftAlone(t *testing.T) {
	h := newHost(t)
	w, out := newWorker(t, h)
	asked := 0
	w.Responder = asker(func(incidents []*incident.Incident) error {
		asked += len(incidents)
		i := incidents[0]
		for _, stage := range []incident.Stage{incident.Responded, incident.Confirmed} {
			if _, err := w.Incidents.Advance(t.Context(), i.ID, incident.Entry{Stage: stage, Key: "once"}, nil); err != nil {
				return err
			}
		}
		if asked == 2 {
			return errors.New("the server dies after the first of two")
		}
		return nil
	})
	after := h.commit("main", "a.txt", key(11)+"\n"+key(12)+"\n")
	h.push("main")
	p := pushed("refs/heads/main", "", after)
	if err := w.Work(t.Context(), p, 1); err == nil {
		t.Fatal("the first attempt did not fail")
	}
	work(t, w, p)
	if asked != 3 || len(out.messages) != 3 { // two openings; who answers tells of the one that was confirmed
		t.Errorf("asked about %d incidents, want two and then one; told %v", asked, out.messages)
	}
	after = h.commit("main", "b.txt", key(11)+"\n")
	h.push("main")
	work(t, w, pushed("refs/heads/main", p.After, after))
	if asked != 4 {
		t.Errorf("asked about %d incidents after another push, want 4", asked)
	}
}

// An asker is a responder that is called for the answer.
type asker func([]*incident.Incident) error

func (a asker) Enrich(_ context.Context, _ []byte, incidents []*incident.Incident) (func(context.Context) error, error) {
	return func(context.Context) error { return a(incidents) }, nil
}
