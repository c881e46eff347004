package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/spillgate/spillgate/scanner"
)

// TestShardsMakeUpHistory holds that shards together emit every blob that the
// whole history does and no other, however many there are.
func TestShardsMakeUpHistory(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 60)
	s.git("r", "tag", "-a", "-m", "a message", "v1")
	want := s.reachableBlobs("r", "--all", "HEAD")
	s.git("r", "repack", "-q", "-a", "-d")
	both(t, func(t *testing.T, backend string) {
		r := s.open("r", backend)
		plan, err := r.Plan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, count := range []int{1, 2, 3, plan.Commits + 5} {
			var all []string
			commits := int64(0)
			var tags, refs int64
			for index := 1; index <= count; index++ {
				h := scan(t, r.History(HistoryOptions{Shard: Shard{Index: index, Count: count, Tips: plan.Tips}})).whole()
				all = append(all, h.blobs()...)
				commits += h.coverage.Commits
				tags += h.coverage.Tags
				refs += h.coverage.Refs
				if want := fmt.Sprintf("%d/%d@%s", index, count, plan.Tips); h.coverage.Shard != want {
					t.Errorf("the coverage is of shard %q, want %q", h.coverage.Shard, want)
				}
			}
			slices.Sort(all)
			equalLists(t, slices.Compact(all), want)
			if commits != int64(plan.Commits) {
				t.Errorf("%d shards cover %d commits of %d", count, commits, plan.Commits)
			}
			whole := scan(t, r.History(HistoryOptions{})).whole().coverage
			if tags != whole.Tags || refs != whole.Refs || tags == 0 || whole.Shard != "" {
				t.Errorf("%d shards cover %d tags of %d, %d refs of %d", count, tags, whole.Tags, refs, whole.Refs)
			}
		}
	})
}

// TestShardOfAnotherState shows that a shard is refused once a ref has moved.
func TestShardOfAnotherState(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 5)
	plan, err := s.open("r", "").Plan(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	s.git("r", "commit", "-q", "--allow-empty", "-m", "later")
	src := s.open("r", "").History(HistoryOptions{Shard: Shard{Index: 1, Count: 2, Tips: plan.Tips}})
	_, err = src.Chunks(context.Background(), func(*scanner.Chunk) error { return nil })
	var usage *scanner.UsageError
	if !errors.As(err, &usage) {
		t.Errorf("got %v, want a usage error", err)
	}
}

// TestPlanOfShallow shows that a shallow clone has no plan.
func TestPlanOfShallow(t *testing.T) {
	s := newSandbox(t)
	s.grow("r", 5)
	s.git(".", "clone", "-q", "--depth=1", "file://"+s.path("r"), "shallow")
	if _, err := s.open("shallow", "").Plan(context.Background()); err == nil {
		t.Error("a shallow clone got a plan")
	}
}
