package rules

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// found is what the tests compare of a match.
type found struct {
	pattern                    string
	start, end, secret, secEnd int
	fields                     string
}

func collect(p *Program, data []byte, from, to int) []found {
	var out []found
	p.Scan(data, from, to, false, func(m *Match) { out = append(out, describe(m)) })
	return out
}

func describe(m *Match) found {
	return found{m.Rule.ID, m.Start, m.End, m.SecretStart, m.SecretEnd, fmt.Sprint(m.Fields)}
}

func sortFound(f []found) {
	slices.SortFunc(f, func(a, b found) int {
		return cmp.Or(strings.Compare(a.pattern, b.pattern), a.start-b.start, a.end-b.end, a.secret-b.secret, a.secEnd-b.secEnd)
	})
}

// twin finds what a plain regular expression finds in the whole text. It is
// slow, obvious and shares no code with the program but the confinement of
// (?i) to ASCII.
func twin(t testing.TB, r *Rule, data []byte) []found {
	var out []found
	seen := map[[2]int]bool{}
	for _, pat := range r.Patterns {
		re := plainRegexp(t, pat.Regexp)
		names := re.SubexpNames()
		secret := slices.Index(names, "secret")
		if secret < 0 {
			secret = min(1, len(names)-1)
		}
		for _, loc := range re.FindAllSubmatchIndex(data, -1) {
			if !hasAny(data[loc[0]:loc[1]], pat.Keywords) {
				continue
			}
			f := found{r.ID, loc[0], loc[1], loc[0], loc[1], ""}
			if s := loc[2*secret:]; s[0] >= 0 && s[1] > s[0] {
				f.secret, f.secEnd = s[0], s[1]
			}
			var fields []Field
			for i, n := range names {
				if n != "" && i != secret && loc[2*i] >= 0 {
					fields = append(fields, Field{n, string(data[loc[2*i]:loc[2*i+1]])})
				}
			}
			f.fields = fmt.Sprint(fields)
			if !seen[[2]int{f.secret, f.secEnd}] {
				seen[[2]int{f.secret, f.secEnd}] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// plainRegexps keeps what is compiled, for the sake of speed.
var plainRegexps sync.Map

func plainRegexp(t testing.TB, expr string) *regexp.Regexp {
	if re, ok := plainRegexps.Load(expr); ok {
		return re.(*regexp.Regexp)
	}
	tree, err := parsePlain(expr)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(tree.String())
	plainRegexps.Store(expr, re)
	return re
}

func hasAny(text []byte, keywords []string) bool {
	return len(keywords) == 0 || slices.ContainsFunc(keywords, func(k string) bool {
		return bytes.Contains(bytes.ToLower(text), []byte(strings.ToLower(k)))
	})
}

// expressions exercise what the compiler knows: each has a short alphabet, so
// that random texts match often.
var expressions = []string{
	`abc[a-c]{2,5}`,
	`abc[a-c]{2,5}?`,
	`(?:abc|abd|acb)[ab]{1,3}c`,
	`\babc[ab]{2}\b`,
	`[ab]{0,4}cab(?P<secret>[abc]{1,3})b`,
	`(?i)abc[_-]?(?P<secret>[0-9a]{2,4})`,
	`(?i)abca|bcab[a-c]{1,4}`,
	`^abc.{0,3}`,
	`(?m)^abc.{0,3}$`,
	`abc.{0,3}$`,
	`[^a]{2,3}abc[^b]{1,2}`,
	`.abc.`,
	`(?s).{2}abc.{2}`,
	`ab(?:ca){1,3}b{0,2}`,
	`ab(?:ca){1,3}?b{0,2}`,
	`(?P<name>a|b)abc(?P<secret>b|ca?)(?P<tail>[ab]{0,2})`,
	`abc(b|ca)?(a{1,2})`,
	`(a|ab)(abc|c)(bcd)?[abc]`,
	`abcé{1,2}[é-ü]`,
	`(?i)sk[kS]ab[^k]`,
	`aab[a-c]{0,3}[a-c]{0,2}[a-c]{1,2}abc`,
	`\Babc\B`,
	`abc\z`,
	`\Aabc`,
	`abc(?:$|\n|b)`,
	`(?:(?:a|b){1,2}abc){1,2}`,
	`abc(?:a{0,2}b{0,2}){0,3}c`,
	`(?:abc)?bca(?:abc)?`,
	`abc(?:|a|ab)c`,
	`[^\n]{0,5}cab[^\x00-\x7f]{0,1}a`,
}

// keyed are expressions whose literals must be given.
var keyed = []Pattern{
	{Regexp: `[a-c]{3,5}b`, Keywords: []string{"CAB"}},
	{Regexp: `(?:abc|cba)[a-c]{1,3}`, Keywords: []string{"abc", "cba"}},
	{Regexp: `a[bc]{1,2}a[bc]{1,3}`, Keywords: []string{"bab", "cac"}},
}

func testRules() []Rule {
	var rules []Rule
	for i, e := range expressions {
		rules = append(rules, Rule{ID: fmt.Sprintf("e%d", i), Patterns: []Pattern{{Regexp: e}}})
	}
	for i, e := range keyed {
		rules = append(rules, Rule{ID: fmt.Sprintf("k%d", i), Patterns: []Pattern{e}})
	}
	return append(rules, Rule{ID: "two", Patterns: []Pattern{
		{Regexp: `abc(?P<secret>[ab]{2,3})`},
		{Regexp: `(?P<name>b|c)?abc(?P<secret>[ab]{2,4})`},
		{Regexp: `bc(?P<secret>[ab]{2})c`, Keywords: nil},
	}})
}

func testProgram(t testing.TB) *Program {
	var good []Rule
	for _, r := range testRules() {
		if _, err := Compile([]Rule{r}); err != nil {
			if r.ID == "two" {
				r.Patterns = r.Patterns[:2]
			} else {
				t.Fatal(err)
			}
		}
		good = append(good, r)
	}
	p, err := Compile(good)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func randomText(r *rand.Rand, n int) []byte {
	parts := []string{"a", "b", "c", "abc", "cab", "aab", "bca", "A", "B", "C", "k", "s", "K", "ſ", "\u212a", "é", "ü",
		"\xc3", "\xa9", "\xe2\x98", "☃", "\n", " ", "_", "-", "0", "1", "d", "\x00"}
	var b []byte
	common := r.IntN(len(parts)-4) + 4
	for len(b) < n {
		b = append(b, parts[r.IntN(common)]...)
	}
	return b
}

// compare holds the program equal to the twin on data, whole and in chunks.
func compare(t testing.TB, p *Program, data []byte, cuts []int) {
	t.Helper()
	var want []found
	for i := range p.Rules {
		if !strings.HasPrefix(p.Rules[i].ID, "k") {
			want = append(want, twin(t, &p.Rules[i], data)...)
		} else {
			want = append(want, keyedTwin(t, p, i, data)...)
		}
	}
	sortFound(want)
	check := func(how string, got []found) {
		t.Helper()
		sortFound(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s of %q with %v:\n got %v\nwant %v", how, data, p.Rules[0].Patterns[0], got, want)
		}
	}
	check("scan", collect(p, data, 0, len(data)))
	var anchors []Anchor
	var pieces []found
	from := 0
	for _, to := range append(cuts, len(data)) {
		if to < from || to > len(data) {
			continue
		}
		anchors = p.Anchors(anchors, data, from, to)
		pieces = append(pieces, collect(p, data, from, to)...)
		from = to
	}
	check("chunks", pieces)
	if whole := p.Anchors(nil, data, 0, len(data)); !slices.Equal(anchors, whole) {
		t.Fatalf("anchors of the chunks of %q: %v, of the whole: %v", data, anchors, whole)
	}
	var matched []found
	p.Match(data, anchors, false, func(m *Match) { matched = append(matched, describe(m)) })
	check("match", matched)
}

// keyedTwin applies the definition for patterns that need a keyword: places
// where the expression matches without one do not count.
func keyedTwin(t testing.TB, p *Program, rule int, data []byte) []found {
	pat := p.Rules[rule].Patterns[0]
	at := plainRegexp(t, `\A(?:`+pat.Regexp+`)`)
	var out []found
	for i := 0; i < len(data); i++ {
		loc := at.FindIndex(data[i:])
		if loc != nil && hasAny(data[i:i+loc[1]], pat.Keywords) {
			out = append(out, found{p.Rules[rule].ID, i, i + loc[1], i, i + loc[1], "[]"})
			i += loc[1] - 1
		}
	}
	return out
}

func TestProgramEqualsRegexp(t *testing.T) {
	p := testProgram(t)
	r := rand.New(rand.NewPCG(1, 2))
	matches := 0
	for range 3000 {
		data := randomText(r, r.IntN(120))
		var cuts []int
		for at := 0; at < len(data); {
			at += 1 + r.IntN(30)
			cuts = append(cuts, at)
		}
		compare(t, p, data, cuts)
		matches += len(collect(p, data, 0, len(data)))
	}
	if matches < 10000 {
		t.Fatalf("only %d matches: the texts test little", matches)
	}
}

func FuzzProgramEqualsRegexp(f *testing.F) {
	f.Add([]byte("abcaabbcabcabcab\nabc é abcéé"), uint64(1))
	f.Add([]byte("AKIA abcab_ABCa0 skKab\u212a"), uint64(7))
	p := testProgram(f)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 2000 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var cuts []int
		for at := 0; at < len(data); {
			at += 1 + r.IntN(40)
			cuts = append(cuts, at)
		}
		compare(t, p, data, cuts)
	})
}

// A caller that keeps only as much context as it must gets the same.
func TestContextIsEnough(t *testing.T) {
	p := testProgram(t)
	p.context = 400
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		data := randomText(r, 1500)
		var want, got []found
		for i := range p.Rules {
			if strings.HasPrefix(p.Rules[i].ID, "e") {
				want = append(want, twin(t, &p.Rules[i], data)...)
			}
		}
		for from := 0; from < len(data); {
			to := min(from+1+r.IntN(300), len(data))
			start, end := max(0, from-p.context), min(to+p.context, len(data))
			for _, f := range collect(p, data[start:end], from-start, to-start) {
				if strings.HasPrefix(f.pattern, "e") {
					f.start, f.end, f.secret, f.secEnd = f.start+start, f.end+start, f.secret+start, f.secEnd+start
					got = append(got, f)
				}
			}
			from = to
		}
		sortFound(want)
		sortFound(got)
		if !slices.Equal(got, want) {
			t.Fatalf("in chunks of %q:\n got %v\nwant %v", data, got, want)
		}
	}
}

// naive finds all literals without a filter.
func naive(p *Program, data []byte, from, to int) []Anchor {
	var begin [256][]int // the literals that may begin with a byte
	for i, l := range p.literals {
		first := l.text[0]
		begin[first] = append(begin[first], i)
		if l.fold && 'a' <= first && first <= 'z' {
			begin[first-32] = append(begin[first-32], i)
		}
	}
	var out []Anchor
	for pos := from; pos < to; pos++ {
		for _, i := range begin[data[pos]] {
			l := &p.literals[i]
			if pos+len(l.text) > len(data) {
				continue
			}
			s := string(data[pos : pos+len(l.text)])
			if s == l.text || l.fold && asciiLower(s) == l.text {
				out = append(out, Anchor{pos, uint16(i)})
			}
		}
	}
	return out
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 32
		}
		return r
	}, s)
}

// The prefilter is exact: also at the edges, for literals of three bytes, and
// for texts shorter than a window.
func TestAnchorsEqualNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		var rules []Rule
		alphabet := "abcABC-_1"[:2+r.IntN(7)]
		for i := range 1 + r.IntN(300) {
			b := make([]byte, 3+r.IntN(6))
			for j := range b {
				b[j] = alphabet[r.IntN(len(alphabet))]
			}
			expr := regexp.QuoteMeta(string(b))
			if r.IntN(2) == 0 {
				expr = "(?i)" + expr
			}
			rules = append(rules, Rule{ID: fmt.Sprint(i), Patterns: []Pattern{{Regexp: expr}}})
		}
		p, err := compile(rules, 1+r.IntN(3))
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			data := make([]byte, r.IntN(80))
			for i := range data {
				data[i] = "abcABC-_1\x00\xff"[r.IntN(len(alphabet)+2)]
			}
			from := r.IntN(len(data) + 1)
			to := from + r.IntN(len(data)-from+1)
			got, want := p.Anchors(nil, data, from, to), naive(p, data, from, to)
			if !slices.Equal(got, want) {
				t.Fatalf("anchors of %q[%d:%d]:\n got %v\nwant %v", data, from, to, got, want)
			}
		}
	}
}

func TestAnchorsOfBuiltinEqualNaive(t *testing.T) {
	p := Builtin()
	data := corpus(t, 1<<16)
	for i, l := range p.literals { // every literal, now and then in capitals
		text := l.text
		if l.fold && i%3 == 0 {
			text = strings.ToUpper(text)
		}
		data = append(append(data, text...), " -_x\n"[i%5])
	}
	if got, want := p.Anchors(nil, data, 0, len(data)), naive(p, data, 0, len(data)); !slices.Equal(got, want) || len(got) == 0 {
		t.Fatalf("%d anchors, naively %d", len(got), len(want))
	}
}

// corpus returns about size bytes of Go source.
func corpus(t testing.TB, size int) []byte {
	var out []byte
	_ = filepath.WalkDir(filepath.Join(runtime.GOROOT(), "src"), func(path string, d os.DirEntry, err error) error {
		if err != nil || len(out) > size {
			return filepath.SkipAll
		}
		if strings.HasSuffix(path, ".go") {
			b, _ := os.ReadFile(path)
			out = append(out, b...)
		}
		return nil
	})
	if len(out) < size {
		t.Skip("no Go source at GOROOT to read")
	}
	return out[:size:size]
}

func TestNoAllocations(t *testing.T) {
	p := Builtin()
	data := corpus(t, 1<<20)
	p.Scan(data, 0, len(data), false, func(m *Match) { data[m.Start] = ' ' })
	near := []byte("\nAKIA ghp_x arn:aws:kms arn:aws:iam:::x glpat-1 -----BEGIN sk_live_\n")
	for i := 0; i+len(near) < len(data); i += 4000 {
		copy(data[i:], near)
	}
	if n := len(p.Anchors(nil, data, 0, len(data))); n < 1000 {
		t.Fatalf("only %d anchors: the text tests little", n)
	}
	if n := testing.AllocsPerRun(20, func() {
		p.Scan(data, 0, len(data), false, func(*Match) { panic("matched") })
	}); n > 0 {
		t.Errorf("%v allocations a scan", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	p := testProgram(t)
	r := rand.New(rand.NewPCG(8, 9))
	data := randomText(r, 3000)
	want := collect(p, data, 0, len(data))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if got := collect(p, data, 0, len(data)); !slices.Equal(got, want) {
					t.Error("a concurrent scan differs")
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPrefilter(b *testing.B) {
	data := corpus(b, 16<<20)
	anchors := Builtin().Anchors(nil, data, 0, len(data))
	b.ReportMetric(float64(len(anchors))/16, "anchors/MB")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		anchors = Builtin().Anchors(anchors[:0], data, 0, len(data))
	}
}

func BenchmarkScan(b *testing.B) {
	data := corpus(b, 16<<20)
	n := 0
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Builtin().Scan(data, 0, len(data), false, func(*Match) { n++ })
	}
}
