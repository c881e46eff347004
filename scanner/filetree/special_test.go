//go:build unix

package filetree

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// TestSpecialFiles: pipes, sockets and devices are not opened. The test hangs
// when the pipe is.
func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{"file": "x"})
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink("/dev/null", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	g := gather(t, New([]string{dir}, Options{Base: dir}))
	g.complete(t)
	g.want(t, scanner.Content, map[string]string{"file": "x"})
	g.want(t, scanner.FileName, map[string]string{"file": "file", "pipe": "pipe", "socket": "socket", "link": "link"})
	for _, reason := range []string{"named pipe", "socket", "symbolic link out of the folder"} {
		if s := g.skipped(reason); s.Count != 1 {
			t.Errorf("%s: %+v, want one", reason, s)
		}
	}
	// A named one was asked for, so it is missed.
	g = gather(t, New([]string{pipe, "/dev/null"}, Options{Base: dir}))
	if len(g.Problems) != 2 || !strings.Contains(g.Problems[1].What, "named pipe") || !strings.Contains(g.Problems[0].What, "device") {
		t.Errorf("problems %v, want one for the pipe and one for the device", g.Problems)
	}
}

// TestPipeInPlaceOfFile: a file that turns into a pipe between being listed
// and being opened does not block.
func TestPipeInPlaceOfFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the Linux walk opens without waiting")
	}
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := hostSystem{}.openFolder(dir + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	f, err := d.open("pipe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("read %d bytes, %v; want none and an error", n, err)
	}
}

// TestReadError: a file that opens and cannot be read, even by root.
func TestReadError(t *testing.T) {
	const path = "/proc/self/mem" // nothing is mapped at its beginning
	if _, err := os.Stat(path); err != nil {
		t.Skip(err)
	}
	g := gather(t, New([]string{path}, Options{}))
	if len(g.Problems) != 1 || g.Problems[0].What != "cannot read: input/output error" {
		t.Errorf("problems %v, want that it cannot be read", g.Problems)
	}
}

// TestDeepTree: paths longer than the kernel takes in one piece.
func TestDeepTree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the Linux walk opens long paths")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	part := strings.Repeat("d", 200)
	for range 50 {
		if err := os.Mkdir(part, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Chdir(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("file", []byte("deep"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	g := gather(t, New([]string{dir}, Options{Base: dir}))
	g.complete(t)
	g.want(t, scanner.Content, map[string]string{strings.Repeat(part+"/", 50) + "file": "deep"})
}
