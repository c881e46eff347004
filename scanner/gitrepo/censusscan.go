package gitrepo

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo/pack"
)

// scanCensus emits what tips and loose reach by way of a census, if there can
// be one: if not, it has emitted nothing and returns false.
//
// Objects are emitted without their commits, and with some path at which they
// are. Who brought what is found out when it is known of what it is to be
// found out (see Attribute).
func (h *history) scanCensus(s *commitScan, tips []oid, loose *strays) (bool, error) {
	st, ok := s.store.(*packStore)
	if !ok || h.oneByOne || h.options.AllObjects {
		return false, nil
	}
	c, err := takeCensus(s, st, tips, loose)
	if errors.Is(err, errUnusual) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	h.census = c
	s.repo.progress.Expect(c.blobs)
	for _, n := range c.order {
		if err := h.censusCommit(s, n); err != nil {
			return true, err
		}
	}
	c.texts = nil
	s.sayCut("so the history before them was not scanned")
	if err := h.censusNames(s); err != nil {
		return true, err
	}
	return true, h.censusBlobs(s)
}

// censusCommit emits what commit n says itself.
func (h *history) censusCommit(s *commitScan, n int32) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	at := &h.census.walk.nodes[n]
	var parsed commit
	var err error
	if at.text > 0 {
		parsed, err = parseCommit(h.census.texts[at.text-1], s.repo.hashLen)
	} else {
		parsed, err = s.repo.readCommit(s.rd, at.id)
	}
	if err != nil {
		s.failed("commit "+s.repo.hex(at.id), at.id, err)
		return nil
	}
	if at.cut {
		s.cuts++
		s.cut = at.id
	}
	return s.commitTexts(s.repo.hex(at.id), nil, &parsed)
}

// censusNames emits the names of all files that there ever were.
func (h *history) censusNames(s *commitScan) error {
	c := h.census
	var path []byte
	for p := range c.paths.nodes {
		n := &c.paths.nodes[p]
		if !n.file {
			continue
		}
		path = c.appendPath(path[:0], int32(p))
		o := &scanner.Object{Kind: scanner.FileName, Path: string(path)}
		if n.link {
			s.submodule(o.Path, oid{}, nil)
		}
		s.note(func(v *scanner.Coverage) { v.Names++ })
		if err := s.text(o, path); err != nil {
			return err
		}
	}
	return nil
}

// censusBlobs emits the blobs. Those that cannot be read in the order of the
// packs are read one by one, which asks git in the end, or says what is wrong.
func (h *history) censusBlobs(s *commitScan) error {
	c := h.census
	done := make([]bool, c.v.Len())
	paths := make([]string, len(c.paths.nodes))
	var mu sync.Mutex // of paths
	o := s.sweepOptions(h.anchoring())
	o.Wanted = func(n int) bool { return c.hint[n] != 0 }
	feeders := make([]scanner.Feeder, o.Jobs)
	emit := s.guardedEmit()
	err := c.v.Sweep(s.ctx, o, func(worker int, obj *pack.Swept) error {
		if obj.ID.IsZero() {
			s.problem("", obj.Err.Error(), fixDamage)
			return nil
		}
		if obj.Err != nil {
			return nil
		}
		done[obj.Number] = true
		object := &scanner.Object{ID: obj.ID.String()}
		if _, ok := c.links[int32(obj.Number)]; ok {
			object.Kind, object.Mode = scanner.SymlinkTarget, modeSymlink
		}
		if p := c.hint[obj.Number]; p > 0 {
			mu.Lock()
			if paths[p] == "" {
				paths[p] = c.path(p)
			}
			object.Path = paths[p]
			mu.Unlock()
		}
		return s.swept(&feeders[worker], h.anchoring(), object, obj, emit)
	})
	var stopped emitError
	if errors.As(err, &stopped) {
		return stopped.error
	}
	if err != nil {
		return err
	}
	var left []int32
	for n := range done {
		if c.hint[n] != 0 && !done[n] {
			left = append(left, int32(n))
		}
	}
	return h.oneByOneOf(s, left)
}

// oneByOneOf emits the blobs of these numbers, with commit and path.
func (h *history) oneByOneOf(s *commitScan, left []int32) error {
	if len(left) == 0 {
		return nil
	}
	c := h.census
	places, _, err := c.origins(s.ctx, left, nil)
	if err != nil {
		return err
	}
	for i, n := range left {
		id := rawOID(c.v.ID(int(n)).Bytes(), s.repo.hashLen)
		o := &scanner.Object{ID: s.repo.hex(id)}
		if err := h.place(s.rd, o, &places[i]); err != nil {
			return err
		}
		if err := s.add(id, o); err != nil {
			return err
		}
	}
	return nil
}

// place notes in o where it came from.
func (h *history) place(rd reader, o *scanner.Object, from *origin) error {
	c := h.census
	if o.Kind != scanner.FileName {
		o.Path, o.Mode, o.Kind = c.path(from.path), from.mode, scanner.Content
		if o.Mode&modeType == modeSymlink {
			o.Kind = scanner.SymlinkTarget
		}
	}
	if from.commit < 0 {
		return nil
	}
	return h.describe(rd, o, c.walk.nodes[from.commit].id)
}

// describe notes that commit id brought o.
func (h *history) describe(rd reader, o *scanner.Object, id oid) error {
	d, ok := h.described[id]
	if !ok {
		parsed, err := h.repo.readCommit(rd, id)
		if err != nil {
			return err
		}
		d = parsed.describe(h.repo.hex(id))
		if h.described == nil {
			h.described = map[oid]*scanner.Commit{}
		}
		h.described[id] = d
	}
	o.Commit = d
	return nil
}

// attributeCensus completes objects by way of a census.
func (h *history) attributeCensus(ctx context.Context, objects []*scanner.Object) error {
	_, rd, err := h.repo.openStore(ctx, false)
	if err != nil {
		return err
	}
	defer func() { _ = rd.close() }()
	var blobs, names []int32
	item := func(o *scanner.Object) (n int32, list *[]int32) {
		if id, ok := h.blobOf(o); ok {
			return int32(h.census.number(&id)), &blobs
		}
		if o.Kind == scanner.FileName {
			return h.census.findPath(o.Path), &names
		}
		return -1, nil
	}
	for _, o := range objects {
		if n, list := item(o); list != nil && n >= 0 {
			*list = append(*list, n)
		}
	}
	for _, list := range []*[]int32{&blobs, &names} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	ofBlobs, ofNames, err := h.census.origins(ctx, blobs, names)
	if err != nil {
		return err
	}
	for _, o := range objects {
		n, list := item(o)
		switch {
		case list == &blobs:
			if i, ok := slices.BinarySearch(blobs, n); ok {
				o.OtherCommits = max(ofBlobs[i].commits-1, 0)
				err = h.place(rd, o, &ofBlobs[i])
			}
		case list == &names:
			if i, ok := slices.BinarySearch(names, n); ok {
				err = h.place(rd, o, &ofNames[i])
			}
		case o.Kind == scanner.CommitMessage || o.Kind == scanner.Identity:
			// A tagger is an Identity too: what its id names is no commit.
			if id, perr := parseOID(o.ID, h.repo.hashLen); perr == nil && h.census.isCommit(&id) {
				err = h.describe(rd, o, id)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isCommit reports whether id is the name of a commit.
func (c *census) isCommit(id *oid) bool {
	n := c.number(id)
	return n >= 0 && c.v.Kind(n) == pack.Commit
}
