// Package queue keeps pushes from the webhook's answer until they are worked
// on, in NATS JetStream: embedded in the process with a file store, or an
// external cluster, by the same code.
//
//	webhook --Put--> PUSHES (work queue) --Work--> handler --> done | again later | DEAD
//
// A push is put at least once and worked on at least once; what makes it
// happen once is the record of what is done (a table), which the
// worker asks before it begins and writes before it acknowledges. JetStream's
// own window of duplicates does not outlive a restart for messages that are
// gone, so it is a help and not the proof.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/table"
	"github.com/spillgate/spillgate/server/webhook"
)

// Options say where the queue lives and how much it holds. Dir or URL must be
// given.
type Options struct {
	// Dir is the folder of the embedded server's files.
	Dir string
	// URL is an external cluster (nats://host:4222,…), Credentials the file
	// that authenticates to it.
	URL, Credentials string
	// Replicas is how many servers of a cluster keep each message; 0 for 1.
	Replicas int
	// MaxPending is how many pushes wait at most, or 32 MB of them if it is 50,000 or
	// less; 0 for 50,000. Above it Put
	// returns webhook.ErrFull.
	MaxPending int64
	// AckWait is how long a worker may be silent before its push is given to
	// another; 0 for 20 seconds. A worker says every third of it that it is still
	// there, so that this is how long a push of a server that died waits.
	AckWait time.Duration
	// MaxAttempts is how often a push may fail before it is dead; 0 for 8.
	MaxAttempts int
	// MaxCrashes is how often the process may end while it works on a push before
	// that is dead; 0 for twice MaxAttempts. From the third time on it is worked on
	// alone.
	MaxCrashes int
	// Backoff is how long to wait before another attempt; the last entry
	// stands for all further ones. Nil for 10 s, 1 min, 5 min, 30 min.
	Backoff []time.Duration
	// Remember is for how long a delivery that is done stays known; 0 for four
	// days, a day more than GitHub sends one again.
	Remember time.Duration
	// Log is told when the embedded server has to be started again; nil for
	// nobody.
	Log *slog.Logger
}

func (o Options) defaults() Options {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.AckWait, 20*time.Second)
	def(&o.Remember, 4*24*time.Hour)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.MaxPending == 0 {
		o.MaxPending = manyPending
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 8
	}
	if o.MaxCrashes == 0 {
		o.MaxCrashes = 2 * o.MaxAttempts
	}
	if o.Backoff == nil {
		o.Backoff = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute}
	}
	return o
}

// duplicates is for how long JetStream itself knows a message by its id. It holds
// all of those ids in memory.
const duplicates = 2 * time.Minute

// JetStream writes a stream of which less than 32 MiB may wait into files of four
// megabytes, others into files of eight, which it holds in memory.
const (
	manyPending = 50_000
	manyBytes   = 32_000_000
)

// maxBytes returns how many bytes of a work queue may wait; -1 for no limit.
func (o *Options) maxBytes() int64 {
	if o.MaxPending > manyPending {
		return -1
	}
	return manyBytes
}

// Names of the streams and buckets.
const (
	pushStream    = "SPILLGATE_PUSHES"
	pushSubject   = "spillgate.pushes"
	deadStream    = "SPILLGATE_DEAD"
	deadSubject   = "spillgate.dead"
	recordsBucket = "SPILLGATE_RECORDS"
	workConsumer  = "workers"
)

// A Queue is an open queue. Close it.
type Queue struct {
	options  Options
	locked   *os.File // the folder of the embedded server is this process's
	embedded *server.Server
	conn     *nats.Conn
	js       jetstream.JetStream
	pushes   jetstream.Stream
	dead     jetstream.Stream
	consumer jetstream.Consumer
	records  *table.Bucket
	done     *table.Table
	attempts *table.Table // see history
	onDead   func(ctx context.Context, p push.Push, why string) error
	onReplay func(ctx context.Context, p push.Push) error
	stuck    atomic.Bool // the embedded server has stopped to write
	failed   atomic.Bool // one of its streams has said so
	healing  func()      // ends heal and waits for it; nil without an embedded server

	mu     sync.Mutex
	tidied []*tidied
}

// Open starts the embedded server, or connects to the cluster, and makes the
// streams that are not there yet.
func Open(ctx context.Context, o Options) (*Queue, error) {
	q := &Queue{options: o.defaults()}
	if err := q.connect(); err != nil {
		q.Close()
		return nil, err
	}
	if err := q.create(ctx); err != nil {
		q.Close()
		return nil, err
	}
	if q.embedded != nil {
		healing, cancel := context.WithCancel(context.WithoutCancel(ctx))
		var wg sync.WaitGroup
		wg.Go(func() { q.heal(healing) })
		q.healing = func() { cancel(); wg.Wait() }
	}
	return q, nil
}

func (q *Queue) connect() error {
	options := []nats.Option{nats.Name("spillgate-server"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(false)}
	url := q.options.URL
	switch {
	case url != "":
		if q.options.Credentials != "" {
			options = append(options, nats.UserCredentials(q.options.Credentials))
		}
	case q.options.Dir != "":
		if err := q.embed(); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(q.embedded))
	default:
		return errors.New("the queue needs a folder or the URL of a NATS cluster")
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("connecting to NATS: %w", err)
	}
	q.conn = conn
	q.js, err = jetstream.New(conn)
	return err
}

// embed starts a server in this process that listens nowhere. Every write is
// synced before it is acknowledged, since a webhook is answered upon it.
func (q *Queue) embed() error {
	if err := q.lock(); err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "spillgate", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: q.options.Dir, SyncAlways: true, SyncInterval: tidyEvery, DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("making the queue in %s: %w", q.options.Dir, err)
	}
	q.embedded = s
	s.SetLoggerV2(listener{q}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("the queue in %s did not start within 30 s", q.options.Dir)
	}
	return nil
}

// tidyEvery is how often the embedded server looks for files of which half is
// dead, and writes them anew. It holds in memory what it reads, a file at a time, so
// that what is dead costs memory.
const tidyEvery = 2 * time.Second

func (q *Queue) create(ctx context.Context) error {
	var err error
	o := &q.options
	q.pushes, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: pushStream, Subjects: []string{pushSubject}, Description: "pushes to scan",
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: o.Replicas,
		Discard: jetstream.DiscardNew, MaxMsgs: o.MaxPending, MaxBytes: o.maxBytes(), Duplicates: duplicates,
	})
	if err != nil {
		return fmt.Errorf("making the stream %s: %w", pushStream, err)
	}
	q.willTidy(q.pushes)
	q.dead, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deadStream, Subjects: []string{deadSubject}, Description: "pushes that could not be scanned, with the reason",
		Storage: jetstream.FileStorage, Replicas: o.Replicas,
	})
	if err != nil {
		return fmt.Errorf("making the stream %s: %w", deadStream, err)
	}
	if q.consumer, err = q.pushes.CreateOrUpdateConsumer(ctx, q.workers()); err != nil {
		return fmt.Errorf("making the consumer of %s: %w", pushStream, err)
	}
	if q.records, err = table.OpenBucket(ctx, q.js, recordsBucket, o.Replicas); err != nil {
		return err
	}
	if q.done, err = q.Table(ctx, table.Options{Name: "done", Pages: 256, TTL: o.Remember}); err != nil {
		return err
	}
	q.attempts, err = q.Table(ctx, table.Options{Name: "attempts", Pages: 32, TTL: historyAge})
	return err
}

// workers is the consumer of the pushes.
func (q *Queue) workers() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: workConsumer, AckPolicy: jetstream.AckExplicitPolicy, AckWait: q.options.AckWait, MaxDeliver: -1, MaxAckPending: 1024,
	}
}

// Table opens a table beside the queue. One with an entry for each record has a
// bucket of its own: pages that lay among those would have all of its files read.
// What an earlier version of this program kept in a bucket of that name is moved
// into it.
func (q *Queue) Table(ctx context.Context, o table.Options) (*table.Table, error) {
	bucket := q.records
	if o.Pages == 0 {
		var err error
		bucket, err = table.OpenBucket(ctx, q.js, "SPILLGATE_TABLE_"+strings.ToUpper(o.Name), q.options.Replicas)
		if err != nil {
			return nil, err
		}
	}
	t := table.Open(bucket, o)
	return t, q.Adopt(ctx, "SPILLGATE_"+strings.ToUpper(o.Name), func(key string) (*table.Table, string) { return t, key })
}

// Records returns the bucket of the tables of pages, for one that is opened by itself.
func (q *Queue) Records() *table.Bucket { return q.records }

// Adopt moves what an earlier version of this program kept in a bucket into tables;
// see table.Adopt.
func (q *Queue) Adopt(ctx context.Context, bucket string, into func(key string) (*table.Table, string)) error {
	return table.Adopt(ctx, q.js, bucket, into)
}

// Close ends the connection and the embedded server, and waits for its files.
func (q *Queue) Close() {
	if q.healing != nil {
		q.healing()
	}
	if q.conn != nil {
		q.conn.Close()
	}
	if q.embedded != nil {
		q.embedded.Shutdown()
		q.embedded.WaitForShutdown()
	}
	if q.locked != nil {
		_ = q.locked.Close()
	}
}

// Put stores a push. It returns when the push is on disk, on a majority of the
// replicas. A full queue is webhook.ErrFull.
func (q *Queue) Put(ctx context.Context, p push.Push) (duplicate bool, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	if err := q.writable(); err != nil {
		return false, err // at once: who sends it waits for an answer
	}
	key := key(&p)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	// Whether it is done is asked meanwhile, since who sends the push waits. Where it
	// cannot be said by the time that the push is stored, a worker that gets it asks
	// again: a node of a cluster that dies says nothing for seconds.
	soon, stop := context.WithTimeout(ctx, askTimeout/5)
	defer stop()
	done := make(chan bool, 1)
	go func() {
		known, _ := q.isDone(soon, key)
		done <- known
	}()
	ack, err := q.js.Publish(ctx, pushSubject, body, jetstream.WithMsgID(key))
	if err == nil {
		late := time.AfterFunc(grace, stop)
		defer late.Stop()
	}
	if <-done {
		return true, nil // whatever became of it
	}
	if err != nil {
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == maximumMessages {
			return false, webhook.ErrFull
		}
		return false, fmt.Errorf("storing the push of %s: %w", p.Repository, err)
	}
	return ack.Duplicate, nil
}

// grace is for how long a push that is stored waits for the answer whether it was
// worked on before.
const grace = 20 * time.Millisecond

// maximumMessages is JetStream's code for a stream that discards what is new
// (JSStreamStoreFailedF with "maximum messages exceeded").
const maximumMessages = 10077

// key returns a name of the push that may stand in a subject.
func key(p *push.Push) string {
	sum := sha256.Sum256([]byte(p.ID()))
	return hex.EncodeToString(sum[:16])
}

// A State is how much waits.
type State struct {
	Waiting, InWork, Dead uint64
}

// State counts what waits, what is worked on and what is dead.
func (q *Queue) State(ctx context.Context) (State, error) {
	if err := q.writable(); err != nil {
		return State{}, err
	}
	c, err := q.consumer.Info(ctx)
	if err != nil {
		return State{}, fmt.Errorf("asking for the depth of the queue: %w", err)
	}
	d, err := q.dead.Info(ctx)
	if err != nil {
		return State{}, fmt.Errorf("asking for the dead pushes: %w", err)
	}
	return State{Waiting: c.NumPending, InWork: uint64(c.NumAckPending), Dead: d.State.Msgs}, nil
}
