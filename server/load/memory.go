package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A memory is how much the server's processes used, in the order of time.
type memory struct {
	first, peak int64 // KB: the first process's, and any one's
	steps       []step
}

// A step is what was seen until so many deliveries had been told of.
type step struct {
	told, kills, rotated int
	after                time.Duration
	peak                 int64 // KB, of any process since the step before
}

// stepsOf is how many steps a run is cut into.
const stepsOf = 10

// measureMemory samples until stop is closed.
func (l *load) measureMemory(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Millisecond):
		}
		l.mu.Lock()
		l.memory.sample(l)
		l.mu.Unlock()
	}
}

// sample notes the highest memory that the running server has had. The caller
// holds l.mu.
func (m *memory) sample(l *load) {
	kb := highest(l.proc.Process.Pid)
	if kb == 0 {
		return
	}
	if l.kills == 0 {
		m.first = kb
	}
	m.peak = max(m.peak, kb)
	told := l.slack.told()
	step := step{told: told, kills: l.kills, after: time.Since(l.began), peak: kb}
	if l.aws != nil {
		step.rotated = l.aws.rotatedSoFar()
	}
	n := len(m.steps)
	if n > 0 && m.steps[n-1].told*stepsOf/l.deliveries == told*stepsOf/l.deliveries {
		step.peak = max(kb, m.steps[n-1].peak)
		m.steps[n-1] = step
		return
	}
	m.steps = append(m.steps, step)
}

// highest returns the highest resident memory of a process so far, in KB; 0
// where it has ended.
func highest(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb
		}
	}
	return 0
}

// table is the steps for people.
func (m *memory) table(live bool) string {
	var b strings.Builder
	b.WriteString("| told of | after | killed | keys rotated | highest memory of the server since the line before |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range m.steps {
		rotated := "-"
		if live {
			rotated = strconv.Itoa(s.rotated)
		}
		fmt.Fprintf(&b, "| %d | %s | %d times | %s | %d MB |\n", s.told, s.after.Round(time.Second), s.kills, rotated, s.peak>>10)
	}
	return b.String()
}
