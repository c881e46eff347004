package rules

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"
)

// An arn is a compiled ARN pattern.
type arn struct {
	service string
	region  arnField
	account arnField
	// stop are the characters of which none may follow the resource, because
	// it would be a part of something longer.
	stop class
	// open says that the resource ends in a name of free length, where a
	// template or a wildcard may go on.
	open bool
}

// An arnField says what the Region or the account of an ARN must be.
type arnField struct {
	kind arnKind
	text string // for arnLiteral
}

type arnKind uint8

const (
	arnRequired arnKind = iota // a Region of the partition, an account of twelve digits
	arnEmpty                   // nothing
	arnLiteral                 // a fixed text, such as the account "aws"
)

// ParseARNPattern checks an ARN pattern: the service and, after a space, the
// resource of the ARNs that it matches.
//
//	kms key/{uuid|mrk}
//	secretsmanager secret:{[0-9A-Za-z/_+=.@!-]1,512}-{[0-9A-Za-z]6}
//	iam::account role/{name}
//	iam::aws policy/{name}
//	s3:: {bucket}
//	rds (db|cluster|snapshot):{[0-9a-z-]1,255}
//	lambda function:{[0-9A-Za-z_-]1,64}(:{[0-9A-Za-z_$-]1,128})?
//
// The first word is what stands between partition and resource: a service
// alone has a Region and an account, service:region:account in full. Either
// may be left empty for services whose ARNs leave it empty, and may be a
// fixed text other than the words region and account.
//
// In the resource, letters, digits and . _ / : = + @ - stand for themselves,
// (a|b) for one of several resources, (a)? for one that may be missing, and
// braces for a typed part:
//
//	{uuid}             a UUID; upper-case digits lower the confidence
//	{mrk}              the id of a multi-Region KMS key: mrk- and 32 digits
//	{name}             letters, digits and / _ + = , . @ -, 1 to 512 of them
//	{bucket}           an S3 bucket
//	{region}           a well-formed Region
//	{digits}           1 to 20 digits
//	{[class]min,max}   so many characters of a class, written as in RE2
//	{[class]n}         exactly n
//	{a|b}              one of these
//
// A match is found however its separators are written: ':' and '/' plain,
// URL-encoded once or twice (%3A, %252f), or JSON-escaped (\/, \u003a). All
// partitions match; the Region must be one of its partition, and a Region or
// partition that is well-formed but not known to this version lowers the
// confidence by one step. A resource that goes on after its end, that is a
// wildcard or a template, does not match.
//
// The forms of ARNs are those of the AWS Service Authorization Reference,
// https://docs.aws.amazon.com/service-authorization/latest/reference/.
func ParseARNPattern(s string) error {
	_, err := compileARN(Pattern{ARN: s})
	return err
}

// maxARN bounds the decoded length of an ARN in bytes. The longest resources,
// SSM parameters and S3 keys, have about 1,000.
const maxARN = 2048

// maxARNHead bounds the length of what stands before the resource.
const maxARNHead = 160

// maxEscape is the length of the longest way to write a separator, \u003a.
const maxEscape = 6

func compileARN(src Pattern) (pattern, error) {
	pat := pattern{source: src}
	head, resource, ok := strings.Cut(src.ARN, " ")
	if !ok || resource == "" || strings.ContainsAny(resource, " \t\n") {
		return pat, fmt.Errorf("arn %q: want a service and a resource with one space between them, "+
			`such as "kms key/{uuid}"`, src.ARN)
	}
	if err := pat.arn.parseHead(head); err != nil {
		return pat, fmt.Errorf("arn %q: %w", src.ARN, err)
	}
	p := arnParser{text: resource}
	expr, err := p.alternatives()
	if err == nil && p.pos < len(resource) {
		err = fmt.Errorf("unexpected %q", resource[p.pos])
	}
	if err != nil {
		return pat, fmt.Errorf("arn %q: resource, character %d: %w", src.ARN, p.pos+1, err)
	}
	re, err := parsePlain(expr)
	if err != nil {
		return pat, fmt.Errorf("arn %q: %w", src.ARN, err)
	}
	s := shapeOf(re)
	if s.max < 0 || s.max > maxARN-maxARNHead || s.min == 0 {
		return pat, fmt.Errorf("arn %q: the resource must be 1 to %d bytes long", src.ARN, maxARN-maxARNHead)
	}
	pat.longest = int32((s.max + maxARNHead) * maxEscape)
	pat.arn.stop, pat.arn.open = p.last, p.open
	for _, b := range []byte("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") {
		pat.arn.stop.add(b)
	}
	slots := make([]int, re.MaxCap()+1)
	for i := range slots {
		slots[i] = 2 // the uuid, wherever it stands
	}
	pat.code, err = assemble(re, slots, pat.arn.stop)
	if err != nil {
		return pat, fmt.Errorf("arn %q: the resource is too complicated: %w", src.ARN, err)
	}
	pat.first.add('a')
	return pat, nil
}

func (a *arn) parseHead(head string) error {
	parts := strings.Split(head, ":")
	if len(parts) != 1 && len(parts) != 3 {
		return fmt.Errorf("%q must be a service, or service:region:account", head)
	}
	a.service = parts[0]
	if a.service == "" || len(a.service) > 40 || strings.Trim(a.service, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("service %q must be at most 40 lower-case letters, digits and hyphens", a.service)
	}
	if len(parts) == 1 {
		return nil
	}
	for i, f := range []*arnField{&a.region, &a.account} {
		text, name := parts[i+1], []string{"region", "account"}[i]
		switch {
		case text == name:
		case text == "":
			f.kind = arnEmpty
		case len(text) > 32 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			return fmt.Errorf("%s %q must be empty, the word %s or a fixed text of at most 32 bytes", name, text, name)
		default:
			f.kind, f.text = arnLiteral, text
		}
	}
	return nil
}

// An arnParser turns a resource into a regular expression, and learns what it
// may end with.
type arnParser struct {
	text  string
	pos   int
	depth int
	last  class // of the part that ends a resource
	open  bool  // the last part has no fixed length
}

func (p *arnParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *arnParser) alternatives() (string, error) {
	if p.depth++; p.depth > 8 {
		return "", errors.New("parentheses are nested too deeply")
	}
	defer func() { p.depth-- }()
	out, last, open := "", class{}, false
	for {
		s, err := p.sequence()
		if err != nil {
			return "", err
		}
		out += s
		last.union(p.last)
		open = open || p.open
		if p.peek() != '|' {
			p.last, p.open = last, open
			return out, nil
		}
		p.pos++
		out += "|"
	}
}

func (p *arnParser) sequence() (string, error) {
	var out strings.Builder
	p.last, p.open = class{}, false
	for {
		before, wasOpen := p.last, p.open
		switch c := p.peek(); {
		case c == 0 || c == '|' || c == ')':
			if out.Len() == 0 {
				return "", errors.New("a resource is empty")
			}
			return out.String(), nil
		case c == '(':
			p.pos++
			s, err := p.alternatives()
			if err != nil {
				return "", err
			}
			if p.peek() != ')' {
				return "", errors.New("missing )")
			}
			p.pos++
			out.WriteString("(?:" + s + ")")
			if p.peek() == '?' {
				p.pos++
				out.WriteByte('?')
				p.last.union(before)
				p.open = p.open || wasOpen
			}
		case c == '{':
			s, err := p.braces()
			if err != nil {
				return "", err
			}
			out.WriteString("(?:" + s + ")")
		case isWordByte(c) || strings.IndexByte("./:=+@-", c) >= 0:
			p.pos++
			p.last, p.open = class{}, false
			out.WriteString(quoteByte(c))
		default:
			return "", fmt.Errorf("%q has no meaning here", c)
		}
	}
}

func quoteByte(c byte) string {
	if c == '.' || c == '+' {
		return "\\" + string(rune(c))
	}
	return string(rune(c))
}

// braces parses a typed part.
func (p *arnParser) braces() (string, error) {
	out, last, open := "", class{}, false
	for {
		p.pos++ // the brace or bar
		s, err := p.typed()
		if err != nil {
			return "", err
		}
		out += s
		last.union(p.last)
		open = open || p.open
		switch p.peek() {
		case '|':
			out += "|"
		case '}':
			p.pos++
			p.last, p.open = last, open
			return out, nil
		default:
			return "", errors.New("missing }")
		}
	}
}

const uuidExpr = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"

func (p *arnParser) typed() (string, error) {
	if p.peek() == '[' {
		return p.run()
	}
	rest := p.text[p.pos:]
	name := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz0123456789-"))]
	p.last, p.open = class{}, true
	expr := ""
	switch name {
	case "uuid":
		p.open = false
		expr = "(" + uuidExpr + ")"
	case "mrk":
		p.open = false
		expr = "mrk-([0-9A-Fa-f]{32})"
	case "name":
		p.addLast("/_+=,.@-")
		expr = "[0-9A-Za-z/_+=,.@-]{1,512}"
	case "bucket":
		p.addLast(".-")
		expr = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
	case "region":
		p.addLast("-")
		p.open = false
		expr = "[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
	case "digits":
		expr = "[0-9]{1,20}"
	default:
		return "", fmt.Errorf("unknown type %q: %s, or [class]min,max", name,
			suggest(name, []string{"uuid", "mrk", "name", "bucket", "region", "digits"}))
	}
	p.pos += len(name)
	return expr, nil
}

func (p *arnParser) addLast(s string) {
	for i := range len(s) {
		p.last.add(s[i])
	}
}

// run parses [class]min,max.
func (p *arnParser) run() (string, error) {
	rest := p.text[p.pos:]
	end := strings.IndexAny(rest, "}|")
	if end < 0 {
		return "", errors.New("missing }")
	}
	bracket := strings.LastIndexByte(rest[:end], ']')
	if bracket < 0 {
		return "", errors.New("missing ] (a class here cannot hold } or |)")
	}
	expr := rest[:bracket+1]
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", err
	}
	if !isChar(re) {
		return "", fmt.Errorf("%s is not a character class", expr)
	}
	c, err := classOf(re)
	if err != nil || c.wide {
		return "", fmt.Errorf("%s must hold ASCII characters only", expr)
	}
	lo, hi, two := strings.Cut(rest[bracket+1:end], ",")
	if !two {
		hi = lo
	}
	m, err1 := strconv.Atoi(lo)
	n, err2 := strconv.Atoi(hi)
	if err1 != nil || err2 != nil || m < 1 || n < m || n > maxARN {
		return "", fmt.Errorf("bounds %q after the class must be min,max with 1 <= min <= max <= %d", rest[bracket+1:end], maxARN)
	}
	p.pos += end
	p.last, p.open = c, m != n
	return repeatExpr(expr, m, n), nil
}

// repeatExpr writes x{m,n} in parts, since RE2 knows no bound over 1,000.
func repeatExpr(x string, m, n int) string {
	out := ""
	for n > 1000 {
		k := min(m, 1000)
		out += fmt.Sprintf("%s{%d,1000}", x, k)
		m, n = m-k, n-1000
	}
	return out + fmt.Sprintf("%s{%d,%d}", x, m, n)
}
