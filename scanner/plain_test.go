package scanner

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/rules"
)

// PlainScan is Scan the slow way: it keeps a Finding for every place, takes each
// down by itself, and does every step to all of them at once. Scan must give the
// same result, whatever was found.
func PlainScan(ctx context.Context, o Options) (*Result, error) {
	r := &Result{}
	var all []*Finding
	for _, s := range o.Sources {
		c := &plainCollector{collector: newCollector(newTable(), nil, o.Stages), detectors: o.Detectors}
		coverage, err := s.Chunks(ctx, c.emit)
		if err == nil && len(c.findings) > 0 {
			if a, ok := s.(Attributor); ok {
				err = a.Attribute(ctx, plainObjects(c.findings))
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c.findings...)
		r.Coverage = append(r.Coverage, coverage)
		r.Notices = append(r.Notices, coverage.Notices...)
	}
	all = plainDropContainers(plainGiveWay(all))
	for _, s := range o.Stages {
		if p, ok := s.(Preparer); ok {
			p.Prepare(slices.Values(all))
		}
	}
	for _, f := range all {
		for _, s := range o.Stages {
			if f.Suppression == nil {
				s.Judge(f)
			}
		}
	}
	for _, s := range o.Stages {
		if n, ok := s.(Reporter); ok {
			r.Notices = append(r.Notices, n.Notices()...)
		}
	}
	slices.SortStableFunc(r.Notices, func(a, b Notice) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Where, b.Where))
	})
	pairAWS(all)
	for _, f := range all {
		nameUser(f)
	}
	plainRaise(all)
	r.Findings, r.Suppressed = plainMerge(all)
	o.Fingerprinter.fill(r.Findings)
	o.Fingerprinter.fill(r.Suppressed)
	return r, nil
}

func plainObjects(all []*Finding) (objects []*Object) {
	for _, f := range all {
		if !slices.Contains(objects, f.Object) {
			objects = append(objects, f.Object)
		}
	}
	return objects
}

// A plainCollector makes a Finding of every hit.
type plainCollector struct {
	*collector
	detectors []Detector
	mu        sync.Mutex
	findings  []*Finding
}

func (c *plainCollector) emit(chunk *Chunk) error {
	w := &worker{collector: c.collector}
	chunk.sought = ""
	see := func(chunk *Chunk) {
		w.chunk, w.last = chunk, position{}
		for _, d := range c.detectors {
			d.Detect(chunk, func(h *Hit) { c.take(w, h) })
		}
	}
	see(chunk)
	if wide := w.widen(chunk); wide != nil {
		see(wide)
	}
	for _, s := range c.watchers {
		s.Watch(chunk)
	}
	return nil
}

// take makes a finding of a hit, if it touches something new.
func (c *plainCollector) take(w *worker, h *Hit) {
	first := w.place(h.Start)
	start := w.place(h.SecretStart)
	end := w.place(h.SecretEnd)
	w.first, w.end = first, end
	last := end.line + bytes.Count(w.chunk.Data[h.SecretEnd:max(h.SecretEnd, h.End-1)], newline)
	fresh := w.chunk.Object.New == nil || w.chunk.Object.New.Touches(first.line, last)
	if !fresh && len(w.near) == 0 {
		return
	}
	f := &Finding{
		Rule: h.Rule, Severity: h.Severity, Confidence: h.Confidence,
		Location: Location{
			Object: w.chunk.Object, Offset: w.chunk.Offset + int64(h.SecretStart),
			StartLine: start.line, StartColumn: start.column + 1,
			EndLine: end.line, EndColumn: end.column + 1,
		},
		Occurrences: 1,
		settled:     h.Settled,
	}
	if f.EndLine == f.StartLine && f.EndColumn <= f.StartColumn {
		f.EndColumn = f.StartColumn + 1 // an empty secret is shown as one column
	}
	if h.Placeholder != "" {
		f.Suppression = &Suppression{By: "placeholder", Reason: h.Placeholder, InSource: true}
	}
	for _, s := range w.near {
		s.JudgeNear(f, w.chunk, h)
	}
	if !fresh {
		return
	}
	secret := h.Text
	if secret == nil {
		secret = w.chunk.Data[h.SecretStart:h.SecretEnd]
	}
	around := plainSurroundings(w.chunk.Data, h.Start, h.End)
	f.Secret, f.Context, f.Fields = NewSecret(secret), NewSecret(around), slices.Clone(h.Fields)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.findings = append(c.findings, f)
}

// plainSurroundings returns the lines of data[start:end] and the line before, cut
// to contextMax with the finding in its middle.
func plainSurroundings(data []byte, start, end int) []byte {
	room := max(0, contextMax-(end-start)) / 2
	lo, hi := max(0, start-room), min(len(data), end+room)
	if i := bytes.LastIndexByte(data[lo:start], '\n'); i >= 0 {
		if j := bytes.LastIndexByte(data[lo:lo+i], '\n'); j >= 0 {
			lo += j + 1
		}
	}
	if i := bytes.IndexByte(data[end:hi], '\n'); i >= 0 {
		hi = end + i
	}
	return data[lo:min(hi, lo+contextMax)]
}

// plainGiveWay takes out the findings of fallback rules where another rule found
// something at the same place: they are one secret, and the other rule knows
// better what it is. Nothing is lost: the place stays reported, and as surely as
// the surer of the two was, since a rule that knows the vendor and one that knows
// what secrets look like are surer together than either.
func plainGiveWay(all []*Finding) []*Finding {
	all = plainNameBoth(all)
	if !slices.ContainsFunc(all, func(f *Finding) bool { return f.Rule.Fallback }) {
		return all
	}
	known := map[*Object][]*Finding{}
	// What was compressed has no places of its own, only the same text.
	texts := map[plainPlaceless]*Finding{}
	for _, f := range all {
		switch {
		case f.Rule.Fallback:
		case isPlaceless(f):
			texts[plainPlaceless{f.Object, f.Offset, f.Secret.text}] = f
		default:
			known[f.Object] = append(known[f.Object], f)
		}
	}
	for _, list := range known {
		slices.SortFunc(list, func(a, b *Finding) int { return cmp.Compare(secretEnd(a), secretEnd(b)) })
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		switch {
		case !f.Rule.Fallback:
			return false
		case isPlaceless(f):
			other := texts[plainPlaceless{f.Object, f.Offset, f.Secret.text}]
			return other != nil && other.takeFrom(f)
		}
		list, gone := known[f.Object], false
		i, _ := slices.BinarySearchFunc(list, f.Offset+1, func(o *Finding, at int64) int { return cmp.Compare(secretEnd(o), at) })
		// Those that end behind its beginning, as far as a match can reach back.
		for end := secretEnd(f); i < len(list) && secretEnd(list[i]) < end+rules.MaxMatch; i++ {
			if list[i].Offset < end {
				gone = list[i].takeFrom(f)
			}
		}
		return gone
	})
}

type plainPlaceless struct {
	object *Object
	offset int64
	text   string
}

func plainNameBoth(all []*Finding) []*Finding {
	type start struct {
		object *Object
		offset int64
	}
	var special []*Finding
	at := map[start][]*Finding{}
	for _, f := range all {
		if len(f.Rule.Overlaps) > 0 && f.Suppression == nil && !isPlaceless(f) {
			special = append(special, f)
		}
		at[start{f.Object, f.Offset}] = append(at[start{f.Object, f.Offset}], f)
	}
	gone := map[*Finding]bool{}
	for _, f := range special {
		if gone[f] {
			continue
		}
		// What is inside begins at the same place, or behind a short prefix.
		for offset := f.Offset; offset < f.Offset+sharedPrefix && offset < secretEnd(f); offset++ {
			for _, g := range at[start{f.Object, offset}] {
				if g != f && !gone[g] && !g.Rule.Fallback && g.Suppression == nil && secretEnd(g) <= secretEnd(f) && slices.Contains(f.Rule.Overlaps, g.Rule.ID) {
					gone[g] = f.takeFrom(g)
					f.Severity = max(f.Severity, g.Severity)
					f.Fields = append(slices.Clone(f.Fields), rules.Field{Name: fieldAlso, Value: g.Rule.ID})
				}
			}
		}
	}
	if len(gone) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f *Finding) bool { return gone[f] })
}

func plainDropContainers(all []*Finding) []*Finding {
	type key struct {
		object       *Object
		rule, secret string
	}
	inside := map[key]bool{}
	for _, f := range all {
		for o := f.Object.Container; o != nil; o = o.Container {
			inside[key{o, f.Rule.ID, f.Secret.text}] = true
		}
	}
	if len(inside) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(f *Finding) bool {
		return inside[key{f.Object, f.Rule.ID, f.Secret.text}]
	})
}

func plainRaise(all []*Finding) {
	type place struct{ change, account string }
	with := map[place]*Finding{}
	for _, f := range all {
		if !isCredential(f.Rule) || isExcused(f) {
			continue
		}
		p := place{plainChange(f), field(f, fieldAccount)}
		if p.account == "" {
			continue
		}
		if old, ok := with[p]; !ok || plainByPlace(f, old) < 0 {
			with[p] = f
		}
	}
	if len(with) == 0 {
		return
	}
	for _, f := range all {
		if !slices.Contains(f.Rule.Tags, "arn") || isExcused(f) {
			continue
		}
		account := field(f, fieldAccount)
		c, ok := with[place{plainChange(f), account}]
		if !ok || account == "" {
			continue
		}
		f.Severity = rules.Critical
		setField(f, fieldRaised, "credentials of account "+account+" in the same change: "+c.Rule.ID+" at "+c.Location.String())
	}
}

func plainChange(f *Finding) string {
	if f.Object.Commit == nil {
		return ""
	}
	return f.Object.Commit.ID
}

func plainMerge(all []*Finding) (count, suppressed []*Finding) {
	slices.SortStableFunc(all, plainByPlace)
	type key struct{ rule, secret, by, reason string }
	first := map[key]*Finding{}
	for _, f := range all {
		f.DecodedFrom = field(f, "decoded-from")
		k := key{rule: f.Rule.ID, secret: f.Secret.text}
		if f.Suppression != nil {
			k.by, k.reason = f.Suppression.By, f.Suppression.Reason
		}
		to, ok := first[k]
		if !ok {
			first[k] = f
			if f.Suppression == nil {
				count = append(count, f)
			} else {
				suppressed = append(suppressed, f)
			}
			continue
		}
		to.Occurrences++
		if why := field(f, fieldRaised); why != "" && f.Severity > to.Severity {
			setField(to, fieldRaised, why)
		}
		to.Severity = max(to.Severity, f.Severity)
		to.Confidence = max(to.Confidence, f.Confidence)
		if len(to.More) < MaxLocations {
			to.More = append(to.More, f.Location)
		}
	}
	return count, suppressed
}

// plainByPlace orders findings by the age of their commit where there is one, then
// by place, so that the first place of a secret is the one that brought it.
func plainByPlace(a, b *Finding) int {
	return cmp.Or(
		cmp.Compare(date(a.Object), date(b.Object)),
		strings.Compare(a.Object.Path, b.Object.Path),
		cmp.Compare(a.Object.Kind, b.Object.Kind),
		strings.Compare(a.Object.ID, b.Object.ID),
		cmp.Compare(a.Offset, b.Offset),
		strings.Compare(a.Rule.ID, b.Rule.ID),
	)
}
