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

// send makes a request to the API and returns an answer of 200, whose body must
// be closed.
func send(ctx context.Context, c *cli.Command, getenv func(string) string, method, path string, body any) (*http.Response, error) {
	base := c.String("server")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server %q is no URL", base)
	}
	token := getenv(tokenVariable)
	if token == "" {
		return nil, fmt.Errorf("set %s to a token of the server", tokenVariable)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects; give its final URL") // the token goes nowhere else
	}}
	got, err := client.Do(r)
	if err != nil {
		return nil, noAnswer(ctx, "asking the server", err)
	}
	if got.StatusCode == http.StatusOK {
		return got, nil
	}
	defer got.Body.Close()
	var e api.Error
	text, err = io.ReadAll(io.LimitReader(got.Body, maxError))
	if err != nil || json.Unmarshal(text, &e) != nil || e.Error == "" {
		e.Error = got.Status
	}
	if got.StatusCode >= 500 {
		return nil, &failure{&unreachable{errors.New(e.Error)}}
	}
	return nil, &failure{errors.New(e.Error)}
}

// What answers are bounded to, in bytes: the text of an error, and what is held of
// any other at a time.
const (
	maxError  = 1 << 20
	maxAnswer = 256 << 20
)

// patience is for how long the server may say nothing.
const patience = time.Minute

// ask makes a request to the API and decodes the answer.
func ask(ctx context.Context, c *cli.Command, getenv func(string) string, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	got, err := send(ctx, c, getenv, method, path, body)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return noAnswer(ctx, "reading the server's answer", err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return &failure{fmt.Errorf("the server's answer is not understood: %w", err)}
	}
	return nil
}

// errSilent is the error of a server that says nothing.
var errSilent = fmt.Errorf("it has said nothing for %s", patience)

// noAnswer is the error where there is no answer, or the beginning of one.
func noAnswer(ctx context.Context, doing string, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		err = errSilent
	}
	return &failure{&unreachable{fmt.Errorf("%s: %w", doing, err)}}
}

// askEach asks for a list and gives its elements to f, one by one, as they arrive.
// more says that the server has more than it was asked for. A list that is cut off
// is an error, after what arrived of it was given to f.
func askEach[T any](ctx context.Context, c *cli.Command, getenv func(string) string, path string, f func(*T) error) (more bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alarm := time.AfterFunc(patience, func() { cancel(errSilent) })
	defer alarm.Stop()
	got, err := send(ctx, c, getenv, http.MethodGet, path, nil)
	if err != nil {
		return false, err
	}
	defer got.Body.Close()
	body := &elements{Reader: got.Body, alarm: alarm}
	d := json.NewDecoder(body)
	n := 0
	wrong := func(err error) error {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		if errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, errTooLong) {
			return &failure{fmt.Errorf("the server's answer is not understood: %w", err)}
		}
		return noAnswer(ctx, fmt.Sprintf("the server's answer is cut off, after %d elements", n), err)
	}
	if t, err := d.Token(); err != nil {
		return false, wrong(err)
	} else if t != json.Delim('[') {
		return false, &failure{errors.New("the server's answer is not understood: it is no list")}
	}
	for ; d.More(); n++ {
		body.held = 0
		element := new(T)
		if err := d.Decode(element); err != nil {
			return false, wrong(err)
		}
		if err := f(element); err != nil {
			return false, &failure{err}
		}
	}
	if _, err := d.Token(); err != nil {
		return false, wrong(err)
	}
	return strings.Contains(got.Header.Get("Link"), `rel="next"`), nil
}

// elements reads a list. The alarm goes off where nothing arrives for long, and
// what is held of one element is bounded.
type elements struct {
	io.Reader
	alarm *time.Timer
	held  int
}

var errTooLong = errors.New("an element is too long")

func (e *elements) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if e.held += n; e.held > maxAnswer {
		return 0, errTooLong
	}
	e.alarm.Reset(patience)
	return n, err
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
