package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
)

func (a *app) watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "check KMS keys again and again, and tell what changed",
		ArgsUsage: "[KEY-ARN…]",
		Description: "Checks the keys every --interval and prints a line of JSON for each change: rotation switched\n" +
			"off, deletion scheduled, policy opened to strangers, grant added, and their opposites. What\n" +
			"cannot be found out is no change, and is printed once as lost sight of. It only reads.\n\n" +
			"Exit codes: with --once 1 if a change is at or above --fail-on, 2 if a key could not be checked.",
		Flags: awsFlags(
			allowFlag(),
			&cli.StringFlag{Name: "keys", TakesFile: true, Usage: "watch the keys in `FILE` too: an ARN a line, # for comments"},
			&cli.DurationFlag{Name: "interval", Value: 5 * time.Minute, Usage: "`TIME` from one check to the next", Validator: positiveTime},
			&cli.BoolFlag{Name: "once", Usage: "check once, compare with --state, and end"},
			severityFlag("fail-on", "high", "lowest `SEVERITY` of a change that fails --once"),
			&cli.StringFlag{Name: "state", TakesFile: true, Usage: "keep the last states in `FILE`, so that a restart misses nothing"},
			&cli.StringFlag{Name: "notify", TakesFile: true, Usage: "run `PROGRAM` for each change, with its line of JSON as standard input"},
			&cli.StringFlag{Name: "listen", Usage: "serve /metrics (Prometheus) and /healthz on `ADDRESS`, as in 127.0.0.1:9464"},
		),
		Action: a.watch,
	}
}

// A watcher checks keys and remembers what they were.
type watcher struct {
	check    func(context.Context, live.ARN) (kms.State, error)
	keys     []live.ARN
	interval time.Duration
	notify   string
	state    string
	out      io.Writer
	errs     io.Writer
	jobs     int

	mu     sync.Mutex
	last   map[live.ARN]kms.State // the newest answers, see kms.Merge
	seen   map[live.ARN]kms.State // as they came
	worst  rules.Severity
	any    bool // worst holds something
	blind  map[live.ARN]bool
	round  time.Time // end of the last round
	counts watchCounts
}

// watchLine is a line of watch's output.
type watchLine struct {
	Type string    `json:"type"` // "change", "lost-sight" or "in-sight"
	At   time.Time `json:"at"`
	Key  string    `json:"key"`
	*kms.Change
	Because string `json:"because,omitempty"`
}

func (a *app) watch(ctx context.Context, c *cli.Command) error {
	keys, err := watchedKeys(c.Args().Slice(), c.String("keys"))
	if err != nil {
		return err
	}
	session, err := openAWS(ctx, awsOptions(c))
	if err != nil {
		return err
	}
	allowed := c.StringSlice("allow-account")
	w := &watcher{
		check: func(ctx context.Context, key live.ARN) (kms.State, error) { return session.Check(ctx, key, allowed...) },
		keys:  keys, interval: c.Duration("interval"), notify: c.String("notify"), state: c.String("state"),
		out: a.Stdout, errs: a.Stderr, jobs: c.Int("jobs"),
		last: map[live.ARN]kms.State{}, seen: map[live.ARN]kms.State{}, blind: map[live.ARN]bool{},
	}
	if err := w.load(); err != nil {
		return err
	}
	if address := c.String("listen"); address != "" {
		stop, err := w.serve(address, a.Stderr)
		if err != nil {
			return usage("name an address and port that are free, as in 127.0.0.1:9464", "--listen: %v", err)
		}
		defer stop()
	}
	if c.Bool("once") {
		if err := w.once(ctx); err != nil {
			return err
		}
		a.exit = w.exit(severityOf(c, "fail-on"))
		return nil
	}
	return w.forever(ctx)
}

// watchedKeys reads and checks the ARNs.
func watchedKeys(args []string, file string) ([]live.ARN, error) {
	all := slices.Clone(args)
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usage("name a file with an ARN a line", "--keys: %v", err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			line, _, _ := strings.Cut(lines.Text(), "#")
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, usage("name a file with an ARN a line", "--keys: %v", err)
		}
	}
	var keys []live.ARN
	for _, s := range all {
		key, err := live.ParseARN(s)
		if err != nil || !key.IsKey() || key.Region == "" {
			return nil, usage("give ARNs of keys; spillgate-live enrich tells which key an alias stands for", "%.60q is not the ARN of a KMS key", s)
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, usage("give ARNs of keys, or --keys FILE", "no keys to watch")
	}
	return keys, nil
}

// forever checks until ctx ends, which is how a watch ends well.
func (w *watcher) forever(ctx context.Context) error {
	tick := time.NewTicker(w.interval)
	defer tick.Stop()
	for {
		if err := w.once(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// once checks every key, several at a time.
func (w *watcher) once(ctx context.Context) error {
	slots := make(chan struct{}, w.jobs)
	var wg sync.WaitGroup
	for _, key := range w.keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			state, err := w.check(ctx, key)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				state = kms.State{ARN: key, At: time.Now().UTC(), Status: live.StatusUnknown, Why: err.Error()}
			}
			w.compare(ctx, key, state)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.mu.Lock()
	w.round = time.Now()
	w.mu.Unlock()
	return w.save()
}

// compare tells what changed of one key, and remembers it.
func (w *watcher) compare(ctx context.Context, key live.ARN, now kms.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.checks++
	w.seen[key] = now
	blind := now.Status == live.StatusUnknown || now.Status == live.NoAccess
	if blind {
		w.counts.failures++
	}
	if blind != w.blind[key] {
		w.blind[key] = blind
		line := watchLine{Type: "in-sight", At: now.At, Key: key.String()}
		if blind {
			line.Type, line.Because = "lost-sight", now.Why
		}
		w.tell(ctx, line)
	}
	before, known := w.last[key]
	if !known {
		w.last[key] = now
		return
	}
	for _, c := range kms.Changes(before, now) {
		w.counts.change(c.Kind)
		if !w.any || c.Severity > w.worst {
			w.worst, w.any = c.Severity, true
		}
		w.tell(ctx, watchLine{Type: "change", At: now.At, Key: key.String(), Change: &c})
	}
	w.last[key] = kms.Merge(before, now)
}

// notifyTime bounds a run of --notify.
const notifyTime = 30 * time.Second

// tell prints a line and runs --notify with it; w.mu is held, so that lines
// and runs come one after the other.
func (w *watcher) tell(ctx context.Context, line watchLine) {
	data, err := json.Marshal(line)
	if err == nil {
		data = append(data, '\n')
		_, err = w.out.Write(data)
	}
	if err != nil {
		fmt.Fprintf(w.errs, "spillgate-live: printing a change: %v\n", err)
	}
	if w.notify == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTime)
	defer cancel()
	c := exec.CommandContext(ctx, w.notify)
	c.Stdin, c.Stderr = strings.NewReader(string(data)), w.errs
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		w.counts.notifyFailures++
		fmt.Fprintf(w.errs, "spillgate-live: --notify %s: %v\n", w.notify, err)
	}
}

func (w *watcher) exit(failOn rules.Severity) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.any && w.worst >= failOn {
		return scanner.ExitFindings
	}
	for _, blind := range w.blind {
		if blind {
			return scanner.ExitIncomplete
		}
	}
	return scanner.ExitClean
}

// watchFile is the file of --state.
type watchFile struct {
	Spillgate string      `json:"spillgate"` // "watch-state"
	Version   int         `json:"version"`
	Keys      []kms.State `json:"keys"`
}

func (w *watcher) load() error {
	if w.state == "" {
		return nil
	}
	data, err := os.ReadFile(w.state)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var file watchFile
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err == nil && (file.Spillgate != "watch-state" || file.Version != 1) {
		err = errors.New("it is no state of a watch")
	}
	if err != nil {
		return usage("name another file, or remove this one", "--state %s: %v", w.state, err)
	}
	for _, s := range file.Keys {
		w.last[s.ARN] = s
	}
	return nil
}

func (w *watcher) save() error {
	if w.state == "" {
		return nil
	}
	w.mu.Lock()
	file := watchFile{Spillgate: "watch-state", Version: 1}
	for _, key := range w.keys {
		if s, ok := w.last[key]; ok {
			file.Keys = append(file.Keys, s)
		}
	}
	w.mu.Unlock()
	err := writeWhole(w.state, func(f io.Writer) error { return json.NewEncoder(f).Encode(file) })
	if err != nil {
		return fmt.Errorf("keeping the state %s: %w", w.state, err)
	}
	return nil
}

// serve serves metrics and health until stop is called.
func (w *watcher) serve(address string, errs io.Writer) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(errs, "spillgate-live: metrics on http://%s/metrics\n", listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", w.metrics)
	mux.HandleFunc("GET /healthz", w.health)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
}
