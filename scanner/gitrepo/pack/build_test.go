package pack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"sort"
	"testing"
)

// A packBuilder writes packs that git would not.
type packBuilder struct {
	t       testing.TB
	buf     bytes.Buffer
	entries []builtEntry
}

type builtEntry struct {
	id     ID
	offset int
	end    int
}

func newPackBuilder(t testing.TB) *packBuilder {
	b := &packBuilder{t: t}
	b.buf.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return b
}

// idOf returns the name of an object.
func idOf(kind Kind, data []byte) ID {
	h := newHash(20)
	h.Write(objectHead(kind, int64(len(data))))
	h.Write(data)
	return MakeID(h.Sum(nil))
}

// add appends an entry that goes by id, and returns its offset. base is what
// stands between head and content.
func (b *packBuilder) add(id ID, kind Kind, size int, base, content []byte) int {
	offset := b.buf.Len()
	c := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		b.buf.WriteByte(c | 0x80)
		c = byte(size & 0x7f)
	}
	b.buf.WriteByte(c)
	b.buf.Write(base)
	w := zlib.NewWriter(&b.buf)
	if _, err := w.Write(content); err != nil {
		b.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.entries = append(b.entries, builtEntry{id, offset, b.buf.Len()})
	return offset
}

// blob appends a blob as a whole.
func (b *packBuilder) blob(data []byte) (offset int) {
	return b.add(idOf(Blob, data), Blob, len(data), nil, data)
}

// offsetDelta appends a delta of the entry at base that makes data.
func (b *packBuilder) offsetDelta(data, delta []byte, base int) int {
	back := b.buf.Len() - base
	enc := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		enc = append([]byte{byte(back&0x7f) | 0x80}, enc...)
	}
	return b.add(idOf(Blob, data), offsetDelta, len(delta), enc, delta)
}

// refDelta appends a delta of the object base that makes data.
func (b *packBuilder) refDelta(data, delta []byte, base ID) int {
	return b.add(idOf(Blob, data), refDelta, len(delta), base.Bytes(), delta)
}

// write ends the pack and writes it with its index to the folder objects.
func (b *packBuilder) write(objects, name string) {
	b.t.Helper()
	pack := b.buf.Bytes()
	binary.BigEndian.PutUint32(pack[8:], uint32(len(b.entries)))
	h := newHash(20)
	h.Write(pack)
	pack = h.Sum(pack)
	sort.Slice(b.entries, func(i, j int) bool {
		return bytes.Compare(b.entries[i].id.sum[:], b.entries[j].id.sum[:]) < 0
	})
	var fan, ids, crcs, offsets []byte
	n := 0
	for first := range 256 {
		for n < len(b.entries) && int(b.entries[n].id.sum[0]) == first {
			n++
		}
		fan = binary.BigEndian.AppendUint32(fan, uint32(n))
	}
	for _, e := range b.entries {
		ids = append(ids, e.id.Bytes()...)
		crcs = binary.BigEndian.AppendUint32(crcs, crc32.ChecksumIEEE(pack[e.offset:e.end]))
		offsets = binary.BigEndian.AppendUint32(offsets, uint32(e.offset))
	}
	idx := bytes.Join([][]byte{[]byte("\377tOc\x00\x00\x00\x02"), fan, ids, crcs, offsets, pack[len(pack)-20:]}, nil)
	h = newHash(20)
	h.Write(idx)
	idx = h.Sum(idx)
	writeFile(b.t, filepath.Join(objects, "pack", "pack-"+name+".pack"), pack)
	writeFile(b.t, filepath.Join(objects, "pack", "pack-"+name+".idx"), idx)
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	// Git writes packs without permission to write.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A deltaBuilder writes the instructions of a delta and their result.
type deltaBuilder struct {
	base, ops, result []byte
}

func (d *deltaBuilder) insert(data []byte) {
	for len(data) > 0 {
		n := min(len(data), 127)
		d.ops = append(append(d.ops, byte(n)), data[:n]...)
		d.result = append(d.result, data[:n]...)
		data = data[n:]
	}
}

// copy copies base[src:src+n], n < 1<<24, with all bytes written out if long.
func (d *deltaBuilder) copy(src, n int, long bool) {
	at := len(d.ops)
	d.ops = append(d.ops, 0x80)
	put := func(v, bit int) {
		if v != 0 || long {
			d.ops[at] |= 1 << bit
			d.ops = append(d.ops, byte(v))
		}
	}
	for i := range 4 {
		put(src>>(8*i)&0xff, i)
	}
	if n != 0x10000 || long {
		for i := range 3 {
			put(n>>(8*i)&0xff, 4+i)
		}
	}
	d.result = append(d.result, d.base[src:src+n]...)
}

// delta returns the delta with its sizes.
func (d *deltaBuilder) delta() []byte {
	out := binary.AppendUvarint(nil, uint64(len(d.base)))
	return append(binary.AppendUvarint(out, uint64(len(d.result))), d.ops...)
}
