package iac

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxCompared bounds how many parts of two values are compared.
const maxCompared = 1000

func (s *scope) conditional(x *hclsyntax.ConditionalExpr, depth int) *value {
	c := s.value(x.Condition, depth)
	if is, ok := c.bool(); ok {
		arm := x.FalseResult
		if is {
			arm = x.TrueResult
		}
		return s.value(arm, depth).referred(c.via)
	}
	yes, no, budget := s.value(x.TrueResult, depth), s.value(x.FalseResult, depth), maxCompared
	if equal(yes, no, &budget) {
		return yes
	}
	return depends(s.span(x.SrcRange), s.source(x.Condition.Range()))
}

func (s *scope) unary(x *hclsyntax.UnaryOpExpr, depth int) *value {
	at := s.span(x.SrcRange)
	v := s.value(x.Val, depth)
	switch x.Op {
	case hclsyntax.OpLogicalNot:
		if is, ok := v.bool(); ok {
			return &value{kind: boolean, b: !is, span: at, via: v.via}
		}
	case hclsyntax.OpNegate:
		if n, ok := v.number(); ok {
			return &value{kind: number, n: -n, s: strings.TrimPrefix("-"+v.s, "--"), span: at, via: v.via}
		}
	}
	return depends(at, s.source(x.SrcRange))
}

// binary evaluates the operators that decide something: comparisons of equality
// and the logical ones.
func (s *scope) binary(x *hclsyntax.BinaryOpExpr, depth int) *value {
	at := s.span(x.SrcRange)
	a, b := s.value(x.LHS, depth), s.value(x.RHS, depth)
	truth := func(is bool) *value {
		via := a.via
		if via == "" {
			via = b.via
		}
		return &value{kind: boolean, b: is, span: at, via: via}
	}
	switch x.Op {
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		if a.known() && b.known() && a.kind < list && b.kind < list {
			budget := maxCompared
			return truth(equal(a, b, &budget) == (x.Op == hclsyntax.OpEqual))
		}
	case hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalOr:
		decides := x.Op == hclsyntax.OpLogicalOr
		p, ok := a.bool()
		q, ok2 := b.bool()
		switch {
		case ok && p == decides, ok2 && q == decides:
			return truth(decides)
		case ok && ok2:
			return truth(!decides)
		}
	}
	return depends(at, s.source(x.SrcRange))
}

// call evaluates the functions that settings and policies are written with
// (https://developer.hashicorp.com/terraform/language/functions).
func (s *scope) call(x *hclsyntax.FunctionCallExpr, depth int) *value {
	at, source := s.span(x.Range()), s.source(x.Range())
	if x.ExpandFinal || len(x.Args) == 0 {
		return depends(at, source)
	}
	switch x.Name {
	case "jsonencode", "tobool", "tonumber", "tostring", "tolist", "toset", "tomap", "sensitive", "nonsensitive", "try", "one", "compact", "distinct", "flatten":
		first := s.value(x.Args[0], depth)
		if x.Name == "one" || x.Name == "flatten" {
			return s.opened(x.Name, first, at, source)
		}
		if first.kind != unknown {
			return first
		}
	case "jsondecode":
		if v := s.value(x.Args[0], depth); v.kind == text && !v.partial {
			if parsed, err := parseJSON([]byte(v.s), v.at); err == nil {
				return parsed.referred(v.via)
			}
		}
	case "coalesce":
		for _, a := range x.Args {
			v := s.value(a, depth)
			if v.kind == unknown {
				break
			}
			if t, _ := v.text(); v.kind != null && (t != "" || v.kind != text) {
				return v
			}
		}
	case "concat":
		return s.concat(x, at, depth)
	case "merge":
		return s.merge(x, at, depth)
	case "format", "join", "replace":
		return &value{kind: text, s: hole, partial: true, span: at, why: source}
	}
	return depends(at, source)
}

// opened undoes lists in lists, or takes the only element of one.
func (s *scope) opened(name string, v *value, at span, source string) *value {
	if v.kind != list || v.partial {
		return depends(at, source)
	}
	if name == "one" {
		if len(v.list) != 1 {
			return depends(at, source)
		}
		return v.list[0]
	}
	flat := &value{kind: list, span: at, via: v.via}
	for _, item := range v.list {
		if item.kind == list {
			flat.partial = flat.partial || item.partial
			flat.list = append(flat.list, item.list...)
			s.steps += len(item.list)
		} else {
			flat.list = append(flat.list, item)
		}
		if len(flat.list) > maxItems {
			return depends(at, source)
		}
	}
	return flat
}

func (s *scope) concat(x *hclsyntax.FunctionCallExpr, at span, depth int) *value {
	all := &value{kind: list, span: at}
	for _, a := range x.Args {
		v := s.value(a, depth)
		if v.kind != list || len(all.list)+len(v.list) > maxItems {
			all.partial, all.why = true, v.reason()
			continue
		}
		all.partial = all.partial || v.partial
		all.list = append(all.list, v.list...)
		s.steps += len(v.list)
	}
	return all
}

func (s *scope) merge(x *hclsyntax.FunctionCallExpr, at span, depth int) *value {
	all := &value{kind: object, span: at}
	for _, a := range x.Args {
		v := s.value(a, depth)
		if v.kind != object || len(all.fields)+len(v.fields) > maxItems {
			all.partial, all.why = true, v.reason()
			continue
		}
		all.partial = all.partial || v.partial
		all.fields = append(all.fields, v.fields...)
		s.steps += len(v.fields)
	}
	return all
}
