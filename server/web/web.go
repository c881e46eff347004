// Package web shows incidents in a browser: what is open, what to do about it,
// what happened when, and a form to close it.
//
// The pages are for somebody who was just called and has never seen them. They
// are made on the server and need no scripts; the policy that they are sent
// with (Content-Security-Policy) forbids scripts, frames and every request to
// another host. Text from outside, such as the name of a file that anyone may
// push, passes html/template, and characters that cannot be seen are spelled
// out.
//
// Who may look is decided by a token, exchanged for a signed cookie, or by a
// proxy in front that has asked an identity provider and says so in a header;
// the header counts only when the connection comes from the proxy's address.
// What changes something is posted, and counts only with a cookie that other
// sites cannot send along (SameSite=Strict), a form token made of it, and this
// site's own Origin: each of them would do, and each has been got wrong by
// browsers or proxies before.
package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
)

//go:embed templates/*.html assets/*
var files embed.FS

// Incidents is where incidents come from; *incident.Store is one.
type Incidents interface {
	// Index returns what all incidents are listed by. It may be of that age.
	Index(ctx context.Context, age time.Duration) (*incident.Index, error)
	Get(ctx context.Context, id string) (*incident.Incident, error)
	Close(ctx context.Context, id, by, reason string) (*incident.Incident, error)
}

// A Proxy is a server in front that logs people in (such as oauth2-proxy).
type Proxy struct {
	// Header holds the name of who is logged in, such as
	// X-Auth-Request-Email; empty for no such proxy. The proxy must remove the
	// header from what comes from outside.
	Header string
	// From are the addresses from which the header is believed.
	From []netip.Prefix
	// Closers are the names that may close incidents; all others may look.
	Closers []string
}

// Options say who may look and where. Incidents, URL and Log must be set, and
// one of Tokens and Proxy.
type Options struct {
	Incidents Incidents
	// Closed is called after somebody closed an incident here, to tell others;
	// may be nil. Its error is logged.
	Closed func(ctx context.Context, i *incident.Incident) error
	Tokens *access.Tokens
	Proxy  Proxy
	// URL is where browsers find the pages, such as https://spillgate.example.
	// Only a host on this machine may be reached by http.
	URL string
	// Key signs sessions, 32 bytes or more. Without one, each start makes its
	// own and everybody logs in again; several processes behind one URL need
	// the same.
	Key []byte
	// Session is how long a login lasts; 0 for 12 hours.
	Session time.Duration
	// Now is the clock; nil for time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// A Site answers requests for the pages.
type Site struct {
	options Options
	origin  string
	pages   map[string]*template.Template
	assets  fs.FS
	limiter limiter

	mu    sync.Mutex
	ended map[string]time.Time // sessions that were logged out, until they expire
}

// New checks the options and reads the templates.
func New(o Options) (*Site, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("the pages' URL %.100q is not of the form https://host", o.URL)
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && !ip.IsLoopback()) {
		return nil, errors.New("the pages' URL must begin with https://: logins and cookies need it")
	}
	if o.Proxy.Header != "" && len(o.Proxy.From) == 0 {
		return nil, fmt.Errorf("the header %.60s logs people in only from the addresses of a proxy; name them", o.Proxy.Header)
	}
	if o.Tokens == nil && o.Proxy.Header == "" {
		return nil, errors.New("nobody could log in to the pages: there are no tokens and no proxy")
	}
	if o.Tokens == nil {
		o.Tokens = &access.Tokens{}
	}
	if len(o.Key) == 0 {
		o.Key = make([]byte, 32)
		_, _ = rand.Read(o.Key) // never fails (crypto/rand)
	}
	if len(o.Key) < 32 {
		return nil, errors.New("the key that signs sessions needs 32 bytes or more")
	}
	if o.Session == 0 {
		o.Session = 12 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{options: o, origin: u.Scheme + "://" + u.Host, ended: map[string]time.Time{}, pages: map[string]*template.Template{}}
	for _, name := range []string{"list", "incident", "login", "message", "again"} {
		t, err := template.New(name).Funcs(functions()).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("reading the page %s: %w", name, err)
		}
		s.pages[name] = t
	}
	s.assets, err = fs.Sub(files, "assets")
	return s, err
}

// Handler returns the handler of all pages, from the root of the site.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/incidents", http.StatusSeeOther) })
	mux.HandleFunc("GET /incidents", s.with(access.Viewer, s.list))
	mux.HandleFunc("GET /incidents/{id}", s.with(access.Viewer, s.show))
	mux.HandleFunc("POST /incidents/{id}/close", s.with(access.Closer, s.close))
	mux.HandleFunc("GET /login", s.loginPage)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.with(access.Viewer, s.logout))
	assets := http.StripPrefix("/assets/", http.FileServerFS(s.assets))
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		assets.ServeHTTP(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.message(w, r, access.Identity{}, http.StatusNotFound, "There is nothing here", "The address leads to no page.")
	})
	return s.guarded(mux)
}

// policy lets a page load its own style and send its own forms, and nothing
// else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded sets the headers of every answer. The referrer is same-origin and
// not none, since with none browsers send "Origin: null" along with forms.
func (s *Site) guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		head.Set("Cache-Control", "no-store")
		if s.origin[:5] == "https" {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.ServeHTTP(w, r)
	})
}

// A page is what every template gets.
type page struct {
	Title string
	Who   access.Identity
	// Token goes into every form.
	Token string
	// Proxied says that the login is the proxy's, so that there is no logout.
	Proxied bool
	Now     time.Time
	Body    any
}

// render writes a page, or an error of 500 where it cannot be made: never half
// of one.
func (s *Site) render(w http.ResponseWriter, r *http.Request, code int, name string, p page) {
	p.Token = s.formToken(w, r, p.Who)
	p.Now = s.options.Now().UTC()
	_, p.Proxied = s.proxied(r)
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", p); err != nil {
		s.options.Log.Error("making a page", "page", name, "err", err)
		http.Error(w, "the page could not be made; the server's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes())
}

// A notice is a page with nothing but a message.
type notice struct{ Text string }

func (s *Site) message(w http.ResponseWriter, r *http.Request, who access.Identity, code int, title, text string) {
	s.render(w, r, code, "message", page{Title: title, Who: who, Body: notice{text}})
}

// broken answers when the store did not.
func (s *Site) broken(w http.ResponseWriter, r *http.Request, who access.Identity, err error) {
	if errors.Is(err, incident.ErrNotFound) {
		s.message(w, r, who, http.StatusNotFound, "No such incident", "It may have been removed, or the address is cut short.")
		return
	}
	s.options.Log.Error("answering a page", "path", r.URL.Path, "err", err)
	s.message(w, r, who, http.StatusServiceUnavailable, "Incidents cannot be read right now", "The server's log says why. Nothing is lost; try again in a minute.")
}

// address returns where a request comes from: the proxy's word for it where
// the proxy is known.
func (s *Site) address(r *http.Request) netip.Addr {
	a := remote(r)
	if s.fromProxy(a) {
		all := r.Header.Values("X-Forwarded-For")
		if len(all) > 0 {
			last := all[len(all)-1]
			if i := bytes.LastIndexByte([]byte(last), ','); i >= 0 {
				last = last[i+1:]
			}
			if said, err := netip.ParseAddr(string(bytes.TrimSpace([]byte(last)))); err == nil {
				return said.Unmap()
			}
		}
	}
	return a
}

// remote returns the address of the connection.
func remote(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}
