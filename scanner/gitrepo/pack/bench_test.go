package pack

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

// benchObjects returns the object folder to measure: that of the bare
// repository in SPILLGATE_BENCH_REPO, or of a small one made by script.
func benchObjects(b *testing.B) (repo, objects string) {
	if repo = os.Getenv("SPILLGATE_BENCH_REPO"); repo != "" {
		return repo, filepath.Join(repo, "objects")
	}
	return newRepo(b, 400, 20, 300, "sha1")
}

// BenchmarkSweep visits all blobs of a repository on one processor: without
// anchors, with those of the built-in rules carried through deltas, and with
// those of a full scan. git is `git cat-file --batch --buffer` printing the
// same blobs, in CPU time of the child: in the order in which it lists them,
// which is that of the pack, and in the order of the sweep, which suits its
// cache best. Rates are of what the blobs hold.
func BenchmarkSweep(b *testing.B) {
	repo, objects := benchObjects(b)
	var blobs []byte
	for name, opts := range map[string]SweepOptions{
		"read":  {},
		"carry": {Anchorer: rules.Builtin()},
		"full":  {Anchorer: rules.Builtin(), FullScan: true},
	} {
		b.Run(name, func(b *testing.B) {
			opts.Jobs = 1
			for b.Loop() {
				s, err := Open(Options{ObjectDirs: []string{objects}})
				if err != nil {
					b.Fatal(err)
				}
				var size atomic.Int64
				blobs = blobs[:0]
				if err := s.Sweep(context.Background(), opts, func(_ int, o *Swept) error {
					size.Add(o.Size)
					blobs = append(append(blobs, o.ID.String()...), '\n')
					return o.Err
				}); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(size.Load())
			}
		})
	}
	b.Run("git", func(b *testing.B) {
		var own []byte
		for _, line := range strings.Split(gitRun(b, repo, nil, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype)"), "\n") {
			if id, ok := strings.CutSuffix(line, " blob"); ok {
				own = append(append(own, id...), '\n')
			}
		}
		benchGit(b, repo, own)
	})
	b.Run("git-in-order-of-sweep", func(b *testing.B) { benchGit(b, repo, blobs) })
}

// benchGit prints blobs with git.
func benchGit(b *testing.B, repo string, blobs []byte) {
	var cpu float64
	for b.Loop() {
		cmd := exec.Command("git", "cat-file", "--batch", "--buffer")
		cmd.Dir, cmd.Stdin = repo, bytes.NewReader(blobs)
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	}
	b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
}

// BenchmarkGet reads every object once, in the order of ids.
func BenchmarkGet(b *testing.B) {
	_, objects := benchObjects(b)
	for b.Loop() {
		s, err := Open(Options{ObjectDirs: []string{objects}})
		if err != nil {
			b.Fatal(err)
		}
		size := int64(0)
		if err := s.ForEachID(func(id ID) error {
			_, data, err := s.Get(id)
			size += int64(len(data))
			return err
		}); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
	}
}
