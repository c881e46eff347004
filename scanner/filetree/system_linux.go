//go:build linux

package filetree

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/unix"
)

// On Linux a file costs four system calls: openat below its open folder,
// read, read again, close. There is no fstat: getdents64 tells the type with
// the name. The second read stays, because a short one means the end of the
// file only on some file systems, and a missed tail would be a missed secret.
// The os package would add an fstat and an epoll_ctl for each file.

// hostSystem is the file system of the machine.
type hostSystem struct{}

const fileFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY

func (hostSystem) openFolder(path string) (folder, error) {
	fd, err := openLong(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	return openedFolder(fd), nil
}

// openLong opens path. The kernel takes paths below 4,096 bytes, so a longer
// one is walked in pieces.
func openLong(path string, flags int) (int, error) {
	const most = unix.PathMax - 1
	at := unix.AT_FDCWD
	for {
		piece, rest := path, ""
		if len(path) > most {
			cut := bytes.LastIndexByte([]byte(path[:most]), '/')
			if cut <= 0 {
				return -1, unix.ENAMETOOLONG
			}
			piece, rest = path[:cut], path[cut+1:]
		}
		how := flags
		if rest != "" {
			how = unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY | unix.O_NOFOLLOW
		}
		fd, err := retry(func() (int, error) { return unix.Openat(at, piece, how, 0) })
		if at != unix.AT_FDCWD {
			_ = unix.Close(at)
		}
		if err != nil || rest == "" {
			return fd, err
		}
		at, path = fd, rest
	}
}

func (hostSystem) openFile(path string) (io.ReadCloser, error) {
	fd, err := openLong(path, fileFlags)
	if err != nil {
		return nil, err
	}
	return openedFile(fd), nil
}

type openedFolder int

func (d openedFolder) close() { _ = unix.Close(int(d)) }

func (d openedFolder) open(name string) (io.ReadCloser, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(int(d), name, fileFlags|unix.O_NOFOLLOW, 0) })
	if err != nil {
		return nil, err
	}
	return openedFile(fd), nil
}

func (d openedFolder) readLink(name string) (string, error) {
	for size := 256; ; size *= 4 {
		b := make([]byte, size)
		n, err := retry(func() (int, error) { return unix.Readlinkat(int(d), name, b) })
		if err != nil {
			return "", err
		}
		if n < size {
			return string(b[:n]), nil
		}
	}
}

// list reads the folder by getdents64. Its records hold, in the byte order of
// the machine: inode, offset (8 bytes each), length of the record (2), type
// (1) and the name up to a zero byte.
func (d openedFolder) list(to []entry, s *scratch) ([]entry, error) {
	const nameAt = int(unsafe.Offsetof(unix.Dirent{}.Name))
	if s.listing == nil {
		s.listing = make([]byte, 32<<10)
	}
	for {
		n, err := retry(func() (int, error) { return unix.Getdents(int(d), s.listing) })
		if err != nil || n == 0 {
			return to, err
		}
		names := string(s.listing[:n]) // one allocation for all names
		for at := 0; at+nameAt < n; {
			record := s.listing[at:n]
			size := int(binary.NativeEndian.Uint16(record[16:]))
			if size <= nameAt || size > len(record) {
				return to, unix.EIO
			}
			end := bytes.IndexByte(record[nameAt:size], 0)
			if end < 0 {
				end = size - nameAt
			}
			name := names[at+nameAt : at+nameAt+end]
			typ := record[18]
			at += size
			if name == "." || name == ".." {
				continue
			}
			to = append(to, entry{name, d.typeOf(name, typ)})
		}
	}
}

func (d openedFolder) typeOf(name string, typ byte) fs.FileMode {
	switch typ {
	case unix.DT_REG:
		return 0
	case unix.DT_DIR:
		return fs.ModeDir
	case unix.DT_LNK:
		return fs.ModeSymlink
	case unix.DT_FIFO:
		return fs.ModeNamedPipe
	case unix.DT_SOCK:
		return fs.ModeSocket
	case unix.DT_CHR, unix.DT_BLK:
		return fs.ModeDevice
	}
	// Some file systems do not say.
	var st unix.Stat_t
	if err := unix.Fstatat(int(d), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return 0 // opening it will say what is wrong
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFCHR, unix.S_IFBLK:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

type openedFile int

func (f openedFile) Close() error { return unix.Close(int(f)) }

func (f openedFile) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := retry(func() (int, error) { return unix.Read(int(f), b) })
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// retry repeats call while a signal interrupts it.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
