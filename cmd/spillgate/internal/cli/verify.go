package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/report"
)

func (a *app) verify() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "say whether one secret is what a rule looks for, without asking anybody",
		ArgsUsage: "-",
		Description: "Reads the secret from standard input, never from an argument, which every user of the machine\n" +
			"could read in the list of processes, and judges it by the form and the checks of the rule.\n" +
			"Nothing is sent anywhere and the secret is not printed. With --live and an AWS ARN or\n" +
			"access key id, spillgate-live then asks AWS what it means.\n\n" +
			"Exit code 1: it is one, so treat it as leaked. 0: it is none, or a known example.\n" +
			"2: it cannot be read. 3: wrong usage.\n\n" +
			"Example: pbpaste | spillgate verify --rule github-personal-access-token -",
		Flags: configFlags(
			&cli.StringFlag{Name: "rule", Usage: "the id of the `RULE` (spillgate rules list)"},
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "text", Usage: "`FORMAT` of the answer: text, json", Validator: func(s string) error {
				if s != "text" && s != "json" {
					return fmt.Errorf("unknown format %q: use text or json", s)
				}
				return nil
			}},
			&cli.BoolFlag{Name: "live", Usage: "then ask AWS what an ARN or access key id means (runs spillgate-live enrich)"},
			&cli.StringSliceFlag{Name: "live-arg", Usage: "pass `ARG` on to spillgate-live enrich, as in --live-arg=--iam; may be repeated"},
		),
		Action: a.runVerify,
		ShellComplete: func(context.Context, *cli.Command) {
			if n := len(a.Args); n > 1 && a.Args[n-2] == "--rule" {
				for _, r := range allRules() {
					fmt.Fprintln(a.Stdout, r.ID)
				}
				return
			}
			fmt.Fprintln(a.Stdout, "-")
		},
	}
}

func (a *app) runVerify(ctx context.Context, c *cli.Command) error {
	const fix = "spillgate verify --rule RULE - <FILE"
	if c.Args().Len() != 1 || c.Args().First() != "-" {
		// What stands there may be a secret: it is not repeated.
		return usage(fix, "verify takes one argument, -, for standard input: a secret has no place in a command line, which others can see and the shell remembers")
	}
	if c.String("rule") == "" {
		return usage(fix, "verify needs to know by which rule")
	}
	s, err := settle(ctx, c, origin{})
	if err != nil {
		return err
	}
	rule, err := ruleToVerify(s, c.String("rule"))
	if err != nil {
		return err
	}
	if c.Bool("live") && !rule.Identifier && rule.ID != report.AccessKeyRule {
		return usage("leave out --live", "AWS can be asked about ARNs and access key ids; %s finds neither", rule.ID)
	}
	if err := a.readyForLive(c); err != nil {
		return err
	}
	secret, err := a.oneSecret()
	if err != nil {
		return err
	}
	v, err := rules.Verify(rule, secret)
	if err != nil {
		return usage("see spillgate rules test", "%v", err)
	}
	if v.Match != nil && v.Match.Placeholder == "" {
		a.exit = scanner.ExitFindings
	}
	if err := answer(a.Stdout, c.String("format"), rule, &v); err != nil {
		return err
	}
	if a.exit == scanner.ExitClean || !c.Bool("live") {
		return nil
	}
	return a.verifyLive(ctx, c, &v)
}

// ruleToVerify returns the rule of that id as the configuration has it, with its
// examples.
func ruleToVerify(s *settings, id string) (*rules.Rule, error) {
	found := s.Config.Rule(id)
	if found == nil {
		return nil, unknownRule(id)
	}
	if len(found.Patterns) == 0 {
		return nil, usage("spillgate dir judges such files", "%s judges how infrastructure is declared and finds no secret", id)
	}
	if len(found.Match) > 0 {
		return found, nil // a rule of the configuration
	}
	all, err := rules.ParseAll(rules.Sources())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(r rules.Rule) bool { return r.ID == id })
	if i < 0 {
		return found, nil
	}
	whole := *found
	whole.Match = all[i].Match
	return &whole, nil
}

// oneSecret reads the secret, less the line break that a program such as echo
// puts behind it and the byte order mark that a shell puts before.
func (a *app) oneSecret() ([]byte, error) {
	if f, ok := a.Stdin.(*os.File); ok && isTerminal(f) {
		fmt.Fprintln(a.Stderr, "spillgate: reading the secret from the terminal, which shows it; end it with Ctrl-D")
	}
	text, err := io.ReadAll(io.LimitReader(a.signals.awaited(a.Stdin), rules.MaxMatch+8))
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	switch {
	case len(text) == 0:
		return nil, usage("give it on standard input", "there is no secret to verify")
	case len(text) > rules.MaxMatch:
		return nil, usage("to look for secrets in a text: spillgate stdin", "that is more than the %d bytes that a secret may have", rules.MaxMatch)
	}
	return text, nil
}

// A verification is the answer in JSON. It holds nothing of the secret.
type verification struct {
	Rule  string `json:"rule"`
	Title string `json:"title"`
	// Valid says that it is one, by form and checks. Form and Refused say what
	// it is that does not fit.
	Valid       bool          `json:"valid"`
	Form        bool          `json:"form"`
	Refused     string        `json:"refused_by,omitempty"`
	Doubted     string        `json:"doubted_by,omitempty"`
	Placeholder string        `json:"placeholder,omitempty"`
	Checks      []string      `json:"checks,omitempty"`
	Severity    string        `json:"severity,omitempty"`
	Confidence  string        `json:"confidence,omitempty"`
	Fields      []rules.Field `json:"fields,omitempty"`
	Fix         string        `json:"fix,omitempty"`
	identifier  bool
}

// answer prints what came of a verification.
func answer(w io.Writer, format string, r *rules.Rule, v *rules.Verdict) error {
	out := verification{Rule: r.ID, Title: r.Title, Form: v.Form, Refused: v.Refused, Doubted: v.Doubted, Checks: r.Validators, identifier: r.Identifier}
	if m := v.Match; m != nil {
		out.Valid, out.Placeholder = m.Placeholder == "", m.Placeholder
		out.Severity, out.Confidence, out.Fields = m.Severity.String(), m.Confidence.String(), m.Fields
		out.Fix = r.Fix
	}
	if format == "json" {
		text, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", text)
		return err
	}
	_, err := io.WriteString(w, out.text())
	return err
}

// text says it to a person.
func (v *verification) text() string {
	var b strings.Builder
	what := fmt.Sprintf("%s [%s]", v.Title, v.Rule)
	switch {
	case !v.Form:
		return "no, not " + what + ": the form does not fit\n"
	case v.Refused != "":
		return "no, not " + what + ": the form fits, but the check " + v.Refused + " refuses it\n"
	case v.Placeholder != "":
		return "no, an example of " + what + ": " + v.Placeholder + "\n"
	case v.Doubted != "":
		fmt.Fprintf(&b, "yes, %s: the form fits; the check %s does not hold, so it may be made up\n", what, v.Doubted)
	case len(v.Checks) > 0:
		fmt.Fprintf(&b, "yes, %s: the form fits, and the checks hold: %s\n", what, strings.Join(v.Checks, ", "))
	default:
		fmt.Fprintf(&b, "yes, %s: the form fits\n", what)
	}
	fmt.Fprintf(&b, "    severity %s, confidence %s", v.Severity, v.Confidence)
	for _, f := range v.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Name, report.Escape(f.Value))
	}
	b.WriteString("\n    ")
	if !v.identifier {
		b.WriteString("Whether it still opens something only its issuer knows. ")
	}
	b.WriteString(v.Fix + "\n")
	return b.String()
}

// verifyLive hands what was verified to spillgate-live, as a finding of a scan.
func (a *app) verifyLive(ctx context.Context, c *cli.Command, v *rules.Verdict) error {
	result, err := a.result(ctx, c, verified(v.Text))
	if err != nil {
		return err
	}
	secret := string(v.Text[v.Match.SecretStart:v.Match.SecretEnd])
	result.Findings = slices.DeleteFunc(result.Findings, func(f *scanner.Finding) bool {
		return f.Rule.ID != v.Match.Rule.ID || f.Secret.Reveal() != secret
	})
	return a.askLive(ctx, c, result)
}

// verified is the source of one secret in its surroundings.
type verified []byte

// Chunks implements scanner.Source.
func (v verified) Chunks(_ context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c := scanner.Coverage{What: "standard input", Files: 1, Bytes: int64(len(v))}
	var f scanner.Feeder
	return c, f.Bytes(&scanner.Object{Path: "stdin"}, v, emit)
}
