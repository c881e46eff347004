package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withScanner has the server run a script instead of spillgate, in the mirror, with
// the source and the repository in $name. What it does not end goes on as spillgate;
// it notes each begin in the file begun.
func (s *installation) withScanner(script string, settings ...string) {
	s.t.Helper()
	text := fmt.Sprintf("#!/bin/sh\nname=$(cat description)\necho \"$name\" >>'%s/begun'\n%s\nexec '%s' \"$@\"\n", s.dir, script, scanProgram)
	program := filepath.Join(s.dir, "scanner")
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.dir, "server.toml")
	config, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	changed := strings.Replace(string(config), fmt.Sprintf("%q", scanProgram), fmt.Sprintf("%q", program), 1)
	changed = strings.Replace(changed, "max-attempts = 1000\n", strings.Join(settings, "\n")+"\n", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// begun waits until scans were begun n times.
func (s *installation) begun(n int) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(s.dir, "begun"))
		if strings.Count(string(text), "\n") >= n {
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("%d scans were begun within a minute, want %d\n%s", strings.Count(string(text), "\n"), n, log)
		}
	}
}

// TestKilledIsNoFailure: a push whose scan is cut off by kills more often than it
// may fail is scanned when it is left alone.
func TestKilledIsNoFailure(t *testing.T) {
	s := newInstallation(t)
	s.withScanner("[ -e '"+s.dir+"/quick' ] || exec sleep 3", "max-attempts = 2", "max-crashes = 10")
	commit := s.push("team/app", "keys.txt", key(1))
	s.start()
	s.deliver("d1", "team/app", commit, webhookSecret)
	kills := 5
	for k := range kills {
		s.begun(k + 1)
		s.kill()
		if k == kills-1 {
			if err := os.WriteFile(filepath.Join(s.dir, "quick"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s.start()
	}
	if all := s.incidents(1); len(all) != 1 {
		t.Errorf("%d incidents", len(all))
	}
	if out, _ := s.run("queue", "dead"); out != "" {
		t.Errorf("dead pushes:\n%s", out)
	}
}

// TestPoisonPill: a push that kills the server each time that it is scanned ends as
// a dead one with that reason; what is scanned beside it does not, and the fleet
// that it is part of says so.
func TestPoisonPill(t *testing.T) {
	s := newInstallation(t)
	s.withScanner("case $name in *poison) kill -9 $PPID; exit 1;; esac\nsleep 0.3", "max-attempts = 8", "max-crashes = 5")
	const good = 6
	s.push("team/poison", "keys.txt", key(99))
	list := "team/poison\n"
	for n := range good {
		s.push(fmt.Sprint("team/app", n), "keys.txt", key(n+1))
		list += fmt.Sprintf("team/app%d\n", n)
	}
	file := filepath.Join(s.dir, "list")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	id, code := s.run("fleet", "scan", "--source", "hub", "--repositories", file)
	if code != 0 {
		t.Fatalf("fleet scan: %d %s", code, id)
	}
	id = strings.TrimSpace(id)
	deaths := 0
	for deadline := time.Now().Add(2 * time.Minute); ; {
		ended := make(chan struct{})
		proc := s.proc
		go func() { _ = proc.Wait(); close(ended) }()
		for alive := true; alive; {
			select {
			case <-ended:
				alive = false
			case <-time.After(200 * time.Millisecond):
			}
			if out, code := s.run("queue", "dead"); code == 0 && out != "" {
				s.poisoned(id, out, deaths, good)
				_ = proc.Process.Kill()
				<-ended
				s.proc = nil
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("after %d deaths nothing is dead", deaths)
			}
		}
		deaths++
		s.proc = nil
		s.start()
	}
}

// poisoned holds what is there when the poison is found out.
func (s *installation) poisoned(id, dead string, deaths, good int) {
	s.t.Helper()
	if strings.Count(dead, "\n") != 1 || !strings.Contains(dead, "team/poison") || !strings.Contains(dead, "0 attempts, 5 cut off") ||
		!strings.Contains(dead, "the server ended 5 times while it worked on this push") {
		s.t.Errorf("dead pushes after %d deaths:\n%s", deaths, dead)
	}
	// JetStream writes down what it delivered within a tenth of a second, which is
	// more than the poison takes: some of its deaths are not counted.
	if deaths > 25 {
		s.t.Errorf("the server died %d times", deaths)
	}
	if all := s.incidents(good); len(all) != good {
		s.t.Errorf("%d incidents, want %d", len(all), good)
	}
	out, code := s.run("fleet", "status", "--wait", id)
	if code != 2 || !strings.Contains(out, "6 of 7 repositories scanned") || !strings.Contains(out, "given up") || !strings.Contains(out, "the server ended 5 times") {
		s.t.Errorf("fleet status: %d\n%s", code, out)
	}
}
