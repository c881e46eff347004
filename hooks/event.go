package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxEvent is the size in bytes up to which an event of a coding assistant is
// read. A larger one is refused.
const MaxEvent = 64 << 20

// maxEventDepth bounds how deep an event may be nested.
const maxEventDepth = 200

// An Event is what a coding assistant is about to do, as its hook before the
// use of a tool tells it.
type Event struct {
	// Tool is the assistant's name of the tool, such as "Write" or "bash", or
	// "" if the event has none.
	Tool string
	// Dialect says how the assistant wants its answer.
	Dialect Dialect
	// Inputs are all the texts of the event but those that the tool takes
	// away, such as the old text of an edit.
	Inputs []Input
}

// An Input is one text of an event.
type Input struct {
	// Name is where it stands, such as "tool_input.content".
	Name string
	Text string
	// Added tells which lines a patch adds, the first being Added[1]. It is
	// nil if all of the text counts.
	Added []bool
}

// A Dialect is a way of answering: the assistants that have such hooks do not
// agree on one.
type Dialect uint8

// The dialects. Which one an event is in shows in its keys.
const (
	// Plain is for events of no known shape: {"decision":"deny","reason":…}
	// and exit code 2, which nobody takes for consent.
	Plain Dialect = iota
	// PreToolUse has hook_event_name and tool_input, and takes its answer in
	// hookSpecificOutput (https://code.claude.com/docs/en/hooks).
	PreToolUse
	// BeforeTool has hook_event_name BeforeTool and takes {"decision":…}
	// (https://geminicli.com/docs/hooks/reference).
	BeforeTool
	// Permission has hook_event_name beforeShellExecution, preToolUse and the
	// like, and takes {"permission":…} (https://cursor.com/docs/agent/hooks).
	Permission
	// ToolArgs has toolName and toolArgs, which is JSON in a string, and takes
	// {"permissionDecision":…} (https://docs.github.com/copilot, "hooks").
	ToolArgs
	// Cancel has hookName and takes {"cancel":…} (https://docs.cline.bot, "hooks").
	Cancel
	// ExitCode has agent_action_name and looks at the exit code alone
	// (https://docs.windsurf.com, "Cascade hooks").
	ExitCode
)

// ReadEvent reads one event: a JSON object of any shape and nothing after it.
// Every string in it is an Input, but those whose key says that it is text to
// be replaced. An error never quotes the event.
func ReadEvent(r io.Reader) (*Event, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxEvent+1))
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	if len(data) > MaxEvent {
		return nil, fmt.Errorf("the event is larger than %d bytes", MaxEvent)
	}
	p := eventReader{Decoder: json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))), event: &Event{}, keys: map[string]string{}}
	if err := p.object(); err != nil {
		return nil, err
	}
	if _, err := p.Token(); err != io.EOF {
		return nil, errors.New("the event is followed by something else")
	}
	p.event.Dialect = p.dialect()
	p.event.Tool = firstOf(p.keys["tool_name"], p.keys["toolName"], p.keys["preToolUse.toolName"])
	return p.event, nil
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// An eventReader walks the tokens of an event, so that of a key that stands
// twice both values are seen.
type eventReader struct {
	*json.Decoder
	event *Event
	keys  map[string]string // strings at most one level down, by name; "" for others
}

func (p *eventReader) dialect() Dialect {
	has := func(key string) bool { _, ok := p.keys[key]; return ok }
	name := p.keys["hook_event_name"]
	switch {
	case has("agent_action_name"):
		return ExitCode
	case has("hookName"):
		return Cancel
	case has("toolName") && has("toolArgs"):
		return ToolArgs
	case name == "BeforeTool":
		return BeforeTool
	case name != "" && name[0] >= 'a' && name[0] <= 'z':
		return Permission
	case name == "PreToolUse":
		return PreToolUse
	}
	return Plain
}

// object reads the object that an event is.
func (p *eventReader) object() error {
	t, err := p.Token()
	if err != nil {
		return p.malformed()
	}
	if t != json.Delim('{') {
		return errors.New("the event is no JSON object")
	}
	return p.inside('{', "", 0)
}

// malformed says where the JSON breaks off, and not how: the decoder's own
// messages quote the text.
func (p *eventReader) malformed() error {
	return fmt.Errorf("the event is not JSON, at byte %d", p.InputOffset())
}

// inside reads to the end of an object or array.
func (p *eventReader) inside(kind json.Delim, name string, depth int) error {
	if depth > maxEventDepth {
		return fmt.Errorf("the event is nested deeper than %d levels", maxEventDepth)
	}
	for n := 0; p.More(); n++ {
		key := fmt.Sprint(n)
		if kind == '{' {
			t, err := p.Token()
			if err != nil {
				return p.malformed()
			}
			key, _ = t.(string)
			p.event.Inputs = append(p.event.Inputs, Input{Name: join(name, "a key"), Text: key})
		}
		if err := p.value(name, key, depth); err != nil {
			return err
		}
	}
	if _, err := p.Token(); err != nil { // the end
		return p.malformed()
	}
	return nil
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

// value reads what stands at key.
func (p *eventReader) value(name, key string, depth int) error {
	t, err := p.Token()
	if err != nil {
		return p.malformed()
	}
	full := join(name, safeKey(key))
	if depth <= 1 && p.keys[full] == "" {
		p.keys[full], _ = t.(string)
	}
	switch v := t.(type) {
	case json.Delim:
		return p.inside(v, full, depth+1)
	case string:
		if !replaced(key) {
			p.event.Inputs = append(p.event.Inputs, newInput(full, v))
		}
	}
	return nil
}

// safeKey returns a key as it may be printed: what is not a plain word might
// itself be a secret.
func safeKey(key string) string {
	if len(key) > 32 {
		return "…"
	}
	for _, r := range key {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "…"
		}
	}
	return key
}

// replaced reports whether a key holds text that the tool is about to take
// away: to remove a secret must be allowed.
func replaced(key string) bool {
	switch strings.ToLower(strings.ReplaceAll(key, "_", "")) {
	case "oldstring", "oldstr", "oldtext", "oldcontent", "oldsource", "search":
		return true
	}
	return false
}

// newInput returns an Input, and if it is a patch, with the lines it adds.
func newInput(name, text string) Input {
	in := Input{Name: name, Text: text}
	if !isPatch(text) {
		return in
	}
	in.Added = []bool{false}
	for _, line := range strings.Split(text, "\n") {
		old := strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, " ")
		in.Added = append(in.Added, !old)
	}
	return in
}

// isPatch reports whether text begins as a unified diff or as the patches of
// apply_patch tools do.
func isPatch(text string) bool {
	for _, start := range [...]string{"*** Begin Patch\n", "diff --git ", "--- a/", "--- /dev/null\n"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

// Touches reports whether any of the lines first to last, counted from 1, is
// one that counts.
func (in Input) Touches(first, last int) bool {
	for i := max(first, 1); i <= last && i < len(in.Added); i++ {
		if in.Added[i] {
			return true
		}
	}
	return in.Added == nil
}

// Answer returns what to print for the event and the exit code to end with.
// An empty reason lets the event pass.
//
// To let pass is not to approve. Where a word of consent would spare the
// assistant its own question to the user, the answer has no opinion, "{}".
func (d Dialect) Answer(reason string) (answer any, exit int) {
	if reason == "" {
		if d == Plain || d == BeforeTool {
			return map[string]string{"decision": "allow"}, 0
		}
		return struct{}{}, 0
	}
	switch d {
	case PreToolUse:
		return map[string]any{"hookSpecificOutput": map[string]string{
			"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": reason,
		}}, 0
	case BeforeTool:
		return map[string]string{"decision": "deny", "reason": reason}, 0
	case Permission:
		return map[string]any{
			"permission": "deny", "continue": false, "user_message": reason, "agent_message": reason,
			"userMessage": reason, "agentMessage": reason,
		}, 0
	case ToolArgs:
		return map[string]string{"permissionDecision": "deny", "permissionDecisionReason": reason}, 0
	case Cancel:
		return map[string]any{"cancel": true, "errorMessage": reason}, 0
	}
	return map[string]string{"decision": "deny", "reason": reason}, 2
}
