package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/server/incident"
)

const account = "471938265017"

// withAWS gives the installation a live stage that may rotate, and an AWS of
// its own with n keys.
func withAWS(t *testing.T, s *installation, n int) (*kmsfake.Server, *kmsfake.Model) {
	t.Helper()
	m := &kmsfake.Model{Home: account, Regions: []string{"eu-central-1"}, RotationTakes: 300 * time.Millisecond}
	for i := range n {
		m.Keys = append(m.Keys, &kmsfake.Key{ARN: strings.TrimSpace(key(i + 1)), Policy: kmsfake.DefaultPolicy(account)})
	}
	fake := kmsfake.New(t, m)
	for name, value := range fake.Env() {
		s.env = append(s.env, name+"="+value)
	}
	operator := fmt.Sprintf(`accounts = [%q]
regions = ["eu-central-1"]
actions = ["rotate-on-demand"]
resources = ["arn:aws:kms:*:%s:key/*"]
[limits]
per_run = 100
per_day = 1000
confirm = "30s"
[standing]
apply = ["rotate-on-demand"]
`, account, account)
	if err := os.WriteFile(filepath.Join(s.dir, "operator.toml"), []byte(operator), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "server.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("[live]\nenabled = true\noperator = \"operator.toml\"\n"); err != nil {
		t.Fatal(err)
	}
	return fake, m
}

// confirmed asks until n incidents are confirmed, at most 90 seconds.
func (s *installation) confirmed(n int) []incident.Incident {
	s.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		all := s.incidents(n)
		done := 0
		for i := range all {
			if _, ok := all[i].First(incident.Confirmed); ok {
				done++
			}
		}
		if done >= n {
			return all
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("%d of %d incidents confirmed\n%s", done, n, log)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestIncident plays the incident: a key's ARN is pushed, found, asked about,
// planned for, rotated and confirmed, with the time of each step.
func TestIncident(t *testing.T) {
	s := newInstallation(t)
	_, m := withAWS(t, s, 1)
	commit := s.push("team/app", "main.tf", "key = \""+strings.TrimSpace(key(1))+"\"\n")
	s.start()
	s.deliver("d1", "team/app", commit, webhookSecret)
	all := s.confirmed(1)
	var last time.Time
	for _, stage := range []incident.Stage{incident.Pushed, incident.Found, incident.Enriched, incident.Planned, incident.Responded, incident.Confirmed} {
		at, ok := all[0].First(stage)
		if !ok || at.Before(last) {
			t.Errorf("stage %s: there %v, at %s after %s", stage, ok, at, last)
		}
		last = at
	}
	if n := m.OnDemandRotations(strings.TrimSpace(key(1))); n != 1 {
		t.Errorf("rotated %d times", n)
	}
	out, code := s.run("incident", "show", all[0].ID)
	for _, want := range []string{"\nPlan\n  rotate-on-demand of " + strings.TrimSpace(key(1)) + ": ", "\nNot fixed by the response\n"} {
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out, "{") {
			t.Errorf("incident show: %d, want %q in\n%s", code, want, out)
		}
	}
	if len(all[0].Leaves) == 0 {
		t.Error("the incident does not say what the rotation left as it was")
	}
	// The same ARN in another commit is answered already.
	commit = s.push("team/app", "again.tf", key(1))
	s.deliver("d2", "team/app", commit, webhookSecret)
	deadline := time.Now().Add(time.Minute)
	for s.incidents(1)[0].Occurrences < 2 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := m.OnDemandRotations(strings.TrimSpace(key(1))); n != 1 {
		t.Errorf("rotated %d times after the second push", n)
	}
}

// TestKilledWhileResponding kills the server again and again while it answers:
// every key is rotated once.
func TestKilledWhileResponding(t *testing.T) {
	s := newInstallation(t)
	n, kills := 6, 12
	if testing.Short() {
		n, kills = 2, 3
	}
	fake, m := withAWS(t, s, n)
	s.start()
	for i := range n {
		commit := s.push(fmt.Sprint("team/app", i), "keys.txt", key(i+1))
		for s.deliver(fmt.Sprint("d", i), fmt.Sprint("team/app", i), commit, webhookSecret) != 202 {
			time.Sleep(50 * time.Millisecond)
		}
	}
	for k := range kills {
		time.Sleep(time.Duration(150+k*97%700) * time.Millisecond) // at another step each time
		s.kill()
		fake.Forgive() // connections that the kill cut
		s.start()
	}
	s.confirmed(n)
	for i := range n {
		if got := m.OnDemandRotations(strings.TrimSpace(key(i + 1))); got != 1 {
			t.Errorf("key %d was rotated %d times", i, got)
		}
	}
}

// TestAWSDownAndBack: what is pushed while AWS is down, or throttles, is an
// incident at once, and is answered when AWS is back.
func TestAWSDownAndBack(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for another attempt")
	}
	s := newInstallation(t)
	fake, m := withAWS(t, s, 2)
	fake.Inject(kmsfake.Fault{Key: strings.TrimSpace(key(1)), Status: 500, Code: "KMSInternalException"})
	fake.Inject(kmsfake.Fault{Action: "kms:GetKeyRotationStatus", Key: strings.TrimSpace(key(2)), Code: "ThrottlingException"})
	s.start()
	for i := range 2 {
		commit := s.push(fmt.Sprint("team/app", i), "keys.txt", key(i+1))
		if code := s.deliver(fmt.Sprint("d", i), fmt.Sprint("team/app", i), commit, webhookSecret); code != 202 {
			t.Fatalf("answered with %d", code)
		}
	}
	for _, i := range s.incidents(2) { // waits for them
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			out, code := s.run("incident", "show", i.ID)
			if code == 0 && strings.Contains(out, "\nAWS is asked again from ") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("incident show does not say that AWS is asked again: %d\n%s", code, out)
			}
		}
	}
	for i := range 2 {
		if n := m.OnDemandRotations(strings.TrimSpace(key(i + 1))); n != 0 {
			t.Errorf("key %d was rotated %d times, of which nothing is known", i, n)
		}
	}
	fake.Heal()
	for _, i := range s.confirmed(2) {
		if i.Waiting != nil {
			t.Errorf("incident %s is answered and waits for %+v", i.ID, i.Waiting)
		}
	}
	for i := range 2 {
		if n := m.OnDemandRotations(strings.TrimSpace(key(i + 1))); n != 1 {
			t.Errorf("key %d was rotated %d times", i, n)
		}
	}
}
