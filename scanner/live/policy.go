package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxPolicy is the most bytes of a policy that are read; KMS allows 32 KiB.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const maxPolicy = 256 << 10

// A statement of a key policy, as far as the analysis needs it.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type statement struct {
	sid          string
	index        int // from 1
	deny         bool
	principals   []principal
	notPrincipal bool
	actions      []string
	notAction    bool
	resources    []string
	notResource  bool
	conditions   []condition
}

// name returns how reports call the statement.
func (s *statement) name() string {
	if s.sid != "" {
		return fmt.Sprintf("statement %q", s.sid)
	}
	return fmt.Sprintf("statement %d", s.index)
}

// A principal is one entry of a Principal element: its kind (AWS, Service,
// Federated, CanonicalUser) and its value.
type principal struct{ kind, value string }

// A condition is one line of a Condition element: operator, key, values. Keys
// are compared without regard to case: name is the key as written, and key the
// same in lower case.
type condition struct {
	operator, name, key string
	values              []string
}

// parsePolicy reads a key policy. What it does not understand in full is an
// error: a policy that is half understood would be called safe for the wrong
// reason.
func parsePolicy(policy string) ([]statement, error) {
	if len(policy) > maxPolicy {
		return nil, fmt.Errorf("a policy of %d bytes; at most %d are read", len(policy), maxPolicy)
	}
	top, err := object([]byte(policy))
	if err != nil {
		return nil, fmt.Errorf("reading the key policy: %w", err)
	}
	for name := range top {
		switch name {
		case "version", "id", "statement":
		default:
			return nil, fmt.Errorf("reading the key policy: unknown element %.40q", name)
		}
	}
	if _, ok := top["statement"]; !ok {
		return nil, errors.New("reading the key policy: it has no Statement")
	}
	raws, err := listOf(top["statement"], '{')
	if err != nil {
		return nil, fmt.Errorf("reading the key policy: Statement: %w", err)
	}
	var all []statement
	for i, raw := range raws {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("reading the key policy: statement %d: %w", i+1, err)
		}
		s.index = i + 1
		all = append(all, *s)
	}
	return all, nil
}

// parseStatement reads one statement.
func parseStatement(raw json.RawMessage) (*statement, error) {
	fields, err := object(raw)
	if err != nil {
		return nil, err
	}
	s := &statement{}
	effect := ""
	for name, value := range fields {
		switch name {
		case "sid":
			err = json.Unmarshal(value, &s.sid)
		case "effect":
			err = json.Unmarshal(value, &effect)
		case "principal", "notprincipal":
			s.principals, err = parsePrincipals(value)
			s.notPrincipal = name == "notprincipal"
		case "action", "notaction":
			s.actions, err = stringsOf(value)
			s.notAction = name == "notaction"
		case "resource", "notresource":
			s.resources, err = stringsOf(value)
			s.notResource = name == "notresource"
		case "condition":
			s.conditions, err = parseConditions(value)
		default:
			err = errors.New("unknown element")
		}
		if err != nil {
			return nil, fmt.Errorf("%.40q: %w", name, err)
		}
	}
	return s, s.check(fields, effect)
}

// check refuses a statement that lacks an element or has one twice, as KMS
// does.
func (s *statement) check(fields map[string]json.RawMessage, effect string) error {
	for _, pair := range [...][2]string{{"principal", "notprincipal"}, {"action", "notaction"}, {"resource", "notresource"}} {
		_, one := fields[pair[0]]
		_, other := fields[pair[1]]
		if one && other {
			return fmt.Errorf("both %s and %s", pair[0], pair[1])
		}
		if !one && !other && pair[0] != "resource" {
			return fmt.Errorf("neither %s nor %s", pair[0], pair[1])
		}
	}
	switch effect {
	case "Allow":
	case "Deny":
		s.deny = true
	default:
		return fmt.Errorf("the effect is %.20q, neither Allow nor Deny", effect)
	}
	return nil
}

// parsePrincipals reads "*" or an object of lists.
func parsePrincipals(raw json.RawMessage) ([]principal, error) {
	var star string
	if json.Unmarshal(raw, &star) == nil {
		if star != "*" {
			return nil, errors.New("a principal without its kind")
		}
		return []principal{{"AWS", "*"}}, nil
	}
	kinds, err := object(raw)
	if err != nil {
		return nil, err
	}
	var all []principal
	for _, kind := range [...]string{"AWS", "Service", "Federated", "CanonicalUser"} {
		value, ok := kinds[strings.ToLower(kind)]
		if !ok {
			continue
		}
		delete(kinds, strings.ToLower(kind))
		names, err := stringsOf(value)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			all = append(all, principal{kind, n})
		}
	}
	for kind := range kinds {
		return nil, fmt.Errorf("unknown kind of principal %.40q", kind)
	}
	return all, nil
}

// parseConditions reads {operator: {key: values}}.
func parseConditions(raw json.RawMessage) ([]condition, error) {
	operators, err := members(raw)
	if err != nil {
		return nil, err
	}
	var all []condition
	for _, op := range operators {
		keys, err := members(op.value)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			values, err := stringsOf(key.value)
			if err != nil {
				return nil, fmt.Errorf("%.60q: %w", key.name, err)
			}
			all = append(all, condition{op.name, key.name, strings.ToLower(key.name), values})
		}
	}
	sortConditions(all)
	return all, nil
}

// object reads a JSON object, with its names in lower case.
func object(raw []byte) (map[string]json.RawMessage, error) {
	all, err := members(raw)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]json.RawMessage, len(all))
	for _, m := range all {
		fields[strings.ToLower(m.name)] = m.value
	}
	return fields, nil
}

// A member is a name of a JSON object and its value.
type member struct {
	name  string
	value json.RawMessage
}

// members reads a JSON object. A name that comes twice, in whatever case, is an
// error, since readers differ in which of the two they take.
func members(raw []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	open, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("no JSON: %w", plain(err))
	}
	if open != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	var all []member
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON: %w", plain(err))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("no JSON: %w", plain(err))
		}
		m := member{name.(string), value} // inside an object, a token is a name
		if key := strings.ToLower(m.name); seen[key] {
			return nil, fmt.Errorf("%.40q comes twice", m.name)
		} else {
			seen[key] = true
		}
		all = append(all, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("no JSON: %w", plain(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the end of the JSON")
	}
	return all, nil
}

// plain makes an error of encoding/json one that quotes nothing but a
// character.
func plain(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w at byte %d", syntax, syntax.Offset)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	return err
}

// listOf returns the elements of a JSON list, or the value alone where it
// begins with open.
func listOf(raw json.RawMessage, open byte) ([]json.RawMessage, error) {
	if b := bytes.TrimSpace(raw); len(b) > 0 && b[0] == open {
		return []json.RawMessage{raw}, nil
	}
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, errors.New("neither an object nor a list")
	}
	return all, nil
}

// stringsOf returns the strings of a JSON list, or the one that stands alone.
// Numbers and booleans, which conditions may hold, come as their text.
func stringsOf(raw json.RawMessage) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // an account id is no floating point number
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, plain(err)
	}
	all, ok := value.([]any)
	if !ok {
		all = []any{value}
	}
	texts := make([]string, 0, len(all))
	for _, v := range all {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case bool, json.Number:
			texts = append(texts, fmt.Sprint(v))
		default:
			return nil, errors.New("neither a string nor a list of strings")
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("an empty list")
	}
	return texts, nil
}
