package report

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
)

// A browser is a headless Chromium that is spoken to through a pipe
// (--remote-debugging-pipe: JSON messages with a NUL byte after each,
// https://chromedevtools.github.io/devtools-protocol).
type browser struct {
	t       *testing.T
	in      io.Writer
	answers chan message
	session string
	id      int
	asked   []string // URLs of requests
	said    []string // what the page printed or threw
}

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
	// Session is of one page.
	Session string `json:"sessionId,omitempty"`
}

// openBrowser starts a browser and opens a page in it.
func openBrowser(t *testing.T, page string) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" || runtime.GOOS == "windows" {
		t.Skip("there is no chromium: apt-get install chromium")
	}
	if testing.Short() {
		t.Skip("it starts a browser")
	}
	readCommands, commands, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answers, writeAnswers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir="+profile(t), "--window-size=1200,900", "--remote-debugging-pipe", "about:blank")
	c.ExtraFiles = []*os.File{readCommands, writeAnswers} // its files 3 and 4
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = readCommands.Close(), writeAnswers.Close()
	b := &browser{t: t, in: commands, answers: make(chan message, 1000)}
	t.Cleanup(func() {
		_ = commands.Close() // which ends the browser
		done := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		done.Stop()
		if t.Failed() {
			t.Log(stderr.String())
		}
	})
	go func() {
		defer close(b.answers)
		r := bufio.NewReader(answers)
		for {
			text, err := r.ReadBytes(0)
			var m message
			if err == nil {
				err = json.Unmarshal(text[:len(text)-1], &m)
			}
			if err != nil {
				return
			}
			b.answers <- m
		}
	}()
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session = target.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Page.navigate", map[string]any{"url": (&url.URL{Scheme: "file", Path: page}).String()}, nil)
	b.until(func(m message) bool { return m.Method == "Page.loadEventFired" })
	return b
}

// until reads what the browser says until one message is what is waited for.
func (b *browser) until(is func(message) bool) message {
	b.t.Helper()
	limit := time.After(60 * time.Second)
	for {
		select {
		case m, ok := <-b.answers:
			if !ok {
				b.t.Fatal("the browser is gone")
			}
			b.note(m)
			if is(m) {
				return m
			}
		case <-limit:
			b.t.Fatal("the browser does not answer")
		}
	}
}

// note keeps what the page asked for and said.
func (b *browser) note(m message) {
	switch m.Method {
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		if json.Unmarshal(m.Params, &p) == nil {
			b.asked = append(b.asked, p.Request.URL)
		}
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
		b.said = append(b.said, string(m.Params))
	}
}

// call sends a command and reads its result into a struct.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.id++
	id := b.id
	args, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := json.Marshal(message{ID: id, Method: method, Params: args, Session: b.session})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	m := b.until(func(m message) bool { return m.ID == id })
	if m.Error != nil {
		b.t.Fatalf("%s: %s", method, m.Error)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatal(err)
		}
	}
}

// eval runs JavaScript beside the page, past its policy, and returns a string.
func (b *browser) eval(script string) string {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", script, r.ExceptionDetails)
	}
	return fmt.Sprint(r.Result.Value)
}

// set fills a field of the form as a user does.
func (b *browser) set(field, property, value string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("{ const f = document.getElementById('filter').elements[%q]; f[%q] = %s; f.dispatchEvent(new Event('input', {bubbles: true})) }", field, property, value))
}

// screenshot writes a picture of the page and returns how many colours it has.
func (b *browser) screenshot(file string) int {
	b.t.Helper()
	var r struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	data, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	picture, bad := png.Decode(bytes.NewReader(data))
	if err := errors.Join(err, bad); err != nil {
		b.t.Fatal(err)
	}
	colours := map[[3]uint32]bool{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			red, green, blue, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{red, green, blue}] = true
		}
	}
	return len(colours)
}

const (
	visibleRows = "[...document.querySelectorAll('tbody tr')].filter(r => r.getClientRects().length > 0).length"
	shownText   = "document.getElementById('filter').elements.shown.textContent"
)

// TestHTMLInBrowser opens the page in a headless Chromium, if there is one: its
// filters work, also with what hostile names put into them, it asks nobody for
// anything, and nothing in it becomes active. The picture goes to the folder
// that SPILLGATE_SCREENSHOTS names, or to a scratch one.
func TestHTMLInBrowser(t *testing.T) {
	r := hostile()
	r.Suppressed = suppressed().Suppressed
	evil := `"><img src="https://evil.example/x" onerror="window.evil=1"><script>window.evil=1</script>`
	r.Findings = append(r.Findings, finding(tokenRule, fakeToken+"xs", content(evil), 1, 1), finding(arnRule, fakeARN, content("src/Main.tf"), 2, 1))
	page := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(page, []byte(render(t, "html", Options{FailOn: rules.Medium, Version: "v1.2.3"}, r)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, page)
	all, open := len(r.Findings)+len(r.Suppressed), len(r.Findings)
	of := func(rule string, from int) (n int) {
		for _, f := range r.Findings {
			if (rule == "" || f.Rule.ID == rule) && int(f.Severity) >= from {
				n++
			}
		}
		return n
	}
	expect := func(what string, want int) {
		t.Helper()
		if got := b.eval(visibleRows); got != fmt.Sprint(want) {
			t.Errorf("%s: %s rows are visible, want %d", what, got, want)
		}
		if got := b.eval(shownText); got != fmt.Sprintf("%d of %d shown", want, all) {
			t.Errorf("%s: it says %q", what, got)
		}
	}
	expect("as it opens", open)
	b.set("suppressed", "checked", "true")
	expect("suppressed too", all)
	b.set("suppressed", "checked", "false")
	b.set("rule", "value", `"aws-kms-key-arn"`)
	expect("one rule", of("aws-kms-key-arn", 0))
	b.set("severity", "value", `"4"`)
	expect("one rule, critical", 0)
	b.set("rule", "value", `""`)
	expect("critical", of("", 4))
	b.set("severity", "value", `"0"`)
	b.set("path", "value", `"MAIN"`)
	expect("a path", 1)
	b.set("path", "value", `"onerror="`)
	expect("a hostile path", 1)
	b.set("path", "value", `""`)
	expect("without filters", open)

	dir := os.Getenv("SPILLGATE_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	if n := b.screenshot(filepath.Join(dir, "report.png")); n < 10 {
		t.Errorf("the picture has %d colours: the page is empty", n)
	}
	if got := b.eval("String(window.evil) + document.images.length"); got != "undefined0" {
		t.Errorf("something in the page became active: %s", got)
	}
	for _, u := range b.asked {
		if !strings.HasPrefix(u, "file://") {
			t.Errorf("the page asked for %s", u)
		}
	}
	if len(b.asked) != 1 || len(b.said) > 0 {
		t.Errorf("asked for %q, said %q; want the page alone and nothing", b.asked, b.said)
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
