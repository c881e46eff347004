package web

import (
	"cmp"
	"context"
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
// the filter suggests.
const (
	perPage  = 50
	maxNames = 200
)

// A filter is what the form of the list asks for; empty fields ask for all.
type filter struct {
	Repository, Severity, Stage string
}

func (f filter) matches(i *incident.Incident, grave string) bool {
	switch {
	case f.Severity != "" && f.Severity != grave:
		return false
	case f.Stage == "open" && !i.Open():
		return false
	case f.Stage != "" && f.Stage != "open" && f.Stage != string(i.Stage()):
		return false
	case f.Repository == "":
		return true
	}
	want := strings.ToLower(f.Repository)
	return slices.ContainsFunc(i.Places, func(p incident.Place) bool { return strings.Contains(strings.ToLower(p.Repository), want) })
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

func newRow(i *incident.Incident, grave string) row {
	r := row{ID: i.ID, Title: cmp.Or(i.Title, i.Rule, "a secret"), Severity: grave, Match: i.Match, Open: i.Open(), Stage: stageWords(i.Stage()), Next: next(i)}
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

// A mean is the mean time from the push, or the finding where no push is
// known, to a step, over the incidents that took it.
type mean struct {
	Stage string
	Mean  time.Duration
	N     int
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
	Total      int
	Open       []row
	Closed     []row
	Shown      int
	Means      []mean
	Previous   string
	Next       string
	Pages      string
}

func (s *Site) list(w http.ResponseWriter, r *http.Request, who access.Identity) {
	all, err := s.all(r.Context())
	if err != nil {
		s.broken(w, r, who, err)
		return
	}
	q := r.URL.Query()
	f := filter{strings.TrimSpace(q.Get("repository")), q.Get("severity"), q.Get("stage")}
	number, _ := strconv.Atoi(q.Get("page"))
	o := view(all, f, number)
	title := "Nothing is open"
	if o.OpenTotal > 0 {
		title = fmt.Sprintf("%d open", o.OpenTotal)
	}
	s.render(w, r, http.StatusOK, "list", page{Title: title, Who: who, Body: o})
}

// all returns all incidents, from memory when they were just asked for: a page
// that is loaded again and again must not read the whole store each time.
func (s *Site) all(ctx context.Context) ([]*incident.Incident, error) {
	s.listing.Lock()
	defer s.listing.Unlock()
	if now := s.options.Now(); s.cached == nil || now.Sub(s.asked) > 2*time.Second || now.Before(s.asked) {
		all, err := s.options.Incidents.List(ctx)
		if err != nil {
			return nil, err
		}
		s.cached, s.asked = all, now
		if all == nil {
			s.cached = []*incident.Incident{}
		}
	}
	return s.cached, nil
}

// view filters, counts and cuts to a page.
func view(all []*incident.Incident, f filter, number int) overview {
	o := overview{Filter: f, Filtered: f != filter{}, Severities: severities(), Names: names(all), Means: means(all)}
	for _, stage := range incident.Stages()[1:] { // nothing stays at pushed
		o.Stages = append(o.Stages, string(stage))
	}
	counts := map[string]int{}
	var rows []row
	for _, i := range all {
		grave := severity(i)
		if i.Open() {
			counts[grave]++
			o.OpenTotal++
		}
		if f.matches(i, grave) {
			rows = append(rows, newRow(i, grave))
		}
	}
	for grave, n := range counts {
		o.OpenCounts = append(o.OpenCounts, count{grave, n})
	}
	slices.SortFunc(o.OpenCounts, func(a, b count) int { return rank(a.Severity) - rank(b.Severity) })
	// Of the open ones the gravest first; the store has put the newest first.
	slices.SortStableFunc(rows, func(a, b row) int {
		switch {
		case a.Open != b.Open && a.Open:
			return -1
		case a.Open != b.Open:
			return 1
		case a.Open:
			return rank(a.Severity) - rank(b.Severity)
		}
		return 0
	})
	o.Total = len(rows)
	last := max(1, (len(rows)+perPage-1)/perPage)
	number = min(max(number, 1), last)
	rows = rows[(number-1)*perPage : min(number*perPage, len(rows))]
	o.Shown = len(rows)
	for _, r := range rows {
		if r.Open {
			o.Open = append(o.Open, r)
		} else {
			o.Closed = append(o.Closed, r)
		}
	}
	if number > 1 {
		o.Previous = f.query(number - 1)
	}
	if number < last {
		o.Next = f.query(number + 1)
	}
	o.Pages = fmt.Sprintf("Page %d of %d", number, last)
	return o
}

// names are the repositories to suggest, in order.
func names(all []*incident.Incident) []string {
	seen := map[string]bool{}
	var out []string
	for _, i := range all {
		for _, p := range i.Places {
			if !seen[p.Repository] && !strings.ContainsFunc(p.Repository, hidden) && len(out) < maxNames {
				seen[p.Repository] = true
				out = append(out, p.Repository)
			}
		}
	}
	slices.Sort(out)
	return out
}

// means are the mean times to each step.
func means(all []*incident.Incident) []mean {
	var out []mean
	for _, stage := range incident.Stages()[1:] {
		m := mean{Stage: string(stage)}
		var sum time.Duration
		for _, i := range all {
			from, known := i.First(incident.Pushed)
			if !known {
				if from, known = i.First(incident.Found); !known || stage == incident.Found {
					continue
				}
			}
			if at, reached := i.First(stage); reached {
				sum += max(0, at.Sub(from))
				m.N++
			}
		}
		if m.N > 0 {
			m.Mean = sum / time.Duration(m.N)
		}
		out = append(out, m)
	}
	return out
}
