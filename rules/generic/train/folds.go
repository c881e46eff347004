package main

import (
	"strings"

	"github.com/spillgate/spillgate/rules/generic"
)

const folds = 10

// group puts lines that resemble one another into the same fold, as far as
// that can be told without knowing their repositories: the same value, the same
// beginning but for values and digits, the same rare long word. A model is then
// judged by lines that look like none that it has seen.
func (s *set) group() {
	parent := make([]int, len(s.records))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	shared, words := map[string]int{}, map[string][]int{}
	join := func(i int, key string) {
		if first, ok := shared[key]; ok {
			parent[root(i)] = root(first)
		} else {
			shared[key] = i
		}
	}
	for i, r := range s.records {
		low := strings.ToLower(r.Line)
		if r.Label == "T" && len(r.Value) >= 6 {
			join(i, "value "+r.Value)
		}
		skeleton := strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return -1
			}
			return c
		}, strings.ReplaceAll(low, strings.ToLower(r.Value), ""))
		join(i, "skeleton "+skeleton[:min(len(skeleton), 24)])
		for _, w := range strings.FieldsFunc(low, func(c rune) bool { return c < 'a' || c > 'z' }) {
			if at := words[w]; len(w) >= 9 && (len(at) == 0 || at[len(at)-1] != i) {
				words[w] = append(at, i)
			}
		}
	}
	for w, at := range words {
		if len(at) <= 3 { // a word of one project, not of the language
			for _, i := range at {
				join(i, "word "+w)
			}
		}
	}
	least := make([]int, len(parent)) // the first line of a group names it, whatever the order of joining
	for i := range least {
		least[i] = -1
	}
	for i := range s.records {
		r := root(i)
		if least[r] < 0 {
			least[r] = i
		}
		s.fold = append(s.fold, int(generic.Hash(s.records[least[r]].Line)%folds))
	}
}
