package measure

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test program be the process that Run starts, and the
// programs that the tests measure.
func TestMain(m *testing.M) {
	Serve()
	switch os.Getenv("MEASURE_TEST") {
	case "hold": // keeps that many MiB resident for a moment
		n, _ := strconv.Atoi(os.Args[1])
		b := make([]byte, n<<20)
		for i := 0; i < len(b); i += 512 {
			b[i] = 1
		}
		runtime.KeepAlive(b)
		os.Exit(0)
	case "spin": // burns that many milliseconds of CPU, in a child of its own
		if len(os.Args) == 3 {
			n, _ := strconv.Atoi(os.Args[1])
			for end := time.Now().Add(time.Duration(n) * time.Millisecond); time.Now().Before(end); {
			}
			os.Exit(0)
		}
		if exec.Command(os.Args[0], os.Args[1], "child").Run() != nil {
			os.Exit(9)
		}
		os.Exit(5)
	}
	os.Exit(m.Run())
}

func self(t *testing.T, mode string, args ...string) Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Command{Name: mode, Args: append([]string{exe}, args...), Env: append(os.Environ(), "MEASURE_TEST="+mode)}
}

// TestPeakIsTheProgramsOwn holds much memory in the measuring process: it must
// not show in what is measured.
func TestPeakIsTheProgramsOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peak memory differs by system")
	}
	held := make([]byte, 200<<20)
	for i := 0; i < len(held); i += 512 {
		held[i] = 1
	}
	small, err := Run(t.Context(), self(t, "hold", "1"))
	if err != nil {
		t.Fatal(err)
	}
	large, err := Run(t.Context(), self(t, "hold", "150"))
	if err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(held)
	if small.Peak == 0 || small.Peak > 100<<20 {
		t.Errorf("a program that holds 1 MiB: peak %d MiB", small.Peak>>20)
	}
	if large.Peak < 150<<20 {
		t.Errorf("a program that holds 150 MiB: peak %d MiB", large.Peak>>20)
	}
}

func TestCPUCoversChildren(t *testing.T) {
	c := self(t, "spin", "300")
	c.Exit = []int{5}
	u, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	// On a loaded machine the child gets less CPU in its 300 ms; a tree whose
	// children are not counted shows a few.
	if u.CPU() < 50*time.Millisecond {
		t.Errorf("a program whose child spins for 300 ms: %v of CPU", u.CPU())
	}
	if u.Exit != 5 {
		t.Errorf("exit code %d, want 5", u.Exit)
	}
}

func TestRunSaysWhatWentWrong(t *testing.T) {
	_, err := Run(t.Context(), self(t, "spin", "1"))
	if err == nil || !strings.Contains(err.Error(), "exit code 5") {
		t.Errorf("an unexpected exit code: error %v", err)
	}
	_, err = Run(t.Context(), Command{Name: "none", Args: []string{filepath.Join(t.TempDir(), "none")}})
	if err == nil {
		t.Error("a program that does not exist: no error")
	}
}

func TestCompareTakesTurns(t *testing.T) {
	a, b := self(t, "hold", "1"), self(t, "hold", "2")
	b.MaxRuns = 2
	samples, err := Compare(t.Context(), 3, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(samples[0].Runs) != 3 || len(samples[1].Runs) != 2 {
		t.Errorf("%d and %d runs, want 3 and 2", len(samples[0].Runs), len(samples[1].Runs))
	}
}

func TestMedian(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct{ runs, want []time.Duration }{
		{[]time.Duration{5 * ms}, []time.Duration{5 * ms, 5 * ms, 5 * ms}},
		{[]time.Duration{9 * ms, 1 * ms, 2 * ms}, []time.Duration{2 * ms, 1 * ms, 9 * ms}},
		{[]time.Duration{4 * ms, 1 * ms, 2 * ms, 9 * ms}, []time.Duration{3 * ms, 1 * ms, 9 * ms}},
	} {
		var s Sample
		for _, d := range c.runs {
			s.Runs = append(s.Runs, Usage{User: d / 2, System: d - d/2})
		}
		least, most := s.Spread()
		if got := []time.Duration{s.CPU(), least, most}; !slices.Equal(got, c.want) {
			t.Errorf("median, least and most of %v: %v, want %v", c.runs, got, c.want)
		}
	}
}
