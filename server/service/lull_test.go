package service

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// waited returns how long wait waits while deliveries come: each entry is when one
// comes and when it is answered, after the start.
func waited(t *testing.T, deliveries ...[2]time.Duration) time.Duration {
	var took time.Duration
	synctest.Test(t, func(t *testing.T) {
		var l lull
		for _, d := range deliveries {
			go func() {
				time.Sleep(d[0])
				l.watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(d[1] - d[0]) })).ServeHTTP(nil, nil)
			}()
		}
		start := time.Now()
		l.wait(t.Context())
		took = time.Since(start)
		time.Sleep(time.Minute) // the deliveries end
	})
	return took
}

func TestLull(t *testing.T) {
	const ms = time.Millisecond
	var many [][2]time.Duration
	for i := range 100 {
		many = append(many, [2]time.Duration{time.Duration(i) * 30 * ms, time.Duration(i)*30*ms + 5*ms})
	}
	for name, c := range map[string]struct {
		deliveries [][2]time.Duration
		want       time.Duration
	}{
		"nothing comes":                {nil, lullAfter},
		"one is answered":              {[][2]time.Duration{{5 * ms, 25 * ms}}, 80 * ms},
		"one after the other":          {[][2]time.Duration{{5 * ms, 25 * ms}, {60 * ms, 65 * ms}}, 120 * ms},
		"one that is not answered yet": {[][2]time.Duration{{5 * ms, 10 * time.Second}}, lullWait},
		"they never end":               {many, lullWait},
	} {
		if got := waited(t, c.deliveries...); got != c.want {
			t.Errorf("%s: waited %s, want %s", name, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*ms, cancel)
		start := time.Now()
		new(lull).wait(ctx)
		if took := time.Since(start); took != 3*ms {
			t.Errorf("it ends after %s with its context", took)
		}
	})
}
