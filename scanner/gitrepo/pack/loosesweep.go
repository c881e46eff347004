package pack

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// A looseFile is a loose object that is in no pack.
type looseFile struct {
	path   string
	id     ID
	number int // in a Survey
}

// loose visits the loose objects that are in no pack.
func (sw *sweep) loose() {
	if sw.stop.Load() {
		return
	}
	var files []looseFile
	if err := guarded(func() error {
		return sw.st.eachLoose(sw.s.opts.HashSize, func(path string, id ID) error {
			if sw.opts.Want == nil || sw.opts.Want(id) {
				files = append(files, looseFile{path: path, id: id})
			}
			return nil
		})
	}); err != nil {
		sw.lost(err)
	}
	sw.looseFiles(files)
}

// looseFiles visits files.
func (sw *sweep) looseFiles(files []looseFile) {
	if len(files) == 0 {
		return
	}
	var next atomic.Int64
	sw.workers(func(worker int) {
		w := newWalker(sw, nil, worker)
		for !sw.stop.Load() {
			i := int(next.Add(1)) - 1
			if i >= len(files) {
				break
			}
			sw.fail(w.looseObject(&files[i]))
		}
		w.rest()
	})
}

// looseObject visits one loose object.
func (w *walker) looseObject(file *looseFile) error {
	sw, path, id := w.sw, file.path, file.id
	kind, data, size, err := readLoose(path, sw.opts.StreamOver, w.r.z)
	if errors.Is(err, ErrTooLarge) {
		if !sw.kinds[kind] {
			return nil
		}
		_, _, st, err := openLoose(path)
		if err != nil {
			return w.emit(&Swept{ID: id, Number: file.number, Kind: kind, Size: size, Err: err})
		}
		defer st.Close()
		if sw.s.opts.Verify {
			st.verify(id, kind)
		}
		return w.emit(&Swept{ID: id, Number: file.number, Kind: kind, Size: size, Stream: st})
	}
	if err == nil && sw.s.opts.Verify {
		err = at(path, 0, verifyID(id, kind, data))
	}
	if err != nil {
		// Perhaps it was packed meanwhile, or another folder has it too.
		var e error
		if e = guarded(func() error { kind, data, e = sw.s.find(id); return e }); e != nil {
			return w.emit(&Swept{ID: id, Number: file.number, Err: fmt.Errorf("object %s: %w", id, err)})
		}
	}
	if !sw.kinds[kind] {
		return nil
	}
	return w.emitAlone(id, file.number, kind, data)
}

// emitAlone hands over an object that was not made of another.
func (w *walker) emitAlone(id ID, number int, kind Kind, data []byte) error {
	w.spare.reset()
	w.know(&w.spare, data)
	o := Swept{ID: id, Number: number, Kind: kind, Size: int64(len(data)), Data: data,
		Anchors: w.spare.anchors, Marks: w.spare.marks, Anchored: w.spare.ok, NoNUL: w.spare.noNUL}
	if w.sw.opts.Entries {
		o.TreeChange = w.change
		o.Anchored = false
	}
	return w.emit(&o)
}
