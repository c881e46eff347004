package table_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/server/table"
)

// TestEachWhileWritten: a record that is there all the time is in every list,
// however often its page is written meanwhile.
func TestEachWhileWritten(t *testing.T) {
	for _, pages := range []uint32{0, 24} {
		t.Run(fmt.Sprint(pages, " pages"), func(t *testing.T) { whileWritten(t, pages) })
	}
}

func whileWritten(t *testing.T, pages uint32) {
	const n = 60
	records := open(t, stream(t), table.Options{Pages: pages})
	for i := range n {
		must(t, records.Put(t.Context(), strconv.Itoa(i), nil))
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	writes := 0
	wg.Go(func() {
		for ; ctx.Err() == nil; writes++ {
			if err := records.Put(t.Context(), strconv.Itoa(writes*7%n), []byte(strconv.Itoa(writes))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 150 {
		seen := map[string]bool{}
		must(t, records.Each(t.Context(), func(r *table.Record) error {
			if seen[r.Key] {
				t.Errorf("%s comes twice", r.Key)
			}
			seen[r.Key] = true
			return nil
		}))
		if len(seen) != n {
			t.Errorf("%d of %d records are listed", len(seen), n)
		}
	}
	stop()
	wg.Wait()
	if writes < 150 {
		t.Errorf("only %d writes", writes)
	}
}
