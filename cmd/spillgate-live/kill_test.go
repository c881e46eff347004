//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// TestKillRespond kills the program itself, with the real client between it and
// AWS, at random moments of a response, and starts it again until it comes to
// its end: each finding has one rotation, however often it died, and the audit
// log verifies after each death. (Package live has the same with a death at
// each step by name.)
func TestKillRespond(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 6
	}
	bin := filepath.Join(t.TempDir(), "spillgate-live")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	model := &kmsfake.Model{Home: account, RotationTakes: 20 * time.Millisecond}
	keys := make([]string, rounds)
	for i := range keys {
		keys[i] = fmt.Sprintf("arn:aws:kms:eu-west-1:%s:key/8f3b9c1e-5d27-4a60-b1e4-%012x", account, i+1)
		model.Keys = append(model.Keys, &kmsfake.Key{ARN: keys[i], RotationOn: true, Period: 365})
	}
	server := kmsfake.New(t, model)
	env := append(os.Environ(), "GITHUB_ACTIONS=", "GITHUB_EVENT_NAME=", "CI_MERGE_REQUEST_IID=", "TRAVIS_PULL_REQUEST=", "CHANGE_ID=")
	for name, value := range server.Env() {
		env = append(env, name+"="+value)
	}
	random := rand.New(rand.NewPCG(6, 60))
	deaths := 0
	for i, key := range keys {
		dir := t.TempDir()
		operator := filepath.Join(dir, "operator.toml")
		text := "accounts = [\"" + account + "\"]\nregions = [\"eu-west-1\"]\nactions = [\"rotate-on-demand\"]\nresources = [\"arn:*\"]\n" +
			"[limits]\nconfirm = \"2s\"\n[standing]\napply = [\"rotate-on-demand\"]\n"
		if err := os.WriteFile(operator, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		findings := fmt.Sprintf(`{"type":"finding","rule":"aws-kms-key-arn","severity":"medium","fingerprint":"f%d","fields":[{"name":"arn","value":%q}],"location":{"path":"a","start_line":1}}`+"\n"+
			`{"type":"coverage","schema_version":1}`+"\n", i, key)
		ledger := filepath.Join(dir, "ledger")
		code := -1
		for try := 0; code < 0; try++ {
			c := exec.Command(bin, "respond", "--operator", operator, "--ledger", ledger, "--apply")
			var out bytes.Buffer
			c.Env, c.Stdin, c.Stdout, c.Stderr = env, strings.NewReader(findings), &out, &out
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if try < 4 {
				timer := time.AfterFunc(time.Duration(40+random.IntN(160))*time.Millisecond, func() { _ = c.Process.Kill() })
				defer timer.Stop()
			}
			_ = c.Wait()
			if code = c.ProcessState.ExitCode(); code < 0 {
				deaths++
			} else if code != 0 {
				t.Fatalf("%s: exit code %d after %d deaths:\n%s", key, code, try, out.String())
			}
			if n := server.OnDemandRotations(key); n > 1 {
				t.Fatalf("%s: %d rotations:\n%s", key, n, out.String())
			}
			if _, err := os.Stat(filepath.Join(ledger, "audit.jsonl")); err == nil {
				if check, err := live.VerifyAudit(ledger, ""); err != nil || check.Bad != 0 {
					t.Fatalf("%s: the audit log: %+v, %v", key, check, err)
				}
			}
		}
		entries, err := live.ReadLedger(ledger)
		if err != nil || len(entries) == 0 || entries[len(entries)-1].State != live.Effective || server.OnDemandRotations(key) != 1 {
			t.Fatalf("%s: %d rotations, %v: %+v", key, server.OnDemandRotations(key), err, entries)
		}
	}
	t.Logf("%d findings, killed %d times", rounds, deaths)
	if deaths == 0 {
		t.Error("it was never killed")
	}
}
