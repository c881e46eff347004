package scanner

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// versions is a source of objects that repeat one another's lines, in one order:
// it is the order in which equal places are told.
type versions struct {
	objects []*Object
	texts   [][]byte
	cut     int // the length of a chunk, or 0
}

func (s *versions) Chunks(_ context.Context, emit func(*Chunk) error) (Coverage, error) {
	var feeder Feeder
	for i, o := range s.objects {
		if s.cut == 0 {
			_ = feeder.Bytes(o, s.texts[i], emit)
			continue
		}
		at := position{line: 1}
		for from := 0; from < len(s.texts[i]); from += s.cut {
			to := min(from+s.cut, len(s.texts[i]))
			lo, hi := max(0, from-40), min(to+40, len(s.texts[i]))
			at.advance(s.texts[i], lo)
			_ = emit(&Chunk{Object: o, Data: s.texts[i][lo:hi], From: from - lo, To: to - lo, First: lo == 0, Last: hi == len(s.texts[i]), Offset: int64(lo), Line: at.line, Column: at.column})
		}
	}
	return Coverage{What: "versions"}, nil
}

func (s *versions) Attribute(_ context.Context, objects []*Object) error {
	for i, o := range objects {
		o.OtherCommits = i % 3
		if n := len(o.ID) + int(o.ID[0]); n%4 > 0 {
			o.Commit = &Commit{ID: fmt.Sprint("commit", n%5, "0000"), Date: fmt.Sprint(2020 + n%3)}
		}
	}
	return nil
}

// kinds are the rules of marks, by the word that stands before the colon.
var kinds = map[string]*rules.Rule{
	"id":     {ID: "aws-access-key-id", Severity: rules.Medium, Tags: []string{"aws", "credential"}},
	"key":    {ID: "aws-secret-access-key", Severity: rules.High, Tags: []string{"aws", "credential"}},
	"arn":    {ID: "some-arn", Severity: rules.Medium, Tags: []string{"aws", "arn"}, Identifier: true},
	"shape":  {ID: "shape", Severity: rules.Critical},
	"vendor": {ID: "vendor", Severity: rules.High, Overlaps: []string{"shape"}},
	"pass":   {ID: "pass", Severity: rules.High, Fallback: true},
	"gz":     {ID: "gz", Severity: rules.Low},
	"lines":  {ID: "lines", Severity: rules.Low},
}

var markWord = regexp.MustCompile(`(\w+):(\w+)(?:@(\d+))?((?:\nmore)*)`)

// marks finds words such as "vendor:K1@123": each as its rule says, some by two
// rules, some as if they had been encoded.
type marks struct{}

func (marks) Detect(c *Chunk, hit func(*Hit)) {
	for _, m := range markWord.FindAllSubmatchIndex(c.Data, -1) {
		if m[0] < c.From || m[0] >= c.To {
			continue
		}
		name := string(c.Data[m[2]:m[3]])
		r := kinds[name]
		if r == nil {
			continue
		}
		h := Hit{Rule: r, Severity: r.Severity, Confidence: rules.Confidence(int(c.Data[m[5]-1]) % 3), Start: m[0], End: m[1], SecretStart: m[4], SecretEnd: m[5]}
		h.Settled = c.Data[m[4]] == 'S'
		if m[6] >= 0 {
			h.Fields = []rules.Field{{Name: "account", Value: string(c.Data[m[6]:m[7]])}}
		}
		if c.Data[m[4]] == 'X' {
			h.Placeholder = "an example"
		}
		switch name {
		case "gz": // placeless: all of the word, whatever is in it
			h.SecretStart, h.Text = m[0], c.Data[m[4]:m[5]]
			h.Fields = append(h.Fields, rules.Field{Name: "decoded-from", Value: "base64, gzip"})
			hit(&h)
			h.Rule = kinds["pass"]
		case "lines":
			h.SecretEnd = m[1]
		case "vendor":
			hit(&h)
			h.Rule, h.Severity, h.Confidence = kinds["shape"], rules.Critical, rules.ConfidenceHigh
			hit(&h)
			h.Rule = kinds["pass"]
			h.SecretStart++
		}
		hit(&h)
	}
}

// judges is a stage that does all that a stage can, by what it was told.
type judges struct {
	quiet bool
	seen  map[string]int
	near  int
}

func (s *judges) Prepare(all iter.Seq[*Finding]) {
	s.seen = map[string]int{}
	for f := range all {
		s.seen[f.Secret.text]++
	}
}

func (s *judges) JudgeNear(f *Finding, c *Chunk, h *Hit) {
	s.near++
	before, after := string(c.Data[max(0, h.Start-9):h.Start]), string(c.Data[h.End:min(len(c.Data), h.End+9)])
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ = strings.Cut(after, "\n")
	if strings.Contains(before, "fine") && f.Suppression == nil {
		f.Suppression = &Suppression{By: "comment", Reason: "fine", InSource: true}
	}
	if strings.Contains(after, "note") {
		f.Noted = append(f.Noted, 7)
	}
	if c.Index("everywhere") >= 0 {
		f.Action = AlwaysWarn
	}
}

func (s *judges) Judge(f *Finding) {
	switch {
	case slices.Contains(f.Noted, 7):
		f.Suppression = &Suppression{By: "allowlist", Reason: "noted"}
	case f.Object.Path == "b" && f.Rule.ID == "pass":
		f.Suppression = &Suppression{By: "ignore", Reason: "path"}
	case s.seen[f.Secret.text]%5 == 1:
		f.Severity = rules.Info
	}
}

type quietJudges struct{ *judges }

func (s quietJudges) Quiet(lines []byte) bool {
	return !strings.Contains(string(lines), "fine") && !strings.Contains(string(lines), "note")
}

func (s quietJudges) QuietIn(c *Chunk) bool { return c.Index("everywhere") < 0 }

// randomVersions makes objects of few different lines, most of them versions of
// one another.
func randomVersions(r *rand.Rand) func() *versions {
	words := []string{"id:", "key:", "arn:", "shape:", "vendor:", "pass:", "gz:", "lines:"}
	var pool []string
	for range 4 + r.IntN(12) {
		var line []string
		for range r.IntN(4) {
			w := words[r.IntN(len(words))] + []string{"K", "S", "X"}[r.IntN(3)] + fmt.Sprint(r.IntN(4))
			if r.IntN(2) == 0 {
				w += "@" + fmt.Sprint(r.IntN(2))
			}
			line = append(line, w, []string{"", "fine", "note", "é", "user = bob", "everywhere", "x\ty"}[r.IntN(40)%7])
		}
		pool = append(pool, strings.Join(line, " "))
	}
	if r.IntN(8) == 0 {
		pool = append(pool, strings.Repeat("long ", 900)+"id:K9")
	}
	pool = append(pool, "", "more", "i\x00d\x00:\x00K\x001\x00 \x00a\x00b\x00c\x00")
	var objects []Object
	var texts [][]byte
	current := make([]string, 1+r.IntN(30))
	for i := range current {
		current[i] = pool[r.IntN(len(pool))]
	}
	for i := range 1 + r.IntN(6) {
		for range r.IntN(3) {
			current[r.IntN(len(current))] = pool[r.IntN(len(pool))]
		}
		o := Object{Path: string(rune('a' + r.IntN(3))), ID: string(rune('a' + r.IntN(6)))}
		if r.IntN(4) == 0 {
			o.New = lines{1: true, 3: true, 4: true}
		}
		objects, texts = append(objects, o), append(texts, []byte(strings.Join(current, "\n")))
		if i > 0 && r.IntN(4) == 0 {
			objects[i].OtherCommits = -1 // stands for: in the object before
		}
	}
	cut := []int{0, 0, 50, 300}[r.IntN(4)]
	return func() *versions {
		s := &versions{cut: cut, texts: texts}
		for i := range objects {
			o := objects[i]
			if o.OtherCommits < 0 {
				o.OtherCommits, o.Container = 0, s.objects[i-1]
			}
			s.objects = append(s.objects, &o)
		}
		return s
	}
}

// said returns all that is said of findings, but for what is the same function.
func said(all []*Finding) (lines []string) {
	place := func(l Location) string {
		o := *l.Object
		o.New, o.Container = nil, nil
		c := Commit{}
		if o.Commit != nil {
			c, o.Commit = *o.Commit, nil
		}
		l.Object = nil
		return fmt.Sprintf("%+v %+v %+v", l.StartLine, []any{l.StartColumn, l.EndLine, l.EndColumn, l.Offset, l.DecodedFrom}, []any{o, c})
	}
	for _, f := range all {
		s := fmt.Sprintln(f.Rule.ID, f.Severity, f.Confidence, f.Action, f.Secret.text, fmt.Sprintf("%q", f.Context.text), f.Fields, f.Occurrences, place(f.Location))
		if f.Suppression != nil {
			s += fmt.Sprintln(*f.Suppression)
		}
		for _, l := range f.More {
			s += fmt.Sprintln(place(l))
		}
		lines = append(lines, s)
	}
	return lines
}

// checkAgainstPlain compares Scan with PlainScan on what r makes.
func checkAgainstPlain(t *testing.T, r *rand.Rand) {
	t.Helper()
	source, quiet := randomVersions(r), r.IntN(2) == 0
	scan := func(f func(context.Context, Options) (*Result, error)) (*Result, *judges) {
		j := &judges{}
		o := Options{Sources: []Source{source(), source()}, Detectors: []Detector{marks{}}, Stages: []Stage{j}}
		if quiet {
			o.Stages[0] = quietJudges{j}
		}
		result, err := f(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return result, j
	}
	got, _ := scan(Scan)
	want, _ := scan(PlainScan)
	for _, list := range [][2][]*Finding{{got.Findings, want.Findings}, {got.Suppressed, want.Suppressed}} {
		if a, b := said(list[0]), said(list[1]); !reflect.DeepEqual(a, b) {
			for i := range max(len(a), len(b)) {
				if i >= len(a) || i >= len(b) || a[i] != b[i] {
					t.Fatalf("%d findings, plainly %d; number %d:\n%s\nplainly\n%s", len(a), len(b), i, append(a, "")[min(i, len(a))], append(b, "")[min(i, len(b))])
				}
			}
		}
	}
}

// TestScanAsPlain holds that to keep sightings and places gives what to keep
// every finding gives.
func TestScanAsPlain(t *testing.T) {
	for seed := range uint64(600) {
		checkAgainstPlain(t, rand.New(rand.NewPCG(seed, 5)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzScanAsPlain(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { checkAgainstPlain(t, rand.New(rand.NewPCG(a, b))) })
}

// TestRecalledSightings holds that a worker does recall: stages are asked once
// of what they have nothing to say of, and places take little memory.
func TestRecalledSightings(t *testing.T) {
	text := strings.Repeat("a\nid:K1 b\n", 500)
	s := &versions{}
	for i := range 40 {
		s.objects, s.texts = append(s.objects, &Object{ID: fmt.Sprint(i)}), append(s.texts, []byte(text))
	}
	j := &judges{}
	c := newCollector(newTable(), []Detector{marks{}}, []Stage{quietJudges{j}})
	if _, err := s.Chunks(context.Background(), c.emit); err != nil {
		t.Fatal(err)
	}
	if len(c.batches) != 40 || len(c.batches[39].places) != 500 {
		t.Fatalf("%d objects", len(c.batches))
	}
	if n := len(c.table.all); n > 3 {
		t.Errorf("%d sightings", n)
	}
	if j.near > 100 {
		t.Errorf("the stage was asked of %d findings", j.near)
	}
	if size := reflect.TypeFor[place]().Size(); size > 12 {
		t.Errorf("a place takes %d bytes", size)
	}
}
