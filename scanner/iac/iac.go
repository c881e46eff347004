// Package iac is a scanner.Detector for how KMS keys are declared: in Terraform
// and OpenTofu (HCL and the JSON syntax, which CDK for Terraform writes), in
// plans and states as `terraform show -json` prints them, and in templates of
// CloudFormation in YAML and JSON, which CDK and SAM write.
//
// A leaked key ARN is harmless where the key's policy is narrow, and a finding of
// the rule aws-kms-key-arn says so; whether it is narrow is decided in the files
// that this package reads. So it belongs into the same gate. An ARN that is
// written out in such a file is that rule's finding and not reported again here.
//
//	file -> language -> value tree -> resources -> one function per check -> hits
//
// All languages become the same few types: a value that knows where in the file
// it stands, and a resource with the settings that checks read. A check knows
// no language, and a language no check.
//
// # What is known, and what is not
//
// A detector sees one file. Variables, local values, parameters and policy
// documents of the same file are followed to their defaults, and what depends
// on one is of medium confidence, since it may be overridden. What cannot be told is
// unknown: never guessed either way, but one finding of severity info for each
// resource. A condition of a policy whose value is unknown counts as one that
// narrows; a principal that is unknown does not count as everybody.
//
// # What is new
//
// A finding about a setting is new if the setting's lines are, or the default's
// that it takes its value from; one about a setting that is missing if any line
// of the resource is. Both stand where the setting is, or the resource begins.
// The text of a finding names the resource and the setting and neither file nor
// line, so that it is one finding through all versions of a file.
//
// # Hostile files
//
// Files without the name of a resource of KMS are not parsed: looking for it
// costs two nanoseconds for eight bytes. The others are bounded in size, nesting,
// aliases and steps; HCL's tokens are counted before its parser, which calls
// itself, sees them. Only what matters is parsed, once for all versions of a file
// that have it in common (reduce.go). A panic of a parser is a problem of the
// scan's coverage, as is nothing else: what cannot be parsed, such as a template of
// another language, is counted as skipped.
package iac

import (
	"errors"
	"slices"
	"sync"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
)

// The size in bytes up to which files are parsed. A template of CloudFormation has
// at most 1 MB (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html);
// plans are larger.
const (
	maxSource = 1 << 20 // HCL and YAML
	maxJSON   = 16 << 20
)

// The reasons for which a file that mentions KMS is not judged.
const (
	skipParse = "infrastructure code that does not parse"
	skipLarge = "infrastructure code too large to parse"
)

// A Detector finds KMS keys that are declared carelessly. The zero value is
// ready and safe for concurrent use.
type Detector struct {
	mu       sync.Mutex
	coverage scanner.Coverage
	large    map[string]bool // paths of files that came in several chunks
	recall   recall
}

// Coverage returns what the detector could not judge: files that do not parse as
// what their names promise are skipped, and where a parser failed is a problem.
func (d *Detector) Coverage() scanner.Coverage {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.coverage
	c.Skipped, c.Problems = slices.Clone(c.Skipped), slices.Clone(c.Problems)
	return c
}

// Detect implements scanner.Detector.
func (d *Detector) Detect(c *scanner.Chunk, hit func(*scanner.Hit)) {
	o := c.Object
	if o.Kind != scanner.Content || o.Binary {
		return
	}
	l := byPath(o.Path)
	if l == noLanguage || !mentions(c.Data) {
		return
	}
	promised := l != guess
	if l = byContent(l, c.Data); l == noLanguage {
		return
	}
	if !c.First || !c.Last || len(c.Data) > maxJSON || l != jsonLanguage && len(c.Data) > maxSource {
		d.tooLarge(o)
		return
	}
	found, err := d.guard(o, func() ([]problem, error) { return d.judge(l, c.Data) })
	if err != nil {
		if promised {
			d.skip(skipParse, o)
		}
		return
	}
	for _, p := range found {
		p.emit(c, hit)
	}
}

// judge returns what is wrong with a file in language l.
func (d *Detector) judge(l language, data []byte) ([]problem, error) {
	if r, ok := reduce(l, data); ok {
		found, err := d.recall.problems(l, r.text)
		if err != nil {
			return nil, err
		}
		if found, ok := r.restore(found); ok {
			return found, nil
		}
	}
	f, err := parse(l, data)
	if err != nil {
		return nil, err
	}
	return check(f), nil
}

// guard calls judge. A panic of a parser is the end of that file alone.
func (d *Detector) guard(o *scanner.Object, judge func() ([]problem, error)) (found []problem, err error) {
	defer func() {
		if recover() != nil {
			// What it says may quote the file.
			d.mu.Lock()
			defer d.mu.Unlock()
			d.coverage.Fail(where(o), "the parser of infrastructure code failed on it: a bug of Spillgate, please report it", "--no-iac scans without")
			found, err = nil, nil
		}
	}()
	return judge()
}

// parse reads data, which must not be empty of resources to be of use: a file
// in none of the forms that are known has none.
func parse(l language, data []byte) (*file, error) {
	switch l {
	case hclLanguage:
		return readHCL(data)
	case jsonLanguage:
		v, err := parseJSON(data, func(at int) int { return at })
		if err != nil {
			return nil, err
		}
		return readTree(data, v), nil
	case yamlLanguage:
		docs, err := parseYAML(data)
		if err != nil {
			return nil, err
		}
		all := &file{}
		for _, v := range docs {
			all.resources = append(all.resources, readTree(data, v).resources...)
		}
		return all, nil
	}
	return nil, errors.New("it is in no language that is known")
}

// readTree tells the forms of JSON and YAML files apart.
func readTree(data []byte, v *value) *file {
	for _, read := range [...]func([]byte, *value) *file{readTemplate, readPlan, readTerraformJSON} {
		if f := read(data, v); f != nil {
			return f
		}
	}
	return &file{}
}

func (d *Detector) skip(reason string, o *scanner.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.coverage.Skip(reason, where(o))
}

// tooLarge counts a file once, however many chunks it comes in.
func (d *Detector) tooLarge(o *scanner.Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := where(o)
	if d.large[name] {
		return
	}
	if d.large == nil {
		d.large = map[string]bool{}
	}
	d.large[name] = true
	d.coverage.Skip(skipLarge, name)
}

// where names an object.
func where(o *scanner.Object) string {
	if o.Path == "" && o.ID != "" {
		return "blob " + o.ID
	}
	return o.Path
}

// emit makes a hit of p.
func (p *problem) emit(c *scanner.Chunk, hit func(*scanner.Hit)) {
	at, within := p.at, p.within
	if within == (span{}) {
		within = at
	}
	if n := c.Object.New; n != nil && !touches(c, n, within) {
		for _, other := range p.also {
			if touches(c, n, other) {
				at, within = other, other
				break
			}
		}
	}
	at, within = at.inside(len(c.Data)), within.inside(len(c.Data))
	if at.start < c.From || at.start > c.To {
		return
	}
	hit(&scanner.Hit{
		Rule: p.rule, Start: min(within.start, at.start), End: max(within.end, at.end), SecretStart: at.start, SecretEnd: at.end,
		Text: []byte(p.text), Severity: p.severity, Confidence: p.confidence, Fields: append([]rules.Field(nil), p.fields...),
	})
}

// inside returns s cut to a text of n bytes.
func (s span) inside(n int) span {
	start := max(0, min(s.start, n))
	return span{start, max(start, min(s.end, n))}
}

// touches reports whether a line of s is new.
func touches(c *scanner.Chunk, n scanner.NewLines, s span) bool {
	s = s.inside(len(c.Data))
	first := c.Line + lines(c.Data[:s.start])
	return n.Touches(first, first+lines(c.Data[s.start:max(s.start, s.end-1)]))
}
