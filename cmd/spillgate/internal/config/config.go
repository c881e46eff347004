// Package config reads .spillgate.toml and what goes with it: the ignore file,
// the baseline, and the configuration of gitleaks where there is none of ours.
//
// # Where it comes from
//
// One file is the configuration, the first there is of: the one that --config
// names; the one that SPILLGATE_CONFIG names; .spillgate.toml or
// .config/spillgate.toml at the top of the repository; .gitleaks.toml and
// .gitleaksignore there; $XDG_CONFIG_HOME/spillgate/config.toml. Files are not
// merged, so that what a repository asks for does not depend on whose machine
// it is scanned on. Flags and their variables go before the file, which goes
// before the defaults; `spillgate config explain` says which of them set what.
//
// A scanned change must not excuse itself. What stands in the repository is
// therefore read from the commit that a range starts from, and not from the
// files that the change brings, unless --config-from worktree says so.
//
// # The file
//
//	fail-on          = "medium"   # lowest severity that fails a run
//	min-confidence   = "high"     # lowest confidence that does
//	require-reason   = true       # comments and entries of the baseline need a reason
//	fail-on-unused   = true       # excuses that excuse nothing fail the run
//	new-comments     = "list"     # or "honour", "refuse": comments that a range brings
//	foreign-comments = true       # honour the comments of other tools
//	baseline         = ".spillgate-baseline.jsonl"
//
//	[rules.aws-kms-alias-arn]     # changes one rule, or several: [rules."aws-arn-*"]
//	enabled     = false
//	severity    = "high"          # in place of the rule's own
//	action      = "warn"          # or "block", whatever the gate says; "ignore" is enabled = false
//	confidence  = "medium"
//	paths       = ["src/"]        # findings elsewhere are excused; as in .gitignore
//	exclude     = ["*.md"]        # findings there are
//	min-entropy = 3.5             # in bits per byte; secrets with less are
//
//	[[allow]]                     # excuses findings; one list that fits is enough
//	reason       = "made up for the documentation"
//	rules        = ["aws-*"]      # none: all
//	match        = "any"          # or "all": every list must fit
//	values       = ['''^EXAMPLE''']
//	target       = "secret"       # what values look at; or "match", "line"
//	stopwords    = ["example"]
//	paths        = ["docs/**"]
//	path-expressions = ['''\.snap$''']
//	commits      = ["1f2e3d4"]
//	fingerprints = ["00112233445566778899aabbccddeeff"]
//	places       = ["1f2e3d4…:path/of/file:12"]  # commit, path, line; the commit may be left out
//
//	[[rule]]                      # a rule of your own; one of ours of the same id gives way
//	# as in the files of package rules, see rules.Parse
//
// The keys are strict: an unknown one is an error that names its line and
// column and the key that was probably meant, because a misspelt key in a
// scanner's configuration is a hole that nobody sees. The JSON Schema of the
// file lies beside this one; a test holds both to each other.
//
// Without any file nothing is parsed and nothing compiled.
package config

import (
	"regexp"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/suppress"
)

// A Config is what one file says. Nil fields and empty ones were not set.
type Config struct {
	// Name is what messages call the file.
	Name string
	// Imported says that the file is that of another scanner, and Notes what
	// of it means something else here.
	Imported bool
	Notes    []string

	FailOn          *rules.Severity
	MinConfidence   *rules.Confidence
	RequireReason   bool
	FailOnUnused    bool
	NewComments     *suppress.NewComments
	ForeignComments bool // true unless the file says otherwise
	Baseline        string

	// Changes are those of the tables of rules, in the order of the file.
	Changes []Change
	// Rules are the file's own.
	Rules []rules.Rule
	// Allow are the allowlists, also those that stand for paths of rules.
	Allow []suppress.Allow

	program  *rules.Program // of Rules
	settings []Setting
}

// A Change says what becomes of the rules that Pattern names.
type Change struct {
	// Pattern is the id of a rule; '*' stands for anything.
	Pattern    string
	Off, On    bool
	Severity   *rules.Severity
	Confidence *rules.Confidence
	// Action overrules the gate; nil leaves what a less particular pattern says.
	Action *scanner.Action
}

// A Setting is one key that was set, for Explain.
type Setting struct {
	Key, Value string
	// From is where: a file and line, a flag, a variable, "default".
	From string
}

// Settings returns what the file sets, in its order.
func (c *Config) Settings() []Setting {
	if c == nil {
		return nil
	}
	return c.settings
}

// maxConfig bounds a configuration file in bytes.
const maxConfig = 4 << 20

// file is the TOML form of a Config. The rules of its own are read by package
// rules, which knows their format.
type file struct {
	FailOn          *string               `toml:"fail-on"`
	MinConfidence   *string               `toml:"min-confidence"`
	RequireReason   bool                  `toml:"require-reason"`
	FailOnUnused    bool                  `toml:"fail-on-unused"`
	NewComments     *string               `toml:"new-comments"`
	ForeignComments *bool                 `toml:"foreign-comments"`
	Baseline        string                `toml:"baseline"`
	Provider        string                `toml:"provider"`
	Rules           map[string]changeText `toml:"rules"`
	Allow           []allowText           `toml:"allow"`
	Rule            []map[string]any      `toml:"rule"`
}

type changeText struct {
	Enabled         *bool    `toml:"enabled"`
	Severity        *string  `toml:"severity"`
	Confidence      *string  `toml:"confidence"`
	Action          *string  `toml:"action"`
	Paths           []string `toml:"paths"`
	PathExpressions []string `toml:"path-expressions"`
	Exclude         []string `toml:"exclude"`
	MinEntropy      float64  `toml:"min-entropy"`
}

type allowText struct {
	Reason          string   `toml:"reason"`
	Rules           []string `toml:"rules"`
	Match           string   `toml:"match"`
	Values          []string `toml:"values"`
	Target          string   `toml:"target"`
	Stopwords       []string `toml:"stopwords"`
	Paths           []string `toml:"paths"`
	PathExpressions []string `toml:"path-expressions"`
	Commits         []string `toml:"commits"`
	Fingerprints    []string `toml:"fingerprints"`
	Places          []string `toml:"places"`
}

// expressions compiles a list of regular expressions.
func (p *parser) expressions(key string, list []string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, s := range list {
		re, err := regexp.Compile(s)
		if err != nil {
			p.fail(key, "%v", err)
			continue
		}
		all = append(all, re)
	}
	return all
}
