package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// browse returns a page as somebody sees it who may close incidents.
func browse(t *testing.T, page string, all ...*incident.Incident) string {
	t.Helper()
	v := newSite(t, nil, all...).visitor()
	v.login(closerToken)
	resp, text := v.do(http.MethodGet, page, nil)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", page, resp.StatusCode)
	}
	return text
}

// order fails unless the page holds the words, in this order.
func order(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Errorf("the page lacks %q, or has it too early", w)
			return
		}
		rest = after
	}
}

func many() []*incident.Incident {
	return []*incident.Incident{
		sample(2, "low", "A low one", "team/app", "low.txt"),
		sample(3, "critical", "A critical one", "team/app", "critical.txt"),
		sample(4, "high", "A high one", "other/lib", "high.txt", incident.Enriched),
		sample(5, "critical", "A closed one", "team/app", "closed.txt", incident.Closed),
	}
}

func TestList(t *testing.T) {
	text := browse(t, "/incidents", many()...)
	order(t, text, "3 incidents are open", "1 critical", "1 high", "1 low", "A critical one", "A high one", "A low one", "Closed", "A closed one")
	order(t, text, "critical.txt:15", "Do now", "Deactivate the access key")
	if text := browse(t, "/incidents"); !strings.Contains(text, "Nothing is open") {
		t.Error("an empty list does not say so")
	}
}

func TestFilters(t *testing.T) {
	for query, want := range map[string]string{
		"repository=TEAM":                   "low critical closed",
		"repository=team&severity=critical": "critical closed",
		"stage=open":                        "low critical high",
		"stage=closed":                      "closed",
		"stage=enriched":                    "high",
		"severity=info":                     "",
		"repository=" + url.QueryEscape(`"><script>`): "",
	} {
		text := browse(t, "/incidents?"+query, many()...)
		var got []string
		for _, name := range []string{"low", "critical", "high", "closed"} {
			if strings.Contains(text, "A "+name+" one") {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
		if want == "" && !strings.Contains(text, "No incident is like that") {
			t.Errorf("%s: nothing says that nothing is there", query)
		}
	}
}

func TestPaging(t *testing.T) {
	var all []*incident.Incident
	for n := range 120 {
		all = append(all, sample(n, "high", fmt.Sprintf("number %03d.", n), "team/app", "a.txt"))
	}
	seen := map[int]bool{}
	for page := 1; page <= 3; page++ {
		text := browse(t, fmt.Sprintf("/incidents?severity=high&page=%d", page), all...)
		for n := range all {
			if strings.Contains(text, fmt.Sprintf("number %03d.", n)) {
				if seen[n] {
					t.Errorf("number %d is on two pages", n)
				}
				seen[n] = true
			}
		}
		if page < 3 && !strings.Contains(text, fmt.Sprintf("/incidents?page=%d&amp;severity=high", page+1)) {
			t.Errorf("page %d does not lead on", page)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d of %d are on the pages", len(seen), len(all))
	}
	order(t, browse(t, "/incidents?page=99", all...), "Page 3 of 3")
	order(t, browse(t, "/incidents?page=-1", all...), "Page 1 of 3")
}

// TestFewAreRead: a list reads the incidents of its page, whatever it is filtered
// by, and leaves out one that is gone meanwhile.
func TestFewAreRead(t *testing.T) {
	var all []*incident.Incident
	for n := range 120 {
		all = append(all, sample(n, []string{"high", "low"}[n%2], fmt.Sprintf("number %03d.", n), fmt.Sprint("team/app", n%3), "a.txt"))
	}
	s := newSite(t, nil, all...)
	s.store.gone = map[string]bool{all[119].ID: true, all[2].ID: true}
	v := s.visitor()
	v.login(closerToken)
	for _, tc := range []struct {
		query       string
		reads, rows int
	}{
		{"", 50, 50}, {"?page=2", 50, 48}, {"?page=3", 20, 20},
		{"?repository=app2&severity=high&stage=found", 20, 19}, {"?stage=closed", 0, 0},
	} {
		s.store.got = nil
		_, text := v.do(http.MethodGet, "/incidents"+tc.query, nil)
		if reads, rows := len(s.store.got), strings.Count(text, "<strong>number "); reads != tc.reads || rows != tc.rows {
			t.Errorf("%q: %d incidents are read and %d shown, want %d and %d", tc.query, reads, rows, tc.reads, tc.rows)
		}
	}
}

// TestMeans checks the mean times: two incidents found 2.3 s after the push,
// one of which was closed 20.7 s after it.
func TestMeans(t *testing.T) {
	text := browse(t, "/incidents", sample(1, "high", "a", "r/a", "a"), sample(2, "high", "b", "r/a", "a", incident.Enriched, incident.Closed))
	order(t, text, "<dt>found</dt><dd>2.3 s", "2 incidents", "<dt>enriched</dt><dd>9.2 s", "1 incident", "<dt>planned</dt>", "not yet", "<dt>closed</dt><dd>21 s")
}

func TestIncident(t *testing.T) {
	i := full()
	text := browse(t, path(i), i)
	order(t, text, "critical", "the scan said medium", "responded to", "AWS KMS key ARN", "in 4 places", "Do now", "The response is under way. See to what it does not fix (4).",
		"What rotation did not fix", "Data keys that were already", "Old ciphertext stays", "Where", "deploy/prod.tf:13", "platform/payments", "9fb19fb19f",
		"pushed by ann", "terraform/modules/kms/main.tf:3", "and 2 more", "Why it is critical", "the key policy lets anybody", "not yours", "no access to CloudTrail", "Asked again", start.Add(7*time.Minute).Format("2006-01-02 15:04:05 UTC"), "on: cloudtrail:LookupEvents: throttled",
		"Key.KeySpec", "SYMMETRIC_DEFAULT", "unknown: no access", "Plan", "rotate-on-demand", "aws kms rotate-key-on-demand", "To undo",
		"Timeline", "pushed", "found", "+2.3 s", "enriched", "planned", "responded", "slack: told", "Close the incident")
	if !strings.Contains(text, start.Add(time.Minute).Format("2006-01-02 15:04:05 UTC")) {
		t.Error("the timeline has no times")
	}
}

// TestHostile puts markup and invisible characters into every field that
// comes from outside, and looks for them on the pages.
func TestHostile(t *testing.T) {
	evil := "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}' onmouseover=alert(1) \u202egnp.exe\u2066\x1b[31m\x00"
	i := full()
	i.Rule, i.Title, i.Match, i.Why, i.Fix, i.ARN = evil, evil, evil, evil, evil, evil
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	i.Verdict = json.RawMessage(`{"severity":` + string(quoted) + `,"reasons":[{"text":` + string(quoted) + `}],"unknowns":[` + string(quoted) + `]}`)
	i.Facts = json.RawMessage(`{` + string(quoted) + `:` + string(quoted) + `}`)
	i.Plan = json.RawMessage(`[{"kind":` + string(quoted) + `,"call":` + string(quoted) + `,"undo":` + string(quoted) + `}]`)
	i.Leaves = []string{evil}
	i.Waiting.Why = evil
	for n := range i.Places {
		i.Places[n] = incident.Place{Source: evil, Repository: evil, Ref: evil, Path: evil, Commit: evil, Pusher: evil, Line: 1}
	}
	for n := range i.Timeline {
		i.Timeline[n].By, i.Timeline[n].Note = evil, evil
	}
	closed := *i
	closed.ID = "closed"
	closed.Timeline = append(closed.Timeline, incident.Entry{Stage: incident.Closed, By: evil, Note: evil})
	for _, page := range []string{"/incidents", path(i), "/incidents/closed", "/incidents?repository=" + url.QueryEscape(evil), "/login?next=" + url.QueryEscape("/incidents/"+evil)} {
		text := browse2(t, page, i, &closed)
		for _, bad := range []string{"<script", "<img src=x", "' onmouseover", "\u202e", "\u2066", "\x1b", "\x00"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %q", page, bad)
			}
		}
	}
	if text := browse(t, path(i), i); !strings.Contains(text, "‹U&#43;202E›gnp.exe‹U&#43;2066›‹U&#43;001B›[31m‹U&#43;0000›") {
		t.Error("invisible characters are not spelled out")
	}
}

// browse2 is browse for pages that may lead elsewhere.
func browse2(t *testing.T, page string, all ...*incident.Incident) string {
	t.Helper()
	v := newSite(t, nil, all...).visitor()
	_, before := v.do(http.MethodGet, page, nil)
	v.login(closerToken)
	_, after := v.do(http.MethodGet, page, nil)
	return before + after
}
