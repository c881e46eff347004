package respond

import "github.com/spillgate/spillgate/scanner/live"

// BookOf returns the ledger and the audit log that the server has open.
func BookOf(r *Responder) (*live.Ledger, *live.AuditLog) { return r.book.ledger, r.book.audit }
