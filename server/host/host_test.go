package host

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParseKey(t *testing.T) {
	key := newKey(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for kind, der := range map[string][]byte{"RSA " + "PRIVATE KEY": x509.MarshalPKCS1PrivateKey(key), "PRIVATE " + "KEY": pkcs8} {
		got, err := ParseKey(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
		if err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, bad := range []string{"", "no PEM", string(pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: []byte("made up")}))} {
		if _, err := ParseKey(bad); err == nil || strings.Contains(err.Error(), "made up") {
			t.Errorf("a bad key: %v", err)
		}
	}
}

// TestAppToken shows that the assertion is signed and short-lived, that a token
// is used until five minutes before its end, and that errors hold no secret.
func TestAppToken(t *testing.T) {
	key := newKey(t)
	asked, lives, status := 0, 4*time.Minute, http.StatusCreated
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Method != http.MethodPost || r.URL.Path != "/app/installations/7/access_tokens" {
			http.NotFound(w, r)
			return
		}
		check(t, key, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"token":"made-up-%d","expires_at":%q}`, asked, time.Now().Add(lives).UTC().Format(time.RFC3339))
	}))
	defer s.Close()
	h := &Host{Clone: "https://hub/{repository}.git", App: &App{ID: 3, Installation: 7, Key: key, API: s.URL + "/"}}
	for want := 1; want <= 3; want++ { // each lives for less than five minutes, the third for longer
		if want == 3 {
			lives = time.Hour
		}
		url, login, err := h.CloneURL(t.Context(), "team/app")
		if err != nil || url != "https://hub/team/app.git" || login.User != "x-access-token" || login.Password != fmt.Sprint("made-up-", want) {
			t.Fatalf("call %d: %s %v", want, url, err)
		}
	}
	if _, _, err := h.CloneURL(t.Context(), "team/app"); err != nil || asked != 3 {
		t.Errorf("a token that is good was not used again: asked %d times, %v", asked, err)
	}
	h.App.token = ""
	status = http.StatusForbidden
	if _, err := h.Token(t.Context()); err == nil || strings.Contains(err.Error(), "made-up") {
		t.Errorf("got %v", err)
	}
}

// check verifies the JWT as GitHub does.
func check(t *testing.T, key *rsa.PrivateKey, jwt string) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		t.Error(err)
	}
	claims, err := io.ReadAll(base64.NewDecoder(base64.RawURLEncoding, strings.NewReader(parts[1])))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Iat, Exp int64
		Iss      string
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	if c.Iss != "3" || c.Iat > now || c.Exp <= now || c.Exp-c.Iat > 600 {
		t.Errorf("claims %+v at %d", c, now)
	}
}
