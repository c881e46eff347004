package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// man prints the manual page, made from the same definitions as the help.
func (a *app) man() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page (roff)",
		Description: "Example: spillgate man > /usr/local/share/man/man1/spillgate.1",
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			var b strings.Builder
			root := c.Root()
			fmt.Fprintf(&b, ".TH SPILLGATE 1 \"\" \"spillgate %s\" \"User Commands\"\n", roff(build().Version))
			fmt.Fprintf(&b, ".SH NAME\nspillgate \\- %s\n", roff(root.Usage))
			b.WriteString(".SH SYNOPSIS\n.B spillgate\n.I command\n[\\fIoptions\\fR] [\\fIarguments\\fR]\n")
			fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n.SH COMMANDS\n", roff(root.Description))
			manCommands(&b, "spillgate", root.VisibleCommands())
			_, err := a.Stdout.Write([]byte(b.String()))
			return err
		},
	}
}

func manCommands(b *strings.Builder, parent string, commands []*cli.Command) {
	for _, c := range commands {
		if c.Name == "help" {
			continue
		}
		name := parent + " " + c.Name
		if len(c.VisibleCommands()) > 0 && c.Name != "completion" {
			manCommands(b, name, c.VisibleCommands())
			continue
		}
		fmt.Fprintf(b, ".SS %s %s\n%s.\n", roff(name), roff(c.ArgsUsage), roff(c.Usage))
		if c.Description != "" && c.Name != "completion" {
			fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(c.Description))
		}
		for _, f := range c.VisibleFlags() {
			if f.Names()[0] == "help" {
				continue
			}
			b.WriteString(".TP\n")
			var names []string
			for _, n := range f.Names() {
				dash := "--"
				if len(n) == 1 {
					dash = "-"
				}
				names = append(names, "\\fB"+roff(dash+n)+"\\fR")
			}
			b.WriteString(strings.Join(names, ", "))
			if d, ok := f.(cli.DocGenerationFlag); ok {
				value, text := unquoteUsage(d.GetUsage())
				if d.TakesValue() {
					fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
				}
				fmt.Fprintf(b, "\n%s\n", roff(text))
			}
		}
	}
}

// unquoteUsage splits the placeholder in back quotes out of a flag's usage, as
// the help does.
func unquoteUsage(s string) (value, text string) {
	before, rest, ok := strings.Cut(s, "`")
	if !ok {
		return "value", s
	}
	value, after, _ := strings.Cut(rest, "`")
	return value, before + value + after
}

// roff escapes text for a manual page.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	s = strings.ReplaceAll(s, "-", `\-`)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
