package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/spillgate/spillgate/server/access"
)

// The cookies. The prefix makes browsers refuse them from other hosts of the
// domain, without Secure, and with another path.
// Source: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
const (
	sessionCookie = "__Host-spillgate"
	visitCookie   = "__Host-spillgate-visit"
)

// A session is what the cookie says, signed. It ends with the token that it was
// begun with: one that was removed, or has another role now, opens nothing.
type session struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Role    access.Role `json:"role"`
	Token   string      `json:"token"`   // its mark
	Expires int64       `json:"expires"` // seconds since 1970
}

func (s *Site) sign(purpose, what string) string {
	mac := hmac.New(sha256.New, s.options.Key)
	mac.Write([]byte(purpose + "\x00" + what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(life / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// with lets in who has the role. Requests that may change something must also
// come from a page of this site.
func (s *Site) with(role access.Role, h func(http.ResponseWriter, *http.Request, access.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := s.who(r)
		switch {
		case !ok && r.Method != http.MethodGet && r.Method != http.MethodHead:
			s.message(w, r, who, http.StatusUnauthorized, "You are logged out", "Nothing was changed. Log in and do it again.")
		case !ok && r.Header.Get("Sec-Fetch-Site") == "cross-site":
			// A link from elsewhere, such as a message: the browser keeps the
			// strict cookie back. From a page of this site it sends it.
			s.render(w, r, http.StatusOK, "again", page{Title: "One moment", Body: r.URL.RequestURI()})
		case !ok:
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		case who.Role < role:
			s.message(w, r, who, http.StatusForbidden, "You may look, but not do that", "Closing an incident needs the role closer. Ask who runs this server.")
		case r.Method == http.MethodPost && !s.fromHere(w, r, who):
			s.message(w, r, who, http.StatusForbidden, "The form is not from this page", "Nothing was changed. Load the page again, then send the form from there.")
		default:
			h(w, r, who)
		}
	}
}

// who returns who asks: by the proxy's header, else by the session.
func (s *Site) who(r *http.Request) (access.Identity, bool) {
	if who, ok := s.proxied(r); ok {
		return who, true
	}
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return access.Identity{}, false
	}
	v, ok := s.open(c.Value)
	return access.Identity{Name: v.Name, Role: v.Role}, ok
}

func (s *Site) fromProxy(a netip.Addr) bool {
	return a.IsValid() && slices.ContainsFunc(s.options.Proxy.From, func(p netip.Prefix) bool { return p.Contains(a) })
}

// proxied returns who the proxy says that asks. More than one name, or one
// that nobody has, is no name.
func (s *Site) proxied(r *http.Request) (access.Identity, bool) {
	p := &s.options.Proxy
	if p.Header == "" || !s.fromProxy(remote(r)) {
		return access.Identity{}, false
	}
	names := r.Header.Values(p.Header)
	if len(names) != 1 || names[0] == "" || len(names[0]) > 200 || strings.ContainsFunc(names[0], unicode.IsControl) {
		return access.Identity{}, false
	}
	who := access.Identity{Name: names[0], Role: access.Viewer}
	if slices.Contains(p.Closers, who.Name) {
		who.Role = access.Closer
	}
	return who, true
}

// open reads a session, unless it is over.
func (s *Site) open(value string) (session, bool) {
	payload, signature, _ := strings.Cut(value, ".")
	if !hmac.Equal([]byte(signature), []byte(s.sign("session", payload))) {
		return session{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return session{}, false
	}
	var v session
	if json.Unmarshal(raw, &v) != nil || v.Role <= access.Nobody || v.Role > access.Manager || s.options.Now().Unix() >= v.Expires {
		return session{}, false
	}
	if !s.options.Tokens.Knows(access.Identity{Name: v.Name, Role: v.Role}, v.Token) {
		return session{}, false
	}
	s.mu.Lock()
	_, ended := s.ended[v.ID]
	s.mu.Unlock()
	return v, !ended
}

func (s *Site) begin(w http.ResponseWriter, who access.Identity, token string) error {
	raw, err := json.Marshal(session{rand.Text(), who.Name, who.Role, token, s.options.Now().Add(s.options.Session).Unix()})
	if err != nil {
		return err
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	setCookie(w, sessionCookie, payload+"."+s.sign("session", payload), s.options.Session)
	return nil
}

// formToken returns what forms carry to show that they are from this site: a
// signature of the visit's cookie, which is set here when there is none.
func (s *Site) formToken(w http.ResponseWriter, r *http.Request, who access.Identity) string {
	c, err := r.Cookie(visitCookie)
	visit := ""
	if err == nil && len(c.Value) == len(rand.Text()) {
		visit = c.Value
	} else {
		visit = rand.Text()
		setCookie(w, visitCookie, visit, s.options.Session)
	}
	return s.sign("form", visit+"\x00"+who.Name)
}

// maxForm bounds a posted form, in bytes.
const maxForm = 16 << 10

// fromHere reports whether a form was sent from a page of this site.
func (s *Site) fromHere(w http.ResponseWriter, r *http.Request, who access.Identity) bool {
	switch origin := r.Header.Get("Origin"); {
	case origin != "" && origin != s.origin:
		return false
	case origin == "" && r.Header.Get("Sec-Fetch-Site") != "same-origin":
		return false // a browser says one or the other; programs use the API
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c, err := r.Cookie(visitCookie)
	if err != nil || r.ParseForm() != nil {
		return false
	}
	want := s.sign("form", c.Value+"\x00"+who.Name)
	return hmac.Equal([]byte(r.PostForm.Get("token")), []byte(want))
}

// A loginForm is the body of the login page.
type loginForm struct {
	Next, Problem string
	Tokens        bool
}

func (s *Site) loginPage(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	if _, ok := s.who(r); ok {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.render(w, r, http.StatusOK, "login", page{Title: "Log in", Body: loginForm{Next: next}})
}

func (s *Site) login(w http.ResponseWriter, r *http.Request) {
	refuse := func(code int, problem string) {
		s.render(w, r, code, "login", page{Title: "Log in", Body: loginForm{Next: local(r.PostForm.Get("next")), Problem: problem}})
	}
	if !s.fromHere(w, r, access.Identity{}) {
		refuse(http.StatusForbidden, "The form had expired. Please try again.")
		return
	}
	from := s.address(r)
	if !s.limiter.allow(from, s.options.Now()) {
		w.Header().Set("Retry-After", "60")
		refuse(http.StatusTooManyRequests, "Too many attempts. Wait a minute, then try again.")
		return
	}
	who, ok := s.options.Tokens.Lookup(r.PostForm.Get("secret"))
	if !ok {
		s.options.Log.Warn("login refused", "from", from)
		refuse(http.StatusUnauthorized, "That token is not known.")
		return
	}
	s.limiter.forgive(from)
	if err := s.begin(w, who, s.options.Tokens.Mark(r.PostForm.Get("secret"))); err != nil {
		s.options.Log.Error("beginning a session", "err", err)
		refuse(http.StatusInternalServerError, "It did not work. The server's log says why.")
		return
	}
	s.options.Log.Info("login", "name", who.Name, "role", who.Role.String(), "from", from)
	http.Redirect(w, r, local(r.PostForm.Get("next")), http.StatusSeeOther)
}

// logout ends the session here, too, and not only in the browser.
func (s *Site) logout(w http.ResponseWriter, r *http.Request, _ access.Identity) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		if v, ok := s.open(c.Value); ok {
			now := s.options.Now()
			s.mu.Lock()
			for id, until := range s.ended {
				if now.After(until) {
					delete(s.ended, id)
				}
			}
			s.ended[v.ID] = time.Unix(v.Expires, 0)
			s.mu.Unlock()
		}
	}
	setCookie(w, sessionCookie, "", 0)
	setCookie(w, visitCookie, "", 0)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// local returns the path if it is one of this site's pages for incidents, so
// that a login leads nowhere else.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.Contains(next, `\`) ||
		u.Path != "/incidents" && !strings.HasPrefix(u.Path, "/incidents/") {
		return "/incidents"
	}
	return u.RequestURI()
}

// Bounds of the limiter: attempts in a minute of one address, and addresses
// that are remembered. Tokens are long and random, so this is against noise in
// the log more than against guessing.
const (
	maxAttempts  = 5
	maxAddresses = 10_000
)

// A limiter counts attempts to log in. Its zero value is ready.
type limiter struct {
	mu     sync.Mutex
	since  time.Time
	counts map[netip.Addr]int
}

// network returns what counts as one address: of IPv6 the 64 bits that one
// customer gets.
func network(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

func (l *limiter) allow(a netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil || now.Sub(l.since) >= time.Minute {
		l.counts, l.since = map[netip.Addr]int{}, now
	}
	a = network(a)
	n, known := l.counts[a]
	if n >= maxAttempts || !known && len(l.counts) >= maxAddresses {
		return false
	}
	l.counts[a] = n + 1
	return true
}

// forgive takes back the attempts of who turned out to be welcome.
func (l *limiter) forgive(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.counts, network(a))
}
