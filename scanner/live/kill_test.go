//go:build unix

package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killVariable makes the test program a responder of its own, in the folder
// that it names, to be killed.
const killVariable = "SPILLGATE_TEST_RESPOND_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killVariable); dir != "" {
		os.Exit(victim(dir, os.Getenv("SPILLGATE_TEST_KILL_AT")))
	}
	os.Exit(m.Run())
}

// killSteps are the moments between any two steps of a response, those inside
// of AWS among them.
var killSteps = []string{
	"checked", "intended", "logged", "announced", "sent", "done in AWS", "called", "received", "answered", "asked", "settled", "closed",
}

// victim resolves, plans and carries out, as the command does, and kills itself
// at the given step. It returns 0 when there is nothing left to do.
func victim(dir, step string) int {
	die := func(at string) {
		if at == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Minute)
		}
	}
	complain := func(err error) int { fmt.Fprintln(os.Stderr, err); return 9 }
	op := permissive()
	op.Limits.Confirm = Duration(80 * time.Millisecond)
	aws := &fakeAWS{path: filepath.Join(dir, "aws.json"), takes: 15 * time.Millisecond, hook: die}
	l, err := OpenLedger(filepath.Join(dir, "ledger"))
	if err != nil {
		return complain(err)
	}
	audit, err := OpenAudit(l)
	if err != nil {
		return complain(err)
	}
	r := &Responder{Actor: aws, Operator: op, Ledger: l, Audit: audit, first: 3 * time.Millisecond, hook: die, getenv: func(string) string { return "" }}
	ctx := context.Background()
	if _, err := r.Resolve(ctx); err != nil {
		return complain(err)
	}
	facts, err := aws.Recheck(ctx, Action{Target: testKey})
	if err != nil {
		return complain(err)
	}
	p := mustPlan([]*Facts{facts}, op, l, time.Now())
	by, err := ApproveHash(p, p.Hash)
	if err != nil {
		return complain(err)
	}
	res, err := r.Run(ctx, p, by)
	if err != nil {
		return complain(err)
	}
	if len(l.Open()) > 0 || res.Stopped != "" {
		return 2
	}
	return 0
}

// runVictim starts a victim that dies at step, or after a time if that is not
// zero, and reports whether it was killed.
func runVictim(t *testing.T, dir, step string, after time.Duration) (killed bool) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), killVariable+"="+dir, "SPILLGATE_TEST_KILL_AT="+step)
	var out strings.Builder
	c.Stderr = &out
	must(t, c.Start())
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	err := c.Wait()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return true
	}
	if code := c.ProcessState.ExitCode(); code == 9 {
		t.Fatalf("after being killed it does not go on: %v, %s", err, out.String())
	}
	return false
}

// TestRule06KillAnywhere kills the response at each step in turn, and in
// between at random moments, and starts it again until it comes to its end.
// However often and wherever it was killed: one finding, one rotation; no
// intent is without an outcome in the end; and the audit log verifies after
// each death.
func TestRule06KillAnywhere(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	deaths := map[string]int{}
	random := rand.New(rand.NewPCG(6, 200))
	for round := range rounds {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "ledger"), 0o700))
		step := killSteps[round%len(killSteps)]
		ended := false
		for try := 0; try < 20 && !ended; try++ {
			var killed bool
			switch {
			case try == 0 && round%3 != 2:
				if killed = runVictim(t, dir, step, 0); killed {
					deaths[step]++
				}
			case try < 4 && random.IntN(2) == 0:
				if killed = runVictim(t, dir, "", time.Duration(1+random.IntN(60))*time.Millisecond); killed {
					deaths["at random"]++
				}
			case try < 4 && random.IntN(2) == 0:
				step := killSteps[random.IntN(len(killSteps))]
				if killed = runVictim(t, dir, step, 0); killed {
					deaths[step]++
				}
			default:
				killed = runVictim(t, dir, "", 0)
			}
			check(t, dir, killed)
			if !killed {
				entries, err := ReadLedger(filepath.Join(dir, "ledger"))
				must(t, err)
				ended = len(entries) > 0 && entries[len(entries)-1].State == Effective
			}
		}
		aws := &fakeAWS{path: filepath.Join(dir, "aws.json")}
		if n := aws.rotations(&Action{Target: testKey}); n != 1 || !ended {
			t.Fatalf("round %d (%s): %d rotations, ended %t", round, step, n, ended)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d rounds, killed: %v", rounds, deaths)
	if !testing.Short() {
		for _, step := range append([]string{"at random"}, killSteps...) {
			if deaths[step] == 0 {
				t.Errorf("it was never killed at the step %q", step)
			}
		}
	}
}

// check holds what a death left behind against the promises.
func check(t *testing.T, dir string, killed bool) {
	t.Helper()
	entries, err := ReadLedger(filepath.Join(dir, "ledger"))
	must(t, err)
	aws := &fakeAWS{path: filepath.Join(dir, "aws.json")}
	n := aws.rotations(&Action{Target: testKey})
	mayHave := 0
	for _, e := range entries {
		if e.State != Refused {
			mayHave++
		}
	}
	if n > 1 || n > mayHave {
		t.Errorf("%d rotations, and %d intents that may stand for them: %+v", n, mayHave, entries)
	}
	if _, err := os.Stat(filepath.Join(dir, "ledger", auditFile)); err == nil {
		if c := verify(t, filepath.Join(dir, "ledger"), ""); c.Bad != 0 {
			t.Errorf("killed %t: the audit log does not verify: %+v", killed, c)
		}
	}
}
