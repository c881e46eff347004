package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/scanner"
)

// newLines tells which lines of a blob no parent of its change has. The
// difference is computed when the first finding asks for it, since most blobs
// have none. Whatever cannot be decided counts as new.
type newLines struct {
	repo   *Repo
	object *scanner.Object
	id     oid
	// olds are the parents' blobs at the path, zero where there is none.
	olds []oid
	// lost, where not nil, returns what disappeared in the change: an added
	// file may be one of these under another name.
	lost func() []lostFile

	// content is the blob's, while it is emitted; nil at other times.
	content []byte

	once sync.Once
	old  []bool // lines that a parent has; nil when all are new
	all  bool   // every line is old
}

// Touches reports whether any of the lines first to last, counted from 1, is
// new.
func (n *newLines) Touches(first, last int) bool {
	n.once.Do(n.compute)
	if n.all {
		return false
	}
	for i := max(first, 1); i <= last; i++ {
		if i > len(n.old) || !n.old[i-1] {
			return true
		}
	}
	return false
}

// compute fills old. Errors leave lines new.
func (n *newLines) compute() {
	unit, big := lineFeedOf(n.object.Encoding)
	rd, done, err := n.repo.borrow()
	if err != nil {
		return
	}
	defer done()
	content := n.content
	if content == nil {
		if content, err = heldBlob(rd, n.id); err != nil {
			return
		}
	}
	lines := splitLines(content, unit, big)
	n.old = make([]bool, len(lines))
	compared := false
	for _, id := range n.olds {
		if id == n.id {
			n.all = true
			return
		}
		if id.isZero() {
			continue
		}
		if old, err := heldBlob(rd, id); err == nil {
			commonLines(lines, splitLines(old, unit, big), n.old, maxDiffCost)
			compared = true
		}
	}
	if !compared && n.lost != nil {
		n.renamed(rd, lines, unit, big)
	}
}

// The bounds of the search for what a file was renamed from: how many lost
// files are compared, and how many of the lines, in percent, must be the same,
// as in git.
const (
	maxRenameTries = 50
	renamePercent  = 50
)

// renamed looks for the lost file that shares most lines with the new one.
func (n *newLines) renamed(rd reader, lines [][]byte, unit int, big bool) {
	lost := n.lost()
	for _, l := range lost {
		if l.id == n.id {
			n.all = true
			return
		}
	}
	candidates := append([]lostFile(nil), lost...)
	sort.SliceStable(candidates, func(i, j int) bool {
		return likeness(candidates[i].path, n.object.Path) > likeness(candidates[j].path, n.object.Path)
	})
	best := 0
	for _, l := range candidates[:min(len(candidates), maxRenameTries)] {
		old, err := heldBlob(rd, l.id)
		if err != nil {
			continue
		}
		oldLines := splitLines(old, unit, big)
		kept := make([]bool, len(lines))
		shared := commonLines(lines, oldLines, kept, maxDiffCost/maxRenameTries)
		if shared > best && shared*100 >= max(len(lines), len(oldLines))*renamePercent {
			best, n.old = shared, kept
		}
	}
}

// likeness ranks the path a renamed file may have had: the same name first,
// then the same directory, then the same extension.
func likeness(a, b string) int {
	n := 0
	if path.Base(a) == path.Base(b) {
		n += 4
	}
	if path.Dir(a) == path.Dir(b) {
		n += 2
	}
	if path.Ext(a) == path.Ext(b) {
		n++
	}
	return n
}

// lineFeedOf returns the width and byte order of a line feed in an encoding
// that Feeder names.
func lineFeedOf(encoding string) (unit int, big bool) {
	big = strings.HasSuffix(encoding, "be")
	switch {
	case strings.HasPrefix(encoding, "utf-16"):
		return 2, big
	case strings.HasPrefix(encoding, "utf-32"):
		return 4, big
	}
	return 1, false
}

var errTooLarge = errors.New("too large to hold")

// heldBlob returns a blob that is small enough to compare. It stays valid and
// must not be changed.
func heldBlob(rd reader, id oid) ([]byte, error) {
	o, err := rd.read(id)
	if err != nil {
		return nil, err
	}
	if o.stream != nil || o.kind != blobKind {
		closeStream(o)
		return nil, errTooLarge
	}
	if o.lasting {
		return o.data, nil
	}
	return bytes.Clone(o.data), nil
}

// borrow lends a reader that outlives the call of Chunks, for what is looked
// up only when something was found. done gives it back.
func (r *Repo) borrow() (rd reader, done func(), err error) {
	giveBack := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.spare = append(r.spare, rd)
	}
	r.mu.Lock()
	if n := len(r.spare); n > 0 {
		rd, r.spare = r.spare[n-1], r.spare[:n-1]
		r.mu.Unlock()
		return rd, giveBack, nil
	}
	r.mu.Unlock()
	s, err := r.store(false)
	if err != nil {
		return nil, nil, err
	}
	if rd, err = r.open(context.Background(), s); err != nil {
		return nil, nil, err
	}
	return rd, giveBack, nil
}
