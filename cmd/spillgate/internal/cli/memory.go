package cli

import (
	"fmt"
	"math"
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
