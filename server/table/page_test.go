package table

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func records(n int) page {
	var p page
	for i := range n {
		p = append(p, Record{fmt.Sprintf("key %03d", i), bytes.Repeat([]byte{byte(i)}, i*7), time.Unix(int64(i), 5).UTC()})
	}
	return p
}

func same(a, b Record) bool {
	return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && a.At.Equal(b.At)
}

func TestPage(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100} {
		p := records(n)
		back, err := decode(p.encode(), new(bytes.Buffer))
		if err != nil || !slices.EqualFunc(p, back, same) {
			t.Errorf("of %d records %d came back, %v", n, len(back), err)
		}
	}
}

// TestPageSmall: records that resemble each other take little room.
func TestPageSmall(t *testing.T) {
	var p page
	size := 0
	for i := range 10 {
		text := ""
		for n := range 100 {
			text += fmt.Sprintf(`{"statement":%d,"principal":"arn:aws:iam::%012d:role/%d"}`, n, n*n, n%7)
		}
		p = append(p, Record{Key: fmt.Sprint(i), Value: fmt.Appendf(nil, `{"id":%d,%s`, i*i, text)})
		size += len(p[i].Value)
	}
	if stored := len(p.encode()); stored > size/20 {
		t.Errorf("%d bytes are stored as %d", size, stored)
	}
}

// TestPageCut: what is cut off is no page, and what is added belongs to none.
func TestPageCut(t *testing.T) {
	whole := records(3).encode()
	for cut := range len(whole) {
		if p, err := decode(whole[:cut], new(bytes.Buffer)); !errors.Is(err, errDamaged) {
			t.Errorf("cut at %d: %d records, %v", cut, len(p), err)
		}
	}
	if p, err := decode(append(whole, 0), new(bytes.Buffer)); !errors.Is(err, errDamaged) {
		t.Errorf("with another byte: %d records, %v", len(p), err)
	}
}

// TestRecordsCut: records that are cut off are such only at the end of one.
func TestRecordsCut(t *testing.T) {
	whole := records(3).format()
	ends := map[int]int{}
	for n := range 4 {
		ends[len(records(n).format())] = n
	}
	for cut := range len(whole) + 1 {
		p, err := parse(whole[:cut])
		n, isEnd := ends[cut]
		if isEnd != (err == nil) || len(p) != n && isEnd {
			t.Errorf("cut at %d: %d records, %v", cut, len(p), err)
		}
		if err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestPageOutOfOrder(t *testing.T) {
	for name, p := range map[string]page{"twice": {{Key: "a"}, {Key: "a"}}, "turned": {{Key: "b"}, {Key: "a"}}} {
		if _, err := decode(p.encode(), new(bytes.Buffer)); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzPage: whatever is stored is read as records that are found by their keys and
// stored as they were read, or is an error.
func FuzzPage(f *testing.F) {
	f.Add(records(3).encode())
	f.Add(records(3).format())
	f.Add([]byte{1, 'a', 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := decode(b, new(bytes.Buffer)); err != nil && !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
		p, err := parse(b)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		for i, r := range p {
			if at, found := p.search(r.Key); !found || at != i {
				t.Errorf("%q is not found at %d", r.Key, i)
			}
		}
		back, err := decode(p.encode(), new(bytes.Buffer))
		if err != nil || !slices.EqualFunc(p, back, same) {
			t.Errorf("stored again it is another page: %v", err)
		}
	})
}

// BenchmarkChange is what a change costs beside JetStream: a page is read, one
// record of it is another, and the page is written.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n, " records of 5 KB"), func(b *testing.B) {
			var p page
			for i := range n {
				text := fmt.Sprintf(`{"id":"%032x","timeline":[`, i*i)
				for k := range 60 {
					text += fmt.Sprintf(`{"stage":"%d","at":"2026-11-%02dT00:00:%02d","by":"spillgate-server"},`, (i+k)%9, k%30, i%60)
				}
				p = append(p, Record{Key: fmt.Sprintf("%08d", i), Value: []byte(text)})
			}
			stored, text := p.encode(), new(bytes.Buffer)
			b.SetBytes(int64(len(stored)))
			b.ReportAllocs()
			for b.Loop() {
				back, err := decode(stored, text)
				if err != nil {
					b.Fatal(err)
				}
				stored = back.encode()
			}
		})
	}
}
