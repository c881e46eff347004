package history

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
)

// A Dense is a history of one file, every version of which has the same
// findings again, as tests of code for AWS have and documents with examples.
type Dense struct {
	Name string // what a version has in it
	// every is how many lines there are to one of those that line makes; 0 is
	// a file without any.
	every int
	line  func(i int) string
}

// The size of a Dense history. From each version to the next three lines
// change, none of them one that holds something.
const (
	DenseLines    = 1500
	DenseVersions = 2000
)

// DenseKinds lists the histories that Make of a Dense can make.
func DenseKinds() []Dense {
	return []Dense{
		{Name: "nothing to be found"},
		{"300 ARNs", 5, func(i int) string {
			return fmt.Sprintf("    role = \"arn:aws:iam::471938265017:role/service-%x\"\n", i*7919)
		}},
		{"75 example keys", 20, func(i int) string {
			return fmt.Sprintf("    client = Client(access_key=\"AKIA"+"IOSFODNN7EXAMPLE\", n=%d)\n", i)
		}},
		{"75 tokens", 20, func(i int) string {
			return string(NewPlant(7, len(plantKinds)*i+1).Text())
		}},
	}
}

// Make makes the history in dir, which must not exist.
func (d Dense) Make(ctx context.Context, dir string) error {
	g := rand.New(rand.NewPCG(1, uint64(d.every)))
	holds := func(i int) bool { return d.every > 0 && i%d.every == 0 }
	lines := make([][]byte, DenseLines)
	write := func(i int) {
		if holds(i) {
			lines[i] = []byte(d.line(i))
			return
		}
		lines[i] = fmt.Appendf(nil, "    value_%d = compute(%d, \"%06x\", options[%d])\n", i, g.IntN(1000), g.IntN(1<<24), i%7)
	}
	for i := range lines {
		write(i)
	}
	return fastImport(ctx, dir, func(s *stream) {
		mark := 0
		for v := range DenseVersions {
			for range 3 {
				if i := g.IntN(DenseLines); !holds(i) {
					write(i)
				}
			}
			h := header{ref: "refs/heads/main", author: person{"A", "a@example.com"}, committer: person{"A", "a@example.com"}, when: 1700000000 + 60*int64(v), message: "x"}
			if v > 0 {
				h.parents = []int{mark}
			}
			mark = s.commit(h)
			s.modify("src/file.py", &file{mode: modeFile, data: bytes.Join(lines, nil)})
		}
	})
}
