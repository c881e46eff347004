// Package rules holds what Spillgate looks for and the compiler that turns it
// into a Program.
//
// A rule is data: one TOML file per provider lies beside this file, and
// `go generate ./...` compiles all of them into program_gen.go, so that the
// scanner pays nothing for its rules when it starts. A user's own rules go
// through the same parser and the same compiler at run time.
//
// The package knows nothing of files, git or reports: it maps bytes to matches.
package rules

// A Rule is one parsed rule. It is immutable once parsed.
type Rule struct {
	// ID names the rule for ever: lower-case words joined by hyphens, unique
	// in a rule set. Reports, baselines and allow comments refer to it.
	ID string
	// Provider is the vendor or format the rule belongs to, as its file says.
	Provider string
	// Title says what was found, in a few words and without a full stop.
	Title string
	// Why says in one sentence why a reader should care.
	Why string
	// Fix says in one or two sentences what to do about a finding.
	Fix string
	// References are URLs of the vendor's own documentation.
	References []string
	// Severity is how bad a finding is if it is real.
	Severity Severity
	// Confidence is how sure a match of this rule is to be real.
	Confidence Confidence
	// Identifier says that the matched text names something and gives no
	// access by itself, so that reports may print it unmasked.
	Identifier bool
	// TextOnly keeps the rule away from binary content, where its context
	// words occur by chance.
	TextOnly bool
	// Fallback rules guess: where another rule found something at the same
	// place, its finding stands and theirs is no second one.
	Fallback bool
	// Patterns are the ways to write what the rule looks for. A text matches
	// the rule when it matches any of them.
	Patterns []Pattern
	// Validators name the functions of this package that every match must
	// pass (see Validators).
	Validators []string
	// Placeholders name the lists of known example values whose members are
	// suppressed rather than reported (see Placeholders).
	Placeholders []string
	// Tags are free words for filtering, such as "aws" or "private-key".
	Tags []string
	// Overlaps names the rules that may find something in the Match examples
	// too. Any other rule that does is a double report.
	Overlaps []string
	// Match and Clean are the examples that TestExamples runs: every text in
	// Match must be found by this rule, no text in Clean may be.
	Match, Clean []string
}

// A Pattern is one way to write a secret. Exactly one of Regexp and ARN is set.
type Pattern struct {
	// Regexp is an RE2 expression. The capture group named "secret", or the
	// first group, or else the whole match, is the secret; other named groups
	// become fields of the finding. No match may be longer than MaxMatch.
	Regexp string
	// ARN is a typed ARN pattern, see ParseARNPattern.
	ARN string
	// Keywords are literals, one of which every match contains. When empty
	// the compiler derives them; it refuses a pattern that has none.
	Keywords []string
}

// A Match is one place where a rule matched. Offsets are bytes in the data
// that was scanned.
type Match struct {
	Rule *Rule
	// Start and End bound the whole match, SecretStart and SecretEnd the
	// secret in it.
	Start, End             int
	SecretStart, SecretEnd int
	// Text is the secret where the data holds it in another form, such as
	// base64. Nil means that it is data[SecretStart:SecretEnd].
	Text []byte
	// Severity and Confidence are the rule's, unless a validator graded this
	// match differently.
	Severity   Severity
	Confidence Confidence
	// Settled says that whoever runs the scan chose this confidence: what other
	// rules find at the same place does not change it.
	Settled bool
	// Fields are what the match says of itself, such as an ARN's Region. They
	// never hold a secret.
	Fields []Field
	// Placeholder is the reason why the match is a known example value, or "".
	Placeholder string

	// sawFrom and sawTo bound what a validator looked at; see sees.
	sawFrom, sawTo int
	// grades remembers the verdicts on other matches; nil remembers none.
	grades *gradeMemory
}

// A Field is one named fact about a match.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
