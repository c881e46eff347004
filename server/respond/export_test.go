package respond

import (
	"context"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
)

// BookOf returns the ledger and the audit log that the server has open.
func BookOf(r *Responder) (*live.Ledger, *live.AuditLog) { return r.book.ledger, r.book.audit }

// Sweep looks once, at a time, for incidents that are due, and returns how long it
// is until the next ones may be.
func Sweep(ctx context.Context, r *Responder, at time.Time) (time.Duration, error) {
	r.again.clock, r.again.pace = func() time.Time { return at }, time.Millisecond
	return r.sweep(ctx)
}

// AskAgainFrom has a server ask again as if it were started at a time, and look at
// once and all the time.
func AskAgainFrom(ctx context.Context, r *Responder, at time.Time) {
	r.again.clock = func() time.Time { return at }
	r.FirstSweep, r.again.between, r.again.pace = time.Millisecond, time.Millisecond, time.Millisecond
	r.AskAgain(ctx)
}

// AgainIn is againIn.
var AgainIn = againIn

// RunOf is runOf.
const RunOf = runOf

// CloseBook closes ledger and audit log, as the end of the process does.
func CloseBook(r *Responder) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.book.users = 0
	return r.book.close()
}
