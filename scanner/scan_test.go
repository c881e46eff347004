package scanner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// texts is a source of strings; the map's keys are paths.
type texts struct {
	files    []file
	err      error
	problem  string
	newLines NewLines
}

type file struct{ path, text string }

func (s *texts) Chunks(ctx context.Context, emit func(*Chunk) error) (Coverage, error) {
	var wg sync.WaitGroup
	for i, f := range s.files {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var feeder Feeder
			o := &Object{Path: f.path, ID: fmt.Sprint(i), New: s.newLines}
			_ = feeder.Bytes(o, []byte(f.text), emit)
		}()
	}
	wg.Wait()
	c := Coverage{What: "texts", Files: int64(len(s.files))}
	if s.problem != "" {
		c.Fail("here", s.problem, "")
	}
	return c, s.err
}

// words detects every "secret:WORD".
type words struct{}

var wordRule = &rules.Rule{ID: "word", Title: "A word", Severity: rules.High}

func (words) Detect(c *Chunk, hit func(*Hit)) {
	for at := c.From; ; {
		i := bytes.Index(c.Data[at:c.To], []byte("secret:"))
		if i < 0 {
			return
		}
		at += i
		end := at + 7
		for end < len(c.Data) && c.Data[end] > ' ' {
			end++
		}
		h := Hit{Rule: wordRule, Severity: wordRule.Severity, Start: at, End: end, SecretStart: at + 7, SecretEnd: end}
		if bytes.HasPrefix(c.Data[at+7:], []byte("example")) {
			h.Placeholder = "an example"
		}
		hit(&h)
		at = end
	}
}

func scanTexts(t *testing.T, s Source, stages ...Stage) *Result {
	t.Helper()
	r, err := Scan(context.Background(), Options{Sources: []Source{s}, Detectors: []Detector{words{}}, Stages: stages})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestScanPlacesFindings(t *testing.T) {
	r := scanTexts(t, &texts{files: []file{
		{"b", "é secret:two\nx\n\tsecret:three é"},
		{"a", "secret:one"},
	}})
	var got []string
	for _, f := range r.Findings {
		got = append(got, fmt.Sprintf("%s-%d:%d %s", f.Location, f.EndLine, f.EndColumn, f.Secret.Reveal()))
	}
	want := []string{"a:1:8-1:11 one", "b:1:10-1:13 two", "b:3:9-3:14 three"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %v, want %v", got, want)
	}
	if r.ExitCode(Gate{FailOn: rules.Medium}) != ExitFindings || r.ExitCode(Gate{FailOn: rules.Critical}) != ExitClean {
		t.Error("the gate's severity does not decide the exit code")
	}
}

func TestScanMergesPlacesOfOneSecret(t *testing.T) {
	r := scanTexts(t, &texts{files: []file{
		{"a", "secret:one secret:example1"}, {"b", "secret:one\nsecret:one\nsecret:example1"}, {"c", "secret:other"},
	}})
	if len(r.Findings) != 2 || len(r.Suppressed) != 1 {
		t.Fatalf("%d findings, %d suppressed", len(r.Findings), len(r.Suppressed))
	}
	f := r.Findings[0]
	if f.Occurrences != 3 || len(f.More) != 2 || f.Object.Path != "a" || f.More[1].StartLine != 2 {
		t.Errorf("places: %d, %v, %v", f.Occurrences, f.Location, f.More)
	}
	if s := r.Suppressed[0]; s.Occurrences != 2 || s.Suppression.By != "placeholder" {
		t.Errorf("suppressed: %+v", s.Suppression)
	}
	if f.Fingerprint() == r.Findings[1].Fingerprint() || len(f.Fingerprint()) != 32 {
		t.Error("fingerprints are not distinct")
	}
	again := scanTexts(t, &texts{files: []file{{"elsewhere", "\n\nsecret:one"}}})
	if again.Findings[0].Fingerprint() != f.Fingerprint() {
		t.Error("the fingerprint depends on the place")
	}
	if (Fingerprinter{Key: []byte("k")}).Fingerprint("word", f.Secret) == f.Fingerprint() {
		t.Error("the key does not change the fingerprint")
	}
}

type lines map[int]bool

func (l lines) Touches(first, last int) bool {
	for i := first; i <= last; i++ {
		if l[i] {
			return true
		}
	}
	return false
}

func TestScanCountsOnlyNewLines(t *testing.T) {
	r := scanTexts(t, &texts{files: []file{{"a", "secret:one\nsecret:two\nsecret:three"}}, newLines: lines{2: true}})
	if len(r.Findings) != 1 || r.Findings[0].StartLine != 2 {
		t.Errorf("%d findings", len(r.Findings))
	}
}

func TestScanIsNeverSilentlyGreen(t *testing.T) {
	broken := errors.New("broken pack")
	for name, tt := range map[string]struct {
		source *texts
		exit   int
	}{
		"clean":               {&texts{}, ExitClean},
		"error":               {&texts{err: broken}, ExitIncomplete},
		"problem":             {&texts{problem: "unreadable"}, ExitIncomplete},
		"error after finding": {&texts{err: broken, files: []file{{"a", "secret:one"}}}, ExitFindings},
		"interrupted":         {&texts{err: context.Canceled}, ExitInterrupted},
	} {
		r := scanTexts(t, tt.source)
		if got := r.ExitCode(Gate{FailOn: rules.Medium}); got != tt.exit {
			t.Errorf("%s: exit %d, want %d", name, got, tt.exit)
		}
		if tt.source.err != nil && r.Complete() {
			t.Errorf("%s: said to be complete", name)
		}
	}
	_, err := Scan(context.Background(), Options{Sources: []Source{&texts{err: fmt.Errorf("range: %w", &UsageError{What: "no base", Fix: "name one"})}}})
	var usage *UsageError
	if !errors.As(err, &usage) || usage.Error() != "no base; name one" {
		t.Errorf("usage error: %v", err)
	}
}

type attributed struct{ texts }

func (s *attributed) Attribute(_ context.Context, objects []*Object) error {
	for _, o := range objects {
		o.Path = "path of " + o.ID
		o.Commit = &Commit{ID: "c" + o.ID, Date: fmt.Sprintf("2026-01-0%d", 9-o.ID[0]+'0')}
	}
	return nil
}

func TestScanAttributesAndSortsByAge(t *testing.T) {
	r := scanTexts(t, &attributed{texts{files: []file{{"", "secret:one"}, {"", "secret:one"}}}})
	if len(r.Findings) != 1 || r.Findings[0].Object.Commit.ID != "c1" || r.Findings[0].Object.Path != "path of 1" {
		t.Errorf("the oldest commit does not come first: %v", r.Findings[0].Object)
	}
}

type excuse string

func (e excuse) Judge(f *Finding) {
	if strings.Contains(f.Context.Reveal(), string(e)) {
		f.Suppression = &Suppression{By: "comment", Reason: "said so"}
	}
}

func TestStagesSeeTheLineAndTheOneBefore(t *testing.T) {
	r := scanTexts(t, &texts{files: []file{{"a", "x\n# allow\nsecret:one\nsecret:two # allow\n\nsecret:three\n# allow"}}}, excuse("allow"))
	if len(r.Findings) != 1 || r.Findings[0].Secret.Reveal() != "three" || len(r.Suppressed) != 2 {
		t.Errorf("%d findings, %d suppressed", len(r.Findings), len(r.Suppressed))
	}
}

func TestSecretNeverPrints(t *testing.T) {
	text := "hunter" + "2-correct-horse"
	s := NewSecret([]byte(text))
	f := Finding{Rule: wordRule, Secret: s, Context: s, Location: Location{Object: &Object{Path: "p"}}}
	var out bytes.Buffer
	for _, v := range []any{s, &s, f, &f, []Secret{s}, map[string]Secret{"k": s}, struct{ S Secret }{s}, &Result{Findings: []*Finding{&f}}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			fmt.Fprintf(&out, verb, v)
		}
		fmt.Fprintln(&out, v)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	fmt.Fprintf(&out, "%v", fmt.Errorf("while at %v", s))
	if strings.Contains(out.String(), text[4:]) || strings.Contains(out.String(), fmt.Sprintf("%x", text[4:])) {
		t.Error("a secret was printed") // and is not printed here
	}
	if got := s.Masked(); got != "hunt… (21 characters)" {
		t.Errorf("masked: %s", got)
	}
	for _, short := range []string{"", "a", "fifteen chars.."} {
		if m := NewSecret([]byte(short)).Masked(); !strings.HasPrefix(m, "… (") {
			t.Errorf("a short secret shows %s", m)
		}
	}
	if m := NewSecret([]byte("\x1b[2J" + strings.Repeat("x", 20))).Masked(); !strings.HasPrefix(m, "… (") {
		t.Error("a control character is shown")
	}
}

func TestDetectorsPayNothingWithoutAHit(t *testing.T) {
	c := newCollector(newTable(), []Detector{words{}}, nil)
	chunk := &Chunk{Object: &Object{}, Data: []byte("nothing here"), To: 12, Line: 1}
	if n := testing.AllocsPerRun(100, func() { _ = c.emit(chunk) }); n > 0 {
		t.Errorf("%v allocations for a chunk without a hit", n)
	}
}

// guesses finds every "secret:WORD" too, and every "guess:WORD".
type guesses struct{}

var guessRule = &rules.Rule{ID: "guess", Title: "A guess", Severity: rules.High, Fallback: true}

func (guesses) Detect(c *Chunk, hit func(*Hit)) {
	for _, prefix := range []string{"secret:", "guess:"} {
		for at := 0; ; {
			i := bytes.Index(c.Data[at:], []byte(prefix))
			if i < 0 {
				break
			}
			at += i + len(prefix)
			hit(&Hit{Rule: guessRule, Severity: rules.High, Confidence: rules.ConfidenceMedium, Start: at - 1, End: at + 3, SecretStart: at, SecretEnd: at + 3})
		}
	}
}

func TestFallbackRulesGiveWay(t *testing.T) {
	s := &texts{files: []file{{"a", "guess:two secret:one secret:example guess:six"}, {"b", "guess:one"}}}
	r, err := Scan(context.Background(), Options{Sources: []Source{s}, Detectors: []Detector{guesses{}, words{}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range append(r.Findings, r.Suppressed...) {
		got = append(got, fmt.Sprintf("%s %s at %s", f.Rule.ID, f.Secret.Reveal(), f.Location))
	}
	want := "guess two at a:1:7, word one at a:1:18, guess six at a:1:43, guess one at b:1:7, word example at a:1:29"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, ", "), want)
	}
	for i, want := range []rules.Confidence{rules.ConfidenceMedium, rules.ConfidenceMedium, rules.ConfidenceMedium, rules.ConfidenceMedium} {
		if f := r.Findings[i]; f.Confidence != want {
			t.Errorf("%s has confidence %v: a guess at the same place is worth %v", f.Location, f.Confidence, want)
		}
	}
	if f := r.Suppressed[0]; f.Confidence != rules.ConfidenceLow {
		t.Errorf("what is excused became surer: %v", f.Confidence)
	}
}

// settled says of the hits of a detector that their confidence was chosen.
type settled struct{ Detector }

func (s settled) Detect(c *Chunk, hit func(*Hit)) {
	s.Detector.Detect(c, func(h *Hit) { h.Settled = true; hit(h) })
}

func TestSettledConfidenceStays(t *testing.T) {
	s := &texts{files: []file{{"a", "secret:one"}}}
	r, err := Scan(context.Background(), Options{Sources: []Source{s}, Detectors: []Detector{guesses{}, settled{words{}}}})
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Confidence != rules.ConfidenceLow {
		t.Errorf("%v, %v", r.Findings, err)
	}
}

// near excuses what stands beside the word "fine", and counts what it sees.
type near struct {
	mu             sync.Mutex
	judged, chunks int
}

func (n *near) Judge(*Finding) {}

func (n *near) JudgeNear(f *Finding, c *Chunk, h *Hit) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.judged++
	if bytes.HasPrefix(c.Data[h.End:], []byte(" fine")) {
		f.Suppression = &Suppression{By: "near", Reason: fmt.Sprint("line ", f.StartLine)}
	}
}

func (n *near) Watch(*Chunk) { n.mu.Lock(); n.chunks++; n.mu.Unlock() }

func (n *near) Notices() []Notice { return []Notice{{Kind: NoticeUnused, Where: "x"}} }

func TestScanStagesNearTheText(t *testing.T) {
	n := &near{}
	r := scanTexts(t, &texts{files: []file{{"a", "secret:one\nsecret:two fine\nsecret:three"}, {"b", "nothing"}}, newLines: lines{2: true}}, n)
	if len(r.Findings) != 0 || len(r.Suppressed) != 1 || r.Suppressed[0].Suppression.Reason != "line 2" {
		t.Errorf("%d findings, %d suppressed", len(r.Findings), len(r.Suppressed))
	}
	if n.judged != 3 {
		t.Errorf("%d hits judged: those on old lines belong to it", n.judged)
	}
	if n.chunks != 2 {
		t.Errorf("%d chunks watched, want 2", n.chunks)
	}
	if r.ExitCode(Gate{}) != ExitClean || r.ExitCode(Gate{FailOnUnused: true}) != ExitFindings {
		t.Error("an unused excuse does not decide the exit code")
	}
}

func TestGate(t *testing.T) {
	f := &Finding{Severity: rules.High, Confidence: rules.ConfidenceMedium}
	for _, c := range []struct {
		gate Gate
		want bool
	}{
		{Gate{}, true},
		{Gate{FailOn: rules.High, MinConfidence: rules.ConfidenceMedium}, true},
		{Gate{FailOn: rules.Critical}, false},
		{Gate{MinConfidence: rules.ConfidenceHigh}, false},
	} {
		if got := f.Blocks(c.gate); got != c.want {
			t.Errorf("%+v: blocks %v", c.gate, got)
		}
	}
	f.Suppression = &Suppression{}
	if f.Blocks(Gate{}) {
		t.Error("a suppressed finding blocks")
	}
}

func TestIndexWord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		data := make([]byte, r.IntN(90))
		for i := range data {
			data[i] = "ab:-"[r.IntN(4)]
		}
		for range r.IntN(3) { // few colons in a long text
			data = append(append(data, strings.Repeat("b", r.IntN(300))...), "ab:-a"[r.IntN(5):]...)
		}
		for _, word := range []string{"a:b", ":", "ab", "ab:a", "a:", ":b", "", "b:-", "-a", "ab:-a"} {
			if got, want := indexWord(data, word), bytes.Index(data, []byte(word)); got != want {
				t.Fatalf("%q is at %d of %q, not at %d", word, want, data, got)
			}
		}
	}
}
