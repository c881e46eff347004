package queue

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/spillgate/spillgate/server/push"
)

// ports returns n ports of 127.0.0.1 that were free a moment ago.
func ports(t *testing.T, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}

// startCluster starts n servers that keep JetStream's data together.
func startCluster(t *testing.T, n int) (servers []*server.Server, url string) {
	t.Helper()
	routes := ports(t, n)
	var peers, urls []string
	for _, p := range routes {
		peers = append(peers, fmt.Sprintf("nats://127.0.0.1:%d", p))
	}
	for i := range n {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: routes[i]},
			Routes:  server.RoutesFromStr(strings.Join(peers, ",")),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(10 * time.Second) {
			t.Fatal("a server did not start")
		}
		urls = append(urls, s.ClientURL())
	}
	deadline := time.Now().Add(time.Minute)
	for !slices.ContainsFunc(servers, (*server.Server).JetStreamIsLeader) {
		if time.Now().After(deadline) {
			t.Fatal("the nodes chose no leader within a minute")
		}
		time.Sleep(50 * time.Millisecond)
	}
	return servers, strings.Join(urls, ",")
}

// TestClusterLosesANode kills one of three nodes while pushes come in and are
// worked on: each is worked on, and each that Put said is stored is there.
func TestClusterLosesANode(t *testing.T) {
	servers, url := startCluster(t, 3)
	var q *Queue
	deadline := time.Now().Add(time.Minute)
	for { // until the leader knows the nodes
		var err error
		if q, err = Open(t.Context(), Options{URL: url, Replicas: 3, AckWait: 2 * time.Second}); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Cleanup(q.Close)

	const n = 200
	var worked sync.Map
	var count, stored atomic.Int32
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = q.Work(ctx, 2, quiet, func(_ context.Context, p push.Push, _ int) error {
			if _, again := worked.LoadOrStore(p.Delivery, true); !again {
				count.Add(1)
			}
			return nil
		})
	})
	for i := range n {
		if i == n/3 {
			servers[0].Shutdown() // the node that the client may well be connected to
		}
		for { // as a host's redelivery would
			once, stop := context.WithTimeout(ctx, 2*time.Second)
			_, err := q.Put(once, numbered(i))
			stop()
			if err == nil {
				stored.Add(1)
				break
			}
			if ctx.Err() != nil {
				t.Fatalf("push %d could not be stored: %v", i, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	for count.Load() < n && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	if count.Load() != n || stored.Load() != n {
		t.Errorf("%d of %d stored, %d worked on", stored.Load(), n, count.Load())
	}
}
