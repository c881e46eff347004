package table_test

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/spillgate/spillgate/server/table"
)

// TestEachWhileWritten: a record that is there all the time is in every list,
// however often its page is written meanwhile.
func TestEachWhileWritten(t *testing.T) {
	js := stream(t)
	const n = 60
	records := open(t, js, table.Options{Pages: 24})
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
		must(t, records.Each(t.Context(), func(r *table.Record) error { seen[r.Key] = true; return nil }))
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
