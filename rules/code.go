package rules

import (
	"errors"
	"regexp/syntax"
	"unicode/utf8"
)

// Nearly every token rule is a literal, some runs of a character class with
// bounds, a few groups and word boundaries. Go's regexp pays some 100 µs for
// such an expression on the 300 bytes around a literal, as much as the
// prefilter pays for 200 KB of text. So the compiler turns the syntax tree
// into instructions for the machine in machine.go, which knows runs as one
// instruction. What it cannot express is left to regexp.

type opcode uint8

const (
	opMatch  opcode = iota
	opLit           // text[a:a+b]
	opFold          // the same, ASCII letters in either case; text is lower-case
	opRun           // a to b characters of class, as many as possible
	opLazy          // a to b characters of class, as few as possible
	opSplit         // try the next instruction, then that at a
	opJump          // go on at a
	opSave          // note the position in slot a
	opAssert        // the empty-width condition a holds
	opEnd           // a resource of an ARN does not go on with class
)

// noFollow marks an instruction after which any character may stand.
const noFollow = 0xffff

// An inst is one instruction. follow is the class of the characters that may
// stand after a run, or noFollow; it saves most of the backtracking.
type inst struct {
	op     opcode
	class  uint16
	follow uint16
	a, b   uint16
}

// A class is a set of characters: bits for ASCII, and wide for all others
// together. A class that tells them apart is left to regexp.
type class struct {
	lo, hi uint64
	wide   bool
}

func (c *class) has(b byte) bool {
	if b < 64 {
		return c.lo>>b&1 != 0
	}
	if b < 128 {
		return c.hi>>(b-64)&1 != 0
	}
	return c.wide
}

func (c *class) add(b byte) {
	switch {
	case b < 64:
		c.lo |= 1 << b
	case b < 128:
		c.hi |= 1 << (b - 64)
	default:
		c.wide = true
	}
}

func (c *class) union(d class) {
	c.lo |= d.lo
	c.hi |= d.hi
	c.wide = c.wide || d.wide
}

// Code is what the machine runs.
type code struct {
	insts   []inst
	text    string
	classes []class
}

// errForeign says that the machine cannot express an expression.
var errForeign = errors.New("not expressible")

// maxInsts bounds the size of code that counted groups expand to.
const maxInsts = 2000

type assembler struct {
	code
	slots   []int // slot of each capture group, or -1
	barrier int   // instructions before it must not grow: something jumps behind them
}

// assemble turns re into code. slots[n] is the slot that notes where group n
// begins, or -1 for a group that nobody asks for; slot+1 notes its end. stop are
// the characters with which an ARN's resource goes on.
func assemble(re *syntax.Regexp, slots []int, stop ...class) (code, error) {
	a := assembler{slots: slots}
	if err := a.emit(re); err != nil {
		return code{}, err
	}
	for _, c := range stop {
		a.push(inst{op: opEnd, class: a.classIndex(c)})
	}
	a.push(inst{op: opMatch})
	for i := range a.insts {
		in := &a.insts[i]
		in.follow = noFollow
		if in.op == opRun || in.op == opLazy {
			if c, ok := a.first(i+1, 0); ok {
				in.follow = a.classIndex(c)
			}
		}
	}
	return a.code, nil
}

func (a *assembler) push(in inst) int {
	a.insts = append(a.insts, in)
	return len(a.insts) - 1
}

func (a *assembler) here() int {
	a.barrier = len(a.insts)
	return a.barrier
}

func (a *assembler) classIndex(c class) uint16 {
	for i := range a.classes {
		if a.classes[i] == c {
			return uint16(i)
		}
	}
	a.classes = append(a.classes, c)
	return uint16(len(a.classes) - 1)
}

func (a *assembler) emit(re *syntax.Regexp) error {
	if len(a.insts) > maxInsts {
		return errForeign
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
	case syntax.OpLiteral:
		return a.literal(re)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return a.run(re, 1, 1, false)
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		a.push(inst{op: opAssert, a: uint16(re.Op)})
	case syntax.OpCapture:
		slot := a.slots[re.Cap]
		if slot < 0 {
			return a.emit(re.Sub[0])
		}
		a.push(inst{op: opSave, a: uint16(slot)})
		if err := a.emit(re.Sub[0]); err != nil {
			return err
		}
		a.push(inst{op: opSave, a: uint16(slot + 1)})
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if err := a.emit(s); err != nil {
				return err
			}
		}
	case syntax.OpAlternate:
		return a.alternate(re.Sub)
	case syntax.OpQuest:
		return a.repeat(re, 0, 1)
	case syntax.OpRepeat:
		return a.repeat(re, re.Min, re.Max)
	default:
		return errForeign
	}
	return nil
}

func (a *assembler) literal(re *syntax.Regexp) error {
	if re.Flags&syntax.FoldCase != 0 {
		return errForeign
	}
	for _, r := range re.Rune {
		if r == utf8.RuneError || r > utf8.MaxRune {
			return errForeign // would match invalid bytes too
		}
		a.text1(opLit, string(r))
	}
	return nil
}

// text1 emits the literal s, into the literal before it where it can.
func (a *assembler) text1(op opcode, s string) {
	if n := len(a.insts); n > a.barrier {
		last := &a.insts[n-1]
		neutral := len(s) > 1 || !isLetter(s[0])
		if (last.op == op || last.op == opFold && neutral) && int(last.a)+int(last.b) == len(a.text) {
			a.text += s
			last.b += uint16(len(s))
			return
		}
	}
	a.push(inst{op: op, a: uint16(len(a.text)), b: uint16(len(s))})
	a.text += s
}

func (a *assembler) run(re *syntax.Regexp, lo, hi int, lazy bool) error {
	c, err := classOf(re)
	if err != nil {
		return err
	}
	if lo == hi {
		if lo == 0 {
			return nil
		}
		lazy = false
		if b, ok := c.letter(); ok && lo == 1 {
			a.text1(opFold, string(rune(b)))
			return nil
		}
	}
	op := opRun
	if lazy {
		op = opLazy
	}
	i := a.classIndex(c)
	if n := len(a.insts); n > a.barrier && op == opRun {
		// x{a,b}x{c,d} prefers and accepts exactly what x{a+c,b+d} does.
		if last := &a.insts[n-1]; last.op == opRun && last.class == i && int(last.b)+hi <= MaxMatch {
			last.a += uint16(lo)
			last.b += uint16(hi)
			return nil
		}
	}
	a.push(inst{op: op, class: i, a: uint16(lo), b: uint16(hi)})
	return nil
}

func (a *assembler) alternate(subs []*syntax.Regexp) error {
	var jumps []int
	for i, s := range subs {
		split := -1
		if i < len(subs)-1 {
			split = a.push(inst{op: opSplit})
			a.here()
		}
		if err := a.emit(s); err != nil {
			return err
		}
		if split >= 0 {
			jumps = append(jumps, a.push(inst{op: opJump}))
			a.insts[split].a = uint16(a.here())
		}
	}
	for _, j := range jumps {
		a.insts[j].a = uint16(a.here())
	}
	return nil
}

func (a *assembler) repeat(re *syntax.Regexp, lo, hi int) error {
	sub, lazy := re.Sub[0], re.Flags&syntax.NonGreedy != 0
	if hi < 0 {
		return errForeign
	}
	if isChar(sub) {
		return a.run(sub, lo, hi, lazy)
	}
	for range lo {
		a.here()
		if err := a.emit(sub); err != nil {
			return err
		}
	}
	// The optional rest nests, x{0,2} being (?:x(?:x)?)?, as regexp has it.
	var splits []int
	for range hi - lo {
		i := a.push(inst{op: opSplit})
		if lazy { // prefer the jump to the end
			i = a.push(inst{op: opJump})
			a.insts[i-1].a = uint16(a.here())
		}
		splits = append(splits, i)
		a.here()
		if err := a.emit(sub); err != nil {
			return err
		}
	}
	for _, i := range splits {
		a.insts[i].a = uint16(a.here())
	}
	return nil
}

// isChar reports whether re matches exactly one character.
func isChar(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpLiteral:
		return len(re.Rune) == 1 && re.Rune[0] < utf8.RuneSelf && re.Flags&syntax.FoldCase == 0
	}
	return false
}

// classOf returns the characters that the one-character expression re matches.
func classOf(re *syntax.Regexp) (class, error) {
	c := class{}
	switch re.Op {
	case syntax.OpAnyChar:
		return class{^uint64(0), ^uint64(0), true}, nil
	case syntax.OpAnyCharNotNL:
		return class{^uint64(1 << '\n'), ^uint64(0), true}, nil
	case syntax.OpLiteral:
		c.add(byte(re.Rune[0]))
		return c, nil
	}
	wide := rune(0)
	for i := 0; i < len(re.Rune); i += 2 {
		lo, hi := re.Rune[i], re.Rune[i+1]
		for r := lo; r <= hi && r < utf8.RuneSelf; r++ {
			c.add(byte(r))
		}
		if hi >= utf8.RuneSelf {
			wide += hi - max(lo, utf8.RuneSelf) + 1
		}
	}
	c.wide = wide > 0
	if wide != 0 && wide != utf8.MaxRune-utf8.RuneSelf+1 {
		return c, errForeign
	}
	return c, nil
}

// letter returns the lower-case letter whose two cases are all of c.
func (c *class) letter() (byte, bool) {
	for b := byte('a'); b <= 'z'; b++ {
		if c.lo == 0 && !c.wide && c.hi == 1<<(b-64)|1<<(b-96) {
			return b, true
		}
	}
	return 0, false
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// first returns the characters that can stand first in what the code from pc
// on matches; ok is false when it can match the empty text.
func (a *assembler) first(pc, depth int) (c class, ok bool) {
	for ; depth < 64; depth++ {
		in := &a.insts[pc]
		switch in.op {
		case opLit:
			c.add(a.text[in.a])
			return c, true
		case opFold:
			c.add(a.text[in.a])
			if isLetter(a.text[in.a]) {
				c.add(a.text[in.a] &^ 0x20)
			}
			return c, true
		case opRun, opLazy:
			c.union(a.classes[in.class])
			if in.a > 0 {
				return c, true
			}
			pc++
		case opSplit:
			d, ok := a.first(int(in.a), depth+1)
			if !ok {
				return c, false
			}
			c.union(d)
			pc++
		case opJump:
			pc = int(in.a)
		case opMatch:
			return c, false
		default: // conditions only narrow the set
			pc++
		}
	}
	return c, false
}
