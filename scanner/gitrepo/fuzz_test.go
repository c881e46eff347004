package gitrepo

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// sealed appends the checksum that parseIndex wants.
func sealed(body []byte) []byte {
	sum := sha1.Sum(body)
	return append(bytes.Clone(body), sum[:]...)
}

// realIndexes returns index files of each version that git wrote.
func realIndexes(t testing.TB) [][]byte {
	s := newSandbox(t)
	s.init("r")
	for _, f := range []string{"a/b/one.txt", "a/b/two.txt", "a/c.txt", "z.txt"} {
		s.commit("r", f, f)
	}
	s.write("r/ita", "x")
	s.git("r", "add", "-N", "ita")
	var all [][]byte
	for _, v := range []string{"2", "3", "4"} {
		s.git("r", "update-index", "--index-version", v)
		data, err := os.ReadFile(s.path("r/.git/index"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// FuzzParseIndex holds parseIndex to what it promises of any bytes: no panic,
// entries in order with paths that are not empty, and no more of them than the
// file could hold. The checksum is set right, or the fuzzer would never get
// past it.
func FuzzParseIndex(f *testing.F) {
	for _, data := range realIndexes(f) {
		f.Add(data[:len(data)-sha1Len])
	}
	f.Add([]byte("DIRC\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x00TREE\x00\x00\x00\x04\x00-1 "))
	f.Fuzz(func(t *testing.T, body []byte) {
		ix, err := parseIndex(sealed(body), sha1Len)
		if err != nil {
			return
		}
		if len(ix.entries) > len(body)/64+1 {
			t.Fatalf("%d entries in %d bytes", len(ix.entries), len(body))
		}
		for i := range ix.entries {
			if len(ix.entries[i].path) == 0 {
				t.Fatal("an empty path")
			}
			if i > 0 && !entryLess(&ix.entries[i-1], &ix.entries[i]) {
				t.Fatal("out of order")
			}
		}
	})
}

// The reader agrees with `git ls-files` on every version git writes.
func TestParseIndexEqualsGit(t *testing.T) {
	s := newSandbox(t)
	s.init("r")
	for i := range 30 {
		s.write(fmt.Sprintf("r/d%d/e%d/%s.txt", i%3, i%5, strings.Repeat("n", i*3+1)), fmt.Sprint(i))
	}
	s.git("r", "add", ".")
	s.write("r/ita", "x")
	s.git("r", "add", "-N", "ita")
	s.git("r", "update-index", "--skip-worktree", "d0/e0/n.txt")
	r := s.open("r", backendGit)
	want, err := r.indexByGit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"2", "3", "4"} {
		s.git("r", "update-index", "--index-version", v)
		got, err := r.readIndexFile()
		if err != nil {
			t.Fatal(err)
		}
		if len(got.entries) != len(want.entries) {
			t.Fatalf("version %s: %d entries, want %d", v, len(got.entries), len(want.entries))
		}
		for i := range got.entries {
			if a, b := fmt.Sprintf("%+v", got.entries[i]), fmt.Sprintf("%+v", want.entries[i]); a != b {
				t.Errorf("version %s: %s, want %s", v, a, b)
			}
		}
	}
}

// FuzzParseTree holds the tree parser to this: the entries of what it accepts
// make up all of its bytes.
func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x00"+strings.Repeat("i", sha1Len)+"40000 b\x00"+strings.Repeat("j", sha1Len)), false)
	f.Add([]byte("100644 a\x00"+strings.Repeat("i", sha256Len)), true)
	f.Add([]byte("100644 \x00"), false)
	f.Fuzz(func(t *testing.T, data []byte, long bool) {
		n := sha1Len
		if long {
			n = sha256Len
		}
		tree, rest := treeReader{rest: data, hashLen: n}, data
		for tree.next() {
			e := tree.entry
			digits, _, _ := bytes.Cut(rest, []byte(" ")) // old writers padded modes with zeros
			if mode, err := strconv.ParseUint(string(digits), 8, 32); err != nil || uint32(mode) != e.mode {
				t.Fatalf("mode %o of %q", e.mode, rest)
			}
			entry := fmt.Sprintf("%s %s\x00%s", digits, e.name, e.id[:n])
			if !strings.HasPrefix(string(rest), entry) {
				t.Fatalf("%q is not the start of %q", entry, rest)
			}
			rest = rest[len(entry):]
		}
		if tree.err == nil && len(rest) > 0 {
			t.Fatalf("%q was left over", rest)
		}
	})
}

// FuzzParseCommit holds the commit and tag parsers to this: no panic, and the
// message is the end of the object, so that nothing of it goes unscanned.
func FuzzParseCommit(f *testing.F) {
	id := strings.Repeat("0a", sha1Len)
	f.Add([]byte("tree " + id + "\nparent " + id + "\nauthor A <a@b> 1 +0100\ncommitter C <c@d> 2 -0530\ngpgsig x\n y\nmergetag object " + id + "\n type commit\n\nsubject\n\nbody\n"))
	f.Add([]byte("object " + id + "\ntype commit\ntag v1\ntagger T <t@u> 3 +0000\n\nmessage\n"))
	f.Add([]byte("tree\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		check := func(message []byte) {
			if len(message) > 0 && !bytes.HasSuffix(data, append([]byte("\n\n"), message...)) {
				t.Fatalf("message %q of %q", message, data)
			}
		}
		if c, err := parseCommit(data, sha1Len); err == nil {
			check(c.message)
			c.describe("id")
			c.seconds()
			if len(identityText(c.author)) > len(c.author) {
				t.Fatal("more people than were named")
			}
		}
		if g, err := parseTag(data, sha1Len); err == nil {
			check(g.message)
		}
	})
}

func TestParseCommit(t *testing.T) {
	id := strings.Repeat("0a", sha1Len)
	raw := "tree " + id + "\nparent " + id + "\nparent " + id + "\nauthor A B <a@b> 1 +0130\ncommitter C <c@d> 2 -0530\n" +
		"gpgsig -----BEGIN\n signature\n -----END\nmergetag object " + id + "\n type commit\n \n inner message\nx-tool note\n\nsubject\n\nbody\n"
	c, err := parseCommit([]byte(raw), sha1Len)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.parents) != 2 || string(c.message) != "subject\n\nbody\n" || c.seconds() != 2 {
		t.Errorf("%+v", c)
	}
	if want := "mergetag object " + id + "\ntype commit\n\ninner message\nx-tool note\n"; string(c.extra) != want {
		t.Errorf("extra is %q, want %q", c.extra, want)
	}
	d := c.describe("x")
	if d.Author != "A B" || d.Email != "a@b" || d.Date != "1970-01-01T01:30:01+01:30" || d.Subject != "subject" {
		t.Errorf("%+v", d)
	}
}

// lcs is the slow and plain way to the length of a longest common subsequence.
func lcs(a, b [][]byte) int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if bytes.Equal(a[i], b[j]) {
				best[i][j] = best[i+1][j+1] + 1
			} else {
				best[i][j] = max(best[i+1][j], best[i][j+1])
			}
		}
	}
	return best[0][0]
}

// subsequence reports whether the kept lines of a stand in b in this order.
func subsequence(a [][]byte, kept []bool, b [][]byte) (n int, ok bool) {
	j := 0
	for i, k := range kept {
		if !k {
			continue
		}
		n++
		for j < len(b) && !bytes.Equal(a[i], b[j]) {
			j++
		}
		if j == len(b) {
			return n, false
		}
		j++
	}
	return n, true
}

// FuzzCommonLines holds the line difference to the plain way: what it keeps
// stands in both texts in the same order, and no longer choice exists; with a
// cost that runs out it keeps less, never something wrong.
func FuzzCommonLines(f *testing.F) {
	f.Add("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", 1000)
	f.Add("", "x\n", 1)
	f.Add("x\nSECRET\ny\n", "x\ny\n", 0)
	f.Fuzz(func(t *testing.T, one, two string, cost int) {
		if len(one) > 400 || len(two) > 400 {
			return
		}
		a, b := splitLines([]byte(one), 1, false), splitLines([]byte(two), 1, false)
		kept := make([]bool, len(a))
		found := commonLines(a, b, kept, maxDiffCost)
		n, ok := subsequence(a, kept, b)
		if !ok || n != found || n != lcs(a, b) {
			t.Fatalf("%q from %q: kept %v, found %d, longest %d", one, two, kept, found, lcs(a, b))
		}
		kept = make([]bool, len(a))
		found = commonLines(a, b, kept, cost%100)
		if n, ok := subsequence(a, kept, b); !ok || n != found {
			t.Fatalf("cut short: %q from %q: kept %v, found %d", one, two, kept, found)
		}
	})
}

func TestCommonLinesTooDifferent(t *testing.T) {
	var one, two [][]byte
	for i := range 3000 {
		one = append(one, []byte(fmt.Sprint(i*7919%3001)))
		two = append(two, []byte(fmt.Sprint(i*104729%3001)))
	}
	kept := make([]bool, len(one))
	found := commonLines(one, two, kept, 10000)
	if n, ok := subsequence(one, kept, two); !ok || n != found {
		t.Errorf("kept %d lines, found %d, in order %v", n, found, ok)
	}
}

func TestSplitLines(t *testing.T) {
	wide := func(s string, unit int, big bool) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			c := make([]byte, unit)
			if big {
				c[unit-2], c[unit-1] = byte(u>>8), byte(u)
			} else {
				c[0], c[1] = byte(u), byte(u>>8)
			}
			b = append(b, c...)
		}
		return b
	}
	// U+0A0A, U+0A00 and U+000A: only the last is a line feed
	text := "a\u0a0ab\u0a00\nc\n\nd"
	for _, c := range []struct {
		unit int
		big  bool
	}{{2, false}, {2, true}, {4, false}, {4, true}} {
		if got := splitLines(wide(text, c.unit, c.big), c.unit, c.big); len(got) != 4 {
			t.Errorf("unit %d, big %v: %d lines: %q", c.unit, c.big, len(got), got)
		}
	}
	got := splitLines([]byte("a\r\nb\n\nc"), 1, false)
	if fmt.Sprintf("%q", got) != `["a" "b" "" "c"]` {
		t.Errorf("%q", got)
	}
}

func TestSortByKey(t *testing.T) {
	var keys []int64
	var order []uint32
	for i := range 5000 {
		keys = append(keys, int64(i*7919%5003)<<(i%3*14))
		order = append(order, uint32(i))
	}
	got := sortByKey(order, keys)
	if !sort.SliceIsSorted(got, func(i, j int) bool { return keys[got[i]] < keys[got[j]] }) {
		t.Error("not sorted")
	}
}

func TestConfig(t *testing.T) {
	var c config
	c.parse("\ufeff[Core]\n\tbare = TRUE ; really\n\tNoValue\n[remote \"or\\\"igin\"]\n\turl = \"a # b\" # c\n\tlong = one \\\n two\n" +
		"[remote \"up\"]\n\tfetch = +refs/heads/*:refs/remotes/up/*\n[branch \"x/y\"]\n\tremote = up\n\tmerge = refs/heads/z\n[old.sub] k = v\nbroken [\n")
	for key, want := range map[string]string{
		"core.bare": "TRUE", "core.novalue": "true", `remote.or"igin.url`: "a # b", `remote.or"igin.long`: "one  two", "old.sub.k": "v",
	} {
		if got, ok := c.get(key); !ok || got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if !c.truth("core.bare") || c.truth("core.absent") {
		t.Error("truth")
	}
	if got := c.upstream("x/y"); got != "refs/remotes/up/z" {
		t.Errorf("upstream %q", got)
	}
}

// FuzzConfig holds the reader of git's configuration to this: a value that is
// quoted as git quotes it comes back, whatever stands before it, and nothing
// makes the reader fall over.
func FuzzConfig(f *testing.F) {
	f.Add("[a]\n\tb = c ; d\n[broken \\\n", "va#lue \\ \"x\" ")
	f.Add("0\\\r", "0")
	f.Add("[remote \"o\"]\nfetch = +refs/heads/*:refs/remotes/o/*\n[branch \"m\"]\nremote=o\nmerge=refs/heads/", "")
	f.Fuzz(func(t *testing.T, before, value string) {
		var any config
		any.parse(before)
		any.upstream("m")
		// A backslash before the end of a line, which may be one of Windows,
		// goes on with the next line.
		if strings.ContainsAny(value, "\x00\r") || strings.HasSuffix(strings.TrimSuffix(before, "\r"), "\\") {
			return
		}
		quoted := strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n", "\t", "\\t", "\b", "\\b").Replace(value)
		var c config
		c.parse(before + "\n[the \"Sub\"]\n\tKey = \"" + quoted + "\"\n")
		if got, ok := c.get("the.Sub.key"); !ok || got != value {
			t.Fatalf("%q came back as %q", value, got)
		}
	})
}

// FuzzPackIndex holds the index reader to its bounds: whatever the file says,
// it answers with an offset or an error, in the file and in memory alike.
func FuzzPackIndex(f *testing.F) {
	id := bytes.Repeat([]byte{7}, sha1Len)
	f.Add(true, []byte{7: 1}, append(bytes.Clone(id), 0, 0, 0, 0, 0, 0, 0, 12))
	f.Add(true, []byte{7: 1}, append(bytes.Clone(id), 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9))
	f.Add(false, []byte{7: 1}, append([]byte{0, 0, 0, 12}, id...))
	f.Add(false, []byte{0: 200, 9: 200}, id)
	// The fan-out table is made from how many objects each bucket has: as raw
	// bytes it would make up nearly all of the input.
	f.Fuzz(func(t *testing.T, v2 bool, buckets, tables []byte) {
		var data []byte
		if v2 {
			data = append(data, "\xfftOc\x00\x00\x00\x02"...)
		}
		sum := uint32(0)
		for i := range 256 {
			if i < len(buckets) {
				sum += uint32(buckets[i])
			}
			data = binary.BigEndian.AppendUint32(data, sum)
		}
		data = append(data, tables...)
		file := struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(data), io.NopCloser(nil)}
		x, err := newPackIndex("x.idx", file, int64(len(data)), sha1Len)
		if err != nil {
			return
		}
		if x.count() > len(data)/(sha1Len+4) {
			t.Fatalf("%d objects in %d bytes", x.count(), len(data))
		}
		var ids []oid
		for i := range min(x.count(), 8) {
			id, err := x.idAt(i)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		for _, id := range append(ids, oid{1}, oid{255}) {
			a, aerr := x.find(id)
			if err := x.load(); err != nil {
				t.Fatal(err)
			}
			if b, berr := x.find(id); a != b || (aerr == nil) != (berr == nil) {
				t.Fatalf("%d, %v in the file, %d, %v in memory", a, aerr, b, berr)
			}
			_, _ = x.id(a)
		}
	})
}
