package pack

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spillgate/spillgate/scanner/gitrepo/pack/inflate"
)

// maxLooseHead bounds the head of a loose object: "commit", a blank, a number
// of 63 bits, a zero byte.
const maxLooseHead = 6 + 1 + 19 + 1

var errLoose = errors.New("not a loose object, or one that is damaged")

// loosePath returns where in dir the loose object id would be.
func loosePath(dir string, id ID) string {
	h := id.String()
	if len(h) < 3 {
		return filepath.Join(dir, "nothing")
	}
	return filepath.Join(dir, h[:2], h[2:])
}

// looseBefore reports whether one of the first n folders has id as a loose
// object.
func (st *storeState) looseBefore(id ID, n int) bool {
	for _, dir := range st.dirs[:n] {
		if info, err := os.Lstat(loosePath(dir, id)); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

// eachLoose calls f for every loose object that is in no pack, each once.
func (st *storeState) eachLoose(hashSize int, f func(path string, id ID) error) error {
	for rank, dir := range st.dirs {
		subs, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("listing loose objects: %w", err)
		}
		for _, sub := range subs {
			if _, err := hex.DecodeString(sub.Name()); err != nil || len(sub.Name()) != 2 {
				continue
			}
			if err := st.looseIn(rank, sub.Name(), hashSize, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// looseIn calls f for the loose objects in the folder sub, the first two
// digits, of the folder of that rank.
func (st *storeState) looseIn(rank int, sub string, hashSize int, f func(path string, id ID) error) error {
	names, err := os.ReadDir(filepath.Join(st.dirs[rank], sub))
	if err != nil && !missing(err) {
		return fmt.Errorf("listing loose objects: %w", err)
	}
	for _, n := range names {
		id, err := ParseID(sub + n.Name())
		if err != nil || int(id.size) != hashSize {
			continue // such as tmp_obj_123456
		}
		if st.places(id.sum[:id.size], func(place) bool { return true }) || st.looseBefore(id, rank) {
			continue
		}
		if err := f(filepath.Join(st.dirs[rank], sub, n.Name()), id); err != nil {
			return err
		}
	}
	return nil
}

// parseLooseHead reads the kind and size at the start of a loose object, and
// how long they are.
func parseLooseHead(b []byte) (kind Kind, size int64, n int, err error) {
	end := bytes.IndexByte(b, 0)
	name, digits, ok := bytes.Cut(b[:max(end, 0)], []byte{' '})
	if !ok {
		return 0, 0, 0, fmt.Errorf("%w: it states no type and size", errLoose)
	}
	size, err = strconv.ParseInt(string(digits), 10, 64)
	if kind = parseKind(string(name)); kind == 0 || err != nil || size < 0 || digits[0] == '+' {
		return 0, 0, 0, fmt.Errorf("%w: its type or size is not known", errLoose)
	}
	return kind, size, end + 1, nil
}

// loose reads the loose object at path into the memory that was lent to r.
func (r *reader) loose(path string) (kind Kind, data []byte, size int64, err error) {
	lent := r.lent
	if len(r.chain) > 0 {
		lent = nil // it is a base
	}
	return readLooseInto(path, r.s.opts.MaxObject, r.z, lent, &r.large)
}

// readLoose reads the loose object at path into memory. An object larger than
// limit is not read; its size is returned with ErrTooLarge.
func readLoose(path string, limit int64, z *inflate.Inflater) (kind Kind, data []byte, size int64, err error) {
	return readLooseInto(path, limit, z, nil, new([]byte))
}

// readLooseInto is readLoose into buf, where that is large enough, by way of
// the memory file, which is made larger where need be.
func readLooseInto(path string, limit int64, z *inflate.Inflater, buf []byte, file *[]byte) (kind Kind, data []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, 0, err
	}
	defer f.Close()
	var head [4096]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && err != io.ErrUnexpectedEOF {
		return 0, nil, 0, at(path, 0, err)
	}
	var start [maxLooseHead]byte
	// The input may be cut anywhere, so a part of the head may do.
	m, err := z.Prefix(start[:], head[:n])
	if err != nil {
		return 0, nil, 0, at(path, 0, err)
	}
	kind, size, skip, err := parseLooseHead(start[:m])
	if err != nil {
		return 0, nil, 0, at(path, 0, err)
	}
	if size > limit {
		return kind, nil, size, at(path, 0, ErrTooLarge)
	}
	src := head[:n]
	if n == len(head) {
		if src, err = restOf(f, src, 2*size+64<<10, file); err != nil {
			return 0, nil, 0, at(path, 0, err)
		}
	}
	if err := plausible(size, int64(len(src))); err != nil {
		return 0, nil, 0, at(path, 0, err)
	}
	if whole := skip + int(size); whole+inflate.Slack > cap(buf) {
		buf = make([]byte, whole, whole+inflate.Slack)
	} else {
		buf = buf[:whole]
	}
	used, err := z.Zlib(buf, src)
	if err == nil && used != len(src) {
		err = fmt.Errorf("%w: %d bytes follow it", errLoose, len(src)-used)
	}
	if err != nil {
		return 0, nil, 0, at(path, 0, err)
	}
	return kind, buf[skip:], size, nil
}

// restOf returns what f holds behind head, which was read from it, with head
// before it: at most limit bytes more, since nothing is compressed to more than
// it is, but for a little. It lies in the memory buf, which is made larger where
// need be and stays small.
func restOf(f *os.File, head []byte, limit int64, buf *[]byte) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	n := len(head) + int(max(0, min(info.Size()-int64(len(head)), limit)))
	all := *buf
	if n > len(all) {
		all = make([]byte, n)
	}
	if len(all) <= largeWindow {
		*buf = all
	}
	all = all[:n]
	m, err := io.ReadFull(f, all[copy(all, head):])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return all[:len(head)+m], err
}

// looseHeader reads the kind and size of the loose object at path.
func looseHeader(path string, z *inflate.Inflater) (Kind, int64, error) {
	kind, _, size, err := readLoose(path, -1, z)
	if errors.Is(err, ErrTooLarge) {
		err = nil
	}
	return kind, size, err
}

// openLoose opens the loose object at path as a stream.
func openLoose(path string) (kind Kind, size int64, r *stream, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, nil, err
	}
	zr, err := zlib.NewReader(f)
	if err != nil {
		f.Close()
		return 0, 0, nil, at(path, 0, err)
	}
	var head [maxLooseHead]byte
	n := 0
	for ; n < len(head); n++ {
		if _, err = io.ReadFull(zr, head[n:n+1]); err != nil || head[n] == 0 {
			break
		}
	}
	if err == nil {
		kind, size, _, err = parseLooseHead(head[:min(n+1, len(head))])
	}
	if err != nil {
		f.Close()
		return 0, 0, nil, at(path, 0, err)
	}
	return kind, size, &stream{r: zr, left: size, file: path, close: f.Close}, nil
}
