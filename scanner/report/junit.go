package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// The elements of a JUnit report, as far as Jenkins, GitLab, Azure and CircleCI
// read them (https://github.com/testmoapp/junitxml collects what they take).
// The tags are for encoding/xml, which the tests hold xmlText to.
type (
	junitSuites struct {
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
	_, err := io.WriteString(w, xmlHeader+doc.xml()+"\n")
	return err
}

// xmlHeader begins every document.
const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// xml returns the document. It is written by hand because encoding/xml makes a
// map of all entities of HTML whenever a program starts that links it, and the
// program waits in the hook of every commit.
func (d junitSuites) xml() string {
	var x xmlText
	x.open(0, "testsuites", "name", d.Name, "tests", strconv.Itoa(d.Tests), "failures", strconv.Itoa(d.Failures), "errors", strconv.Itoa(d.Errors), "time", d.Time)
	s := d.Suite
	x.open(1, "testsuite", "name", s.Name, "tests", strconv.Itoa(s.Tests), "failures", strconv.Itoa(s.Failures), "errors", strconv.Itoa(s.Errors),
		"timestamp", s.Timestamp, "time", s.Time)
	for _, c := range s.Cases {
		attributes := []string{"name", c.Name, "classname", c.Class}
		if c.File != "" {
			attributes = append(attributes, "file", c.File)
		}
		if c.Line != 0 {
			attributes = append(attributes, "line", strconv.Itoa(c.Line))
		}
		x.open(2, "testcase", attributes...)
		inside := false
		for _, m := range []struct {
			tag     string
			message *junitMessage
		}{{"failure", c.Failure}, {"error", c.Error}} {
			if m.message != nil {
				x.open(3, m.tag, "message", m.message.Message, "type", m.message.Type)
				x.escape(m.message.Text)
				x.close(m.tag)
				inside = true
			}
		}
		if c.Out != "" {
			x.open(3, "system-out")
			x.escape(c.Out)
			x.close("system-out")
			inside = true
		}
		if inside {
			x.line(2)
		}
		x.close("testcase")
	}
	x.open(2, "system-out")
	x.escape(s.Out)
	x.close("system-out")
	x.line(1)
	x.close("testsuite")
	x.line(0)
	x.close("testsuites")
	return x.String()
}

// xmlText is an XML document being written.
type xmlText struct{ strings.Builder }

// line begins a line at a depth.
func (x *xmlText) line(depth int) {
	if x.Len() > 0 {
		x.WriteByte('\n')
	}
	x.WriteString(strings.Repeat("  ", depth))
}

// open begins an element, on a line of its own, with attributes in pairs of
// name and value.
func (x *xmlText) open(depth int, tag string, attributes ...string) {
	x.line(depth)
	x.WriteString("<" + tag)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.WriteString(" " + attributes[i] + `="`)
		x.escape(attributes[i+1])
		x.WriteByte('"')
	}
	x.WriteByte('>')
}

func (x *xmlText) close(tag string) { x.WriteString("</" + tag + ">") }

// escape writes s so that a parser reads it back. What XML cannot hold
// (https://www.w3.org/TR/xml/#charsets) becomes U+FFFD.
func (x *xmlText) escape(s string) {
	for _, r := range s {
		switch {
		case r == '"':
			x.WriteString("&#34;")
		case r == '\'':
			x.WriteString("&#39;")
		case r == '&':
			x.WriteString("&amp;")
		case r == '<':
			x.WriteString("&lt;")
		case r == '>':
			x.WriteString("&gt;")
		case r == '\t':
			x.WriteString("&#x9;")
		case r == '\n':
			x.WriteString("&#xA;")
		case r == '\r':
			x.WriteString("&#xD;")
		case r < ' ' || r > 0xD7FF && r < 0xE000 || r == 0xFFFE || r == 0xFFFF:
			x.WriteRune('\uFFFD')
		default:
			x.WriteRune(r) // a byte that is not UTF-8 is U+FFFD already
		}
	}
}
