package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/web"
)

// A browser is headless Chromium, spoken to over a pipe in the DevTools
// protocol (https://chromedevtools.github.io/devtools-protocol/): JSON, each
// message ended by a zero byte.
type browser struct {
	t       *testing.T
	in      io.Writer
	session string

	mu       sync.Mutex
	last     int
	answers  map[int]chan json.RawMessage
	requests []string // every URL that a page asked for
	problems []string // what pages wrote to the console
}

// openBrowser starts Chromium with scripts switched off. The test is skipped
// where there is none.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("there is no Chromium on the PATH")
	}
	in, toBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromBrowser, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+profile(t), "--remote-debugging-pipe", "--hide-scrollbars", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal("Chromium does not start: ", err)
	}
	_, _ = in.Close(), out.Close()
	b := &browser{t: t, in: toBrowser, answers: map[int]chan json.RawMessage{}}
	var reading sync.WaitGroup
	reading.Go(func() { b.read(fromBrowser) })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_, _ = toBrowser.Close(), fromBrowser.Close()
		reading.Wait()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Network.enable", "Log.enable", "DOM.enable"} {
		b.call(domain, nil, nil)
	}
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	return b
}

func (b *browser) read(r io.Reader) {
	var rest []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		rest = append(rest, chunk[:n]...)
		for {
			end := bytes.IndexByte(rest, 0)
			if end < 0 {
				break
			}
			b.message(rest[:end])
			rest = rest[end+1:]
		}
		if err != nil {
			return
		}
	}
}

func (b *browser) message(raw []byte) {
	var m struct {
		ID            int
		Result, Error json.RawMessage
		Method        string
		Params        struct {
			Request struct{ URL string }
			Entry   struct{ Level, Text string }
		}
	}
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch m.Method {
	case "":
		if c := b.answers[m.ID]; c != nil {
			delete(b.answers, m.ID)
			if m.Result == nil {
				m.Result = append([]byte("!"), m.Error...)
			}
			c <- m.Result
		}
	case "Network.requestWillBeSent":
		b.requests = append(b.requests, m.Params.Request.URL)
	case "Log.entryAdded":
		b.problems = append(b.problems, m.Params.Entry.Level+": "+m.Params.Entry.Text)
	}
}

// try calls a method and reads its result.
func (b *browser) try(method string, params, result any) error {
	b.mu.Lock()
	b.last++
	id, c := b.last, make(chan json.RawMessage, 1)
	b.answers[id] = c
	b.mu.Unlock()
	m := map[string]any{"id": id, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(body, 0)); err != nil {
		return err
	}
	select {
	case raw := <-c:
		if raw[0] == '!' {
			return fmt.Errorf("%s: %s", method, raw[1:])
		}
		if result != nil {
			return json.Unmarshal(raw, result)
		}
		return nil
	case <-time.After(60 * time.Second):
		return errors.New(method + ": no answer within a minute")
	}
}

func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	if err := b.try(method, params, result); err != nil {
		b.t.Fatal(err)
	}
}

// html returns the page as it is shown; nothing while another is loaded.
func (b *browser) html() string {
	var root struct{ Root struct{ NodeID int } }
	var out struct{ OuterHTML string }
	if b.try("DOM.getDocument", nil, &root) != nil || b.try("DOM.getOuterHTML", map[string]any{"nodeId": root.Root.NodeID}, &out) != nil {
		return ""
	}
	return out.OuterHTML
}

// shows waits until the page holds the words.
func (b *browser) shows(words string) {
	b.t.Helper()
	text := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if text = b.html(); strings.Contains(text, words) {
			return
		}
	}
	b.t.Fatalf("the page does not show %q within 30 s, but\n%s", words, text)
}

func (b *browser) visit(to string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": to}, nil)
}

// enter types text into the field.
func (b *browser) enter(selector, text string) {
	b.t.Helper()
	b.focus(selector)
	b.call("Input.insertText", map[string]any{"text": text}, nil)
}

// press sends a form by its button, from the keyboard.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.focus(selector)
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}, nil)
	}
}

func (b *browser) focus(selector string) {
	b.t.Helper()
	var root struct{ Root struct{ NodeID int } }
	b.call("DOM.getDocument", nil, &root)
	var node struct{ NodeID int }
	b.call("DOM.querySelector", map[string]any{"nodeId": root.Root.NodeID, "selector": selector}, &node)
	if node.NodeID == 0 {
		b.t.Fatalf("the page has no %s", selector)
	}
	b.call("DOM.focus", map[string]any{"nodeId": node.NodeID}, nil)
}

// picture keeps a picture of the whole page where SPILLGATE_PICTURES names a
// folder, and fails when there is nothing on it.
func (b *browser) picture(name string, width int, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	var size struct {
		CSSContentSize struct{ Width, Height float64 }
	}
	b.call("Page.getLayoutMetrics", nil, &size)
	if got := size.CSSContentSize.Width; got > float64(width) {
		b.t.Errorf("%s is %v wide on a screen of %d: it must be scrolled sideways", name, got, width)
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil || len(png) < 5000 {
		b.t.Errorf("%s: a picture of %d bytes, %v", name, len(png), err)
	}
	if dir := os.Getenv("SPILLGATE_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
			b.t.Error(err)
		}
	}
}

// TestBrowser goes the whole way with scripts switched off: log in, look,
// filter, close, log out. Everything that the pages ask for is on this machine.
func TestBrowser(t *testing.T) {
	b := openBrowser(t)
	all := append(many(), full())
	all[1].Places[0].Path = "src/main/resources/config/environments/production/application-secrets.properties"
	all[1].Occurrences = 7
	slices.SortStableFunc(all, func(x, y *incident.Incident) int {
		if x.Open() != y.Open() && x.Open() {
			return -1
		}
		return 0
	})
	server := httptest.NewUnstartedServer(nil)
	home := "http://" + server.Listener.Addr().String()
	tokens := new(access.Tokens)
	tokens.Add(closerToken, access.Identity{Name: "cleo", Role: access.Closer})
	store := &memory{all: all}
	s, err := web.New(web.Options{Incidents: store, Tokens: tokens, URL: home, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.Handler()
	server.Start()
	defer server.Close()

	b.visit(home + "/incidents?stage=open")
	b.shows("With the token that you were given")
	b.picture("login", 1100, false)
	b.enter("#secret", "a wrong token, long")
	b.press("button.main")
	b.shows("That token is not known")
	b.enter("#secret", closerToken)
	b.press("button.main")
	b.shows("4 incidents are open")
	if strings.Contains(b.html(), "A closed one") {
		t.Error("the filter in the address was lost at the login")
	}
	b.visit(home + "/incidents")
	b.shows("A closed one")
	b.picture("list", 1100, false)
	b.picture("list-dark", 1100, true)
	b.picture("list-phone", 390, false)

	b.enter("#repository", "payments")
	b.press(".filter button")
	b.shows("Show all")
	if text := b.html(); strings.Contains(text, "A high one") || !strings.Contains(text, "AWS KMS key ARN") {
		t.Error("the filter does not work")
	}
	b.press("a.hit")
	b.shows("What rotation did not fix")
	b.picture("incident", 1100, false)
	b.picture("incident-dark", 1100, true)
	b.picture("incident-phone", 390, false)
	b.enter("#reason", "The key policy was narrowed, the data re-encrypted.")
	b.press("#close button.main")
	b.shows("by cleo")
	b.picture("closed", 1100, false)
	if full, err := store.Get(t.Context(), full().ID); err != nil || full.Open() {
		t.Errorf("the incident is not closed: %v", err)
	}
	b.press("button.quiet")
	b.shows("With the token that you were given")
	b.visit(home + "/incidents")
	b.shows("With the token that you were given")

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.requests {
		if u, err := url.Parse(r); err != nil || "http://"+u.Host != home {
			t.Errorf("a request to %s", r)
		}
	}
	if len(b.requests) < 10 {
		t.Errorf("only %d requests were seen", len(b.requests))
	}
	for _, p := range b.problems {
		notable := strings.HasPrefix(p, "error") || strings.HasPrefix(p, "warning")
		if notable && !strings.Contains(p, "401") { // the wrong token
			t.Errorf("the console says %s", p)
		}
	}
}

// profile returns a folder for the browser's own files. It is removed as far as
// that goes: children of the browser write there for a moment after its end,
// which is no failure of what is tested.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "spillgate-browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 20 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}
