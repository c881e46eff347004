package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/incident"
)

// some are two open incidents and a closed one.
func some() []*incident.Incident {
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var all []*incident.Incident
	for n, title := range []string{"first <&>", "second", "third"} {
		i := &incident.Incident{ID: fmt.Sprintf("%032d", n), Title: title, Severity: "high", Places: []incident.Place{{Repository: "a/b", Path: "c", Line: 1}}, Occurrences: 3,
			Timeline: []incident.Entry{{Stage: incident.Found, At: at}}}
		all = append(all, i)
	}
	all[2].Timeline = append(all[2].Timeline, incident.Entry{Stage: incident.Closed, At: at})
	return all
}

// run runs a command against the handler.
func run(t *testing.T, h http.HandlerFunc, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	var out, errs bytes.Buffer
	code = runTo(t, server.URL, &out, &errs, args...)
	return code, out.String(), errs.String()
}

func runTo(t *testing.T, url string, out, errs io.Writer, args ...string) int {
	t.Helper()
	t.Setenv(tokenVariable, "made-up")
	return Main(Process{Args: append(append([]string{"spillgate-server"}, args...), "--server", url), Stdin: strings.NewReader(""), Stdout: out, Stderr: errs})
}

func TestIncidentList(t *testing.T) {
	text, err := json.Marshal(some())
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	a := &app{Process{Stdout: &indented}}
	if err := a.printJSON(some()); err != nil {
		t.Fatal(err)
	}
	const head = "ID  SEVERITY  STAGE  FOUND  WHAT  WHERE"
	for _, tc := range []struct {
		name           string
		args           string
		link           string
		code           int
		body           string
		query          string
		exit           int
		stdout, stderr string // stdout in words, as far as it is no JSON
	}{
		{"open ones", "", "", 200, string(text), "open=true", 0, head + " 000000000000 high found AT first <&> a/b c:1 and 2 more 000000000000 high found AT second a/b c:1 and 2 more", ""},
		{"all", "--all --json", "", 200, string(text), "open=false", 0, indented.String(), ""},
		{"none", "", "", 200, "[]\n", "open=true", 0, "", ""},
		{"none as JSON", "--json", "", 200, "[]\n", "open=true", 0, "[]\n", ""},
		{"a limit", "--limit 2 --json", `</x>; rel="next"`, 200, "[]", "limit=2&open=true", 0, "[]\n", "there are more than these 2"},
		{"a limit that is none", "--limit 0", "", 200, "[]", "", 3, "", "--limit is a number"},
		{"refused", "", "", 403, `{"error":"not you"}`, "open=true", 2, "", "spillgate-server: not you\n"},
		{"down", "", "", 502, `<html>`, "open=true", 2, "", "spillgate-server: 502 Bad Gateway\n"},
		{"no list", "", "", 200, `{}`, "open=true", 2, "", "it is no list"},
		{"no JSON", "", "", 200, `<html>`, "open=true", 2, "", "is not understood"},
		{"another list", "", "", 200, `[1]`, "open=true", 2, "", "is not understood"},
		{"nothing", "", "", 200, ``, "open=true", 2, "", "cut off, after 0 elements"},
	} {
		asked := ""
		code, out, errs := run(t, func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.RawQuery
			if tc.link != "" {
				w.Header().Set("Link", tc.link)
			}
			w.WriteHeader(tc.code)
			_, _ = io.WriteString(w, tc.body)
		}, append([]string{"incident", "list"}, strings.Fields(tc.args)...)...)
		if !strings.Contains(tc.args, "json") {
			out = strings.ReplaceAll(out, some()[0].Timeline[0].At.Local().Format("2006-01-02 15:04"), "AT")
			out, tc.stdout = strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(tc.stdout), " ")
		}
		if code != tc.exit || asked != tc.query || out != tc.stdout || !strings.Contains(errs, tc.stderr) || tc.stderr == "" && errs != "" {
			t.Errorf("%s: asked for %s, exit code %d\n%s\n%s", tc.name, asked, code, out, errs)
		}
	}
}

// TestIncidentListCutOff ends answers in the middle, wherever that is: it is a
// failure, and JSON that is printed is not closed.
func TestIncidentListCutOff(t *testing.T) {
	text, err := json.Marshal(some())
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.Index(text, []byte(`,{"id":"`+some()[2].ID)) // where it ends
	for _, clean := range []bool{false, true} {                  // whether the connection ends as if all had been said
		for n := 0; n < len(text); n += 7 {
			cut := func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(text[:n])
				if !clean {
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			}
			code, out, errs := run(t, cut, "incident", "list", "--all", "--json")
			if code != exitFailed || !strings.Contains(errs, "cut off, after ") || json.Valid([]byte(out)) {
				t.Fatalf("after %d bytes: exit code %d\n%s\n%s", n, code, out, errs)
			}
			if code, out, _ := run(t, cut, "incident", "list"); code != exitFailed || strings.Contains(out, "second") != (n >= second) {
				t.Errorf("after %d bytes: exit code %d\n%s", n, code, out)
			}
		}
	}
}

// TestIncidentListAsItComes: what arrived is printed before the rest is there.
func TestIncidentListAsItComes(t *testing.T) {
	first, printed := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, err := json.Marshal(some()[0])
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(append([]byte("["), one...))
		_ = http.NewResponseController(w).Flush()
		close(first)
		select {
		case <-printed:
		case <-r.Context().Done():
			t.Error("nothing is printed")
		}
		_, _ = w.Write(append(append([]byte(","), one...), ']'))
	}))
	defer server.Close()
	r, w := io.Pipe()
	go func() {
		defer close(printed)
		<-first
		seen := make([]byte, 0, 4096)
		for !bytes.Contains(seen, []byte("first <&>")) {
			b := make([]byte, 512)
			n, err := r.Read(b)
			if err != nil {
				t.Error(err)
				return
			}
			seen = append(seen, b[:n]...)
		}
		go func() { _, _ = io.Copy(io.Discard, r) }()
	}()
	var errs bytes.Buffer
	if code := runTo(t, server.URL, w, &errs, "incident", "list", "--json"); code != exitOK {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}
