package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/server/notify"
)

// A receiver of webhooks reads the raw body, verifies it, and only then looks
// into it. A message that it has seen before it need not work on again.
func ExampleVerify() {
	secret := "made up, and longer"
	seen := map[string]bool{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || notify.Verify(secret, r.Header, body, time.Now()) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if id := r.Header.Get(notify.HeaderID); !seen[id] {
			seen[id] = true
			fmt.Println("new:", id)
		}
	}))
	defer receiver.Close()

	channel, err := notify.NewWebhook(receiver.URL, secret)
	if err != nil {
		panic(err)
	}
	for range 2 {
		fmt.Println(channel.Send(context.Background(), &notify.Message{ID: "f1-1", Event: notify.Opened}))
	}
	// Output:
	// new: f1-1
	// <nil>
	// <nil>
}

func TestVerify(t *testing.T) {
	var head http.Header
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		head = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	older, newer := "the older secret", "the newer one, longer"
	w, err := notify.NewWebhook(s.URL, newer, older)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), &notify.Message{ID: "a", Event: notify.Opened}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, secret := range []string{older, newer} {
		if err := notify.Verify(secret, head, body, now); err != nil {
			t.Error("signed with two secrets, one does not verify:", err)
		}
	}
	changed := func(change func(http.Header)) http.Header {
		h := head.Clone()
		change(h)
		return h
	}
	for name, err := range map[string]error{
		"another secret":  notify.Verify("another secret, longer", head, body, now),
		"no secret":       notify.Verify("", head, body, now),
		"another body":    notify.Verify(newer, head, append([]byte(" "), body...), now),
		"too late":        notify.Verify(newer, head, body, now.Add(notify.Tolerance+2*time.Second)),
		"from the future": notify.Verify(newer, head, body, now.Add(-notify.Tolerance-2*time.Second)),
		"another time":    notify.Verify(newer, changed(func(h http.Header) { h.Set(notify.HeaderTime, strconv.FormatInt(now.Unix()+9, 10)) }), body, now),
		"no signature":    notify.Verify(newer, changed(func(h http.Header) { h.Del(notify.HeaderSignature) }), body, now),
		"no time":         notify.Verify(newer, changed(func(h http.Header) { h.Del(notify.HeaderTime) }), body, now),
	} {
		if err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

// TestVerifyInShell runs the command that the documentation of HeaderSignature
// gives.
func TestVerifyInShell(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl on the PATH")
	}
	source, err := os.ReadFile("webhook.go")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(source), "//	{ printf")
	line, _, _ = strings.Cut(line, "\n")
	if !ok {
		t.Fatal("the documentation gives no command")
	}
	secret, stamp, body := "made up, and longer", "", []byte(nil)
	var head http.Header
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		head = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	w, err := notify.NewWebhook(s.URL, secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), &notify.Message{ID: "a", Event: notify.Opened}); err != nil {
		t.Fatal(err)
	}
	stamp = head.Get(notify.HeaderTime)
	cmd := exec.Command("sh", "-c", "{ printf"+line)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "timestamp="+stamp, "secret="+secret)
	if err := os.WriteFile(cmd.Dir+"/body", body, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(out))
	if got := "v1=" + fields[len(fields)-1]; got != head.Get(notify.HeaderSignature) {
		t.Errorf("the command says %s, the header %s", got, head.Get(notify.HeaderSignature))
	}
}
