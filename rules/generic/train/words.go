package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// makeWords counts the words of comments and the letter pairs of everything.
func makeWords(dir string) {
	counts := map[string]int{}
	var pairs [28][28]float64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") || strings.Contains(path, "/internal/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			countPairs(&pairs, line)
			i := bytes.Index(line, []byte("//"))
			if i < 0 {
				continue
			}
			for _, w := range bytes.FieldsFunc(line[i:], func(r rune) bool { return r < 'a' || r > 'z' }) {
				counts[string(w)]++
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("%d words", writeDictionary(counts))
	writePairs(&pairs)
}

// writeDictionary writes dictionary_gen.go from the words that occur often
// enough, the short ones oftener, and returns how many they are.
func writeDictionary(counts map[string]int) int {
	least := map[int]int{3: 120, 4: 25, 5: 12}
	byLength := make([][]string, 13)
	for w, n := range counts {
		need, ok := least[len(w)]
		if !ok {
			need = 8
		}
		if len(w) >= 3 && len(w) < len(byLength) && n >= need {
			byLength[len(w)] = append(byLength[len(w)], w)
		}
	}
	for _, w := range strings.Fields(moreWords) {
		byLength[len(w)] = append(byLength[len(w)], w)
	}
	var b strings.Builder
	b.WriteString("const shortestWord = 3\n\n// dictionary holds the words of each length, sorted and joined.\nvar dictionary = [...]string{\n")
	total := 0
	for n, ws := range byLength {
		sort.Strings(ws)
		ws = slices.Compact(ws)
		total += len(ws)
		fmt.Fprintf(&b, "%d: %q,\n", n, strings.Join(ws, ""))
	}
	b.WriteString("}\n")
	write("dictionary_gen.go", source(b.String()))
	return total
}

// writePairs writes pairs_gen.go: what each pair costs in bits, scaled.
func writePairs(pairs *[28][28]float64) {
	var b strings.Builder
	b.WriteString("// pairCost is 0 for the commonest pair of letters after the first and 255 for pairs that do not occur.\nvar pairCost = [28 * 28]uint8{\n")
	for _, row := range pairs {
		sum := 0.0
		for _, n := range row {
			sum += n + 1
		}
		for _, n := range row {
			bits := -math.Log2((n + 1) / sum)
			fmt.Fprintf(&b, "%d,", int(math.Min(255, math.Max(0, (bits-2)*22))))
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	write("pairs_gen.go", source(b.String()))
}

// moreWords are words of passwords and settings that Go's sources lack.
const moreWords = `password passwd admin root secret letmein welcome monkey dragon master qwerty sunshine princess
football shadow hello login test guest demo summer winter spring autumn pass user changeme super
correct horse battery staple hunter pepper banana orange apple coffee cheese penguin taco pizza company server
production staging database account customer manager office secure private mysql postgres oracle redis docker kubernetes jenkins`

func countPairs(pairs *[28][28]float64, line []byte) {
	class := func(b byte) int {
		switch {
		case b|0x20 >= 'a' && b|0x20 <= 'z':
			return int(b|0x20) - 'a'
		case b >= '0' && b <= '9':
			return 26
		case b == '_' || b == '-' || b == '.' || b == ' ':
			return 27
		}
		return -1
	}
	for i := 1; i < len(line); i++ {
		if a, b := class(line[i-1]), class(line[i]); a >= 0 && b >= 0 {
			pairs[a][b]++
		}
	}
}
