package rules

// MaxMatch bounds the length of a match, and ContextBefore and ContextAfter
// say how many bytes around an anchor a Program may look at: a caller that
// cuts a text into pieces gives each piece that much of its neighbours, and
// gets exactly the matches of the whole text.
const (
	MaxMatch      = 32 << 10
	ContextBefore = 2 * MaxMatch
	ContextAfter  = 2 * MaxMatch
)

// An Anchor is a place where one of a Program's literals stands. Whether a
// rule matches there is not decided yet.
type Anchor struct {
	Pos     int    // of the literal's first byte
	Literal uint16 // index of the literal in the Program
}

// A Program is a compiled rule set. It is immutable, safe for concurrent use
// and allocates nothing for a text in which nothing matches.
type Program struct {
	Rules []Rule
}

// Builtin returns the program compiled from the rules in this folder.
func Builtin() *Program { return &Program{} }

// Compile compiles rules. An error names the rule and what is wrong with it.
func Compile(rules []Rule) (*Program, error) { return &Program{Rules: rules}, nil }

// LongestLiteral returns the length in bytes of the longest literal.
func (p *Program) LongestLiteral() int { return 0 }

// Anchors appends to dst the anchors that begin in data[from:to], in rising
// order of position, then literal.
func (p *Program) Anchors(dst []Anchor, data []byte, from, to int) []Anchor { return dst }

// Match calls found for every match at one of the anchors. binary keeps rules
// that are for text only away. The Match is valid only during the call.
func (p *Program) Match(data []byte, anchors []Anchor, binary bool, found func(*Match)) {}

// Scan calls found for every match whose anchor begins in data[from:to].
func (p *Program) Scan(data []byte, from, to int, binary bool, found func(*Match)) {}
