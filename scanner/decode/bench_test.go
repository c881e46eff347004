package decode_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// sources returns the Go files of some packages of the standard library, each
// as it is.
func sources(tb testing.TB) (files [][]byte, size int64) {
	tb.Helper()
	root := filepath.Join(runtime.GOROOT(), "src")
	for _, pkg := range []string{"net", "cmd/compile/internal", "encoding", "go", "html", "testing", "text", "time"} {
		_ = filepath.WalkDir(filepath.Join(root, pkg), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && strings.HasSuffix(path, ".go") {
				if data, err := os.ReadFile(path); err == nil {
					files, size = append(files, data), size+int64(len(data))
				}
			}
			return nil
		})
	}
	if size < 1<<20 {
		tb.Skip("no sources of the standard library here")
	}
	return files, size
}

// BenchmarkSource compares a scan of source code without and with decoding.
func BenchmarkSource(b *testing.B) {
	files, size := sources(b)
	plain := scanner.RuleDetector{Program: rules.Builtin()}
	for _, bench := range []struct {
		name string
		d    scanner.Detector
	}{{"plain", plain}, {"decode", detector(0)}, {"decode-only", detectorOf(nothing{})}} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for range b.N {
				for _, data := range files {
					c := scanner.Chunk{Object: &scanner.Object{}, Data: data, To: len(data), First: true, Last: true, Line: 1}
					bench.d.Detect(&c, func(*scanner.Hit) {})
				}
			}
		})
	}
}
