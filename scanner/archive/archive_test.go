package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/archive"
)

// A file is one object of a source, or one member of an archive.
type file struct{ name, data string }

// A source emits files, those that are streamed through a reader.
type source struct {
	files    []file
	streamed bool
}

func (s *source) Chunks(_ context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	var f scanner.Feeder
	for _, x := range s.files {
		o := &scanner.Object{Kind: scanner.Content, Path: x.name, ID: "id of " + x.name}
		var err error
		if s.streamed {
			_, err = f.Reader(o, strings.NewReader(x.data), emit)
		} else {
			err = f.Bytes(o, []byte(x.data), emit)
		}
		if err != nil {
			return scanner.Coverage{What: "test"}, err
		}
	}
	return scanner.Coverage{What: "test", Files: int64(len(s.files))}, nil
}

// seen collects the objects of a scan: their content by path.
type seen struct {
	mu      sync.Mutex
	content map[string]string
	names   []string
	objects map[string]*scanner.Object
}

func (s *seen) emit(c *scanner.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.content == nil {
		s.content, s.objects = map[string]string{}, map[string]*scanner.Object{}
	}
	o := c.Object
	switch o.Kind {
	case scanner.FileName:
		s.names = append(s.names, string(c.Data))
	case scanner.SymlinkTarget:
		s.content["link "+o.Path] += string(c.Data)
	default:
		s.content[o.Path] += string(c.Data[c.From:c.To])
		s.objects[o.Path] = o
	}
	return nil
}

// unpack unpacks files and returns all that was seen.
func unpack(t *testing.T, o archive.Options, streamed bool, files ...file) (*seen, scanner.Coverage) {
	t.Helper()
	s := &seen{}
	coverage, err := archive.New(&source{files, streamed}, o).Chunks(context.Background(), s.emit)
	if err != nil {
		t.Fatal(err)
	}
	return s, coverage
}

// scan does the same and takes out the files themselves.
func scan(t *testing.T, o archive.Options, streamed bool, files ...file) (*seen, scanner.Coverage) {
	t.Helper()
	s, coverage := unpack(t, o, streamed, files...)
	for _, f := range files {
		if s.content[f.name] != f.data {
			t.Errorf("%s itself was not scanned whole", f.name)
		}
		delete(s.content, f.name)
	}
	return s, coverage
}

func zipOf(files ...file) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, _ := w.Create(f.name)
		_, _ = io.WriteString(e, f.data)
	}
	_ = w.Close()
	return b.String()
}

// commented is a zip with text where few look.
func commented() string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, _ := w.CreateHeader(&zip.FileHeader{Name: "x", Comment: "of the entry"})
	_, _ = io.WriteString(e, "y")
	_ = w.SetComment("of the whole")
	_ = w.Close()
	return b.String()
}

func tarOf(files ...file) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		_ = w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644, Typeflag: tar.TypeReg})
		_, _ = io.WriteString(w, f.data)
	}
	_ = w.Close()
	return b.String()
}

func gzipOf(name, data string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name = name
	_, _ = io.WriteString(w, data)
	_ = w.Close()
	return b.String()
}

func zstdOf(data string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(data), nil))
}

// bzip2 of "bz2 key = " and a made-up key ARN; the standard library only reads.
const (
	bzipText = "bz2 key = arn:aws:kms:eu-west-1:" + "739104826315:key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835\n"
	bzipHex  = "425a6839314159265359c33e634100001cd98000104002fff23f0b1eb0200048c68647a9e91e49a3d47ea8d34114da991ea66a0d1813d43d42aa9523ab47dc9521b4959bee3a7e77904481e9709e2e313782591d2a1c8f909f104ac5e260a5e85a86d06acd4afd322e10a7e2ee48a70a121867cc6820"
)

func bzip() string {
	b, _ := hex.DecodeString(bzipHex)
	return string(b)
}

func TestFormats(t *testing.T) {
	deep := zipOf(file{"a/one.txt", "first"}, file{"two.jar", zipOf(file{"META-INF/x", "second"})})
	for _, test := range []struct {
		name, path, data string
		want             map[string]string
	}{
		{"zip", "app.jar", deep, map[string]string{
			"app.jar!/a/one.txt": "first", "app.jar!/two.jar": zipOf(file{"META-INF/x", "second"}), "app.jar!/two.jar!/META-INF/x": "second"}},
		{"zip by content alone", "", zipOf(file{"x", "y"}), map[string]string{"!/x": "y"}},
		{"zip behind a script", "app.pyz", "#!/usr/bin/env python3\n\x00" + zipOf(file{"x", "y"}), map[string]string{"app.pyz!/x": "y"}},
		{"comments of a zip", "a.zip", commented(), map[string]string{"a.zip!/x": "y", "a.zip!/x (comment)": "of the entry", "a.zip!/(comment)": "of the whole"}},
		{"tar", "a.tar", tarOf(file{"d/x", "y"}, file{"z", "w"}), map[string]string{"a.tar!/d/x": "y", "a.tar!/z": "w"}},
		{"gzip", "log.txt.gz", gzipOf("", "text"), map[string]string{"log.txt.gz!/log.txt": "text"}},
		{"gzip with a name", "x.gz", gzipOf("inner.log", "text"), map[string]string{"x.gz!/inner.log": "text"}},
		{"gzip without any", "x", gzipOf("", "text"), map[string]string{"x!/content": "text"}},
		{"bzip2", "k.bz2", bzip(), map[string]string{"k.bz2!/k": bzipText}},
		{"zstd", "k.zst", zstdOf("zstd text"), map[string]string{"k.zst!/k": "zstd text"}},
		{"tgz", "a.tgz", gzipOf("", tarOf(file{"x", "y"})), map[string]string{"a.tgz!/x": "y"}},
		{"tar of gzip of zip", "a.tar", tarOf(file{"b.gz", gzipOf("", zipOf(file{"x", "y"}))}), map[string]string{
			"a.tar!/b.gz!/b": zipOf(file{"x", "y"}), "a.tar!/b.gz!/b!/x": "y"}},
		{"hostile names", "a.zip", zipOf(file{"../../etc/passwd", "1"}, file{"/abs", "2"}, file{`dir\file`, "3"}, file{"c\x1b[2J\n", "4"}), map[string]string{
			"a.zip!/../../etc/passwd": "1", "a.zip!/abs": "2", "a.zip!/dir/file": "3", "a.zip!/c\x1b[2J\n": "4"}},
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s streamed %v", test.name, streamed), func(t *testing.T) {
				s, coverage := scan(t, archive.Options{}, streamed, file{test.path, test.data})
				for path, data := range test.want {
					if s.content[path] != data {
						t.Errorf("%s holds %q, want %q", path, s.content[path], data)
					}
				}
				if len(s.content) != len(test.want) || len(coverage.Skipped) != 0 {
					t.Errorf("%d objects, want %d; skipped: %v", len(s.content), len(test.want), coverage.Skipped)
				}
				for path, o := range s.objects {
					if path != test.path && (o.Container == nil || o.ID != "id of "+test.path) {
						t.Errorf("%s is not of its container", path)
					}
				}
			})
		}
	}
}

// TestLarge says that archives of several chunks are unpacked: a zip as a whole,
// the others as they pass.
func TestLarge(t *testing.T) {
	var text strings.Builder
	x := uint64(88172645463325252)
	for text.Len() < 5<<20 { // does not compress
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&text, "%x\n", x)
	}
	for name, data := range map[string]string{
		"a.zip": zipOf(file{"x", text.String()}, file{"y", "last"}),
		"a.tgz": gzipOf("", tarOf(file{"x", text.String()}, file{"y", "last"})),
		"a.tar": tarOf(file{"x", text.String()}, file{"y", "last"}),
	} {
		s, coverage := scan(t, archive.Options{}, true, file{name, data}, file{"plain", "text"})
		if s.content[name+"!/x"] != text.String() || s.content[name+"!/y"] != "last" || coverage.Members != 2 || len(coverage.Skipped) > 0 {
			t.Errorf("%s: %d members, skipped: %v", name, coverage.Members, coverage.Skipped)
		}
	}
	s, coverage := scan(t, archive.Options{MaxZip: 1 << 20}, true, file{"a.zip", zipOf(file{"x", text.String()})})
	if len(s.content) != 0 || !skipped(coverage, "archive limit", "a.zip") {
		t.Errorf("a zip beyond the limit: skipped %v", coverage.Skipped)
	}
}

func skipped(c scanner.Coverage, reason, example string) bool {
	return slices.ContainsFunc(c.Skipped, func(s scanner.Skip) bool { return s.Reason == reason && s.Example == example })
}

// TestSkipped says that what is not scanned is counted, and that the rest is
// scanned all the same.
func TestSkipped(t *testing.T) {
	zeros := strings.Repeat("\x00", 80<<20)
	bomb := gzipOf("", zeros)
	good := zipOf(file{"x", strings.Repeat("some text\n", 50)}, file{"y", "z"})
	for _, test := range []struct {
		name, data      string
		options         archive.Options
		reason, example string
		still           string // a member that is scanned all the same
	}{
		{"bomb.gz", bomb, archive.Options{}, "archive limit", "bomb.gz", ""},
		{"bomb.zip", zipOf(file{"first", "1"}, file{"x", zeros}), archive.Options{}, "archive limit", "bomb.zip", "bomb.zip!/first"},
		{"nested.zip", zipOf(file{"x.gz", bomb}), archive.Options{}, "archive limit", "nested.zip", ""},
		{"many.zip", zipOf(file{"a", "1"}, file{"b", "2"}, file{"c", "3"}), archive.Options{MaxEntries: 2}, "archive limit", "many.zip", "many.zip!/b"},
		{"big.tgz", gzipOf("", tarOf(file{"a", strings.Repeat("t", 9000)})), archive.Options{MaxBytes: 5000}, "archive limit", "big.tgz", ""},
		{"deep.zip", zipOf(file{"a.zip", zipOf(file{"b.zip", zipOf(file{"c.zip", zipOf(file{"d", "e"})})})}), archive.Options{},
			"archive in too many archives", "deep.zip!/a.zip!/b.zip!/c.zip", "deep.zip!/a.zip!/b.zip!/c.zip"},
		{"cut.zip", good[:len(good)-8], archive.Options{}, "damaged archive", "cut.zip", ""},
		{"cut.gz", gzipOf("", "begin "+strings.Repeat("of a text ", 999))[:60], archive.Options{}, "damaged archive", "cut.gz", "cut.gz!/cut"},
		{"bad.zip", good[:40] + "\xff\xff\xff\xff" + good[44:], archive.Options{}, "damaged archive", "bad.zip!/x", "bad.zip!/y"},
		{"a.xz", "\xfd7zXZ\x00\x00\x04", archive.Options{}, "archive format not read: xz", "a.xz", ""},
		{"a.7z", "7z\xbc\xaf\x27\x1c\x00\x04", archive.Options{}, "archive format not read: 7z", "a.7z", ""},
		{"a.rar", "Rar!\x1a\x07\x00\x00", archive.Options{}, "archive format not read: rar", "a.rar", ""},
		{"locked.zip", encrypted(), archive.Options{}, "encrypted archive entry", "locked.zip!/secret", "locked.zip!/open"},
		{"odd.zip", oddMethod(), archive.Options{}, "archive entry in an unknown compression", "odd.zip!/odd", "odd.zip!/open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, coverage := scan(t, test.options, false, file{test.name, test.data})
			if !skipped(coverage, test.reason, test.example) {
				t.Errorf("skipped %v, want %q of %s", coverage.Skipped, test.reason, test.example)
			}
			if !coverage.Complete() {
				t.Errorf("the coverage has problems: %v", coverage.Problems)
			}
			if _, ok := s.content[test.still]; !ok && test.still != "" {
				t.Errorf("%s was not scanned", test.still)
			}
		})
	}
}

// raw returns a zip with a plain entry and one made by header.
func raw(h *zip.FileHeader) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, _ := w.CreateRaw(h)
	_, _ = io.WriteString(e, "0123456789ab")
	e, _ = w.Create("open")
	_, _ = io.WriteString(e, "text")
	_ = w.Close()
	return b.String()
}

func encrypted() string {
	return raw(&zip.FileHeader{Name: "secret", Flags: 1, CompressedSize64: 12, UncompressedSize64: 12})
}

func oddMethod() string {
	return raw(&zip.FileHeader{Name: "odd", Method: 98, CompressedSize64: 12, UncompressedSize64: 12})
}

// TestLinks says that names and the targets of links in archives are scanned.
func TestLinks(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "dir/", Typeflag: tar.TypeDir})
	_ = w.WriteHeader(&tar.Header{Name: "dir/link", Linkname: "../target", Typeflag: tar.TypeSymlink})
	_ = w.Close()
	s, _ := scan(t, archive.Options{}, false, file{"a.tar", b.String()})
	if s.content["link a.tar!/dir/link"] != "../target" {
		t.Errorf("no link: %v", s.content)
	}
	if !slices.Equal(s.names, []string{"dir/", "dir/link"}) {
		t.Errorf("names %v", s.names)
	}
}

// TestStops says that an error of the receiver ends the scan, wherever the
// chunk came from.
func TestStops(t *testing.T) {
	stop := errors.New("enough")
	for _, data := range []string{zipOf(file{"x", "y"}), gzipOf("", "text"), tarOf(file{"x", "y"})} {
		for _, streamed := range []bool{false, true} {
			s := archive.New(&source{[]file{{"a", data}}, streamed}, archive.Options{})
			_, err := s.Chunks(context.Background(), func(c *scanner.Chunk) error {
				if c.Object.Container != nil {
					return stop
				}
				return nil
			})
			if !errors.Is(err, stop) {
				t.Errorf("error %v, want %v", err, stop)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := archive.New(&source{[]file{{"a", zipOf(file{"x", "y"}, file{"z", "w"})}}, false}, archive.Options{})
	_, err := s.Chunks(ctx, func(c *scanner.Chunk) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after cancelling", err)
	}
}

// A late source learns of commits and paths after the scan.
type late struct{ source }

func (l *late) Attribute(_ context.Context, objects []*scanner.Object) error {
	if len(objects) != 1 {
		return fmt.Errorf("%d objects: the archive is one", len(objects))
	}
	for _, o := range objects {
		o.Path, o.Commit, o.OtherCommits = "lib/app.jar", &scanner.Commit{ID: "c0ffee"}, 3
	}
	return nil
}

func TestAttribute(t *testing.T) {
	s := archive.New(&late{source{[]file{{"", zipOf(file{"in.zip", zipOf(file{"x", "y"})})}}, false}}, archive.Options{})
	var all seen
	if _, err := s.Chunks(context.Background(), all.emit); err != nil {
		t.Fatal(err)
	}
	o := all.objects["!/in.zip!/x"]
	if o == nil {
		t.Fatalf("not unpacked: %v", all.content)
	}
	a, ok := s.(scanner.Attributor)
	if !ok {
		t.Fatal("it is no Attributor although its source is")
	}
	two := []*scanner.Object{o, o.Container}
	if err := a.Attribute(context.Background(), two); err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"lib/app.jar!/in.zip!/x", "lib/app.jar!/in.zip"} {
		if o := two[i]; o.Path != path || o.Commit == nil || o.Commit.ID != "c0ffee" || o.OtherCommits != 3 {
			t.Errorf("attributed to %q, commit %v, %d others", o.Path, o.Commit, o.OtherCommits)
		}
	}
	if _, ok := archive.New(&source{}, archive.Options{}).(scanner.Attributor); ok {
		t.Error("it is an Attributor although its source is none")
	}
}

// FuzzArchive feeds hostile archives, whole and in chunks: nothing but the
// limits ends them, both ways give the same members, and no member is longer
// than the limit.
func FuzzArchive(f *testing.F) {
	inner := zipOf(file{"x", "some text"}, file{"y", "more"})
	for _, s := range []string{inner, tarOf(file{"a", "b"}, file{"c.zip", inner}), gzipOf("n", tarOf(file{"a", "b"})), zstdOf(inner), bzip(), encrypted(), oddMethod()} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o := archive.Options{MaxBytes: 1 << 20, MaxEntries: 100}
		whole, _ := unpack(t, o, false, file{"f", string(data)})
		streamed, _ := unpack(t, o, true, file{"f", string(data)})
		for path, text := range whole.content {
			if len(text) > 2<<20+len(data) {
				t.Fatalf("%d bytes in one member", len(text))
			}
			if streamed.content[path] != text {
				t.Fatalf("%q differs between whole and streamed", path)
			}
		}
		if len(whole.content) != len(streamed.content) {
			t.Fatalf("%d members whole, %d streamed", len(whole.content), len(streamed.content))
		}
	})
}
