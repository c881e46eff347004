package report

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// TestJSONItemByItem holds a JSON report that is written item by item to the
// same bytes as when it is encoded as a whole.
func TestJSONItemByItem(t *testing.T) {
	results := []*scanner.Result{hostile(), result()}
	g := generator{rand.New(rand.NewPCG(3, 1))}
	for range 50 {
		results = append(results, g.result([]string{"a-secret-that-is-long", `"findings": []`, "x\n  \"suppressed\": []"}))
	}
	o := Options{Version: "v1.2.3"}
	for i, r := range results {
		var got, want bytes.Buffer
		if err := newJSON(o).Write(&got, r); err != nil {
			t.Fatal(err)
		}
		if err := writeJSON(&want, o.document(r), "  "); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("result %d: %d bytes item by item, %d as a whole", i, got.Len(), want.Len())
		}
	}
}

// A full writer takes no more than so many bytes.
type full int

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

func TestJSONLists(t *testing.T) {
	type document struct {
		Name string `json:"name"`
		List []int  `json:"list"`
		In   struct {
			List []int `json:"list"`
		} `json:"in"`
	}
	numbers := func(depth, n int) jsonList {
		return jsonList{"list", depth, n, func(i int) any { return []int{i} }}
	}
	d := document{Name: "\n  \"list\": []", List: []int{}}
	d.In.List = []int{}
	var b bytes.Buffer
	if err := writeJSONLists(&b, d, " ", numbers(1, 2), numbers(2, 0)); err != nil {
		t.Fatal(err)
	}
	want := "{\n \"name\": \"\\n  \\\"list\\\": []\",\n \"list\": [\n  [\n   0\n  ],\n  [\n   1\n  ]\n ],\n \"in\": {\n  \"list\": []\n }\n}\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	for size := range b.Len() {
		w := full(size)
		if err := writeJSONLists(&w, d, " ", numbers(1, 2), numbers(2, 0)); err == nil {
			t.Fatalf("no error where %d bytes are room for", size)
		}
	}
	if err := writeJSONLists(&b, d, " ", numbers(3, 2)); err == nil {
		t.Error("no error for a list that is not there")
	}
	if err := writeJSONLists(&b, d, " ", jsonList{"list", 1, 1, func(int) any { return func() {} }}); err == nil {
		t.Error("no error for an item that is none")
	}
}
