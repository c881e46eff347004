package respond_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/respond"
)

// childFolder is the environment variable by which the test's program becomes the
// server that is killed.
const childFolder = "SPILLGATE_TEST_ASKING"

// inFolder is a server as the folder has it: queue, ledger, name. end gives all of
// it back.
func inFolder(ctx context.Context, dir string, keys int) (r *respond.Responder, end func(), err error) {
	operator, err := live.ParseOperator("operator.toml", fmt.Appendf(nil, `accounts = [%q]
regions = ["eu-central-1"]
actions = ["rotate-on-demand"]
resources = ["arn:aws:kms:*:%s:key/*"]
[limits]
per_run = %d
per_day = 1000
confirm = "1s"
[standing]
apply = ["rotate-on-demand"]
`, account, account, keys))
	if err != nil {
		return nil, nil, err
	}
	session, err := kms.Open(ctx, kms.Options{})
	if err != nil {
		return nil, nil, err
	}
	q, err := queue.Open(ctx, queue.Options{Dir: filepath.Join(dir, "queue")})
	if err != nil {
		return nil, nil, err
	}
	incidents, err1 := q.Table(ctx, incident.Table)
	claims, err2 := q.Table(ctx, respond.Table)
	if err := errors.Join(err1, err2, os.MkdirAll(filepath.Join(dir, "responses"), 0o700)); err != nil {
		return nil, nil, err
	}
	r = &respond.Responder{
		Enricher: session, Incidents: incident.NewStore(incidents), Operator: operator, Actor: kms.NewActor(session, session),
		Folder: filepath.Join(dir, "responses"), Claims: claims, Name: "a", AskFor: respond.DefaultAskFor, Log: slog.New(slog.DiscardHandler),
	}
	return r, q.Close, nil
}

// TestMain runs the tests, or the server that one of them kills: it asks again, at
// a pace of ten minutes in a tenth of a second, until everything is answered.
func TestMain(m *testing.M) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := askInFolder(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func askInFolder(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	defer looking.Wait()
	defer cancel()
	r, end, err := inFolder(ctx, dir, killedKeys)
	if err != nil {
		return err
	}
	defer end()
	looking.Go(func() { r.Run(ctx) })
	// What was taken by the one that was killed is due at once for the next.
	for in := 7 * time.Hour; ; in += 10 * time.Minute {
		if _, err := respond.Sweep(ctx, r, time.Now().Add(in)); err != nil {
			return err
		}
		open := 0
		if err := r.Incidents.Each(ctx, func(i *incident.Incident) error {
			if i.Waiting != nil || !i.Answered() {
				open++
			}
			return nil
		}); err != nil || open == 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

const killedKeys = 12

func startInFolder(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+dir)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKilledAgainAndAgain kills a server with SIGKILL again and again while it asks
// about what waits, and answers it: every key is rotated once.
func TestKilledAgainAndAgain(t *testing.T) {
	kills := 25
	if testing.Short() {
		kills = 3
	}
	m := &kmsfake.Model{Home: account, Regions: []string{"eu-central-1"}, RotationTakes: 200 * time.Millisecond}
	for n := 1; n <= killedKeys; n++ {
		m.Keys = append(m.Keys, &kmsfake.Key{ARN: key(n), Policy: kmsfake.DefaultPolicy(account)})
	}
	fake := kmsfake.New(t, m)
	for name, value := range fake.Env() {
		t.Setenv(name, value)
	}
	for _, ci := range []string{"CI", "GITHUB_ACTIONS", "GITHUB_EVENT_NAME"} {
		t.Setenv(ci, "")
	}
	dir := t.TempDir()
	r, end, err := inFolder(t.Context(), dir, killedKeys)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= killedKeys; n++ {
		down(t, r, fake, n)
	}
	if err := respond.CloseBook(r); err != nil {
		t.Fatal(err)
	}
	end()
	fake.Heal()
	rotated := 0
	for k := range kills {
		c := startInFolder(t, dir)
		// At another call of each: the first of them are reads.
		fake.Forget()
		for begun := time.Now(); len(fake.Calls()) < 1+k*7 && time.Since(begun) < 2*time.Second; {
			time.Sleep(time.Millisecond)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		fake.Forgive()
		if m.AllOnDemandRotations() < killedKeys {
			rotated = k + 1
		} else if k > rotated+2 {
			break // three more may not change anything
		}
	}
	c := startInFolder(t, dir)
	over := time.AfterFunc(2*time.Minute, func() { _ = c.Process.Kill() })
	defer over.Stop()
	if err := c.Wait(); err != nil {
		t.Errorf("the last server: %v", err)
	}
	t.Logf("killed %d times before every key was rotated", rotated)
	for n := 1; n <= killedKeys; n++ {
		if got := m.OnDemandRotations(key(n)); got != 1 {
			t.Errorf("key %d was rotated %d times", n, got)
		}
	}
}
