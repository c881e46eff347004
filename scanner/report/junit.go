package report

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/spillgate/spillgate/scanner"
)

// The elements of a JUnit report, as far as Jenkins, GitLab, Azure and CircleCI
// read them (https://github.com/testmoapp/junitxml collects what they take).
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Time      string      `xml:"time,attr"`
		Cases     []junitCase `xml:"testcase"`
		Out       string      `xml:"system-out"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes a test case per finding: a failure if it blocks, else a passing
// one with the warning as its output. What could not be scanned is an error. A
// clean run is one passing test.
type junit struct{ options Options }

func newJUnit(o Options) scanner.Sink { return &junit{o} }

// Write writes one XML document.
func (s *junit) Write(w io.Writer, r *scanner.Result) error {
	d := newRedactor(r)
	took := fmt.Sprintf("%.3f", r.Took.Seconds())
	suite := junitSuite{Name: "spillgate", Timestamp: r.Started.UTC().Format(gitlabTime), Time: took, Out: CoverageLine(r, true)}
	for _, f := range r.Findings {
		v := d.view(f, s.options.gate())
		text := Escape(v.Location.String()) + ": " + Escape(v.Match) + "\n" + v.Why + "\n" + v.Fix
		c := junitCase{Name: Escape(v.Title + " at " + v.Location.String()), Class: "spillgate." + v.Rule, File: Escape(v.Location.Path), Line: v.Location.StartLine}
		if v.Blocking {
			suite.Failures++
			c.Failure = &junitMessage{Escape(v.Title + ": " + v.Match), v.Severity.String(), text}
		} else {
			c.Out = "warning (" + v.Severity.String() + "): " + text
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, p := range d.problems(r) {
		suite.Errors++
		suite.Cases = append(suite.Cases, junitCase{
			Name: "everything is scanned", Class: "spillgate.coverage",
			Error: &junitMessage{Escape(p.Error()), "not scanned", ""},
		})
	}
	if len(suite.Cases) == 0 {
		c := junitCase{Name: "no secrets", Class: "spillgate"}
		if r.Interrupted {
			suite.Errors++
			c.Error = &junitMessage{"the scan was interrupted", "interrupted", ""}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Tests = len(suite.Cases)
	doc := junitSuites{Name: "spillgate", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: took, Suite: suite}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
