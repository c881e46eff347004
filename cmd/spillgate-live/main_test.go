package main

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spillgate-live": main})
}

// Made-up accounts, keys and an access key id; none was ever issued.
const (
	account  = "739104" + "826315"
	stranger = "608080" + "594723"
	keyARN   = "arn:aws:kms:eu-west-1:" + account + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	openARN  = "arn:aws:kms:us-east-2:" + account + ":key/" + "c47d10b2-93ea-4f58-8a6c-e51b07d9f364"
	keptARN  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "2d7e41f0-86bc-4a19-b5d3-90c8e7f6a142"
)

const secretARN = "arn:aws:secretsmanager:eu-west-1:" + account + ":secret:db-aB3xY9"

// accessKeyID returns a made-up id of the account: its number stands in the
// first 41 bits after the prefix, in base32.
func accessKeyID() string {
	number, err := strconv.ParseUint(account, 10, 64)
	if err != nil {
		panic(err)
	}
	raw := binary.BigEndian.AppendUint64(nil, (1<<47|number<<7)<<16)
	raw = append(raw, 0x5a, 0xc3)
	return "AKIA" + base32.StdEncoding.EncodeToString(raw)
}

// world is the AWS of every script: a key, one that is open to everybody and to
// a stranger's grant, one that nobody may touch.
func world() *kmsfake.Model {
	return &kmsfake.Model{
		Home: account, RotationTakes: 300 * time.Millisecond,
		Keys: []*kmsfake.Key{
			{ARN: keyARN, Aliases: []string{"alias/payroll"}, RotationOn: true, Period: 365},
			{
				ARN:    openARN,
				Policy: `{"Version":"2012-10-17","Statement":[{"Sid":"oops","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}`,
				Grants: []kmsfake.Grant{{ID: "0c23", Name: "partner-import", Grantee: "arn:aws:iam::" + stranger + ":role/import", Operations: []string{"Decrypt"}}},
			},
			{ARN: keptARN, Tags: map[string]string{"spillgate:no-rotate": "ask payroll"}},
		},
		AccessKeys: []*kmsfake.AccessKey{{ID: accessKeyID(), Account: account, User: "deploy", Status: "Active"}},
		Secrets:    []*kmsfake.Secret{{ARN: secretARN, Name: "db", RotationLambda: "rotate-db"}},
	}
}

// TestScript runs the scripts of testdata/script: the promises of the command
// line, against an AWS of our own on 127.0.0.1. The real git and the real
// spillgate are around it where a script begins with a commit.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error { return setup(t, env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":      cmdCode,
			"count":     cmdCount,
			"deny":      cmdDeny,
			"envfile":   cmdEnvFile,
			"let":       cmdLet,
			"putpolicy": cmdPutPolicy,
			"spillgate": cmdSpillgate,
			"git":       cmdGit,
		},
	})
}

// buildSpillgate builds the scanner once.
var buildSpillgate = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "spillgate-test-*")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "spillgate")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", bin, "../spillgate").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building spillgate: %w\n%s", err, out)
	}
	return bin, nil
})

type fakeKey struct{}

// setup starts the fake of a script, and keeps the machine's own configuration
// and CI variables out.
func setup(t *testing.T, env *testscript.Env) error {
	server, err := kmsfake.Start(world())
	if err != nil {
		return err
	}
	env.Defer(func() {
		server.Close()
		for _, p := range server.Problems() {
			t.Errorf("the fake of a script: %s", p)
		}
	})
	env.Values[fakeKey{}] = server
	for name, value := range server.Env() {
		env.Setenv(name, value)
	}
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, "etc"), 0o700); err != nil {
		return err
	}
	config := "[init]\n\tdefaultBranch = main\n[user]\n\tname = Tester\n\temail = tester@example.org\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "ACCOUNT": account, "STRANGER": stranger, "KEY": keyARN, "OPEN": openARN, "KEPT": keptARN,
		"SECRET": secretARN, "KEYID": accessKeyID(), "AWSSECRET": "qT7vKp2LxW9z" + "RbN4mYc8HdJf3sGaE6uVoZi1XtQr",
	} {
		env.Setenv(name, value)
	}
	if err := os.Chmod(env.WorkDir, 0o755); err != nil { // the operator's file lies there
		return err
	}
	return nil
}

func fakeOf(ts *testscript.TestScript) *kmsfake.Server { return ts.Value(fakeKey{}).(*kmsfake.Server) }

// cmdCode runs a command that must end with an exit code:
// code 2 spillgate-live …
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	err := ts.Exec(args[1], args[2:]...)
	want, got := args[0], "0"
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			got = strconv.Itoa(exit.ExitCode())
		} else {
			ts.Fatalf("running %s: %v", args[1], err)
		}
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s", got, want)
	}
}

// cmdCount fails unless the fake has been called so often: count 1
// kms:RotateKeyOnDemand.
func cmdCount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: count N service:Operation")
	}
	if got := strconv.Itoa(fakeOf(ts).Count(args[1])); got != args[0] {
		ts.Fatalf("%s was called %s times, want %s", args[1], got, args[0])
	}
}

// cmdEnvFile replaces $NAME in a file by the script's variables.
func cmdEnvFile(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// cmdDeny denies actions from now on: deny kms:RotateKeyOnDemand. Without any
// it allows all again.
func cmdDeny(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		fakeOf(ts).Heal()
		return
	}
	fakeOf(ts).Deny(args...)
}

// cmdPutPolicy gives a key another policy: putpolicy ARN FILE.
func cmdPutPolicy(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[1])
	fake := fakeOf(ts)
	fake.Change(func() {
		for _, k := range fake.Keys {
			if k.ARN == args[0] {
				k.Policy = text
			}
		}
	})
}

// cmdLet sets a variable to the first match of a pattern's group in the last
// standard output: let NAME FILE PREFIX takes the word after PREFIX in FILE.
func cmdLet(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: let NAME FILE PREFIX")
	}
	_, after, ok := strings.Cut(ts.ReadFile(args[1]), args[2])
	word := strings.FieldsFunc(after, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyz", r) })
	if !ok || len(word) == 0 {
		ts.Fatalf("%q is not in %s", args[2], args[1])
	}
	ts.Setenv(args[0], word[0])
}

// cmdSpillgate runs the scanner; its exit code does not matter.
func cmdSpillgate(ts *testscript.TestScript, _ bool, args []string) {
	bin, err := buildSpillgate()
	ts.Check(err)
	_ = ts.Exec(bin, args...)
}

func cmdGit(ts *testscript.TestScript, _ bool, args []string) { ts.Check(ts.Exec("git", args...)) }
