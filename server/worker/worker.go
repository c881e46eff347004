// Package worker does what a push calls for: fetch, scan, record, enrich,
// respond, tell.
//
// Any step may be cut off by a crash, and the push comes again. So each step
// is such that doing it twice is doing it once: fetching moves refs/incoming
// only, recording finds its place recorded, a message is put into its outbox
// under an id, and the response has its own ledger. That what was scanned is
// scanned is written last.
package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/mirror"
	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// A Host says where a source's repositories are fetched from.
type Host interface {
	// CloneURL returns the URL of a repository and what git needs to read it.
	CloneURL(ctx context.Context, repository string) (url string, login mirror.Login, err error)
}

// A Responder asks what incidents mean, and answers them as far as the
// operator's policy goes. It is called again after a crash and must do nothing
// twice.
type Responder interface {
	// Enrich gets the scan's JSONL report, of which the incidents came, and
	// returns what answers them; nil where nothing may be answered.
	Enrich(ctx context.Context, report []byte, incidents []*incident.Incident) (answer func(context.Context) error, err error)
}

// A Teller tells people of an incident.
type Teller interface {
	// Tell puts a message into the outbox. Another with the same id is the
	// same message, unless the incident has become graver since it was told.
	Tell(ctx context.Context, id string, i *incident.Incident) error
}

// A Meter measures.
type Meter interface {
	// Scanned is called when a push was scanned: what its commits brought,
	// and how long after the webhook.
	Scanned(source string, findings int, since time.Duration)
}

// A Fleet keeps what became of the repositories of fleet scans.
type Fleet interface {
	// Report is called when a repository was looked at; for a push that
	// belongs to no fleet it does nothing.
	Report(ctx context.Context, p *push.Push, complete bool, findings int, coverage json.RawMessage, note string) error
}

// A Worker works on pushes. Responder, Teller, Meter and Fleet may be nil.
type Worker struct {
	Hosts     map[string]Host // by the name of the source
	Mirrors   *mirror.Mirrors
	Scanner   *Scanner
	Incidents *incident.Store
	Responder Responder
	Teller    Teller
	Meter     Meter
	Fleet     Fleet
	// MaxAttempts is how often the queue tries a push before it is dead; 0 where
	// that is often enough for every patience.
	MaxAttempts int
	Log         *slog.Logger
}

// Work is the queue's handler.
func (w *Worker) Work(ctx context.Context, p push.Push, attempt int) error {
	log := w.Log.With("source", p.Source, "repository", p.Repository, "ref", p.Ref, "delivery", p.Delivery, "attempt", attempt)
	host := w.Hosts[p.Source]
	if host == nil {
		return &queue.Hopeless{Err: fmt.Errorf("the source %q is not configured any more", p.Source)}
	}
	report, err := w.scan(ctx, host, &p, attempt, log)
	if err != nil {
		if w.Fleet != nil && ctx.Err() == nil {
			err = errors.Join(err, w.Fleet.Report(ctx, &p, false, 0, nil, err.Error()))
		}
		var large *mirror.TooLarge
		var absent *mirror.NotFound
		if errors.As(err, &large) || errors.As(err, &absent) && attempt >= patienceAbsent {
			return &queue.Hopeless{Err: err}
		}
		return err
	}
	if w.Meter != nil {
		w.Meter.Scanned(p.Source, len(report.Findings), time.Since(p.Received))
	}
	if w.Fleet != nil {
		if err := w.Fleet.Report(ctx, &p, report.Complete, len(report.Findings), report.Coverage, report.Why); err != nil {
			return err
		}
	}
	if !report.Complete {
		return fmt.Errorf("not everything could be scanned: %s", report.Why)
	}
	return nil
}

// scan fetches, scans and deals with what was found. The mirror's refs move
// only after all of it is recorded, and not where the scan is incomplete.
func (w *Worker) scan(ctx context.Context, host Host, p *push.Push, attempt int, log *slog.Logger) (*Report, error) {
	url, login, err := host.CloneURL(ctx, p.Repository)
	if err != nil {
		return nil, err
	}
	m, err := w.Mirrors.Open(ctx, p.Source, p.Repository, url, login)
	if err != nil {
		return nil, err
	}
	defer m.Unlock()
	// A tag may hold a message of its own, so only branches are let off.
	if strings.HasPrefix(p.Ref, "refs/heads/") && p.After != "" && m.Covers(ctx, p.After, p.Before) {
		log.Info("scanned already, with an earlier push")
		return &Report{Complete: true}, nil
	}
	w.look(ctx, m, p, attempt, log)
	fetching, end := span.Start(ctx, "fetch")
	tips, here, err := m.Fetch(fetching, p.After, p.Before)
	end(err)
	if err != nil {
		return nil, err
	}
	tips = withPushed(tips, p, here)
	if p.After != "" && !here {
		// Pushed over or deleted since, and the host gives it to nobody any
		// more; what is there instead is scanned below.
		log.Warn("the pushed commit is gone at the host", "commit", p.After)
	}
	if len(tips) == 0 {
		log.Info("nothing new to scan")
		return &Report{Complete: true, Why: "nothing new since it was last scanned"}, nil
	}
	scanning, end := span.Start(ctx, "scan")
	report, err := w.Scanner.Scan(scanning, m.Dir, m.Lock, tips)
	end(err)
	if err != nil {
		return nil, err
	}
	if err := w.record(ctx, p, report, attempt); err != nil {
		return nil, err
	}
	log.Info("scanned", "refs", len(tips), "findings", len(report.Findings), "complete", report.Complete)
	if !report.Complete {
		return report, nil
	}
	if err := m.Scanned(ctx, tips); err != nil {
		return nil, err
	}
	switch did, err := m.Maintain(ctx); {
	case err != nil:
		log.Warn("putting the mirror in order", "err", err) // the next push tries again
	case did:
		log.Info("put the mirror in order")
	}
	return report, nil
}

// look scans what was pushed to a repository that was never scanned, before its
// whole history is fetched: who has to act need not wait for that. Whatever it
// comes to, all is fetched and scanned afterwards.
func (w *Worker) look(ctx context.Context, m *mirror.Mirror, p *push.Push, attempt int, log *slog.Logger) {
	looking, end := span.Start(ctx, "look")
	err := func() error {
		l, err := m.Look(looking, p.Before, p.After)
		if err != nil || l == nil {
			return err
		}
		defer l.Close()
		l.Tip.Ref = p.Ref
		report, err := w.Scanner.Scan(looking, l.Dir(), m.Lock, []mirror.Tip{l.Tip})
		if err != nil {
			return err
		}
		log.Info("looked at what was pushed, before all of the repository", "findings", len(report.Findings), "complete", report.Complete)
		return w.record(looking, p, report, attempt)
	}()
	end(err)
	if err != nil {
		log.Warn("the pushed commits could not be looked at by themselves", "err", err)
	}
}

// withPushed adds the pushed object itself where no ref of the host names it
// any more: it was public for a moment, which is enough.
func withPushed(tips []mirror.Tip, p *push.Push, here bool) []mirror.Tip {
	if p.After == "" || !here {
		return tips
	}
	for _, t := range tips {
		if t.ID == p.After {
			return tips
		}
	}
	return append(tips, mirror.Tip{Ref: p.Ref, ID: p.After, Pushed: true})
}

// record makes incidents of the findings that count, has them looked into,
// tells of the new ones, and has them answered. People are told before the
// answer, which may take minutes, and even if nothing could be found out.
func (w *Worker) record(ctx context.Context, p *push.Push, report *Report, attempt int) error {
	recording, end := span.Start(ctx, "record")
	incidents, err := w.found(recording, p, report)
	end(err)
	if err != nil || len(incidents) == 0 {
		return err
	}
	var answer func(context.Context) error
	var unknown error
	if w.Responder != nil {
		answer, unknown = w.Responder.Enrich(ctx, report.Lines, incidents)
	}
	telling, end := span.Start(ctx, "tell")
	err = w.tell(telling, incidents, incident.OpenedID)
	end(err)
	if err != nil || unknown != nil {
		return errors.Join(err, unknown)
	}
	if answer == nil {
		return nil
	}
	responding, end := span.Start(ctx, "respond")
	err = answer(responding)
	end(err)
	var unanswered *incident.Unanswered
	if errors.As(err, &unanswered) && attempt >= w.patience() {
		err = w.giveUp(ctx, incidents, unanswered)
	}
	if err != nil {
		return fmt.Errorf("responding: %w", err)
	}
	return w.tell(ctx, incidents, answeredID)
}

// patienceAbsent is how often a repository is asked for that its host does not
// have: over a minute, for one that was just made is not everywhere at once.
const patienceAbsent = 3

// maxPatience is how often a push is tried whose findings cannot be answered for
// now: by the queue's waits for three quarters of an hour. One key that cannot be
// answered at all must not keep its repository from ever being scanned.
const maxPatience = 5

// patience is maxPatience, or the last attempt that there is.
func (w *Worker) patience() int {
	if w.MaxAttempts > 0 {
		return min(maxPatience, w.MaxAttempts)
	}
	return maxPatience
}

// giveUp writes into the incidents that this push is not tried again, of which the
// responder asks by itself from now on; into all of them where it says of none.
func (w *Worker) giveUp(ctx context.Context, incidents []*incident.Incident, why error) error {
	var all, waiting []string
	for _, i := range incidents {
		latest, err := w.Incidents.Get(ctx, i.ID)
		if err != nil {
			return err
		}
		all = append(all, i.ID)
		if latest.Waits() != nil {
			waiting = append(waiting, i.ID)
		}
	}
	text := "not answered in full, and not tried again: "
	if len(waiting) > 0 {
		all, text = waiting, "not answered in full; its push is done, and AWS is asked again from time to time: "
	}
	for _, id := range all {
		e := incident.Entry{Stage: incident.Noted, Key: "given up " + time.Now().UTC().Format(time.DateOnly), By: "spillgate-server", Note: text + why.Error()}
		if _, err := w.Incidents.Advance(ctx, id, e, nil); err != nil {
			return err
		}
	}
	return nil
}

// found makes incidents of the findings that count, and returns those that there
// is something to do about.
func (w *Worker) found(ctx context.Context, p *push.Push, report *Report) ([]*incident.Incident, error) {
	var incidents []*incident.Incident
	for i := range report.Findings {
		f := &report.Findings[i]
		if !f.Blocking || f.Fingerprint == "" {
			continue // shown in the report, but not sure or not grave enough to call anybody
		}
		var latest *incident.Incident
		for _, l := range append([]Location{f.Location}, f.More...) {
			got, err := w.Incidents.Found(ctx, newIncident(f), place(p, &l), p.Received)
			if err != nil {
				return nil, err
			}
			latest = got
		}
		if w.Responder != nil && latest.AnsweredSince(p.Received) {
			continue // before a crash, which left the others: they were told of before they were answered
		}
		incidents = append(incidents, latest)
	}
	return incidents, nil
}

// tell puts a message for every incident into the outbox, under an id that
// changes only when the incident is opened anew: what was told before a crash
// is not told again, unless it has become graver. Where there is no id there is
// nothing to tell.
func (w *Worker) tell(ctx context.Context, incidents []*incident.Incident, id func(*incident.Incident) string) error {
	if w.Teller == nil {
		return nil
	}
	for _, i := range incidents {
		latest, err := w.Incidents.Get(ctx, i.ID)
		if err != nil {
			return err
		}
		if id := id(latest); id != "" {
			if err := w.Teller.Tell(ctx, id, latest); err != nil {
				return err
			}
		}
	}
	return nil
}

// answeredID is empty where nothing was done, or AWS has not shown yet that it
// was: whoever finds that out tells it.
func answeredID(i *incident.Incident) string {
	if !i.Answered() {
		return ""
	}
	return incident.AnsweredID(i)
}

func newIncident(f *Finding) incident.Incident {
	return incident.Incident{
		ID: f.Fingerprint, Rule: f.Rule, Title: f.Title, Severity: f.Severity, Match: f.Match,
		Why: f.Why, Fix: f.Fix, ARN: f.Field("arn"),
	}
}

func place(p *push.Push, l *Location) incident.Place {
	return incident.Place{
		Source: p.Source, Repository: p.Repository, Ref: p.Ref, Path: l.Path, Line: l.StartLine,
		Commit: l.Commit.ID, Pusher: p.Pusher, At: p.Received,
	}
}
