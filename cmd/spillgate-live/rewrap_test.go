package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper/s3fake"
)

const freshARN = "arn:aws:kms:eu-west-1:" + account + ":key/" + "b5a1c7d2-40f3-4e86-9c1b-7f60d3e2a918"

// rewrapProgram is the program as it is installed, and the services around it.
type rewrapProgram struct {
	t      *testing.T
	bin    string
	kms    *kmsfake.Server
	s3     *s3fake.Server
	dir    string
	extras []string
}

func newRewrap(t *testing.T, objects int) *rewrapProgram {
	t.Helper()
	p := &rewrapProgram{t: t, dir: t.TempDir()}
	p.bin = filepath.Join(t.TempDir(), "spillgate-live.exe") // the ending is needed on Windows alone
	if out, err := exec.Command("go", "build", "-o", p.bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	p.kms = kmsfake.New(t, &kmsfake.Model{Home: account, Keys: []*kmsfake.Key{{ARN: keyARN}, {ARN: freshARN}, {ARN: keptARN}}})
	all := map[string]*s3fake.Object{"vault/other": {Data: []byte("x"), Key: keptARN, Modified: time.Now()}}
	for i := range objects {
		all["vault/p/"+strings.Repeat("o", i+1)] = &s3fake.Object{Data: []byte("made up"), Key: keyARN, Modified: time.Now().AddDate(0, 0, -30)}
	}
	var err error
	if p.s3, err = s3fake.Start(all); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.s3.Close)
	return p
}

// command returns the program with arguments, the keys among them.
func (p *rewrapProgram) command(args ...string) *exec.Cmd {
	c := exec.Command(p.bin, append([]string{"rewrap", "--key", keyARN, "--to", freshARN, "--format", "json"}, args...)...)
	c.Dir = p.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "AWS_ENDPOINT_URL_S3=" + p.s3.URL}
	for name, value := range p.kms.Env() {
		c.Env = append(c.Env, name+"="+value)
	}
	c.Env = append(c.Env, p.extras...)
	return c
}

type rewrapOutput struct {
	Plan struct {
		Hash  string
		Items []struct {
			Place, Action string
			DataKey       struct{ Basis string } `json:"data_key"`
		}
	}
	Problems []string
	Outcomes []struct{ Place, State, Note string }
	Complete bool
}

func (p *rewrapProgram) run(code int, args ...string) (out rewrapOutput, text string) {
	p.t.Helper()
	var said, wrong strings.Builder
	c := p.command(args...)
	c.Stdout, c.Stderr = &said, &wrong
	err := c.Run()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
		p.t.Fatalf("%q: %v, want exit code %d\n%s%s", args, err, code, said.String(), wrong.String())
	}
	_ = json.Unmarshal([]byte(said.String()), &out) // of an error there is none
	return out, said.String() + wrong.String()
}

func TestRewrap(t *testing.T) {
	p := newRewrap(t, 3)
	blob := p.kms.Key(keyARN).Seal([]byte("made-up data key"), map[string]string{"a": "b=c"})
	if err := os.WriteFile(filepath.Join(p.dir, "blob"), blob, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "list"), []byte("# all of it\ns3://vault\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sources := []string{"--list", "list", "--blob", "blob", "--context", "a=b=c"}
	plan, _ := p.run(0, sources...)
	if len(plan.Plan.Items) != 4 || len(plan.Plan.Hash) != 64 || !plan.Complete {
		t.Fatalf("%+v", plan)
	}
	if n := p.kms.Count("kms:ReEncrypt") + p.s3.Count("UpdateObjectEncryption"); n != 0 {
		t.Fatalf("the dry run changed %d things", n)
	}
	with := func(more ...string) []string { return append(append([]string{}, sources...), more...) }
	p.run(3, with("--apply")...)
	p.run(3, with("--apply", "--ledger", "l0", "--approve", strings.Repeat("0", 64))...)
	p.extras = []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_ACTIONS=true"}
	p.run(3, with("--apply", "--ledger", "l0", "--approve", plan.Plan.Hash)...)
	p.extras = []string{"SPILLGATE_STOP=1"}
	p.run(2, with("--apply", "--ledger", "l0", "--approve", plan.Plan.Hash)...)
	p.extras = nil
	if n := p.kms.Count("kms:ReEncrypt") + p.s3.Count("UpdateObjectEncryption"); n != 0 {
		t.Fatalf("what was not approved changed %d things", n)
	}
	done, _ := p.run(0, with("--apply", "--ledger", "l1", "--approve", plan.Plan.Hash[:16])...)
	if !done.Complete || len(done.Outcomes) != 4 {
		t.Fatalf("%+v", done)
	}
	p.kms.Change(func() { p.kms.Keys[0].State = "Disabled" }) // as one does then
	if _, text := p.run(0, with("--apply", "--ledger", "l1")...); strings.Contains(text, "made-up") {
		t.Error("data in the output")
	}
	p.kms.Change(func() { p.kms.Keys[0].State = "Enabled" })
	if n := p.kms.Count("kms:ReEncrypt"); n != 1 || p.s3.Count("UpdateObjectEncryption") != 3 || p.s3.Object("vault/other").Key != keptARN {
		t.Errorf("%d calls of ReEncrypt, %d of UpdateObjectEncryption", n, p.s3.Count("UpdateObjectEncryption"))
	}
	if again, _ := p.run(0, sources[:2]...); len(again.Plan.Items) != 0 {
		t.Errorf("still under the old key: %+v", again.Plan.Items)
	}
	p.run(3, "--to", keyARN, "blob")
	p.run(3)
	p.run(2, "s3://vault/gone")
}

// TestRewrapKilled kills the program again and again while it works, and holds
// that the same command ends what was begun, and changes nothing twice.
func TestRewrapKilled(t *testing.T) {
	const objects = 40
	p := newRewrap(t, objects)
	plan, _ := p.run(0, "--new-data-keys", "s3://vault/p/")
	args := []string{"--new-data-keys", "--apply", "--jobs", "2", "--ledger", "ledger", "--approve", plan.Plan.Hash, "s3://vault/p/"}
	for want := 5; want < objects; want += 12 {
		c := p.command(args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(20 * time.Second); p.s3.Count("CopyObject") < want && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	begun := p.s3.Count("CopyObject")
	out, text := p.run(0, args...)
	if begun == 0 || begun >= objects || !out.Complete {
		t.Fatalf("%d copies before the last run: %s", begun, text)
	}
	// A kill may come after a copy and before its record: the copy is then
	// found, and not made again.
	if n := p.s3.Count("CopyObject"); n != objects {
		t.Errorf("%d copies of %d objects", n, objects)
	}
}

// TestRewrapChangedMeanwhile: what somebody has written since the plan was made stays
// as it is, and is not said to be done by the same command one day.
func TestRewrapChangedMeanwhile(t *testing.T) {
	p := newRewrap(t, 3)
	plan, _ := p.run(0, "s3://vault/p/")
	apply := []string{"--format", "text", "--apply", "--ledger", "ledger", "--approve", plan.Plan.Hash, "s3://vault/p/"}
	p.s3.Refuse("UpdateObjectEncryption", "SlowDown")
	if _, text := p.run(2, apply...); !strings.Contains(text, "3 failed") || !strings.Contains(text, "the same command goes on from the ledger ledger\n") {
		t.Errorf("S3 refuses: %s", text)
	}
	p.s3.Refuse("UpdateObjectEncryption", "")
	p.s3.Write("vault/p/oo", []byte("of somebody else"))
	for _, args := range [][]string{apply, apply, {"--format", "text", "--ledger", "ledger"}} {
		_, text := p.run(2, args...)
		if !strings.Contains(text, "2 done, 0 failed") || !strings.Contains(text, "1 changed meanwhile") || strings.Contains(text, "goes on") ||
			!strings.Contains(text, "make a plan of what is there now, with another ledger\n") {
			t.Errorf("%q: %s", args, text)
		}
	}
	if o := p.s3.Object("vault/p/oo"); o.Key != keyARN || string(o.Data) != "of somebody else" {
		t.Errorf("what was changed meanwhile is %+v", o)
	}
	if again, _ := p.run(0, "s3://vault/p/"); len(again.Plan.Items) != 1 {
		t.Errorf("the next plan: %+v", again.Plan.Items)
	}
	// All done: nothing goes on.
	plan, _ = p.run(0, "s3://vault/p/")
	p.run(0, "--apply", "--ledger", "another", "--approve", plan.Plan.Hash, "s3://vault/p/")
	if _, text := p.run(0, "--format", "text", "--ledger", "another"); !strings.Contains(text, "1 done") || strings.Contains(text, "goes on") {
		t.Errorf("all is done: %s", text)
	}
}
