package cli

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// leastMemory is the least that --memory-limit may ask for: below it, there
// would be no room for the larger files of ordinary repositories.
const leastMemory = 64 << 20

func memoryFlag() cli.Flag {
	return &cli.StringFlag{
		Name:  "memory-limit",
		Usage: "keep to about `SIZE` of memory, such as 512M or 2G, at the price of time",
		Validator: func(s string) error {
			_, err := byteSize(s)
			return err
		},
	}
}

// limitMemory makes the runtime collect garbage sooner as the limit of c comes
// near, and returns the part of it that objects kept for later may take; 0 if
// there is no limit.
func limitMemory(c *cli.Command) int64 {
	n, err := byteSize(c.String("memory-limit"))
	if err != nil {
		return 0 // it is not set: else its validator had refused it
	}
	debug.SetMemoryLimit(n)
	return n / 2
}

// firstCollection is how large in bytes the heap may become before garbage is
// collected for the first time.
const firstCollection = 32 << 20

// collectLater puts the first collection of garbage off. A scan of a commit
// ends before it, and saves the tenth of its time that collecting took. From
// then on the runtime's default holds. Who sets GOGC is obeyed.
func collectLater() {
	if os.Getenv("GOGC") != "" {
		return
	}
	// At 100 percent the runtime begins when the heap has 4 MiB, and in
	// proportion at others (https://go.dev/doc/gc-guide#GOGC).
	usual := debug.SetGCPercent(100 * (firstCollection / (4 << 20)))
	runtime.AddCleanup(new([4]*int), func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// byteSize parses a number of bytes with an optional suffix: K, M or G, also
// as KB or KiB, all of which are powers of 1024.
func byteSize(s string) (int64, error) {
	number := strings.TrimRight(s, "kKmMgGiIbB ")
	unit := strings.ToLower(strings.TrimSpace(s[len(number):]))
	scale, ok := map[string]float64{
		"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10,
		"m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
	}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok || math.IsNaN(n) || n*scale > 1<<50 {
		return 0, fmt.Errorf("%q is no size: write 512M or 2G", s)
	}
	if n*scale < leastMemory {
		return 0, fmt.Errorf("%q is less than the %d MiB that a scan needs", s, leastMemory>>20)
	}
	return int64(n * scale), nil
}
