package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
)

// maxReason bounds the reason for closing, in characters; the form says so.
const maxReason = 1000

// A moment is an entry of the timeline and the time since the one before.
type moment struct {
	incident.Entry
	Note  string
	After time.Duration
	First bool
	Aside bool // a note, and no step
}

// one is the body of an incident's page.
type one struct {
	*incident.Incident
	Judgement incident.Judgement
	Raised    bool
	Stage     string
	Next      string
	Steps     []incident.Step
	Unfixed   []string
	Answered  bool // whether the response was carried out
	Known     []incident.Known
	Moments   []moment
	Hidden    int // places that are counted and not listed
	CanClose  bool
	Found     time.Time
	Ended     *incident.Entry
	MaxReason int
	Problem   string
	Reason    string
}

func newOne(i *incident.Incident, who access.Identity) one {
	o := one{
		Incident: i, Judgement: i.Judgement(), Stage: stageWords(i.Stage()), Next: next(i), Steps: i.Steps(), Unfixed: i.Unfixed(),
		Known: i.Known(), Hidden: i.Occurrences - len(i.Places), CanClose: who.Role >= access.Closer, MaxReason: maxReason,
	}
	o.Judgement.Severity = severity(i)
	o.Raised = o.Judgement.Before != o.Judgement.Severity && o.Judgement.Before != ""
	o.Found, _ = i.First(incident.Found)
	_, o.Answered = i.First(incident.Responded)
	for n, e := range i.Timeline {
		m := moment{Entry: e, Note: e.Note, First: n == 0, Aside: e.Stage == incident.Noted}
		if n > 0 {
			m.After = e.At.Sub(i.Timeline[n-1].At)
		}
		o.Moments = append(o.Moments, m)
		if e.Stage == incident.Closed && !i.Open() {
			o.Ended = &i.Timeline[n]
		}
	}
	return o
}

func (s *Site) show(w http.ResponseWriter, r *http.Request, who access.Identity) {
	i, err := s.options.Incidents.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		s.broken(w, r, who, err)
		return
	}
	s.showOne(w, r, who, http.StatusOK, i, "", "")
}

func (s *Site) showOne(w http.ResponseWriter, r *http.Request, who access.Identity, code int, i *incident.Incident, problem, reason string) {
	o := newOne(i, who)
	o.Problem, o.Reason = problem, reason
	s.render(w, r, code, "incident", page{Title: cmp.Or(i.Title, i.Rule, "Incident"), Who: who, Body: o})
}

// close closes an incident and leads back to its page.
func (s *Site) close(w http.ResponseWriter, r *http.Request, who access.Identity) {
	id := r.PathValue("id")
	reason := strings.Join(strings.Fields(r.PostForm.Get("reason")), " ") // a line of the timeline
	problem := ""
	switch {
	case reason == "":
		problem = "Say why it can be closed: whoever reads this in a year was not here."
	case !utf8.ValidString(reason) || utf8.RuneCountInString(reason) > maxReason:
		problem = "The reason is too long."
	}
	if problem != "" {
		i, err := s.options.Incidents.Get(r.Context(), id)
		if err != nil {
			s.broken(w, r, who, err)
			return
		}
		s.showOne(w, r, who, http.StatusUnprocessableEntity, i, problem, reason)
		return
	}
	i, err := s.options.Incidents.Close(r.Context(), id, who.Name, reason)
	if err != nil {
		s.broken(w, r, who, err)
		return
	}
	s.options.Log.Info("incident closed", "incident", i.ID, "by", who.Name)
	if s.options.Closed != nil {
		if err := s.options.Closed(r.Context(), i); err != nil {
			s.options.Log.Error("telling that an incident is closed", "incident", i.ID, "err", err)
		}
	}
	http.Redirect(w, r, "/incidents/"+url.PathEscape(i.ID), http.StatusSeeOther)
}
