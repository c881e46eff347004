package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A multi-pack index is read only for packs that have no index of their own:
// all others are found through theirs, which costs a few look-ups more and
// leaves nothing to go stale.

// midxPacks returns indexes for the packs of dir, a folder "pack", that its
// multi-pack index describes and need names, without their suffix.
func midxPacks(dir string, hashSize int, need map[string]bool) ([]*index, error) {
	files := []string{filepath.Join(dir, "multi-pack-index")}
	// An incremental multi-pack index is a chain of files, the oldest first.
	chain := filepath.Join(dir, "multi-pack-index.d")
	b, err := os.ReadFile(filepath.Join(chain, "multi-pack-index-chain"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		sum, err := hex.DecodeString(lines.Text())
		if err != nil || len(sum) != hashSize {
			return nil, at(chain, -1, errors.New("the chain of multi-pack indexes has a line that is no checksum"))
		}
		files = append(files, filepath.Join(chain, "multi-pack-index-"+lines.Text()+".midx"))
	}
	var all []*index
	base := uint32(0)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return all, err
		}
		m, err := parseMidx(data, hashSize)
		if err != nil {
			return all, at(f, -1, err)
		}
		first := uint32(0)
		if filepath.Dir(f) == chain {
			// Packs are numbered through the whole chain.
			first, base = base, base+uint32(len(m.packs))
		}
		found, err := m.indexes(f, first, need)
		if err != nil {
			return all, at(f, -1, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// midx is a multi-pack index of version 1 (gitformat-pack(5)).
type midx struct {
	packs   []string // names, without suffix
	ids     []byte
	n, hash int
	objects []byte // pairs of pack and offset
	long    []byte
}

// parseMidx checks the layout of data.
func parseMidx(data []byte, hashSize int) (*midx, error) {
	if len(data) < 12+hashSize || string(data[:4]) != "MIDX" {
		return nil, indexError("not a multi-pack index")
	}
	version, chunks, packs := data[4], int(data[6]), binary.BigEndian.Uint32(data[8:])
	if version != 1 && version != 2 || int(data[5]) != hashSize/12 {
		return nil, indexError("version %d or its hash %d is not known", version, data[5])
	}
	if len(data) < 12+12*(chunks+1)+hashSize {
		return nil, indexError("the table of chunks is cut short")
	}
	chunk := func(name string) []byte {
		for i := range chunks {
			row := data[12+12*i:]
			from, to := binary.BigEndian.Uint64(row[4:]), binary.BigEndian.Uint64(row[16:])
			if string(row[:4]) == name && from <= to && to <= uint64(len(data)-hashSize) {
				return data[from:to]
			}
		}
		return nil
	}
	_, n, err := parseFan(chunk("OIDF"))
	if err != nil {
		return nil, err
	}
	m := &midx{n: n, hash: hashSize, ids: chunk("OIDL"), objects: chunk("OOFF"), long: chunk("LOFF")}
	if len(m.ids)/hashSize < n || len(m.objects)/8 < n {
		return nil, indexError("the tables do not fit %d objects", n)
	}
	for names := chunk("PNAM"); uint32(len(m.packs)) < packs; {
		name, rest, ok := bytes.Cut(names, []byte{0})
		if !ok {
			return nil, indexError("%d packs have no names", packs)
		}
		m.packs, names = append(m.packs, strings.TrimSuffix(strings.TrimSuffix(string(name), ".idx"), ".pack")), rest
	}
	return m, nil
}

// indexes returns an index for each pack of m that need names. first is the
// number of m's first pack.
func (m *midx) indexes(path string, first uint32, need map[string]bool) ([]*index, error) {
	found := make([]*index, len(m.packs))
	for i, name := range m.packs {
		if need[name] {
			found[i] = &index{path: path, hash: m.hash, stride: m.hash, offsets: []int64{}, fan: make([]byte, fanSize)}
		}
	}
	for i := range m.n {
		number := binary.BigEndian.Uint32(m.objects[8*i:]) - first
		offset := int64(binary.BigEndian.Uint32(m.objects[8*i+4:]))
		if number >= uint32(len(m.packs)) {
			return nil, indexError("object %d is in a pack that is not listed", i)
		}
		x := found[number]
		if x == nil {
			continue
		}
		if offset>>31 != 0 && m.long != nil {
			far := int(offset & (1<<31 - 1))
			if far >= len(m.long)/8 {
				return nil, indexError("object %d has no offset", i)
			}
			offset = int64(binary.BigEndian.Uint64(m.long[8*far:]))
		}
		x.ids = append(x.ids, m.ids[i*m.hash:(i+1)*m.hash]...)
		x.offsets = append(x.offsets, offset)
		x.n++
		binary.BigEndian.PutUint32(x.fan[4*int(m.ids[i*m.hash]):], uint32(x.n))
	}
	var out []*index
	for i, x := range found {
		if x == nil {
			continue
		}
		x.closeFan()
		x.path = fmt.Sprintf("%s (pack %s)", path, m.packs[i])
		out = append(out, x)
	}
	return out, nil
}

// closeFan carries each count of the fan-out table over first bytes that no
// id has.
func (x *index) closeFan() {
	last := uint32(0)
	for i := range 256 {
		last = max(last, binary.BigEndian.Uint32(x.fan[4*i:]))
		binary.BigEndian.PutUint32(x.fan[4*i:], last)
	}
}
