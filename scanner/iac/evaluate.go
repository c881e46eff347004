package iac

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A scope evaluates expressions as far as one file tells. It is no interpreter:
// what it does not know is unknown, and says what it depends on. Evaluating with
// HCL's own functions would stop at the first reference, and would not say where
// in the file a value was written.
type scope struct {
	data        []byte
	expressions map[string]hclsyntax.Expression // var.NAME and local.NAME
	values      map[string]*value               // of those, once asked for
	documents   map[string]*hclsyntax.Block     // policy documents
	busy        map[string]bool                 // being evaluated: a reference to itself
	steps       int
	built       int // see joiner
	// json, if set, answers for names in files of Terraform's JSON syntax.
	json func(name string) *value
	// fixed, if set, is the place of everything: data is a text in that file.
	fixed *span
}

// maxSteps bounds how many expressions are looked at for one file, and maxName
// how many bytes of an expression are named in a finding.
const (
	maxSteps = 200_000
	maxName  = 120
)

func newScope(data []byte) *scope {
	return &scope{
		data: data, expressions: map[string]hclsyntax.Expression{}, values: map[string]*value{},
		documents: map[string]*hclsyntax.Block{}, busy: map[string]bool{},
	}
}

// span returns where r is in the file.
func (s *scope) span(r hcl.Range) span {
	if s.fixed != nil {
		return *s.fixed
	}
	return ofRange(r)
}

// source returns the text of an expression for people, without what is quoted in
// it: that may be a secret.
func (s *scope) source(r hcl.Range) string {
	lo, hi := r.Start.Byte, r.End.Byte
	if lo < 0 || hi > len(s.data) || lo >= hi {
		return "an expression"
	}
	written, _, _ := strings.Cut(string(s.data[lo:min(hi, lo+4*maxName)]), "<<") // a heredoc
	var b strings.Builder
	quoted := false
	for i := 0; i < len(written); i++ {
		switch c := written[i]; {
		case c == '"':
			if quoted = !quoted; quoted {
				b.WriteString(`"…`)
			} else {
				b.WriteByte('"')
			}
		case quoted && c == '\\':
			i++
		case !quoted:
			b.WriteByte(c)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// value evaluates x.
func (s *scope) value(x hclsyntax.Expression, depth int) *value {
	s.steps++
	at := s.span(x.Range())
	if depth > maxDepth || s.steps > maxSteps {
		return depends(at, "too much")
	}
	depth++
	switch x := x.(type) {
	case *hclsyntax.LiteralValueExpr:
		return s.literal(x)
	case *hclsyntax.ParenthesesExpr:
		return s.value(x.Expression, depth)
	case *hclsyntax.TemplateWrapExpr:
		return s.value(x.Wrapped, depth)
	case *hclsyntax.TemplateExpr:
		j := joiner{built: &s.built}
		for _, part := range x.Parts {
			j.add(s.value(part, depth))
		}
		return j.value(at)
	case *hclsyntax.TupleConsExpr:
		v := &value{kind: list, span: at}
		for _, item := range x.Exprs {
			v.list = append(v.list, s.value(item, depth))
		}
		return v
	case *hclsyntax.ObjectConsExpr:
		return s.object(x, depth)
	case *hclsyntax.ScopeTraversalExpr:
		return s.traverse(x, depth)
	case *hclsyntax.RelativeTraversalExpr:
		return s.step(s.value(x.Source, depth), x.Traversal, at, s.source(x.SrcRange))
	case *hclsyntax.IndexExpr:
		return s.index(x, depth)
	case *hclsyntax.ConditionalExpr:
		return s.conditional(x, depth)
	case *hclsyntax.UnaryOpExpr:
		return s.unary(x, depth)
	case *hclsyntax.BinaryOpExpr:
		return s.binary(x, depth)
	case *hclsyntax.FunctionCallExpr:
		return s.call(x, depth)
	}
	return depends(at, s.source(x.Range()))
}

func (s *scope) literal(x *hclsyntax.LiteralValueExpr) *value {
	at := s.span(x.SrcRange)
	v := &value{span: at}
	switch {
	case x.Val.IsNull():
		v.kind = null
	case !x.Val.IsKnown():
		return depends(at, s.source(x.SrcRange))
	case x.Val.Type() == cty.Bool:
		v.kind, v.b = boolean, x.Val.True()
	case x.Val.Type() == cty.Number:
		v.kind = number
		v.n, _ = x.Val.AsBigFloat().Float64()
		v.s = x.Val.AsBigFloat().Text('g', 20)
	case x.Val.Type() == cty.String:
		v.kind, v.s = text, x.Val.AsString()
		v.partial = strings.Contains(v.s, hole)
		if r := x.SrcRange; s.fixed == nil && r.End.Byte <= len(s.data) {
			v.pieces = align(v.s, string(s.data[r.Start.Byte:r.End.Byte]), r.Start.Byte)
		}
	}
	return v
}

func (s *scope) object(x *hclsyntax.ObjectConsExpr, depth int) *value {
	v := &value{kind: object, span: s.span(x.SrcRange)}
	for _, item := range x.Items {
		key := hcl.ExprAsKeyword(item.KeyExpr)
		if k, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); key == "" && ok {
			t := s.value(k.Wrapped, depth)
			if key, ok = t.text(); !ok || t.partial {
				v.partial = true
				continue
			}
		}
		at := span{s.span(item.KeyExpr.Range()).start, s.span(item.ValueExpr.Range()).end}
		v.fields = append(v.fields, member{key, at, s.value(item.ValueExpr, depth)})
	}
	return v
}

// traverse evaluates a reference.
func (s *scope) traverse(x *hclsyntax.ScopeTraversalExpr, depth int) *value {
	at, source := s.span(x.SrcRange), s.source(x.SrcRange)
	root, name := x.Traversal.RootName(), attributeName(x.Traversal, 1)
	if (root == "var" || root == "local") && name != "" {
		v := s.named(root+"."+name, depth)
		if v == nil {
			return depends(at, source)
		}
		return s.step(v, x.Traversal[2:], at, source)
	}
	if root == "data" && name == policyDocument {
		// What follows is .json, with an index before it if there are several.
		if v := s.document(attributeName(x.Traversal, 2), depth); v != nil {
			return v
		}
	}
	v := depends(at, source)
	switch root {
	case "var", "local", "module", "each", "path", "terraform", "self":
	default:
		v.named = true
	}
	return v
}

// attributeName returns the i-th step of a reference if it is a name, else "".
func attributeName(t hcl.Traversal, i int) string {
	if i < len(t) {
		if a, ok := t[i].(hcl.TraverseAttr); ok {
			return a.Name
		}
	}
	return ""
}

// named returns the value of a variable's default or a local value, nil if the
// file has none.
func (s *scope) named(name string, depth int) *value {
	if v, ok := s.values[name]; ok {
		return v
	}
	if s.busy[name] {
		return nil
	}
	s.busy[name] = true
	defer delete(s.busy, name)
	var v *value
	if x, ok := s.expressions[name]; ok {
		v = s.value(x, depth)
	} else if s.json != nil {
		v = s.json(name)
	}
	if v == nil || v.kind == null { // null stands for no default
		return nil
	}
	v = v.referred(name)
	s.values[name] = v
	return v
}

// document returns a policy document, nil if the file has none of that name.
func (s *scope) document(name string, depth int) *value {
	key := "data." + policyDocument + "." + name
	if v, ok := s.values[key]; ok {
		return v
	}
	if s.busy[key] {
		return nil
	}
	s.busy[key] = true
	defer delete(s.busy, key)
	var v *value
	if b := s.documents[name]; b != nil {
		v = s.block(b, depth)
	} else if s.json != nil {
		v = s.json(key)
	}
	if v == nil || v.kind != object {
		return nil
	}
	doc := *v
	doc.document = true
	s.values[key] = &doc
	return &doc
}

// step follows the rest of a reference into v.
func (s *scope) step(v *value, rest hcl.Traversal, at span, source string) *value {
	if v.document {
		return v
	}
	for _, t := range rest {
		var next *value
		switch t := t.(type) {
		case hcl.TraverseAttr:
			next = v.get(t.Name)
		case hcl.TraverseIndex:
			next = element(v, constant(t.Key))
		}
		if next == nil {
			return depends(at, source)
		}
		v = next.referred(v.via)
	}
	return v
}

// constant returns a key as a value.
func constant(v cty.Value) *value {
	switch {
	case v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		return &value{kind: text, s: v.AsString()}
	case v.Type() == cty.Number:
		n, _ := v.AsBigFloat().Float64()
		return &value{kind: number, n: n}
	}
	return &value{}
}

// element returns v[key], nil if that is not known.
func element(v, key *value) *value {
	if v.kind == list && !v.partial {
		if n, ok := key.number(); ok && n >= 0 && n < float64(len(v.list)) && n == float64(int(n)) {
			return v.list[int(n)]
		}
		return nil
	}
	if k, ok := key.text(); ok && !key.partial {
		return v.get(k)
	}
	return nil
}

func (s *scope) index(x *hclsyntax.IndexExpr, depth int) *value {
	v := s.value(x.Collection, depth)
	if v.document {
		return v // one of several, all of the same block
	}
	if e := element(v, s.value(x.Key, depth)); e != nil {
		return e.referred(v.via)
	}
	return depends(s.span(x.SrcRange), s.source(x.SrcRange))
}
