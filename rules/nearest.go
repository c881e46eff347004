package rules

import "strings"

// maxName is how many bytes of a name Nearest looks at, so that its work is
// bounded: nobody means a longer one.
const maxName = 64

// Nearest returns the one of the known names, which are in lower case, that was
// probably meant by name: the one fewest edits away, if those are at most half
// as many as name has bytes. It returns "" if none is near, and the first of
// several that are equally near.
//
// It is here because everything that reads what people write needs it, and all
// of that imports this package.
func Nearest(name string, known []string) string {
	name = name[:min(len(name), maxName)]
	best, at := len(name)/2+1, ""
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), k); d < best {
			best, at = d, k
		}
	}
	return at
}

// editDistance counts the insertions, deletions and replacements between a
// and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}
