// Package host knows how a code host's repositories are reached: where they
// are cloned from, with which credentials, and which there are.
package host

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/server/mirror"
)

// A Host reaches the repositories of one source. It is safe for concurrent
// use.
type Host struct {
	// Clone is the URL of a repository with {repository} for its full name.
	Clone string
	// Login is what git uses, unless App is set.
	Login mirror.Login
	// App, if set, gives short-lived tokens.
	App *App
}

// CloneURL returns where the repository is fetched from, and how.
func (h *Host) CloneURL(ctx context.Context, repository string) (string, mirror.Login, error) {
	url := strings.ReplaceAll(h.Clone, "{repository}", repository)
	if h.App == nil {
		return url, h.Login, nil
	}
	token, err := h.App.Token(ctx)
	if err != nil {
		return "", mirror.Login{}, err
	}
	return url, mirror.Login{User: "x-access-token", Password: token}, nil
}

// Token returns what authenticates a request to the host's API: the App's
// token, or the password of the login, which may be empty.
func (h *Host) Token(ctx context.Context) (string, error) {
	if h.App == nil {
		return h.Login.Password, nil
	}
	return h.App.Token(ctx)
}

// An App is a GitHub App as one installation. Its tokens live an hour and are
// used for all but their last five minutes.
// Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app
type App struct {
	// ID is the App's, Installation the installation's.
	ID, Installation int64
	// Key is the App's private key.
	Key *rsa.PrivateKey
	// API is the base URL; https://api.github.com if empty.
	API string
	// Client makes the requests; nil for one with a time-out of 30 s.
	Client *http.Client

	mu      sync.Mutex
	token   string
	expires time.Time
}

// ParseKey reads a private key in PEM, as GitHub gives it (PKCS #1) or as
// others write it (PKCS #8).
func ParseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key of the GitHub App is no PEM file")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key of the GitHub App is no RSA private key")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key of the GitHub App is no RSA private key")
	}
	return private, nil
}

// Token returns a token that is good for five minutes at least.
func (a *App) Token(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && time.Until(a.expires) > 5*time.Minute {
		return a.token, nil
	}
	assertion, err := a.assertion(time.Now())
	if err != nil {
		return "", err
	}
	api := a.API
	if api == "" {
		api = "https://api.github.com"
	}
	url := fmt.Sprintf("%s/app/installations/%d/access_tokens", strings.TrimSuffix(api, "/"), a.Installation)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+assertion)
	r.Header.Set("Accept", "application/vnd.github+json")
	client := a.Client
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("asking GitHub for a token of installation %d: %w", a.Installation, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("asking GitHub for a token of installation %d: %w", a.Installation, err)
	}
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("GitHub gave no token for installation %d of the App %d: %s", a.Installation, a.ID, answer.Status)
	}
	var got struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal(body, &got); err != nil || got.Token == "" {
		return "", fmt.Errorf("GitHub's answer for installation %d holds no token", a.Installation)
	}
	a.token, a.expires = got.Token, got.ExpiresAt
	return a.token, nil
}

// assertion is the JWT by which the App says who it is: RS256, a minute back
// for clocks that differ, nine minutes long of the ten allowed.
func (a *App) assertion(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix(), "iss": fmt.Sprint(a.ID),
	})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.Key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing with the key of the GitHub App: %w", err)
	}
	return signed + "." + enc.EncodeToString(signature), nil
}
