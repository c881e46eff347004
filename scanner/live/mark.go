package live

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"os"
	"runtime"
)

// A mark stands beside a journal and says what its first lines come to. A journal
// grows for years and is read whenever it is opened: a server that was killed has
// better things to do than to take apart ten thousand lines that it took apart
// before. What is taken from a mark is what the same bytes gave when they were
// read, each with its checks; that they are the same bytes is seen by their hash,
// for which all of them are read. A mark that does not fit is of no account, and
// the journal is read from its beginning.
//
// It is trusted no further than the journal: whoever can write the one can write
// the other.
type mark struct {
	lines int
	size  int64 // of those lines, in bytes
	sum   [sha256.Size]byte
	state []byte // what the journal's owner keeps of them
}

// An owner is what a journal is read into.
type owner interface {
	// take takes in a line, with its number and the byte at which it begins. The
	// line is valid during the call only. An error is that of the line.
	take(n int, at int64, line []byte) error
	// state returns what was taken in, nil where no mark is to be made of it, and
	// restore takes it in at once, before any line; false where it cannot, and then
	// nothing is changed.
	state() []byte
	restore(state []byte, file io.ReaderAt) bool
}

const (
	markSuffix = ".mark"
	markHead   = "spillgate mark 1\n"
	// markAfter is after how many new bytes another mark is made.
	markAfter = 1 << 20
)

// encode returns the text of the mark's file, which ends with its own hash.
func (m *mark) encode() []byte {
	text := binary.BigEndian.AppendUint64([]byte(markHead), uint64(m.lines))
	text = binary.BigEndian.AppendUint64(text, uint64(m.size))
	text = append(append(text, m.sum[:]...), m.state...)
	sum := sha256.Sum256(text)
	return append(text, sum[:]...)
}

// readMark returns the mark of the journal; nil if there is none that can be read.
func readMark(journal string) *mark {
	text, err := os.ReadFile(journal + markSuffix)
	if err != nil || len(text) < len(markHead)+16+2*sha256.Size {
		return nil
	}
	text, own := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	sum := sha256.Sum256(text)
	rest, ok := bytes.CutPrefix(text, []byte(markHead))
	if !ok || !bytes.Equal(sum[:], own) {
		return nil
	}
	m := &mark{lines: int(binary.BigEndian.Uint64(rest)), size: int64(binary.BigEndian.Uint64(rest[8:]))}
	rest = rest[16:]
	m.state = rest[copy(m.sum[:], rest):]
	return m
}

// begin brings the owner to where the journal's mark is, if the journal still
// begins with what the mark was made of, and the file to the first line after it.
// It returns how many lines and bytes that are, and the hash of the bytes.
func (j *journal) begin(to owner) (lines int, size int64, sum hash.Hash, err error) {
	m := readMark(j.path)
	sum = sha256.New()
	if m != nil && m.size > 0 && m.size <= maxJournal {
		in := io.NewSectionReader(j.file, 0, m.size)
		for buf := make([]byte, 64<<10); ; {
			n, err := in.Read(buf)
			sum.Write(buf[:n])
			runtime.Gosched()
			if err == io.EOF {
				break
			}
			if err != nil {
				return 0, 0, nil, err
			}
			size += int64(n)
		}
		if size == m.size && bytes.Equal(sum.Sum(nil), m.sum[:]) && to.restore(m.state, j.file) {
			_, err := j.file.Seek(size, io.SeekStart)
			return m.lines, size, sum, err
		}
	}
	_, err = j.file.Seek(0, io.SeekStart)
	return 0, 0, sha256.New(), err
}

// leave makes a mark, after so many lines and bytes. That it cannot be written is
// no error: the next to open the journal reads more of it.
func (j *journal) leave(of owner, lines int, size int64, sum hash.Hash) {
	m := mark{lines: lines, size: size, state: of.state()}
	if m.state == nil {
		return
	}
	sum.Sum(m.sum[:0])
	_ = replaceFile(j.path+markSuffix, m.encode())
}
