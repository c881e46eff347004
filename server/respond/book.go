package respond

import (
	"errors"
	"fmt"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

// keepOpen is for how long ledger and audit log stay open after the last
// response: reading them again for each of many pushes takes longer with each
// of them. Afterwards spillgate-live may use the folder.
const keepOpen = 5 * time.Second

// A book is the ledger with its audit log. Its zero value is closed.
type book struct {
	ledger *live.Ledger
	audit  *live.AuditLog
	uses   int
	users  int  // that have it open now
	failed bool // it is closed as soon as nobody has it open
}

// open opens the book in the folder, unless it is open.
func (b *book) open(folder string) (*live.Ledger, *live.AuditLog, error) {
	if b.failed {
		return nil, nil, errors.New("the ledger is being closed after an error")
	}
	b.uses++
	if b.ledger != nil {
		b.users++
		return b.ledger, b.audit, nil
	}
	ledger, err := live.OpenLedger(folder)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the ledger: %w", err)
	}
	audit, err := live.OpenAudit(ledger)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the audit log: %w", err), ledger.Close())
	}
	b.ledger, b.audit = ledger, audit
	b.users++
	return ledger, audit, nil
}

// close closes the book.
func (b *book) close() error {
	if b.ledger == nil {
		return nil
	}
	err := errors.Join(b.audit.Close(), b.ledger.Close())
	b.ledger, b.audit, b.failed = nil, nil, false
	return err
}

// giveBack closes the book after a while of rest, and after an error as soon as
// nobody else uses it: what is on the disk is what counts then. r.mu is held.
func (r *Responder) giveBack(failed error) {
	var later *queue.Later
	var unanswered *incident.Unanswered
	r.book.users--
	r.book.failed = r.book.failed || failed != nil && !errors.As(failed, &later) && !errors.As(failed, &unanswered)
	if r.book.users > 0 {
		return // the last one closes it
	}
	if r.book.failed {
		if err := r.book.close(); err != nil {
			r.Log.Error("closing the ledger", "err", err)
		}
		return
	}
	uses := r.book.uses
	time.AfterFunc(keepOpen, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.book.uses != uses || r.book.users > 0 {
			return // used since
		}
		if err := r.book.close(); err != nil {
			r.Log.Error("closing the ledger", "err", err)
		}
	})
}
