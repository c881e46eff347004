package iac

import "strings"

// A template evaluates a template of CloudFormation as far as the file tells.
type template struct {
	root  *value
	steps int
	built int // see joiner
}

// readTemplate reads what a template declares, or returns nil if v is none. CDK
// and SAM write templates too.
func readTemplate(data []byte, v *value) *file {
	declared := v.get("Resources")
	if declared == nil || declared.kind != object {
		return nil
	}
	t := &template{root: v}
	f := &file{}
	for i := range declared.fields {
		m := &declared.fields[i]
		kind := templateKind(m.v.get("Type"))
		if kind == otherResources {
			continue
		}
		typ, _ := m.v.get("Type").text()
		r := resource{kind: kind, dialect: cloudformation(), address: m.key, label: typ + " " + m.key, block: m.span}
		r.header = span{m.span.start, min(lineEnd(data, m.span.start), m.span.end)}
		properties := m.v.get("Properties")
		r.open = properties != nil && properties.kind != object ||
			properties.get("Fn::Transform") != nil || m.v.get("Fn::Transform") != nil
		r.lookup(func(name string) *member {
			found := properties.member(name)
			if found == nil {
				return nil
			}
			return &member{found.key, found.span, t.value(found.v, 0)}
		})
		f.resources = append(f.resources, r)
	}
	return f
}

// templateKind returns the kind of a type of CloudFormation.
func templateKind(v *value) resourceKind {
	switch typ, _ := v.text(); typ {
	case "AWS::KMS::Key":
		return kmsKey
	case "AWS::KMS::ReplicaKey":
		return replicaKey
	}
	return otherResources
}

// value evaluates v and what is in it.
func (t *template) value(v *value, depth int) *value {
	t.steps++
	if depth > maxDepth || t.steps > maxSteps {
		return depends(v.span, "too much")
	}
	depth++
	switch v.kind {
	case list:
		out := *v
		out.list = nil
		for _, item := range v.list {
			if e := t.value(item, depth); e.kind != null { // AWS::NoValue takes it out
				out.list = append(out.list, e)
			}
		}
		return &out
	case object:
		if len(v.fields) == 1 {
			if name := v.fields[0].key; name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return t.call(name, v.fields[0].v, v.span, depth)
			}
		}
		out := *v
		out.fields = nil
		for _, m := range v.fields {
			if strings.HasPrefix(m.key, "Fn::") {
				out.partial = true // Fn::Transform, Fn::ForEach
				continue
			}
			if e := t.value(m.v, depth); e.kind != null {
				out.fields = append(out.fields, member{m.key, m.span, e})
			}
		}
		return &out
	}
	return v
}

// call evaluates an intrinsic function. Of the conditions, only that both
// answers are the same is used: what they ask for differs from stack to stack.
func (t *template) call(name string, arg *value, at span, depth int) *value {
	switch name {
	case "Ref":
		if s, ok := arg.text(); ok {
			return t.ref(s, at)
		}
	case "Fn::Sub":
		return t.sub(arg, at, depth)
	case "Fn::Join":
		parts := arg.items()
		if len(parts) != 2 {
			break
		}
		separator, ok := parts[0].text()
		items := t.value(parts[1], depth)
		if !ok || items.kind != list || items.partial {
			break
		}
		j := joiner{built: &t.built}
		for i, item := range items.list {
			if i > 0 {
				j.add(&value{kind: text, s: separator})
			}
			j.add(item)
		}
		return j.value(at)
	case "Fn::If":
		parts := arg.items()
		if len(parts) != 3 {
			break
		}
		yes, no, budget := t.value(parts[1], depth), t.value(parts[2], depth), maxCompared
		if equal(yes, no, &budget) {
			return yes
		}
		condition, _ := parts[0].text()
		return depends(at, "the condition "+condition)
	case "Fn::GetAtt":
		var words []string
		for _, item := range arg.items() {
			s, ok := item.text()
			if !ok {
				return depends(at, name)
			}
			words = append(words, s)
		}
		v := depends(at, strings.Join(words, "."))
		v.named = true
		return v
	}
	return depends(at, name)
}

// ref evaluates a reference to a parameter, a resource or a pseudo parameter.
func (t *template) ref(name string, at span) *value {
	if name == "AWS::NoValue" {
		return &value{kind: null, span: at}
	}
	parameter := t.root.get("Parameters").get(name)
	v := parameter.get("Default")
	if v == nil || v.kind == list || v.kind == object {
		v := depends(at, name)
		v.named = t.root.get("Resources").get(name) != nil || strings.HasPrefix(name, "AWS::")
		return v
	}
	if typ, _ := parameter.get("Type").text(); typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<") {
		s, ok := v.text()
		if !ok {
			return depends(at, name)
		}
		l := &value{kind: list, span: v.span, via: name}
		for item := range strings.SplitSeq(s, ",") {
			l.list = append(l.list, &value{kind: text, s: strings.TrimSpace(item), span: v.span, via: name})
		}
		return l
	}
	return v.referred(name)
}

// sub evaluates Fn::Sub: a text, or a list of a text and a map of names.
func (t *template) sub(arg *value, at span, depth int) *value {
	parts := arg.items()
	if len(parts) == 0 {
		return depends(at, "Fn::Sub")
	}
	s, ok := parts[0].text()
	if !ok {
		return depends(at, "Fn::Sub")
	}
	var names *value
	if len(parts) > 1 {
		names = t.value(parts[1], depth)
	}
	j := joiner{built: &t.built}
	for len(s) > 0 {
		before, rest, found := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			j.add(&value{kind: text, s: s})
			break
		}
		j.add(&value{kind: text, s: before})
		switch literal, isLiteral := strings.CutPrefix(name, "!"); {
		case isLiteral:
			j.add(&value{kind: text, s: "${" + literal + "}"})
		case names.get(name) != nil:
			j.add(names.get(name))
		default:
			j.add(t.ref(strings.TrimSpace(name), at))
		}
		s = after
	}
	v := j.value(at)
	if v.partial && v.s == hole {
		v.why = "Fn::Sub"
	}
	return v
}
