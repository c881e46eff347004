package iac

import (
	"errors"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// readHCL reads a file of Terraform or OpenTofu.
func readHCL(data []byte) (*file, error) {
	if err := checkTokens(data); err != nil {
		return nil, err
	}
	parsed, diags := hclsyntax.ParseConfig(data, "", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, errors.New("its HCL has errors")
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return nil, errors.New("its HCL has no body")
	}
	s := newScope(data)
	for _, b := range body.Blocks {
		s.declare(b)
	}
	f := &file{}
	for _, b := range body.Blocks {
		if b.Type != "resource" || len(b.Labels) != 2 {
			continue
		}
		kind := terraformKind(b.Labels[0])
		if kind == otherResources {
			continue
		}
		if n, ok := s.attribute(b.Body, "count").number(); ok && n == 0 {
			continue // there is none of it
		}
		address := b.Labels[0] + "." + b.Labels[1]
		r := resource{kind: kind, dialect: terraform(), address: address, label: address, block: ofRange(b.Range())}
		r.block.end = max(r.block.end, b.CloseBraceRange.End.Byte)
		r.header = span{r.block.start, b.OpenBraceRange.End.Byte}
		r.lookup(func(name string) *member {
			a := b.Body.Attributes[name]
			if a == nil {
				return nil
			}
			return &member{name, ofRange(a.SrcRange), s.value(a.Expr, 0)}
		})
		f.resources = append(f.resources, r)
	}
	return f, nil
}

func ofRange(r hcl.Range) span { return span{r.Start.Byte, r.End.Byte} }

// declare notes what other blocks may refer to.
func (s *scope) declare(b *hclsyntax.Block) {
	switch {
	case b.Type == "variable" && len(b.Labels) == 1:
		if a := b.Body.Attributes["default"]; a != nil {
			s.expressions["var."+b.Labels[0]] = a.Expr
		}
	case b.Type == "locals":
		for name, a := range b.Body.Attributes {
			s.expressions["local."+name] = a.Expr
		}
	case b.Type == "data" && len(b.Labels) == 2 && b.Labels[0] == policyDocument:
		s.documents[b.Labels[1]] = b
	}
}

// policyDocument is the data source that makes policies of blocks.
const policyDocument = "aws_iam_policy_document"

// attribute returns the value of an attribute, nil if there is none.
func (s *scope) attribute(b *hclsyntax.Body, name string) *value {
	if a := b.Attributes[name]; a != nil {
		return s.value(a.Expr, 0)
	}
	return nil
}

// block returns a block as an object: its attributes, and for each kind of
// block in it the list of those.
func (s *scope) block(b *hclsyntax.Block, depth int) *value {
	v := &value{kind: object, span: ofRange(b.Range())}
	v.span.end = max(v.span.end, b.CloseBraceRange.End.Byte)
	if depth > maxDepth {
		return depends(v.span, "blocks in blocks")
	}
	for _, name := range slices.Sorted(maps.Keys(b.Body.Attributes)) { // the same each time
		a := b.Body.Attributes[name]
		v.fields = append(v.fields, member{name, ofRange(a.SrcRange), s.value(a.Expr, depth+1)})
	}
	lists := map[string]*value{}
	for _, sub := range b.Body.Blocks {
		if sub.Type == "dynamic" {
			v.partial = true
			continue
		}
		l := lists[sub.Type]
		if l == nil {
			l = &value{kind: list, span: ofRange(sub.Range())}
			lists[sub.Type] = l
			v.fields = append(v.fields, member{sub.Type, l.span, l})
		}
		l.list = append(l.list, s.block(sub, depth+1))
	}
	return v
}

// The parser calls itself for what is nested, and Go ends a program whose stack
// overflows, whatever would recover. So nesting is bounded beforehand, and the
// number of tokens, of which each costs the parser a microsecond or more.
const (
	maxTokens     = 250_000
	maxNesting    = 200
	maxConditions = 4000 // a ? b : c ? d : …, and directives of templates
	// A file with fewer characters that can nest anything is as safe without
	// counting its tokens, which costs as much as parsing it: each level takes
	// less than 10 KB of a stack of 250 MB or more.
	harmless = 8000
)

// checkTokens refuses what the parser would go too deep for.
func checkTokens(data []byte) error {
	if nesting(data) < harmless {
		return nil
	}
	tokens, diags := hclsyntax.LexConfig(data, "", hcl.InitialPos)
	if diags.HasErrors() {
		return errors.New("its HCL has errors")
	}
	return checkDepth(tokens)
}

// nesting counts the characters of data that can nest something, or repeat it
// without a line break.
func nesting(data []byte) (n int) {
	for _, c := range data {
		switch c {
		case '(', '[', '{', '"', '!', '-', '?', '%', '<', ',', '+', '*', '.':
			n++
		}
	}
	return n
}

// checkTemplate is checkTokens for a text with references.
func checkTemplate(data []byte) error {
	if nesting(data) < harmless {
		return nil
	}
	tokens, diags := hclsyntax.LexTemplate(data, "", hcl.InitialPos)
	if diags.HasErrors() {
		return errors.New("its template has errors")
	}
	return checkDepth(tokens)
}

func checkDepth(tokens hclsyntax.Tokens) error {
	if len(tokens) > maxTokens {
		return errors.New("it is too long")
	}
	depth, run, conditions := 0, 0, 0
	for i := range tokens {
		switch tokens[i].Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		switch tokens[i].Type {
		case hclsyntax.TokenBang, hclsyntax.TokenMinus:
			run++
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
		default:
			run = 0
		}
		if t := tokens[i].Type; t == hclsyntax.TokenQuestion || t == hclsyntax.TokenTemplateControl {
			conditions++
		}
		if depth > maxNesting || run > maxNesting || conditions > maxConditions {
			return errDeep
		}
	}
	return nil
}
