package rules

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules/generic"
)

// What a scan remembers of a candidate is what it would find again: also where
// texts that differ in a byte near it, or in where they end, meet in one memory.
func TestGradesAreRecalled(t *testing.T) {
	var m gradeMemory
	r := rand.New(rand.NewPCG(1, 2))
	letters := "abXY09 =\"':,.-_/$#\n"
	check := func(data []byte) {
		at := strings.Index(string(data), "password")
		if at < 0 {
			return
		}
		c, ok := generic.Find(data, at, at+len("password"))
		if !ok {
			return
		}
		from, to := generic.JudgeSees(data, c)
		if got, want := m.score(data, c, from, to), generic.Judge(data, c); got != want {
			t.Fatalf("%q is remembered as %d and judged as %d", data, got, want)
		}
	}
	remembered := 0
	for range 2000 {
		text := []byte("x\n    client.password = \"hunter-2-Kx9\" # note\ny\n")
		for range r.IntN(3) {
			text[r.IntN(len(text))] = letters[r.IntN(len(letters))]
		}
		from := r.IntN(8)
		text = text[from : len(text)-r.IntN(10)]
		check(text)
		check(append([]byte("# another line before it\n"), text...))
	}
	for i := range m.slots {
		if m.slots[i].n > 0 {
			remembered++
		}
	}
	if remembered < recallGrades/2 {
		t.Errorf("only %d of %d slots are in use", remembered, recallGrades)
	}
}

// Two candidates in the same text are two verdicts.
func TestGradesOfOneText(t *testing.T) {
	var m gradeMemory
	data := []byte("x\npassword = secret = \"hunter-2-Kx9\"\n")
	c, ok := generic.Find(data, 2, 2+len("password"))
	d, ok2 := generic.Find(data, 13, 13+len("secret"))
	if !ok || !ok2 {
		t.Fatal("no candidates")
	}
	d.SeenFrom = c.SeenFrom
	e := d
	e.Quote, e.Wrapped = 0, !d.Wrapped
	for range 2 {
		for _, c := range []generic.Candidate{c, d, e} {
			if got, want := m.score(data, c, 1, len(data)), generic.Judge(data, c); got != want {
				t.Errorf("%+v: %d, judged as %d", c, got, want)
			}
		}
	}
	if generic.Judge(data, d) == generic.Judge(data, e) {
		t.Error("the candidates are judged alike, so that this test tests nothing")
	}
}

// What is longer than a slot is judged each time, and nothing is remembered
// without a memory.
func TestGradesOfLongTexts(t *testing.T) {
	for _, m := range []*gradeMemory{nil, {}} {
		data := []byte("password = \"" + strings.Repeat("aB3", 80) + strings.Repeat("x", 15) + "\" # " + strings.Repeat("y", 100))
		c, ok := generic.Find(data, 0, len("password"))
		if !ok {
			t.Fatal("no candidate")
		}
		if got, want := m.score(data, c, -1, maxGraded+1), generic.Judge(data, c); got != want {
			t.Errorf("%d, judged as %d", got, want)
		}
		if m != nil && m.slots != nil {
			t.Error("a text longer than a slot is remembered")
		}
	}
}
