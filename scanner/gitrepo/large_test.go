package gitrepo

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// Objects above maxHeld are streamed: loose, packed, and as a delta against
// another one of that size.
func TestLargeObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70 MB")
	}
	s := newSandbox(t)
	s.init("r")
	s.git("r", "config", "core.looseCompression", "1")
	body := strings.Repeat("a line of a large file, again and again, "+strings.Repeat("x", 20)+"\n", maxHeld/60)
	s.commit("r", "big.txt", body+"FIRST SECRET\n")
	s.commit("r", "big.txt", body+"SECOND SECRET\n")
	check := func(t *testing.T, backend string) {
		t.Helper()
		var mu sync.Mutex
		found, largest := map[string]int{}, 0
		cov, err := s.open("r", backend).History(HistoryOptions{}).Chunks(context.Background(), func(c *scanner.Chunk) error {
			mu.Lock()
			defer mu.Unlock()
			largest = max(largest, len(c.Data))
			for _, w := range []string{"FIRST SECRET", "SECOND SECRET"} {
				found[w] += strings.Count(string(c.Data[c.From:c.To]), w)
			}
			return nil
		})
		if err != nil || !cov.Complete() {
			t.Fatal(err, cov.Problems)
		}
		if found["FIRST SECRET"] != 1 || found["SECOND SECRET"] != 1 || cov.Blobs != 2 {
			t.Errorf("found %v in %d blobs", found, cov.Blobs)
		}
		if largest > maxHeld/4 {
			t.Errorf("a chunk of %d bytes: nothing was streamed", largest)
		}
	}
	t.Run("loose", func(t *testing.T) { both(t, check) })
	s.git("r", "repack", "-q", "-a", "-d", "-f", "--depth=5", "--window=5")
	t.Run("packed", func(t *testing.T) {
		both(t, check)
		// a delta of this size is left to git, which may take the memory
		cov, err := s.open("r", "").History(HistoryOptions{}).Chunks(context.Background(), func(*scanner.Chunk) error { return nil })
		if err != nil || cov.Backend != "packs, git" {
			t.Errorf("read by %s, error %v", cov.Backend, err)
		}
	})
	t.Run("staged", func(t *testing.T) {
		both(t, func(t *testing.T, backend string) {
			s.write("r/big.txt", "THIRD SECRET\n"+body)
			s.git("r", "add", ".")
			h := scan(t, s.open("r", backend).Staged(StagedOptions{})).whole()
			// too large to compare: every line counts as new
			h.want("THIRD SECRET", "big.txt:1")
		})
	})
	t.Run("cut short", func(t *testing.T) {
		id := s.git("r", "rev-parse", ":big.txt")
		file := s.path("r/.git/objects/" + id[:2] + "/" + id[2:])
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data[:len(data)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		both(t, func(t *testing.T, backend string) {
			scan(t, s.open("r", backend).Staged(StagedOptions{})).hasProblem("big.txt")
		})
	})
}
