// Load sends signed deliveries to a spillgate-server that it starts, and kills
// again and again with SIGKILL, and then asks: was every pushed commit
// scanned, was anything recorded or answered twice, how long did it take from
// the push to the incident and to the message in Slack, how much memory did the
// server use? It prints the answers as the tables of RESULTS.md.
//
//	go run ./load -deliveries 10000 -repositories 50 -kill-every 4s
//	go run ./load -live            and each key is rotated, in an AWS on 127.0.0.1
//	go run ./load -kept FOLDER     begin with what an earlier run left there (-keep)
//	go run ./load -cluster         with three NATS nodes, one of which is killed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

const (
	webhookSecret = "a-made-up-webhook-secret"
	apiToken      = "a-made-up-token-of-the-api"
)

type load struct {
	dir, server, scanner string
	deliveries, repos    int
	killEvery            time.Duration
	senders, rate        int
	live, cluster, keep  bool
	section, kept        string
	slack                *slack
	aws                  *aws       // nil without -live
	nodes                *cluster   // nil without -cluster
	commits              [][]string // by repository
	began                time.Time
	mu                   sync.Mutex
	url                  string
	proc                 *exec.Cmd
	kills                int
	memory               memory
	started              time.Time // the running server
	answers              []time.Duration
	early                []time.Duration // those of answers that came soon after a start
	resends              int
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == nodeArgument {
		exit(runNode(os.Args[2:]))
	}
	var l load
	flag.IntVar(&l.deliveries, "deliveries", 10000, "how many deliveries")
	flag.IntVar(&l.repos, "repositories", 50, "in how many repositories")
	flag.DurationVar(&l.killEvery, "kill-every", 4*time.Second, "kill the server after this time, again and again; 0 for never")
	flag.IntVar(&l.rate, "rate", 0, "how many deliveries are sent a second; 0 for as many as are answered")
	flag.IntVar(&l.senders, "senders", 4, "how many deliveries are sent at a time")
	flag.BoolVar(&l.live, "live", false, "ask an AWS on 127.0.0.1, and rotate each key")
	flag.BoolVar(&l.cluster, "cluster", false, "queue in a cluster of three nodes, and kill one of them when a third is sent")
	flag.BoolVar(&l.keep, "keep", false, "keep the folder of the run, with the server's log, queue, ledger and audit log")
	flag.StringVar(&l.kept, "kept", "", "begin with what the run kept (-keep) whose folder this is: its queue, incidents, ledger and audit log")
	flag.StringVar(&l.section, "section", "", "write the tables into RESULTS.md, under this heading")
	flag.Parse()
	exit(l.run(context.Background()))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (l *load) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "spillgate-load")
	if err != nil {
		return err
	}
	l.dir = dir
	if l.keep {
		fmt.Fprintln(os.Stderr, "the folder of the run is", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	closeAll, err := l.prepare()
	defer closeAll()
	if err != nil {
		return err
	}
	busy := loadAverage()
	l.began = time.Now()
	if err := l.start(); err != nil {
		return err
	}
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { l.killAgainAndAgain(stop) })
	beside.Go(func() { l.measureMemory(stop) })
	l.sendAll(ctx)
	sent := time.Since(l.began)
	err = l.wait(ctx)
	took := time.Since(l.began)
	l.slack.settle(l.deliveries, l.live)
	settled := time.Since(l.began)
	close(stop)
	beside.Wait()
	if err != nil {
		return err
	}
	var all []incident.Incident
	if err := l.get(ctx, "/api/incidents", &all); err != nil {
		return err
	}
	l.mu.Lock()
	_ = l.proc.Process.Signal(syscall.SIGTERM)
	_ = l.proc.Wait()
	l.mu.Unlock()
	var text strings.Builder
	err = l.report(&text, all, times{sent, took, settled}, busy)
	fmt.Print(text.String())
	if l.section != "" && err == nil {
		err = writeSection("RESULTS.md", l.section, text.String())
	}
	return err
}

// prepare makes everything that the server needs, and returns what ends it.
func (l *load) prepare() (closeAll func(), err error) {
	var closers []func()
	closeAll = func() {
		for _, f := range closers {
			f()
		}
	}
	for _, step := range []func() error{l.build, l.history, l.goOn} {
		if err := step(); err != nil {
			return closeAll, err
		}
	}
	l.slack = newSlack()
	closers = append(closers, l.slack.server.Close)
	if l.live {
		var keys []string
		for n := range l.deliveries {
			keys = append(keys, l.key(n+1))
		}
		l.aws = newAWS(keys)
		closers = append(closers, l.aws.close)
	}
	if l.cluster {
		if l.nodes, err = newCluster(l.dir); err != nil {
			return closeAll, err
		}
		closers = append(closers, l.nodes.close)
	}
	return closeAll, l.configure()
}

// goOn copies what an earlier run kept, so that the server has it.
func (l *load) goOn() error {
	if l.kept == "" {
		return nil
	}
	for _, part := range []string{"queue", "responses"} {
		from, to := filepath.Join(l.kept, "data", part), filepath.Join(l.dir, "data", part)
		if err := errors.Join(os.CopyFS(to, os.DirFS(from)), os.Chmod(to, 0o700)); err != nil {
			return fmt.Errorf("copying what %s kept: %w", l.kept, err)
		}
	}
	return nil
}

// build makes both programs.
func (l *load) build() error {
	l.server, l.scanner = filepath.Join(l.dir, "spillgate-server"), filepath.Join(l.dir, "spillgate")
	for program, where := range map[string]string{l.server: "./cmd/spillgate-server", l.scanner: "../cmd/spillgate"} {
		cmd := exec.Command("go", "build", "-o", program, ".")
		cmd.Dir = where
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", where, err, out)
		}
	}
	return nil
}
