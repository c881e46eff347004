// Package report holds the Sinks, one file per report format.
//
// Whatever a report says about a finding comes from this package's view of it
// (see view.go), never from the finding itself: the view masks the secret, and
// takes it out of paths, refs and author names too, for a secret may well
// stand in a file name. A format therefore cannot print a secret by mistake,
// and one test that plants secrets everywhere holds for all formats.
//
// The text report is for the developer whose commit was just refused: silent
// when there is nothing to say, short otherwise, and it ends with what to do.
// The other formats are for programs and complete. Text that an attacker may
// have chosen, such as a file name, reaches no terminal unescaped.
//
// To add a format, write a file with a function of the type of the table's
// make and add a row to formats.
package report

import (
	"strings"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// Options say how reports are written. The zero value is a plain text report
// that takes every finding to fail the gate.
type Options struct {
	// Color lets the text report use the terminal's colours.
	Color bool
	// ShowSuppressed adds suppressed findings to the text report. The other
	// formats hold them always, marked.
	ShowSuppressed bool
	// FailOn is the severity from which on findings fail the gate; those below
	// are warnings.
	FailOn rules.Severity
	// MinConfidence is the confidence from which on findings fail the gate;
	// less sure ones are warnings.
	MinConfidence rules.Confidence
	// FailOnUnused lets excuses that excuse nothing fail the gate.
	FailOnUnused bool
	// Verbose lifts MaxLines.
	Verbose bool
	// Quiet reduces the text report to one line per finding.
	Quiet bool
	// Width is how many columns the text report folds its prose at. Zero means
	// that it does not.
	Width int
	// MaxLines bounds the lines of the text report, but for problems. Zero
	// means 20; there are never fewer than 10.
	MaxLines int
	// Version is the version of Spillgate, such as "v1.2.3" or "(devel)".
	Version string
	// Allow says in one sentence how to excuse a finding that is none. Empty
	// means the text report points to `spillgate explain`.
	Allow string
	// Category tells apart several SARIF runs for one commit. Empty means
	// "secrets".
	Category string
	// Template is the text of a template for the format template, in the
	// language of text/template. Empty means a line per finding.
	Template string
	// NameAccessKeys lets the JSONL report name AWS access key ids in full.
	// AWS calls them identifiers: without the secret key they give no access,
	// and with them a key can be deactivated. No other report names them.
	NameAccessKeys bool
	// Repository is what is known of the scanned repository, for SARIF.
	Repository Repository
}

func (o *Options) gate() scanner.Gate {
	return scanner.Gate{FailOn: o.FailOn, MinConfidence: o.MinConfidence, FailOnUnused: o.FailOnUnused}
}

// Repository says which repository and commit was scanned. Empty fields are
// left out of reports.
type Repository struct {
	// URL is the repository's address; a user name and password in it are
	// left out of reports.
	URL string
	// Revision is the id of the commit, and Branch the name of the branch.
	Revision, Branch string
}

// formats has a row per format, in the order in which help lists them.
var formats = [...]struct {
	name string
	make func(Options) scanner.Sink
}{
	{"text", newText},
	{"json", newJSON},
	{"jsonl", newJSONLines},
	{"sarif", newSARIF},
	{"github", newGitHub},
	{"gitlab", newGitLab},
	{"codequality", newCodeQuality},
	{"junit", newJUnit},
	{"csv", newCSV},
	{"markdown", newMarkdown},
	{"html", newHTML},
	{"template", newTemplate},
}

// Formats returns the names that New knows.
func Formats() []string {
	names := make([]string, len(formats))
	for i := range formats {
		names[i] = formats[i].name
	}
	return names
}

// New returns the sink for format. The error is a *scanner.UsageError.
func New(format string, o Options) (scanner.Sink, error) {
	for i := range formats {
		if formats[i].name == format {
			return formats[i].make(o), nil
		}
	}
	return nil, &scanner.UsageError{
		What: "unknown report format " + strings.ToValidUTF8(Escape(`"`+format+`"`), "?"),
		Fix:  "use one of " + strings.Join(Formats(), ", "),
	}
}
