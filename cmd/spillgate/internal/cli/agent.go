package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/hooks"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

// hookAgent is the command that coding assistants call before they use a tool.
func (a *app) hookAgent() *cli.Command {
	return &cli.Command{
		Name:  "agent",
		Usage: "for coding assistants: judge what a tool is about to write or run",
		Description: "Reads one event as JSON from standard input, scans every text in it (the content of a file,\n" +
			"a command line, a patch) and answers as JSON in the assistant's own form: denied, with a\n" +
			"reason that names no secret, or passed. Text that an edit takes away does not count.\n\n" +
			"Exit code 0: the answer is in the JSON. 2: refused (also what cannot be read, and events in\n" +
			"no known form). An event that passes is not approved by that: the assistant still asks.\n\n" +
			"Example: printf '{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"}}' | spillgate hook agent",
		Flags: judgeFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return a.denyUnread(err)
			}
			event, err := hooks.ReadEvent(a.Stdin)
			if err != nil {
				return a.denyUnread(err)
			}
			reason, err := a.judge(ctx, c, event)
			if err != nil {
				return a.denyUnread(err)
			}
			answer, exit := event.Dialect.Answer(reason)
			if exit != 0 {
				fmt.Fprintln(a.Stderr, reason)
			}
			a.exit = exit
			return a.answer(answer)
		},
	}
}

// judgeFlags are the flags that say what is found, without those that say how
// it is reported.
func judgeFlags() []cli.Flag {
	return slices.DeleteFunc(scanFlags(), func(f cli.Flag) bool {
		switch f.Names()[0] {
		case "format", "output", "report", "show-suppressed", "quiet", "verbose", "no-color":
			return true
		}
		return false
	})
}

// denyUnread refuses an event that could not be judged.
func (a *app) denyUnread(err error) error {
	reason := fmt.Sprintf("spillgate could not scan this, so it is refused: %v", err)
	fmt.Fprintln(a.Stderr, reason)
	answer, exit := hooks.Plain.Answer(reason)
	a.exit = exit
	return a.answer(answer)
}

func (a *app) answer(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// maxReasons bounds how many findings a reason names.
const maxReasons = 5

// judge scans an event and returns why it is refused, or "".
func (a *app) judge(ctx context.Context, c *cli.Command, event *hooks.Event) (string, error) {
	result, err := a.result(ctx, c, inputs(event.Inputs))
	if err != nil {
		return "", err
	}
	gate := a.settings.gate
	code := result.ExitCode(gate)
	if code == scanner.ExitClean {
		return "", nil
	}
	var b strings.Builder
	if code != scanner.ExitFindings {
		b.WriteString("spillgate could not scan this to the end, so it is refused.")
		for _, p := range result.Coverage[0].Problems {
			b.WriteString(" " + report.Escape(p.Error()))
		}
		return b.String(), nil
	}
	b.WriteString("spillgate found what must not be written down:")
	n := 0
	for _, f := range result.Findings {
		if !f.Blocks(gate) {
			continue
		}
		if n++; n > maxReasons {
			continue
		}
		fmt.Fprintf(&b, " %s at %s (%s; rule %s).", f.Rule.Title, report.Escape(f.Location.String()), f.Severity, f.Rule.ID)
	}
	if n > maxReasons {
		fmt.Fprintf(&b, " And %d more.", n-maxReasons)
	}
	b.WriteString(" Read the value from the environment or a secret store instead; do not hide or split it. `spillgate explain RULE` says more.")
	return b.String(), nil
}

// inputs is the source of the texts of an event.
type inputs []hooks.Input

// Chunks implements scanner.Source.
func (all inputs) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c := scanner.Coverage{What: "the event"}
	var f scanner.Feeder
	for _, in := range all {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		o := &scanner.Object{Path: in.Name}
		if in.Added != nil {
			o.New = in
		}
		c.Files++
		c.Bytes += int64(len(in.Text))
		if err := f.Bytes(o, []byte(in.Text), emit); err != nil {
			return c, err
		}
	}
	return c, nil
}
