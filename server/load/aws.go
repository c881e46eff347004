package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// An aws is the fake of AWS, with one key for each delivery. Nil is none.
type aws struct {
	fake    *kmsfake.Server
	model   *kmsfake.Model
	keys    []string // ARNs
	cleanup []func()
}

// kmsfake tells its findings to a test; here to people.
var _ kmsfake.TB = (*aws)(nil)

// Helper does nothing.
func (a *aws) Helper() {}

// Errorf prints.
func (a *aws) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "AWS: "+format+"\n", args...)
}

// Fatalf prints and ends the program.
func (a *aws) Fatalf(format string, args ...any) { exit(fmt.Errorf("AWS: "+format, args...)) }

// Cleanup calls f at the end.
func (a *aws) Cleanup(f func()) { a.cleanup = append(a.cleanup, f) }

// rotationTakes is how long a key's rotation is in progress.
const rotationTakes = 2 * time.Second

func newAWS(keys []string) *aws {
	a := &aws{model: &kmsfake.Model{Home: account, Regions: regions[:], RotationTakes: rotationTakes}, keys: keys}
	for _, key := range keys {
		a.model.Keys = append(a.model.Keys, &kmsfake.Key{ARN: key, Policy: kmsfake.DefaultPolicy(account)})
	}
	a.fake = kmsfake.New(a, a.model)
	return a
}

func (a *aws) close() {
	a.fake.Forgive() // connections that a kill has cut
	for _, f := range a.cleanup {
		f()
	}
}

func (a *aws) env() []string {
	if a == nil {
		return nil
	}
	var env []string
	for name, value := range a.fake.Env() {
		env = append(env, name+"="+value)
	}
	return env
}

func (a *aws) config() string {
	if a == nil {
		return ""
	}
	return "[live]\nenabled = true\noperator = \"operator.toml\"\n"
}

// operator is the policy: rotate what is found.
func (a *aws) operator() string {
	return fmt.Sprintf(`accounts = [%q]
regions = ["%s"]
actions = ["rotate-on-demand"]
resources = ["arn:aws:kms:*:%s:key/*"]
[limits]
per_run = 1000000
per_day = 1000000
confirm = "30s"
[standing]
apply = ["rotate-on-demand"]
`, account, strings.Join(regions[:], `", "`), account)
}

// rotatedSoFar counts the calls that rotated a key.
func (a *aws) rotatedSoFar() int { return a.model.AllOnDemandRotations() }

func (a *aws) rotations() (once, more, never int) {
	for _, key := range a.keys {
		switch a.model.OnDemandRotations(key) {
		case 0:
			never++
		case 1:
			once++
		default:
			more++
		}
	}
	return once, more, never
}

func (a *aws) counts() string {
	once, more, never := a.rotations()
	return fmt.Sprintf("%d, %d, %d", once, more, never)
}

func (a *aws) verdict() error {
	if _, more, never := a.rotations(); more+never > 0 {
		return fmt.Errorf("%d keys were rotated more than once, %d never", more, never)
	}
	return nil
}
