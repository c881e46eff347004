package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
)

// perPage is how many incidents a page lists, maxNames how many repositories
// the filter suggests. A list may be listAge old: a page that is loaded again and
// again must not read the whole store each time.
const (
	perPage  = 50
	maxNames = 200
	listAge  = 2 * time.Second
)

// A filter is what the form of the list asks for; empty fields ask for all.
type filter struct {
	Repository, Severity, Stage string
}

// lines returns what the filter lets through, in the index's order.
func (f filter) lines(x *incident.Index) []*incident.Line {
	var in []bool // by repository; nil for all
	if f.Repository != "" {
		want := strings.ToLower(f.Repository)
		in = make([]bool, len(x.Repositories))
		for n, name := range x.Repositories {
			in[n] = strings.Contains(strings.ToLower(name), want)
		}
	}
	var lines []*incident.Line
	for n := range x.Lines {
		if l := &x.Lines[n]; f.matches(l, in) {
			lines = append(lines, l)
		}
	}
	return lines
}

func (f filter) matches(l *incident.Line, in []bool) bool {
	switch {
	case f.Severity != "" && f.Severity != known(l.Severity):
		return false
	case f.Stage == "open" && !l.Open():
		return false
	case f.Stage != "" && f.Stage != "open" && f.Stage != string(l.Stage):
		return false
	}
	return in == nil || slices.ContainsFunc(l.Repositories, func(n uint32) bool { return in[n] })
}

// query returns the filter as an URL's query, for another page.
func (f filter) query(number int) string {
	q := url.Values{}
	for name, value := range map[string]string{"repository": f.Repository, "severity": f.Severity, "stage": f.Stage} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if number > 1 {
		q.Set("page", strconv.Itoa(number))
	}
	return "/incidents?" + q.Encode()
}

// A row is one incident of the list.
type row struct {
	ID, Title, Severity, Match string
	Open                       bool
	Stage, Next                string
	Place                      incident.Place
	More                       int
	At                         time.Time
}

func newRow(i *incident.Incident) row {
	r := row{ID: i.ID, Title: cmp.Or(i.Title, i.Rule, "a secret"), Severity: severity(i), Match: i.Match, Open: i.Open(), Stage: stageWords(i.Stage()), Next: next(i)}
	if len(i.Places) > 0 {
		r.Place, r.More = i.Places[0], i.Occurrences-1
	}
	r.At, _ = i.First(incident.Found)
	return r
}

// A count is how many open incidents have a severity.
type count struct {
	Severity string
	N        int
}

// overview is the body of the list.
type overview struct {
	Filter     filter
	Filtered   bool
	Severities []string
	Stages     []string
	Names      []string
	OpenCounts []count
	OpenTotal  int
	Open       []row
	Closed     []row
	Means      []incident.Pace
	Previous   string
	Next       string
	Pages      string
}

func (s *Site) list(w http.ResponseWriter, r *http.Request, who access.Identity) {
	x, err := s.options.Incidents.Index(r.Context(), listAge)
	if err != nil {
		s.broken(w, r, who, err)
		return
	}
	q := r.URL.Query()
	f := filter{strings.TrimSpace(q.Get("repository")), q.Get("severity"), q.Get("stage")}
	number, _ := strconv.Atoi(q.Get("page"))
	o, lines := view(x, f, number)
	if err := s.fill(r.Context(), &o, lines); err != nil {
		s.broken(w, r, who, err)
		return
	}
	title := "Nothing is open"
	if o.OpenTotal > 0 {
		title = fmt.Sprintf("%d open", o.OpenTotal)
	}
	s.render(w, r, http.StatusOK, "list", page{Title: title, Who: who, Body: o})
}

// view filters, counts and cuts to a page, whose lines it returns.
func view(x *incident.Index, f filter, number int) (overview, []*incident.Line) {
	o := overview{Filter: f, Filtered: f != filter{}, Severities: severities(), Names: names(x), Means: x.Paces}
	for _, stage := range incident.Stages()[1:] { // nothing stays at pushed
		o.Stages = append(o.Stages, string(stage))
	}
	counts := map[string]int{}
	for n := range x.Lines {
		if l := &x.Lines[n]; l.Open() {
			counts[known(l.Severity)]++
			o.OpenTotal++
		}
	}
	for grave, n := range counts {
		o.OpenCounts = append(o.OpenCounts, count{grave, n})
	}
	slices.SortFunc(o.OpenCounts, func(a, b count) int { return rank(a.Severity) - rank(b.Severity) })
	lines := f.lines(x)
	// Of the open ones the gravest first; the index has put the newest first.
	slices.SortStableFunc(lines, func(a, b *incident.Line) int {
		switch {
		case a.Open() != b.Open() && a.Open():
			return -1
		case a.Open() != b.Open():
			return 1
		case a.Open():
			return rank(known(a.Severity)) - rank(known(b.Severity))
		}
		return 0
	})
	last := max(1, (len(lines)+perPage-1)/perPage)
	number = min(max(number, 1), last)
	if number > 1 {
		o.Previous = f.query(number - 1)
	}
	if number < last {
		o.Next = f.query(number + 1)
	}
	o.Pages = fmt.Sprintf("Page %d of %d", number, last)
	return o, lines[(number-1)*perPage : min(number*perPage, len(lines))]
}

// fill reads the incidents of a page and makes its rows, one after the other:
// what AWS says of a key may be long. One that is gone meanwhile is left out.
func (s *Site) fill(ctx context.Context, o *overview, lines []*incident.Line) error {
	for _, l := range lines {
		i, err := s.options.Incidents.Get(ctx, l.ID)
		switch {
		case errors.Is(err, incident.ErrNotFound):
		case err != nil:
			return err
		case i.Open():
			o.Open = append(o.Open, newRow(i))
		default:
			o.Closed = append(o.Closed, newRow(i))
		}
	}
	return nil
}

// names are the repositories to suggest, in order: of the incidents at the top,
// where there are too many.
func names(x *incident.Index) []string {
	seen := make([]bool, len(x.Repositories))
	var out []string
	for _, l := range x.Lines {
		for _, n := range l.Repositories {
			if !seen[n] && len(out) < maxNames && !strings.ContainsFunc(x.Repositories[n], hidden) {
				out = append(out, x.Repositories[n])
			}
			seen[n] = true
		}
	}
	slices.Sort(out)
	return out
}
