package scanner

import "sync/atomic"

// Progress is how far a source has got, for whoever shows it to a person
// meanwhile. The zero value is ready; a nil Progress is told in vain. It is safe
// for concurrent use.
type Progress struct {
	done, total, bytes atomic.Int64
}

// Expect says that there are n objects to scan.
func (p *Progress) Expect(n int) {
	if p != nil {
		p.total.Store(int64(n))
	}
}

// Add says that objects and bytes more were scanned.
func (p *Progress) Add(objects, bytes int64) {
	if p != nil {
		p.done.Add(objects)
		p.bytes.Add(bytes)
	}
}

// State returns how many objects and bytes were scanned, and of how many
// objects in all, 0 while that is not known.
func (p *Progress) State() (done, total, bytes int64) {
	return p.done.Load(), p.total.Load(), p.bytes.Load()
}
