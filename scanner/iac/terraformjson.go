package iac

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// readTerraformJSON reads a file in the JSON syntax of Terraform, as CDK for
// Terraform writes it, or returns nil if v is none. Its texts are templates
// (https://developer.hashicorp.com/terraform/language/syntax/json).
func readTerraformJSON(data []byte, v *value) *file {
	if v.get("resource") == nil {
		return nil
	}
	j := &jsonSyntax{scope: newScope(nil), root: v}
	j.scope.json = j.named
	f := &file{}
	for _, types := range bodies(v.get("resource")) {
		for _, t := range types.fields {
			if kind := terraformKind(t.key); kind != otherResources {
				for _, named := range bodies(t.v) {
					f.resources = append(f.resources, j.resources(data, kind, t.key, named)...)
				}
			}
		}
	}
	return f
}

// bodies returns the objects that stand where one or a list of them may.
func bodies(v *value) []*value {
	var all []*value
	for _, b := range v.items() {
		if b.kind == object {
			all = append(all, b)
		}
	}
	return all
}

// A jsonSyntax evaluates a file in the JSON syntax.
type jsonSyntax struct {
	scope *scope
	root  *value
	steps int
	depth int // of templates being evaluated
}

// resources returns the resources of one type.
func (j *jsonSyntax) resources(data []byte, kind resourceKind, typ string, named *value) []resource {
	var all []resource
	for i := range named.fields {
		m := &named.fields[i]
		for _, body := range bodies(m.v) {
			if count := body.get("count"); count != nil {
				if n, ok := j.value(count, 0).number(); ok && n == 0 {
					continue
				}
			}
			address := typ + "." + m.key
			r := resource{kind: kind, dialect: terraform(), address: address, label: address, block: m.span}
			r.header = span{m.span.start, min(lineEnd(data, m.span.start), m.span.end)}
			r.lookup(func(name string) *member {
				found := body.member(name)
				if found == nil {
					return nil
				}
				return &member{found.key, found.span, j.value(found.v, 0)}
			})
			all = append(all, r)
		}
	}
	return all
}

// named answers for what expressions refer to.
func (j *jsonSyntax) named(name string) *value {
	kind, rest, _ := strings.Cut(name, ".")
	switch kind {
	case "var":
		for _, b := range bodies(j.root.get("variable")) {
			if v := b.get(rest).get("default"); v != nil {
				return v // no template
			}
		}
	case "local":
		for _, b := range bodies(j.root.get("locals")) {
			if v := b.get(rest); v != nil {
				return j.value(v, 0)
			}
		}
	case "data":
		typ, rest, _ := strings.Cut(rest, ".")
		for _, b := range bodies(j.root.get("data")) {
			for _, named := range bodies(b.get(typ)) {
				if v := named.get(rest); v != nil {
					return j.value(v, 0)
				}
			}
		}
	}
	return nil
}

// value evaluates the templates in v.
func (j *jsonSyntax) value(v *value, depth int) *value {
	j.steps++
	if depth > maxDepth || j.steps > maxSteps {
		return depends(v.span, "too much")
	}
	out := *v
	switch v.kind {
	case list:
		out.list = nil
		for _, item := range v.list {
			out.list = append(out.list, j.value(item, depth+1))
		}
	case object:
		out.fields = nil
		for _, m := range v.fields {
			out.fields = append(out.fields, member{m.key, m.span, j.value(m.v, depth+1)})
		}
	case text:
		if strings.Contains(v.s, "${") || strings.Contains(v.s, "%{") {
			return j.template(v)
		}
	}
	return &out
}

// template evaluates a text with references in it.
func (j *jsonSyntax) template(v *value) *value {
	source := []byte(v.s)
	if j.depth >= maxDepth || checkTemplate(source) != nil {
		return depends(v.span, "a template")
	}
	x, diags := hclsyntax.ParseTemplate(source, "", hcl.InitialPos)
	if diags.HasErrors() {
		return depends(v.span, "a template")
	}
	j.depth++ // templates refer to others
	s := j.scope
	data, fixed := s.data, s.fixed
	s.data, s.fixed = source, &v.span
	defer func() {
		s.data, s.fixed = data, fixed
		j.depth--
	}()
	return s.value(x, 0)
}
