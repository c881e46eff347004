package scanner

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// A ledger has all that was found, before places of the same secret are one
// finding. Its steps go through it object by object: none has all findings in
// memory.
type ledger struct {
	table   *table
	batches []batch
	// order has the batches by object, in the order in which these were first
	// met, and later by place (sortByPlace).
	order []*batch

	found []Finding // those of one object, in change
	list  []*Finding
}

// add adds what a source found, which may no longer be added to.
func (l *ledger) add(batches []batch) { l.batches = append(l.batches, batches...) }

// objectsOf returns the objects in which something was found, each once, in the
// order in which they were met.
func objectsOf(batches []batch) []*Object {
	var all []*Object
	seen := make(map[*Object]bool, len(batches))
	for i := range batches {
		if o := batches[i].object; !seen[o] {
			seen[o] = true
			all = append(all, o)
		}
	}
	return all
}

// sortByObject brings the batches of each object together.
func (l *ledger) sortByObject() {
	l.order = make([]*batch, len(l.batches))
	for i := range l.batches {
		l.order[i] = &l.batches[i]
	}
	nth := map[*Object]int{}
	for i, o := range objectsOf(l.batches) {
		nth[o] = i
	}
	slices.SortStableFunc(l.order, func(a, b *batch) int { return cmp.Compare(nth[a.object], nth[b.object]) })
}

// sortByPlace orders batches as byPlace orders findings, up to where it looks
// into an object. Of those that are equal there, the one that was met first
// comes first.
func (l *ledger) sortByPlace() {
	for i := range l.batches {
		l.order[i] = &l.batches[i]
	}
	slices.SortStableFunc(l.order, func(a, b *batch) int { return byAge(a.object, b.object) })
}

// groups yields the batches of order that are next to each other and the same.
func (l *ledger) groups(same func(a, b *batch) bool) iter.Seq[[]*batch] {
	return func(yield func([]*batch) bool) {
		for from := 0; from < len(l.order); {
			to := from + 1
			for to < len(l.order) && same(l.order[from], l.order[to]) {
				to++
			}
			if !yield(l.order[from:to]) {
				return
			}
			from = to
		}
	}
}

func sameObject(a, b *batch) bool { return a.object == b.object }

func sameAge(a, b *batch) bool { return byAge(a.object, b.object) == 0 }

// byAge orders objects by the age of their commit where there is one, then by
// path, so that the first place of a secret is the one that brought it.
func byAge(a, b *Object) int {
	return cmp.Or(
		cmp.Compare(date(a), date(b)),
		strings.Compare(a.Path, b.Path),
		cmp.Compare(a.Kind, b.Kind),
		strings.Compare(a.ID, b.ID),
	)
}

func date(o *Object) string {
	if o.Commit == nil {
		return ""
	}
	return o.Commit.Date
}

// change has step change the findings in batches, or drop some, which it
// returns the others of in their order.
func (l *ledger) change(batches []*batch, step func([]*Finding) []*Finding) {
	n := 0
	for _, b := range batches {
		n += len(b.places)
	}
	l.found, l.list = slices.Grow(l.found[:0], n)[:n], slices.Grow(l.list[:0], n)[:n]
	n = 0
	for _, b := range batches {
		for _, p := range b.places {
			b.expand(&l.found[n], l.table, p)
			l.list[n] = &l.found[n]
			n++
		}
	}
	left := step(l.list)
	n = 0
	for _, b := range batches {
		kept := b.places[:0]
		for _, p := range b.places {
			if f := &l.found[n]; len(left) > 0 && left[0] == f {
				kept, left = append(kept, l.table.keep(p, f)), left[1:]
			}
			n++
		}
		b.places = kept
	}
	clear(l.found)
}

// giveWay lets findings give way to others of the same object.
func (l *ledger) giveWay() {
	for batches := range l.groups(sameObject) {
		if yields(l.table, batches) {
			l.change(batches, giveWay)
		}
	}
}

// dropContainers takes out the findings in the bytes of an archive that a
// member of it repeats, as in a tar or in a zip that does not compress: they
// are kept where they can be read.
func (l *ledger) dropContainers() {
	type key struct {
		object       *Object
		rule, secret string
	}
	inside := map[key]bool{}
	for _, b := range l.order {
		for o := b.object.Container; o != nil; o = o.Container {
			for _, p := range b.places {
				s := l.table.all[p.sighting]
				inside[key{o, s.rule.ID, s.secret}] = true
			}
		}
	}
	if len(inside) == 0 {
		return
	}
	for _, b := range l.order {
		b.places = slices.DeleteFunc(b.places, func(p place) bool {
			s := l.table.all[p.sighting]
			return inside[key{b.object, s.rule.ID, s.secret}]
		})
	}
}

// all yields every finding, each for the time of the call.
func (l *ledger) all(yield func(*Finding) bool) {
	f := new(Finding)
	for _, b := range l.order {
		for _, p := range b.places {
			if b.expand(f, l.table, p); !yield(f) {
				return
			}
		}
	}
}

// judge has the stages judge every finding.
func (l *ledger) judge(stages []Stage) {
	for _, s := range stages {
		if p, ok := s.(Preparer); ok {
			p.Prepare(l.all)
		}
	}
	f := new(Finding)
	for _, b := range l.order {
		for i, p := range b.places {
			b.expand(f, l.table, p)
			for _, s := range stages {
				if f.Suppression == nil {
					s.Judge(f)
				}
			}
			b.places[i] = l.table.keep(p, f)
		}
	}
}

// A standing is a place with what stands there.
type standing struct {
	*batch
	place
	*sighting
	// paired is the finding, if what stands beside it made it another one.
	paired *Finding
}

// known returns what is known of what stands there.
func (s *standing) known() []rules.Field {
	if s.paired != nil {
		return s.paired.Fields
	}
	return s.sighting.fields
}

// byPlace calls visit for every place, ordered by the age of the commit where
// there is one, then by place. What is valid of it is so for the time of the
// call.
func (l *ledger) byPlace(visit func(s *standing)) {
	var all []standing
	for batches := range l.groups(sameAge) {
		all = all[:0]
		for _, b := range batches {
			for _, p := range b.places {
				all = append(all, standing{batch: b, place: p, sighting: l.table.all[p.sighting]})
			}
		}
		l.pair(all)
		slices.SortStableFunc(all, func(a, b standing) int {
			return cmp.Or(
				cmp.Compare(a.batch.offset+int64(a.place.offset), b.batch.offset+int64(b.place.offset)),
				strings.Compare(a.rule.ID, b.rule.ID),
			)
		})
		for i := range all {
			visit(&all[i])
		}
	}
	clear(all[:cap(all)])
}
