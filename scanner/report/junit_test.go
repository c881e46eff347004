package report

import (
	"bytes"
	"encoding/xml"
	"testing"
)

// TestJUnitAsEncodingXML: the document is what encoding/xml would write, for
// whatever text.
func TestJUnitAsEncodingXML(t *testing.T) {
	for _, s := range []string{"", "plain", "\"'&<>\t\n\r\x00\x1f\x7f", "\xff\xfe bad", "\uFFFE\uFFFF\uD7FF\uE000", "\U0001F600 ]]>", " \u0085\u2028 "} {
		asEncodingXML(t, s)
	}
}

func FuzzJUnitAsEncodingXML(f *testing.F) {
	f.Add("a<b>&\"'\r\n")
	f.Fuzz(func(t *testing.T, s string) { asEncodingXML(t, s) })
}

func asEncodingXML(t *testing.T, s string) {
	doc := junitSuites{Name: s, Tests: 3, Failures: 1, Errors: 2, Time: s, Suite: junitSuite{
		Name: s, Tests: 3, Timestamp: s, Out: s,
		Cases: []junitCase{
			{Name: s, Class: s},
			{Name: s, File: s, Line: 7, Out: s},
			{Failure: &junitMessage{s, s, s}, Error: &junitMessage{s, s, s}},
		},
	}}
	var want bytes.Buffer
	e := xml.NewEncoder(&want)
	e.Indent("", "  ")
	if err := e.EncodeElement(doc, xml.StartElement{Name: xml.Name{Local: "testsuites"}}); err != nil {
		t.Fatal(err)
	}
	if got := doc.xml(); got != want.String() {
		t.Errorf("for %q:\n%s\nencoding/xml writes\n%s", s, got, want.String())
	}
	if xmlHeader != xml.Header {
		t.Errorf("the header is %q", xmlHeader)
	}
}
