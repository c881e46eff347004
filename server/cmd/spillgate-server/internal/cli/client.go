package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/server/api"
)

// clientFlags say which server is asked, and as whom.
func clientFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{Name: "server", Value: "http://127.0.0.1:8080", Sources: cli.EnvVars("SPILLGATE_SERVER"), Usage: "`URL` of the server"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON"},
	)
}

// tokenVariable names the environment variable with the token: an argument
// could be read by every process of the machine.
const tokenVariable = "SPILLGATE_SERVER_TOKEN"

// ask makes a request to the API and decodes the answer.
func ask(ctx context.Context, c *cli.Command, getenv func(string) string, method, path string, body, answer any) error {
	base := c.String("server")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--server %q is no URL", base)
	}
	token := getenv(tokenVariable)
	if token == "" {
		return fmt.Errorf("set %s to a token of the server", tokenVariable)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects; give its final URL") // the token goes nowhere else
	}}
	got, err := client.Do(r)
	if err != nil {
		return &failure{&unreachable{fmt.Errorf("asking the server: %w", err)}}
	}
	defer got.Body.Close()
	text, err = io.ReadAll(io.LimitReader(got.Body, 256<<20))
	if err != nil {
		return &failure{&unreachable{fmt.Errorf("reading the server's answer: %w", err)}}
	}
	if got.StatusCode != http.StatusOK {
		var e api.Error
		if json.Unmarshal(text, &e) != nil || e.Error == "" {
			e.Error = got.Status
		}
		if got.StatusCode >= 500 {
			return &failure{&unreachable{errors.New(e.Error)}}
		}
		return &failure{errors.New(e.Error)}
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return &failure{fmt.Errorf("the server's answer is not understood: %w", err)}
	}
	return nil
}

// unreachable is the error of a server that gives no answer, or none for now.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }

func (u *unreachable) Unwrap() error { return u.err }

// printJSON writes v, indented.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// plain replaces control characters, which could steer a terminal; several lines
// become one.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\uFFFD'
		}
		return r
	}, s)
}
