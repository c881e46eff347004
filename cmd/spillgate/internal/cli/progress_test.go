package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner"
)

func TestProgressLine(t *testing.T) {
	var p scanner.Progress
	p.Add(10, 5_000_000)
	if got := progressLine(&p, 2*time.Second); got != "scanning: 10 objects, 5.0 MB, 2.5 MB/s" {
		t.Errorf("%q", got)
	}
	p.Expect(40)
	if got := progressLine(&p, 2*time.Second); got != "scanning: 10 of 40 objects (25 %), 5.0 MB, 2.5 MB/s, 7 s left" {
		t.Errorf("%q", got)
	}
	p.Add(30, 0)
	if got := progressLine(&p, time.Hour); strings.Contains(got, "left") || len(got) > 79 {
		t.Errorf("%q", got)
	}
	if got := roughly(150 * time.Second); got != "3 min" {
		t.Errorf("%q", got)
	}
}

func TestProgressIsErased(t *testing.T) {
	var p scanner.Progress
	var out strings.Builder
	stop := make(chan struct{})
	time.AfterFunc(progressAfter+progressEvery/2, func() { close(stop) })
	showProgress(&out, &p, stop)
	if got := out.String(); !strings.HasPrefix(got, "\rscanning") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("%q", got)
	}
	out.Reset()
	stop = make(chan struct{})
	close(stop)
	showProgress(&out, &p, stop)
	if out.Len() != 0 {
		t.Errorf("a short scan shows %q", out.String())
	}
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{"64M": 64 << 20, "1g": 1 << 30, "512MiB": 512 << 20, "1.5G": 3 << 29, "100000000": 100000000, "2 GB": 2 << 30} {
		if got, err := byteSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1G", "1T2", "12 parsecs", "1", "63M", "NaN", "1e300G"} {
		if got, err := byteSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
