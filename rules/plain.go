package rules

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// Under (?i), Unicode folds two letters from outside ASCII to ASCII ones: the
// long s and the Kelvin sign. No vendor's token and no variable name holds
// them, but with them no case-insensitive "secret" or "key" would be a
// sequence of bytes. So here (?i) folds ASCII letters to ASCII letters only.
const (
	longS  = '\u017f' // folds to s
	kelvin = '\u212a' // folds to k
)

// parsePlain parses an expression as Go's regexp does, but for the two
// letters. The tree's String is an expression for regexp with that meaning.
func parsePlain(expr string) (*syntax.Regexp, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return plainTree(re), nil
}

func plainTree(re *syntax.Regexp) *syntax.Regexp {
	for i, s := range re.Sub {
		re.Sub[i] = plainTree(s)
	}
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return unfold(re)
		}
	case syntax.OpCharClass:
		re.Rune = plainClass(re.Rune)
	case syntax.OpConcat:
		// Literals that are parts of a literal again belong to this level.
		var subs []*syntax.Regexp
		for _, s := range re.Sub {
			if s.Op == syntax.OpConcat {
				subs = append(subs, s.Sub...)
			} else {
				subs = append(subs, s)
			}
		}
		re.Sub = subs
	}
	return re
}

// unfold turns a case-insensitive literal into a sequence of classes.
func unfold(re *syntax.Regexp) *syntax.Regexp {
	flags := re.Flags &^ syntax.FoldCase
	out := &syntax.Regexp{Op: syntax.OpConcat, Flags: flags}
	for _, r := range re.Rune {
		switch r {
		case longS:
			r = 's'
		case kelvin:
			r = 'k'
		}
		one := &syntax.Regexp{Op: syntax.OpLiteral, Flags: flags, Rune: []rune{r}}
		switch {
		case r >= utf8.RuneSelf:
			one.Flags |= syntax.FoldCase
		case isLetter(byte(r)):
			one.Op, one.Rune = syntax.OpCharClass, []rune{r &^ 0x20, r &^ 0x20, r | 0x20, r | 0x20}
		}
		out.Sub = append(out.Sub, one)
	}
	if len(out.Sub) == 1 {
		return out.Sub[0]
	}
	return out
}

// plainClass takes the two letters out of a class that has them for the sake
// of their ASCII partners, and adds them to one that lacks nothing else.
func plainClass(ranges []rune) []rune {
	has := func(r rune) bool {
		for i := 0; i < len(ranges); i += 2 {
			if ranges[i] <= r && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	others, holes := false, rune(0)
	next := rune(utf8.RuneSelf)
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := max(ranges[i], utf8.RuneSelf), ranges[i+1]
		if hi < lo {
			continue
		}
		others = others || !(lo == hi && (lo == longS || lo == kelvin))
		for r := next; r < lo && holes < 3; r++ {
			if r != longS && r != kelvin {
				holes = 3
			}
			holes++
		}
		next = hi + 1
	}
	wide := next > utf8.MaxRune && holes < 3
	out := []rune{}
	for i := 0; i < len(ranges); i += 2 {
		if wide || !others {
			if ranges[i] >= utf8.RuneSelf {
				continue
			}
			out = append(out, ranges[i], min(ranges[i+1], utf8.RuneSelf-1))
		} else {
			out = append(out, ranges[i], ranges[i+1])
		}
	}
	switch {
	case wide:
		if n := len(out); n > 0 && out[n-1] == utf8.RuneSelf-1 {
			out[n-1] = utf8.MaxRune
		} else {
			out = append(out, utf8.RuneSelf, utf8.MaxRune)
		}
	case !others:
		if has(longS) && !has('s') && !has('S') {
			out = append(out, longS, longS) // asked for by itself
		}
		if has(kelvin) && !has('k') && !has('K') {
			out = append(out, kelvin, kelvin)
		}
	}
	return slices.Clip(out)
}
