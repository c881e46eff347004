package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// initBudget is how many milliseconds each package of this module may spend
// before main begins.
const initBudget = 0.1

// startupRuns is how often the program starts: a package is judged by the
// fastest of them, which other work on the machine cannot lower.
const startupRuns = 15

// TestStartupCostsNothing holds the promise that nothing is paid at start-up:
// no table is built, no regular expression compiled, no flag registered before
// main. The runtime prints what each package's initialisation took
// (https://pkg.go.dev/runtime, "inittrace"); packages without any are not in
// the list.
func TestStartupCostsNothing(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "spillgate.exe")
	build := exec.Command("go", "build", "-o", exe, module+"/cmd/spillgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	least := map[string]float64{}
	var allocated initAllocated
	for range startupRuns {
		run := exec.Command(exe, "version")
		run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		var stderr strings.Builder
		run.Stderr = &stderr
		if err := run.Run(); err != nil {
			t.Fatalf("spillgate version: %v", err)
		}
		allocated = countInits(t, stderr.String())
		for pkg, ms := range initTrace(t, stderr.String()) {
			if old, ok := least[pkg]; !ok || ms < old {
				least[pkg] = ms
			}
		}
	}
	// The runtime itself is always there: without it, nothing was measured.
	if _, ok := least["runtime"]; !ok {
		t.Fatalf("the trace of package initialisation lacks the runtime; it has %d packages", len(least))
	}
	for pkg, ms := range least {
		if (pkg == module || strings.HasPrefix(pkg, module+"/")) && ms > initBudget {
			t.Errorf("the initialisation of %s takes %.3f ms, at most %.1f ms are allowed", pkg, ms, initBudget)
		}
	}
	// Times depend on the machine, these only on what is linked.
	if allocated.ours > ourInitAllocs {
		t.Errorf("packages of this module allocate %d times before main, at most %d are allowed", allocated.ours, ourInitAllocs)
	}
	if allocated.all > allInitAllocs || allocated.bytes > allInitBytes {
		t.Errorf("before main there are %d allocations of %d bytes, at most %d of %d are allowed: what was linked since?",
			allocated.all, allocated.bytes, allInitAllocs, allInitBytes)
	}
}

// How often packages may allocate before main: those of this module, and all
// together, which also may not allocate more than allInitBytes. There were 747
// allocations of 126 kB when this was written, two of them in scanner/iac.
const (
	ourInitAllocs = 2
	allInitAllocs = 800
	allInitBytes  = 135_000
)

// initAllocated is what was allocated before main.
type initAllocated struct{ ours, all, bytes int }

// countInits adds up the lines that initTrace reads.
func countInits(t *testing.T, trace string) initAllocated {
	t.Helper()
	var sum initAllocated
	for line := range strings.Lines(trace) {
		f := strings.Fields(line)
		if len(f) < 11 || f[0] != "init" {
			continue
		}
		bytes, err1 := strconv.Atoi(f[7])
		allocs, err2 := strconv.Atoi(f[9])
		if err1 != nil || err2 != nil || f[8] != "bytes," || f[10] != "allocs" {
			t.Fatalf("cannot read the allocations in %q", line)
		}
		if sum.bytes += bytes; strings.HasPrefix(f[1], module+"/") {
			sum.ours += allocs
		}
		sum.all += allocs
	}
	return sum
}

// initTrace reads lines such as
//
//	init internal/bytealg @0.008 ms, 0.12 ms clock, 0 bytes, 0 allocs
//
// and returns how long each package took, in milliseconds.
func initTrace(t *testing.T, trace string) map[string]float64 {
	t.Helper()
	took := map[string]float64{}
	for line := range strings.Lines(trace) {
		f := strings.Fields(line)
		if len(f) < 6 || f[0] != "init" {
			continue
		}
		ms, err := strconv.ParseFloat(f[4], 64)
		if err != nil || f[5] != "ms" {
			t.Fatalf("cannot read the time in %q", line)
		}
		took[f[1]] = ms
	}
	return took
}
