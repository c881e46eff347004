package web_test

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/web"
)

// path of the incident with the number.
func path(i *incident.Incident) string { return "/incidents/" + i.ID }

func TestLogin(t *testing.T) {
	i := full()
	s := newSite(t, nil, i)
	v := s.visitor()
	resp, text := v.do(http.MethodGet, path(i)+"?a=b", nil)
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/login?next="+url.QueryEscape(path(i)+"?a=b") || strings.Contains(text, i.Title) {
		t.Fatalf("a stranger got %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if code := v.login("a wrong token, long"); code != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", code)
	}
	if code := v.login(""); code != http.StatusUnauthorized {
		t.Errorf("no token: %d", code)
	}
	if code := v.login(viewerToken); code != http.StatusSeeOther {
		t.Fatalf("the right token: %d", code)
	}
	for name, c := range v.cookies {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(name, "__Host-") {
			t.Errorf("the cookie %s is too open: %+v", name, c)
		}
		if strings.Contains(c.Value, viewerToken) {
			t.Error("a cookie holds the token")
		}
	}
	if resp, text := v.do(http.MethodGet, path(i), nil); resp.StatusCode != http.StatusOK || !strings.Contains(text, i.Title) {
		t.Errorf("logged in: %d", resp.StatusCode)
	}
	if resp, _ := v.do(http.MethodGet, "/login", nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the login page of who is logged in: %d", resp.StatusCode)
	}

	stolen := *v.cookies["__Host-spillgate"]
	resp, _ = v.do(http.MethodPost, "/logout", url.Values{"token": {v.formToken("/incidents")}})
	if resp.StatusCode != http.StatusSeeOther || len(v.cookies) != 0 {
		t.Errorf("logout: %d, %d cookies left", resp.StatusCode, len(v.cookies))
	}
	v.cookies[stolen.Name] = &stolen
	if resp, _ := v.do(http.MethodGet, "/incidents", nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the session of who logged out: %d", resp.StatusCode)
	}
}

func TestSessions(t *testing.T) {
	s := newSite(t, nil, full())
	v := s.visitor()
	v.login(viewerToken)
	good := v.cookies["__Host-spillgate"].Value
	payload, signature, _ := strings.Cut(good, ".")
	for name, value := range map[string]string{
		"empty": "", "no signature": payload, "cut": good[:len(good)-1], "another payload": "e30." + signature, "of another key": payload + "." + strings.Repeat("A", len(signature)),
	} {
		v.cookies["__Host-spillgate"].Value = value
		if resp, _ := v.do(http.MethodGet, "/incidents", nil); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	v.cookies["__Host-spillgate"].Value = good
	s.now = s.now.Add(11 * time.Hour)
	if resp, _ := v.do(http.MethodGet, "/incidents", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("after 11 hours: %d", resp.StatusCode)
	}
	s.now = s.now.Add(2 * time.Hour)
	if resp, _ := v.do(http.MethodGet, "/incidents", nil); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("after 13 hours: %d", resp.StatusCode)
	}
	if other := newSite(t, nil); other != nil {
		w := other.visitor()
		w.cookies = v.cookies
		if resp, _ := w.do(http.MethodGet, "/incidents", nil); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("with the session of another server: %d", resp.StatusCode)
		}
	}
}

// TestRemovedToken: sessions outlive a restart where the key is given, and not
// the token that they were begun with.
func TestRemovedToken(t *testing.T) {
	fixed := func(change func(*access.Tokens)) func(*web.Options) {
		return func(o *web.Options) {
			o.Key = []byte(strings.Repeat("k", 32))
			o.Tokens = new(access.Tokens)
			change(o.Tokens)
		}
	}
	i := full()
	first := newSite(t, fixed(func(k *access.Tokens) { k.Add(closerToken, access.Identity{Name: "cleo", Role: access.Closer}) }), i)
	v := first.visitor()
	if code := v.login(closerToken); code != http.StatusSeeOther {
		t.Fatalf("login: %d", code)
	}
	for name, c := range map[string]struct {
		change func(*access.Tokens)
		want   int
	}{
		"the same token":      {func(k *access.Tokens) { k.Add(closerToken, access.Identity{Name: "cleo", Role: access.Closer}) }, http.StatusOK},
		"removed":             {func(k *access.Tokens) {}, http.StatusSeeOther},
		"another in its name": {func(k *access.Tokens) { k.Add(viewerToken, access.Identity{Name: "cleo", Role: access.Closer}) }, http.StatusSeeOther},
		"with another role":   {func(k *access.Tokens) { k.Add(closerToken, access.Identity{Name: "cleo", Role: access.Viewer}) }, http.StatusSeeOther},
	} {
		again := newSite(t, fixed(c.change), i).visitor()
		again.cookies = v.cookies
		if resp, _ := again.do(http.MethodGet, path(i), nil); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
}

func TestNext(t *testing.T) {
	s := newSite(t, nil)
	for next, want := range map[string]string{
		"/incidents/f1?x=1": "/incidents/f1?x=1", "": "/incidents", "https://evil.example/incidents": "/incidents", "//evil.example/incidents": "/incidents",
		`/\evil.example`: "/incidents", "/incidentsevil": "/incidents", "/logout": "/incidents", "javascript:alert(1)": "/incidents", `/incidents/\..`: "/incidents",
	} {
		v := s.visitor()
		resp, _ := v.do(http.MethodPost, "/login", url.Values{"token": {v.formToken("/login")}, "secret": {viewerToken}, "next": {next}})
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
	}
}

func TestLoginIsLimited(t *testing.T) {
	s := newSite(t, nil)
	v := s.visitor()
	for range 5 {
		v.login("a wrong token, long")
	}
	if code := v.login(viewerToken); code != http.StatusTooManyRequests {
		t.Errorf("after five wrong ones: %d", code)
	}
	s.now = s.now.Add(time.Minute)
	if code := v.login(viewerToken); code != http.StatusSeeOther {
		t.Errorf("a minute later: %d", code)
	}
	// Who logs in with the right token is not held up by doing so often.
	for range 7 {
		if code := s.visitor().login(viewerToken); code != http.StatusSeeOther {
			t.Errorf("the right token: %d", code)
		}
	}
}

// TestLimitByProxysWord shows that behind a proxy each visitor has a count of
// their own, and that nobody else can claim addresses.
func TestLimitByProxysWord(t *testing.T) {
	for name, c := range map[string]struct {
		from string
		want int
	}{"a proxy": {"127.0.0.1/32", http.StatusSeeOther}, "a stranger": {"10.0.0.0/8", http.StatusTooManyRequests}} {
		s := newSite(t, func(o *web.Options) { o.Proxy = web.Proxy{Header: "X-User", From: prefix(c.from)} })
		v := s.visitor()
		v.header.Set("X-Forwarded-For", "1.2.3.4, 198.51.100.1")
		for range 6 {
			v.login("a wrong token, long")
		}
		v.header.Set("X-Forwarded-For", "198.51.100.1, 198.51.100.2")
		if code := v.login(viewerToken); code != c.want {
			t.Errorf("%s: %d, want %d", name, code, c.want)
		}
	}
}

func TestProxy(t *testing.T) {
	i := full()
	for name, c := range map[string]struct {
		from  string
		names []string
		see   int
		close int
	}{
		"a viewer":          {"127.0.0.0/8", []string{"vic@example.org"}, http.StatusOK, http.StatusForbidden},
		"a closer":          {"127.0.0.0/8", []string{"cleo@example.org"}, http.StatusOK, http.StatusSeeOther},
		"not the proxy":     {"192.0.2.0/24", []string{"cleo@example.org"}, http.StatusSeeOther, http.StatusUnauthorized},
		"nobody":            {"127.0.0.0/8", nil, http.StatusSeeOther, http.StatusUnauthorized},
		"an empty name":     {"127.0.0.0/8", []string{""}, http.StatusSeeOther, http.StatusUnauthorized},
		"two names":         {"127.0.0.0/8", []string{"vic@example.org", "cleo@example.org"}, http.StatusSeeOther, http.StatusUnauthorized},
		"too long a name":   {"127.0.0.0/8", []string{strings.Repeat("x", 201)}, http.StatusSeeOther, http.StatusUnauthorized},
		"IPv4 in IPv6 form": {"::1/128", []string{"cleo@example.org"}, http.StatusSeeOther, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			i.Timeline = i.Timeline[:5]
			s := newSite(t, func(o *web.Options) {
				o.Tokens = nil
				o.Proxy = web.Proxy{Header: "X-User", From: prefix(c.from), Closers: []string{"cleo@example.org"}}
			}, i)
			v := s.visitor()
			for _, n := range c.names {
				v.header.Add("X-User", n)
			}
			resp, text := v.do(http.MethodGet, path(i), nil)
			if resp.StatusCode != c.see {
				t.Errorf("looking: %d, want %d", resp.StatusCode, c.see)
			}
			if strings.Contains(text, "/logout") {
				t.Error("offers a logout that would not work")
			}
			token := "none"
			if c.close == http.StatusSeeOther {
				token = v.formToken(path(i))
			}
			resp, _ = v.do(http.MethodPost, path(i)+"/close", url.Values{"token": {token}, "reason": {"done"}})
			if resp.StatusCode != c.close || (c.close == http.StatusSeeOther) == i.Open() {
				t.Errorf("closing: %d, want %d; open: %v", resp.StatusCode, c.close, i.Open())
			}
		})
	}
}

// TestForms holds the form that changes something to each of its rules.
func TestForms(t *testing.T) {
	i := full()
	s := newSite(t, nil, i)
	cleo, vic := s.visitor(), s.visitor()
	cleo.login(closerToken)
	vic.login(viewerToken)
	token := cleo.formToken(path(i))
	good := url.Values{"token": {token}, "reason": {"key deleted"}}
	for name, c := range map[string]struct {
		who    *visitor
		form   url.Values
		header []string
		want   int
	}{
		"without a session":           {s.visitor(), good, nil, http.StatusUnauthorized},
		"by a viewer":                 {vic, url.Values{"token": {vic.formToken("/incidents")}, "reason": {"x"}}, nil, http.StatusForbidden},
		"without a token":             {cleo, url.Values{"reason": {"x"}}, nil, http.StatusForbidden},
		"with another's token":        {cleo, url.Values{"token": {vic.formToken("/incidents")}, "reason": {"x"}}, nil, http.StatusForbidden},
		"with a token cut short":      {cleo, url.Values{"token": {token[1:]}, "reason": {"x"}}, nil, http.StatusForbidden},
		"from another site":           {cleo, good, []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"from a page without origin":  {cleo, good, []string{"Origin", "null"}, http.StatusForbidden},
		"without any origin":          {cleo, good, []string{"Origin", ""}, http.StatusForbidden},
		"from a sibling site":         {cleo, good, []string{"Origin", "", "Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"from http":                   {cleo, good, []string{"Origin", "http://spillgate.example"}, http.StatusForbidden},
		"with too much":               {cleo, url.Values{"token": {token}, "reason": {strings.Repeat("x", 17<<10)}}, nil, http.StatusForbidden},
		"without a reason":            {cleo, url.Values{"token": {token}, "reason": {" \n"}}, nil, http.StatusUnprocessableEntity},
		"with a reason that is long":  {cleo, url.Values{"token": {token}, "reason": {strings.Repeat("ü", 1001)}}, nil, http.StatusUnprocessableEntity},
		"with a reason that is bytes": {cleo, url.Values{"token": {token}, "reason": {"\xff"}}, nil, http.StatusUnprocessableEntity},
	} {
		resp, _ := c.who.do(http.MethodPost, path(i)+"/close", c.form, c.header...)
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
		if !i.Open() {
			t.Fatalf("%s: the incident is closed", name)
		}
	}
	if resp, _ := cleo.do(http.MethodPost, "/incidents/f404/close", good); resp.StatusCode != http.StatusNotFound {
		t.Errorf("of an incident that is not: %d", resp.StatusCode)
	}
	if resp, _ := cleo.do(http.MethodGet, path(i)+"/close", nil); resp.StatusCode == http.StatusOK || !i.Open() {
		t.Error("closed by following a link")
	}
	resp, _ := cleo.do(http.MethodPost, path(i)+"/close", good, "Origin", "", "Sec-Fetch-Site", "same-origin")
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != path(i) || i.Open() {
		t.Fatalf("the right form: %d", resp.StatusCode)
	}
	if len(s.closed) != 1 || s.closed[0] != i.ID {
		t.Errorf("told of %v", s.closed)
	}
	_, text := cleo.do(http.MethodGet, path(i), nil)
	if !strings.Contains(text, "key deleted") || !strings.Contains(text, "by cleo") || strings.Contains(text, "/close") {
		t.Error("the closed incident's page does not say by whom and why, or can be closed again")
	}
	if _, text := cleo.do(http.MethodGet, "/incidents", nil); !strings.Contains(text, "Nothing is open") {
		t.Error("the list still counts it as open")
	}
}

// TestLoginForm shows that a login needs the form of this site, too: nobody is
// to be logged in as another without knowing.
func TestLoginForm(t *testing.T) {
	s := newSite(t, nil)
	v := s.visitor()
	token := v.formToken("/login")
	for name, header := range map[string][]string{"another site": {"Origin", "https://evil.example"}, "no origin": {"Origin", ""}} {
		if resp, _ := v.do(http.MethodPost, "/login", url.Values{"token": {token}, "secret": {viewerToken}}, header...); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if resp, _ := s.visitor().do(http.MethodPost, "/login", url.Values{"token": {token}, "secret": {viewerToken}}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("with a token of another visit: %d", resp.StatusCode)
	}
	v.login(viewerToken)
	if resp, _ := v.do(http.MethodPost, "/logout", url.Values{}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("logout by another site: %d", resp.StatusCode)
	}
}

// TestFromElsewhere shows the way in by a link in a message: the browser keeps
// the strict cookie back, and a page of this site asks again.
func TestFromElsewhere(t *testing.T) {
	i := full()
	s := newSite(t, nil, i)
	resp, text := s.visitor().do(http.MethodGet, path(i)+"?x=%22", nil, "Sec-Fetch-Site", "cross-site")
	if resp.StatusCode != http.StatusOK || !strings.Contains(text, `http-equiv="refresh"`) || strings.Contains(text, i.Title) {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	i := full()
	s := newSite(t, nil, i)
	v := s.visitor()
	v.login(viewerToken)
	for _, p := range []string{"/incidents", path(i), "/login", "/nothing", "/incidents/nothing", "/assets/style.css", "/assets/nothing"} {
		resp, text := v.do(http.MethodGet, p, nil)
		csp := resp.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s", p, want)
			}
		}
		if strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy allows scripts: %s", p, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", p, name, got)
			}
		}
		if !strings.HasPrefix(p, "/assets/") && resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by caches", p)
		}
		lower := strings.ToLower(text)
		for _, bad := range []string{"<script", "javascript:", " style=", " onclick", "http://", "https://"} {
			if strings.Contains(lower, bad) {
				t.Errorf("%s: the page holds %s", p, bad)
			}
		}
	}
	if resp, _ := v.do(http.MethodGet, "/assets/../templates/list.html", nil); resp.StatusCode == http.StatusOK {
		t.Error("templates are served")
	}
	if resp, _ := v.do(http.MethodGet, "/", nil); resp.Header.Get("Location") != "/incidents" {
		t.Error("the root does not lead to the incidents")
	}
}

func TestBroken(t *testing.T) {
	s := newSite(t, nil, full())
	v := s.visitor()
	v.login(viewerToken)
	s.store.err = errors.New("no route to 10.0.0.1")
	for _, p := range []string{"/incidents", path(full())} {
		if resp, text := v.do(http.MethodGet, p, nil); resp.StatusCode != http.StatusServiceUnavailable || strings.Contains(text, "10.0.0.1") {
			t.Errorf("%s without a store: %d", p, resp.StatusCode)
		}
	}
}

func TestOptions(t *testing.T) {
	tokens := new(access.Tokens)
	for want, o := range map[string]web.Options{
		"not of the form":      {Tokens: tokens, URL: "spillgate.example"},
		"https://":             {Tokens: tokens, URL: "http://spillgate.example"},
		"name them":            {Tokens: tokens, URL: base, Proxy: web.Proxy{Header: "X-User"}},
		"nobody could log in":  {URL: base},
		"32 bytes":             {Tokens: tokens, URL: base, Key: []byte("short")},
		"of the form https://": {Tokens: tokens, URL: base + "/spillgate"},
	} {
		if _, err := web.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := web.New(web.Options{URL: "http://127.0.0.1:8080", Proxy: web.Proxy{Header: "X-User", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}); err != nil {
		t.Error(err)
	}
}
