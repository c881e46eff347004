package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// fill stores incidents, each found a second after the one before, of which those
// of an even number are closed. Their ids begin with their number, in two digits.
// The clock stands still afterwards, so that an index that is made then is kept.
func fill(t *testing.T, s *incident.Store, n int) {
	t.Helper()
	now := noon
	s.Now = func() time.Time { return now }
	for k := range n {
		now = now.Add(time.Second)
		i := incident.Incident{ID: fmt.Sprintf("%02d%030x", k, k), Title: "a <b>", Severity: "high", Facts: []byte(`{"a":1}`), Plan: []byte(`[]`), Verdict: []byte(`{"severity":"low"}`)}
		if _, err := s.Found(t.Context(), i, incident.Place{Repository: "a/b", Path: "c", Line: k}, noon); err != nil {
			t.Fatal(err)
		}
		if k%2 == 0 {
			if _, err := s.Close(t.Context(), i.ID, "ann", "done"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// numbers are the incidents of an answer by their numbers, in order.
func numbers(t *testing.T, text string) string {
	t.Helper()
	var all []incident.Incident
	if err := json.Unmarshal([]byte(text), &all); err != nil || all == nil {
		t.Fatalf("%v in %s", err, text)
	}
	var got []string
	for _, i := range all {
		if i.Facts != nil || i.Plan != nil || i.Verdict == nil || i.Title != "a <b>" {
			t.Errorf("listed is %+v", i)
		}
		got = append(got, i.ID[:2])
	}
	return strings.Join(got, " ")
}

func TestList(t *testing.T) {
	a := newAPI(t)
	h := a.Handler()
	if code, body := ask(h, "GET", "/api/incidents", "made-up-viewer", ""); code != 200 || body != "[]\n" {
		t.Errorf("of nothing: %d %q", code, body)
	}
	a.Incidents = incident.NewStore(records(t, a))
	fill(t, a.Incidents, 7)
	for query, want := range map[string]string{
		"":                        "05 03 01 06 04 02 00",
		"?open=false":             "05 03 01 06 04 02 00",
		"?open=true":              "05 03 01",
		"?open=true&limit=2":      "05 03",
		"?open=true&limit=3":      "05 03 01",
		"?limit=99":               "05 03 01 06 04 02 00",
		"?after=" + at("open", 3): "01 06 04 02 00",
		// What the mark was made of is closed by now, or gone.
		"?open=true&after=" + at("open", 4):   "03 01",
		"?after=" + at("open", 99):            "05 03 01 06 04 02 00",
		"?open=true&after=" + at("closed", 9): "",
		"?after=" + at("closed", 2):           "00",
		"?after=" + at("closed", 0):           "",
	} {
		if code, body := ask(h, "GET", "/api/incidents"+query, "made-up-viewer", ""); code != 200 || numbers(t, body) != want {
			t.Errorf("%s: %d %s, want %s", query, code, body, want)
		}
	}
	for _, query := range []string{"open=maybe", "limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "after=x", "after=open", "after=open.", "after=open.x.y",
		"after=shut." + noon.Format(time.RFC3339) + ".x", "after=" + noon.Format(time.RFC3339)} {
		if code, body := ask(h, "GET", "/api/incidents?"+query, "made-up-viewer", ""); code != 400 || !strings.Contains(body, `{"error":"`+query[:strings.IndexByte(query, '=')]+" is ") {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
}

// at is the mark of an incident of fill.
func at(state string, k int) string {
	return url.QueryEscape(fmt.Sprintf("%s.%s.%02d%030x", state, noon.Add(time.Duration(k+1)*time.Second).Format(time.RFC3339Nano), k, k))
}

// TestListGoesOn follows the links from page to page.
func TestListGoesOn(t *testing.T) {
	a := newAPI(t)
	fill(t, a.Incidents, 9)
	for query, want := range map[string]string{
		"?limit=2":           "07 05,03 01,08 06,04 02,00",
		"?limit=3":           "07 05 03,01 08 06,04 02 00",
		"?limit=1&open=true": "07,05,03,01",
	} {
		var pages []string
		for next := "/api/incidents" + query; next != ""; {
			r := httptest.NewRequest("GET", next, nil)
			r.Header.Set("Authorization", "Bearer made-up-viewer")
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, r)
			pages = append(pages, numbers(t, w.Body.String()))
			next, _ = strings.CutPrefix(w.Header().Get("Link"), "<")
			next, _ = strings.CutSuffix(next, `>; rel="next"`)
		}
		if got := strings.Join(pages, ","); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestListOfMany: what is sent at once, which is read otherwise, is what is sent in
// small parts.
func TestListOfMany(t *testing.T) {
	a := newAPI(t)
	fill(t, a.Incidents, 90)
	h := a.Handler()
	_, all := ask(h, "GET", "/api/incidents", "made-up-viewer", "")
	want := numbers(t, all)
	if got := strings.Fields(want); len(got) != 90 || got[0] != "89" || got[89] != "00" {
		t.Fatalf("all are %s", want)
	}
	var parts []string
	for n, mark := range []string{"", at("open", 31), at("closed", 50)} {
		limit := []int{30, 35, 99}[n] // to 31 of the open ones; to 50 of the closed ones; the rest
		code, part := ask(h, "GET", fmt.Sprintf("/api/incidents?limit=%d&after=%s", limit, mark), "made-up-viewer", "")
		if code != 200 {
			t.Fatalf("%d %s", code, part)
		}
		parts = append(parts, numbers(t, part))
	}
	if got := strings.Join(parts, " "); got != want {
		t.Errorf("in parts\n%s, want\n%s", got, want)
	}
}

// TestListIsFresh: what was closed since the index was made is no open incident,
// and what else is told of it is what it is now.
func TestListIsFresh(t *testing.T) {
	a := newAPI(t)
	fill(t, a.Incidents, 4)
	if _, err := a.Incidents.Index(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	other := incident.NewStore(records(t, a)) // as of another server
	if _, err := other.Close(t.Context(), fmt.Sprintf("%02d%030x", 3, 3), "bob", "done"); err != nil {
		t.Fatal(err)
	}
	if _, body := ask(a.Handler(), "GET", "/api/incidents?open=true", "made-up-viewer", ""); numbers(t, body) != "01" {
		t.Errorf("open are %s", body)
	}
	if _, body := ask(a.Handler(), "GET", "/api/incidents", "made-up-viewer", ""); numbers(t, body) != "03 01 02 00" || !strings.Contains(body, `"by":"bob"`) {
		t.Errorf("all are %s", body)
	}
}

// TestListIsCutOff damages an incident in the middle of the list: what arrives is
// no JSON, and no whole answer.
func TestListIsCutOff(t *testing.T) {
	a := newAPI(t)
	var log strings.Builder
	a.Log = slog.New(slog.NewTextHandler(&log, nil))
	fill(t, a.Incidents, 40)
	if _, err := a.Incidents.Index(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	damage(t, a, fmt.Sprintf("%02d%030x", 1, 1)) // the last of the open ones
	server := httptest.NewServer(a.Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/incidents", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer made-up-viewer")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || json.Valid(body) || !strings.HasPrefix(string(body), `[{"id":"39`) {
		t.Errorf("%d bytes arrived, %v: %s", len(body), err, body)
	}
	if !strings.Contains(log.String(), "cut off") || !strings.Contains(log.String(), "unpacking the entry") {
		t.Errorf("the log says %s", log.String())
	}
	// Where the index cannot be made either, it is an error as any other.
	a.Incidents = incident.NewStore(records(t, a))
	if code, body := ask(a.Handler(), "GET", "/api/incidents", "made-up-viewer", ""); code != 500 || !strings.Contains(body, "the server's log says why") {
		t.Errorf("%d %s", code, body)
	}
}
