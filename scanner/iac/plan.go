package iac

import "strings"

// readPlan reads a plan or a state as `terraform show -json` prints it, or
// returns nil if v is none. Of a plan the changes are read, which tell what is
// not known before it is applied
// (https://developer.hashicorp.com/terraform/internals/json-format).
func readPlan(data []byte, v *value) *file {
	if v.get("format_version") == nil {
		return nil
	}
	f := &file{}
	if changes := v.get("resource_changes"); changes != nil {
		written := map[string]*value{}
		configured(v.get("configuration").get("root_module"), "", written, 0)
		for _, c := range changes.items() {
			f.planned(data, c, c.get("change").get("after"), c.get("change").get("after_unknown"), written)
		}
		return f
	}
	for _, name := range [...]string{"planned_values", "values"} {
		if values := v.get(name); values != nil {
			f.module(data, values.get("root_module"), 0)
			break
		}
	}
	return f
}

// module reads the resources of a module and of those in it.
func (f *file) module(data []byte, m *value, depth int) {
	if m == nil || depth > maxDepth {
		return
	}
	for _, r := range m.get("resources").items() {
		f.planned(data, r, r.get("values"), nil, nil)
	}
	for _, child := range m.get("child_modules").items() {
		f.module(data, child, depth+1)
	}
}

// planned adds a resource if it is one that checks know. It is gone if there is
// nothing after the change.
func (f *file) planned(data []byte, entry, after, notKnown *value, written map[string]*value) {
	typ, _ := entry.get("type").text()
	kind := terraformKind(typ)
	mode, _ := entry.get("mode").text()
	address, ok := entry.get("address").text()
	if kind == otherResources || mode == "data" || !ok || after == nil || after.kind != object {
		return
	}
	r := resource{kind: kind, dialect: terraform(), address: address, label: address, block: entry.span}
	r.header = span{entry.span.start, min(lineEnd(data, entry.span.start), entry.span.end)}
	if m := entry.member("address"); m != nil {
		r.header = m.span
	}
	r.lookup(func(name string) *member {
		if is, ok := notKnown.get(name).bool(); ok && is {
			// What is computed because nobody set it is not known either.
			if written != nil && written[withoutKeys(address)].get(name) == nil {
				return nil
			}
			return &member{name, r.header, depends(r.header, "what is known after the plan is applied")}
		}
		m := after.member(name)
		if m == nil || m.v.kind == text && m.v.s == "" || m.v.kind == number && m.v.n == 0 {
			return nil // the provider's "not set"
		}
		return m
	})
	f.resources = append(f.resources, r)
}

// configured notes by address which arguments the resources of a module, and of
// those in it, are written with.
func configured(m *value, prefix string, written map[string]*value, depth int) {
	if m == nil || depth > maxDepth {
		return
	}
	for _, r := range m.get("resources").items() {
		if address, ok := r.get("address").text(); ok {
			written[prefix+address] = r.get("expressions")
		}
	}
	calls := m.get("module_calls")
	if calls == nil {
		return
	}
	for _, call := range calls.fields {
		configured(call.v.get("module"), prefix+"module."+call.key+".", written, depth+1)
	}
}

// withoutKeys returns an address without the keys of count and for_each: the
// configuration is written once for all of them.
func withoutKeys(address string) string {
	var b strings.Builder
	quoted, depth := false, 0
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && c == '[':
			depth++
		case !quoted && c == ']' && depth > 0:
			depth--
		case !quoted && depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}
