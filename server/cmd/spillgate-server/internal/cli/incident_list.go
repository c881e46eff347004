package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/incident"
)

func (a *app) incidentList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list open incidents, the newest first",
		Flags: clientFlags(
			&cli.BoolFlag{Name: "all", Usage: "closed ones too"},
			&cli.IntFlag{Name: "limit", Usage: "list at most `N` incidents"},
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			q := url.Values{"open": {strconv.FormatBool(!c.Bool("all"))}}
			if c.IsSet("limit") {
				if c.Int("limit") < 1 {
					return errors.New("--limit is a number, 1 or more")
				}
				q.Set("limit", strconv.Itoa(c.Int("limit")))
			}
			var p printer = newTable(a.Stdout)
			if c.Bool("json") {
				p = &jsonList{w: a.Stdout}
			}
			more, err := askEach(ctx, c, os.Getenv, "/api/incidents?"+q.Encode(), func(i *incident.Incident) error {
				if !i.Open() && !c.Bool("all") { // an earlier server sends them
					return nil
				}
				return p.print(i)
			})
			if ended := p.end(err == nil); err == nil && ended != nil {
				err = &failure{ended}
			}
			if err == nil && more {
				fmt.Fprintf(a.Stderr, "spillgate-server: there are more than these %d\n", c.Int("limit"))
			}
			return err
		},
	}
}

// A printer writes incidents one by one. end is called after the last one, or
// after what arrived of a list that is cut off.
type printer interface {
	print(*incident.Incident) error
	end(whole bool) error
}

// table writes a line for each incident. It holds the lines until the end, since
// the longest decides how wide the columns are.
type table struct {
	w     *tabwriter.Writer
	lines int
}

func newTable(w io.Writer) *table { return &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (t *table) print(i *incident.Incident) error {
	if t.lines == 0 {
		fmt.Fprintln(t.w, "ID\tSEVERITY\tSTAGE\tFOUND\tWHAT\tWHERE")
	}
	t.lines++
	at, _ := i.First(incident.Found)
	where := ""
	if len(i.Places) > 0 {
		p := &i.Places[0]
		where = fmt.Sprintf("%s %s:%d", p.Repository, p.Path, p.Line)
		if i.Occurrences > 1 {
			where += fmt.Sprintf(" and %d more", i.Occurrences-1)
		}
	}
	_, err := fmt.Fprintf(t.w, "%.12s\t%s\t%s\t%s\t%s\t%s\n", i.ID, i.Severity, i.Stage(), at.Local().Format("2006-01-02 15:04"), plain(i.Title), plain(where))
	return err
}

func (t *table) end(bool) error { return t.w.Flush() }

// jsonList writes an indented JSON array. One of a list that is cut off is not
// closed, so that nobody takes it for the whole.
type jsonList struct {
	w     io.Writer
	lines int
	b     bytes.Buffer
}

func (j *jsonList) print(i *incident.Incident) error {
	j.b.Reset()
	j.b.WriteString(",\n  ")
	if j.lines == 0 {
		j.b.Reset()
		j.b.WriteString("[\n  ")
	}
	j.lines++
	e := json.NewEncoder(&j.b)
	e.SetIndent("  ", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(i); err != nil {
		return err
	}
	_, err := j.w.Write(bytes.TrimSuffix(j.b.Bytes(), []byte("\n")))
	return err
}

func (j *jsonList) end(whole bool) error {
	text := "\n]\n"
	switch {
	case !whole && j.lines == 0:
		return nil
	case !whole:
		text = "\n"
	case j.lines == 0:
		text = "[]\n"
	}
	_, err := io.WriteString(j.w, text)
	return err
}
