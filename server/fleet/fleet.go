// Package fleet scans all repositories of an organisation, once each, and
// proves at the end that it did.
//
//	list (page by page, resumable) --> an entry for each repository --> queue
//	worker --> entry: scanned, with what was read
//
// A repository is looked at by the same queue and the same worker as a push:
// a Push without a ref. So a fleet scan survives crashes, retries what fails,
// and skips what the mirror knows to be scanned, without any machinery of its
// own. What it adds is the list: every entry that was planned must end as
// scanned, or the fleet is not, and Status says which and why.
package fleet

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/table"
	"github.com/spillgate/spillgate/server/webhook"
)

// oldBucket is where earlier versions kept fleets, an entry for each repository.
const oldBucket = "SPILLGATE_FLEETS"

// A Lister lists the repositories of an organisation.
type Lister interface {
	// Page returns a page of full names and what stands for the next page,
	// empty after the last. The first page is asked for by the empty string.
	Page(ctx context.Context, organization, cursor string) (names []string, next string, err error)
}

// A Limit is the error of a Lister that the host told to wait.
type Limit struct{ Until time.Time }

// Error says until when.
func (l *Limit) Error() string {
	return "the host's rate limit is reached until " + l.Until.UTC().Format(time.RFC3339)
}

// Refused is the error of a Lister that the host will not answer however often it
// is asked.
type Refused struct{ Err error }

// Error is that of Err.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap returns the error.
func (r *Refused) Unwrap() error { return r.Err }

// A Queue takes pushes.
type Queue interface {
	Put(ctx context.Context, p push.Push) (duplicate bool, err error)
}

// A Plan is a fleet: what it scans, and how far its listing is.
type Plan struct {
	ID           string    `json:"id"`
	Source       string    `json:"source"`
	Organization string    `json:"organization,omitempty"`
	Started      time.Time `json:"started"`
	// Cursor stands for the page that is listed next; Listed says that there
	// is none.
	Cursor string `json:"cursor,omitempty"`
	Listed bool   `json:"listed"`
	// Failed says why the listing was given up, until it is begun again by
	// Resume; empty while it goes on.
	Failed string `json:"failed,omitempty"`
}

// The states of an Entry.
const (
	Planned = "planned"
	Scanned = "scanned"
	Partly  = "partly scanned" // and tried again
	GivenUp = "given up"       // a dead push, until that is replayed
)

// An Entry is one repository of a fleet.
type Entry struct {
	Repository string    `json:"repository"`
	State      string    `json:"state"`
	At         time.Time `json:"at"`
	Findings   int       `json:"findings"`
	// Coverage is the scan's own account of what it read.
	Coverage json.RawMessage `json:"coverage,omitempty"`
	Note     string          `json:"note,omitempty"`
}

// Fleets keeps the fleets. It is safe for concurrent use.
type Fleets struct {
	// Records is the bucket of all tables. The plans are one, the entries of each
	// fleet another.
	Records *table.Bucket
	Queue   Queue
	Listers map[string]Lister // by the name of the source, all of them; nil for one that cannot list
	Log     *slog.Logger
	// Backoff is the wait after a host gave no answer; it doubles with each in a
	// row. 0 for 5 seconds.
	Backoff time.Duration
}

// Start makes a fleet of an organisation's repositories, or of those named,
// and returns its plan. Run lists and queues them.
func (f *Fleets) Start(ctx context.Context, source, organization string, repositories []string) (*Plan, error) {
	if organization == "" && len(repositories) == 0 {
		return nil, errors.New("name an organisation or repositories")
	}
	lister, known := f.Listers[source]
	if !known {
		return nil, fmt.Errorf("no source of the server's file is named %.80q", source)
	}
	if organization != "" && lister == nil {
		return nil, fmt.Errorf("the source %q cannot list repositories; name them", source)
	}
	for _, name := range repositories {
		if err := push.CheckRepository(name); err != nil {
			return nil, err
		}
	}
	var id [5]byte
	_, _ = rand.Read(id[:])
	p := &Plan{
		ID: time.Now().UTC().Format("20060102") + "-" + hex.EncodeToString(id[:]), Source: source, Organization: organization,
		Started: time.Now().UTC(), Listed: organization == "",
	}
	// The named ones are written before the plan: a plan whose entries are
	// missing would be complete with nothing scanned.
	for _, name := range repositories {
		if err := f.plan(ctx, p, name); err != nil {
			return nil, err
		}
	}
	return p, f.save(ctx, p)
}

func (f *Fleets) plans() *table.Table {
	return table.Open(f.Records, table.Options{Name: "fleets", Pages: 16})
}

// entriesOf returns the table of a fleet's entries.
func (f *Fleets) entriesOf(id string) *table.Table {
	return table.Open(f.Records, table.Options{Name: "fleet-" + id, Pages: 256})
}

func entryKey(repository string) string {
	sum := sha256.Sum256([]byte(repository))
	return hex.EncodeToString(sum[:16])
}

// Adopt moves the fleets of an earlier version of this program into the tables.
func (f *Fleets) Adopt(ctx context.Context, q *queue.Queue) error {
	plans, entries := f.plans(), map[string]*table.Table{}
	return q.Adopt(ctx, oldBucket, func(key string) (*table.Table, string) {
		kind, rest, _ := strings.Cut(key, ".")
		if kind == "plan" {
			return plans, rest
		}
		id, repository, _ := strings.Cut(rest, ".")
		if entries[id] == nil {
			entries[id] = f.entriesOf(id)
		}
		return entries[id], repository
	})
}

func (f *Fleets) save(ctx context.Context, p *Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := f.plans().Put(ctx, p.ID, body); err != nil {
		return fmt.Errorf("writing fleet %s: %w", p.ID, err)
	}
	return nil
}

// plan makes the entry of a repository, unless it is there.
func (f *Fleets) plan(ctx context.Context, p *Plan, repository string) error {
	body, err := json.Marshal(Entry{Repository: repository, State: Planned, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	_, err = f.entriesOf(p.ID).Change(ctx, entryKey(repository), func(old *table.Record) ([]byte, error) {
		if old != nil {
			return nil, nil
		}
		return body, nil
	})
	if err != nil {
		return fmt.Errorf("planning %s: %w", repository, err)
	}
	return nil
}

// Resume goes on with every fleet that is not wholly listed and queued, as
// after a restart. One that has to wait keeps no other.
func (f *Fleets) Resume(ctx context.Context) error {
	plans, err := f.Plans(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(plans))
	var wg sync.WaitGroup
	for i, p := range plans {
		wg.Go(func() { errs[i] = f.Run(ctx, p.ID) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Run lists what is still to be listed and queues what is still planned. It
// waits where the host or the queue says to wait, and can be called again at
// any time.
func (f *Fleets) Run(ctx context.Context, id string) error {
	p, err := f.Plan(ctx, id)
	if err != nil {
		return err
	}
	if err := f.list(ctx, p); err != nil {
		return err
	}
	entries, err := f.entries(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.State != Planned {
			continue
		}
		if err := f.queue(ctx, p, e.Repository); err != nil {
			return err
		}
	}
	return nil
}

// maxTries is how often in a row a page is asked for in vain: with the waits,
// for three quarters of an hour.
const maxTries = 10

// list lists what is still to be listed. A host that gives no answer is asked
// again; one that refuses, or stays silent for too long, ends the listing, and the
// plan says why.
func (f *Fleets) list(ctx context.Context, p *Plan) error {
	p.Failed = ""
	backoff := f.Backoff
	if backoff == 0 {
		backoff = 5 * time.Second
	}
	for tries, wait := 1, backoff; !p.Listed; tries, wait = tries+1, wait*2 {
		before := p.Cursor
		err := f.listPage(ctx, p)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && (p.Listed || p.Cursor != before):
			tries, wait = 0, backoff/2
			continue
		case err == nil: // the host said to wait, and that is over
			tries, wait = tries-1, wait/2
			continue
		}
		var refused *Refused
		if errors.As(err, &refused) || tries >= maxTries {
			p.Failed = err.Error()
			return errors.Join(err, f.save(ctx, p))
		}
		f.Log.Warn("listing is tried again", "fleet", p.ID, "in", wait.String(), "err", err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// listPage plans a page's repositories and only then moves the cursor on.
func (f *Fleets) listPage(ctx context.Context, p *Plan) error {
	lister := f.Listers[p.Source]
	if lister == nil {
		return &Refused{fmt.Errorf("fleet %s: the source %q is not configured any more", p.ID, p.Source)}
	}
	names, next, err := lister.Page(ctx, p.Organization, p.Cursor)
	var limit *Limit
	if errors.As(err, &limit) {
		f.Log.Info("listing waits", "fleet", p.ID, "until", limit.Until)
		return pause(ctx, time.Until(limit.Until))
	}
	if err != nil {
		return fmt.Errorf("listing the repositories of %s: %w", p.Organization, err)
	}
	for _, name := range names {
		if err := push.CheckRepository(name); err != nil {
			return &Refused{fmt.Errorf("listing the repositories of %s: %w", p.Organization, err)}
		}
		if err := f.plan(ctx, p, name); err != nil {
			return err
		}
	}
	p.Cursor, p.Listed = next, next == ""
	return f.save(ctx, p)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// queue puts a repository into the queue; a full queue is waited for.
func (f *Fleets) queue(ctx context.Context, p *Plan, repository string) error {
	for {
		_, err := f.Queue.Put(ctx, push.Push{
			Delivery: "fleet-" + p.ID + "-" + repository, Source: p.Source, Repository: repository,
			Fleet: p.ID, Received: time.Now().UTC(),
		})
		if !errors.Is(err, webhook.ErrFull) {
			return err
		}
		if err := pause(ctx, 10*time.Second); err != nil {
			return err
		}
	}
}

// Report records how the scan of a fleet's repository ended. A push that
// belongs to no fleet is nothing.
func (f *Fleets) Report(ctx context.Context, p *push.Push, complete bool, findings int, coverage json.RawMessage, note string) error {
	if p.Fleet == "" {
		return nil
	}
	e := Entry{Repository: p.Repository, State: Scanned, At: time.Now().UTC(), Findings: findings, Coverage: coverage, Note: note}
	if !complete {
		e.State = Partly
	}
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := f.entriesOf(p.Fleet).Put(ctx, entryKey(p.Repository), body); err != nil {
		return fmt.Errorf("recording the scan of %s: %w", p.Repository, err)
	}
	return nil
}

// GiveUp records that the scan of a fleet's repository is not tried again, and why.
// What was found of it before stays. It is what the queue calls of a dead push.
func (f *Fleets) GiveUp(ctx context.Context, p push.Push, why string) error {
	return f.mark(ctx, p, GivenUp, why)
}

// TakeUp records that a repository which was given up is tried again. It is what the
// queue calls of a dead push that is replayed.
func (f *Fleets) TakeUp(ctx context.Context, p push.Push) error {
	return f.mark(ctx, p, Partly, "given up before, and put back into the queue")
}

// mark sets the state of an entry.
func (f *Fleets) mark(ctx context.Context, p push.Push, state, note string) error {
	if p.Fleet == "" {
		return nil
	}
	_, err := f.entriesOf(p.Fleet).Change(ctx, entryKey(p.Repository), func(old *table.Record) ([]byte, error) {
		e := Entry{Repository: p.Repository}
		if old != nil {
			if err := json.Unmarshal(old.Value, &e); err != nil {
				return nil, fmt.Errorf("reading what became of it: %w", err)
			}
		}
		e.State, e.At, e.Note = state, time.Now().UTC(), note
		return json.Marshal(e)
	})
	if err != nil {
		return fmt.Errorf("recording that %s is %s: %w", p.Repository, state, err)
	}
	return nil
}

// ErrNotFound is the error for an id that no fleet has.
var ErrNotFound = errors.New("no such fleet")

// Plan returns a fleet's plan.
func (f *Fleets) Plan(ctx context.Context, id string) (*Plan, error) {
	if strings.Trim(id, "0123456789abcdef-") != "" || id == "" || len(id) > 64 {
		return nil, fmt.Errorf("%w: %.20q", ErrNotFound, id)
	}
	r, err := f.plans().Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading fleet %s: %w", id, err)
	}
	if r == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	p := new(Plan)
	if err := json.Unmarshal(r.Value, p); err != nil {
		return nil, fmt.Errorf("reading fleet %s: %w", id, err)
	}
	return p, nil
}

// Plans returns all fleets, the newest first.
func (f *Fleets) Plans(ctx context.Context) ([]*Plan, error) {
	var plans []*Plan
	err := f.plans().Each(ctx, func(r *table.Record) error {
		p := new(Plan)
		plans = append(plans, p)
		return json.Unmarshal(r.Value, p)
	})
	if err != nil {
		return nil, fmt.Errorf("reading fleets: %w", err)
	}
	slices.SortFunc(plans, func(a, b *Plan) int { return b.Started.Compare(a.Started) })
	return plans, nil
}

// entries returns those of a fleet, by the names of the repositories.
func (f *Fleets) entries(ctx context.Context, id string) ([]Entry, error) {
	var entries []Entry
	err := f.entriesOf(id).Each(ctx, func(r *table.Record) error {
		var e Entry
		err := json.Unmarshal(r.Value, &e)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading fleet %s: %w", id, err)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Repository, b.Repository) })
	return entries, nil
}

// A Status is what became of a fleet.
type Status struct {
	Plan
	// Complete says that all is listed and every repository is scanned: the
	// proof is the entries with their coverage.
	Complete bool `json:"complete"`
	Total    int  `json:"total"`
	Scanned  int  `json:"scanned"`
	// GivenUp counts those that are not tried again.
	GivenUp  int     `json:"given_up"`
	Findings int     `json:"findings"`
	Entries  []Entry `json:"entries"`
}

// Status returns what became of a fleet so far.
func (f *Fleets) Status(ctx context.Context, id string) (*Status, error) {
	p, err := f.Plan(ctx, id)
	if err != nil {
		return nil, err
	}
	entries, err := f.entries(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &Status{Plan: *p, Total: len(entries), Entries: entries}
	for _, e := range entries {
		s.Findings += e.Findings
		switch e.State {
		case Scanned:
			s.Scanned++
		case GivenUp:
			s.GivenUp++
		}
	}
	s.Complete = p.Listed && s.Scanned == s.Total
	return s, nil
}
