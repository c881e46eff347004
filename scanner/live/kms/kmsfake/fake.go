// Package kmsfake is an AWS for tests: a server on 127.0.0.1 that speaks the
// protocols of KMS, STS, IAM, Organizations, CloudTrail, Secrets Manager and
// Account Management as far as spillgate-live uses them, so that the real
// client, the real signer and the real retries are in the test.
//
// It has two modes. As a model it holds keys with state: rotations that take a
// while, lifetime limits, grants over many pages, request rates per Region. As a
// script it expects calls in order, and fails the test on one that is not
// expected and on one that was not made. Both modes share the faults that no
// emulator has: access denied for one operation, bursts of throttling, error
// pages of a proxy, connections cut half-way, slow answers.
//
// It promises no more than the services' own documents: error names, units of
// time and paging are as in the API references. Every request must be signed
// (Signature Version 4) for the service called and, where the request names a
// resource, for the resource's Region; and no secret access key may ever appear
// in what is sent.
package kmsfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// TB is what the fake needs of a test.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// A Server is a running fake.
type Server struct {
	// URL is where it listens.
	URL string
	*Model
	tb     TB
	script *script
	http   *http.Server

	mu       sync.Mutex
	calls    []Call
	callers  map[string]Caller // by access key id
	secrets  []string
	faults   []*Fault
	buckets  map[string]*bucket
	problems []string
	sessions int
	busy     int // requests being answered
	peak     int
	done     chan struct{}
}

// A Caller is who signs a request.
type Caller struct {
	Account, ARN string
}

// A Call is one request that was received, refused ones included.
type Call struct {
	Service, Op, Region string
	Account, Caller     string // the caller's account and ARN
	Input               map[string]any
	At                  time.Time
	// Code is the error code answered, empty for success.
	Code      string
	UserAgent string
}

// Name returns the action as IAM policies name it ("kms:DescribeKey").
func (c Call) Name() string { return c.Service + ":" + c.Op }

// Root credentials of the fake: whoever signs with this access key id is the
// user spillgate of the model's Home account. The secret is made up and checked
// never to travel.
const (
	AccessKeyID = "AKIA" + "FAKEFAKEFAKE2345"
	SecretKey   = "fakeFakeFake" + "FakeFakeFakeFakeFakeFakeFakeF"
)

// New starts a fake around m and ends it with the test. What the fake found
// wrong with requests fails the test then.
func New(tb TB, m *Model) *Server {
	tb.Helper()
	s, err := Start(m)
	if err != nil {
		tb.Fatalf("starting the fake: %v", err)
	}
	s.tb = tb
	tb.Cleanup(func() {
		s.Close()
		for _, p := range s.Problems() {
			tb.Errorf("%s", p)
		}
	})
	return s
}

// Start starts a fake outside of a test. Close ends it; Problems says what it
// found wrong with the requests.
func Start(m *Model) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.prepare()
	s := &Server{
		URL: "http://" + listener.Addr().String(), Model: m,
		callers: map[string]Caller{AccessKeyID: {m.Home, "arn:aws:iam::" + m.Home + ":user/spillgate"}},
		secrets: []string{SecretKey},
		buckets: map[string]*bucket{}, done: make(chan struct{}),
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Close ends the server, and with it answers that are being delayed.
func (s *Server) Close() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	_ = s.http.Close()
}

// Env is the environment in which the SDK finds the fake and nothing else of
// the machine.
func (s *Server) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":      s.URL,
		"AWS_ACCESS_KEY_ID":     AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": SecretKey,
		"AWS_SESSION_TOKEN":     "",
		// A Region that no ARN of a test has: whoever uses it is caught.
		"AWS_REGION":                  "xx-nowhere-9",
		"AWS_CONFIG_FILE":             "/nonexistent/config",
		"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
		"AWS_EC2_METADATA_DISABLED":   "true",
		"NO_PROXY":                    "127.0.0.1",
	}
}

// Calls returns what was received so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Count returns how many calls of an action ("kms:DescribeKey") were received.
func (s *Server) Count(name string) int {
	n := 0
	for _, c := range s.Calls() {
		if c.Name() == name {
			n++
		}
	}
	return n
}

// Forget drops the calls received so far.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// Peak returns how many requests were in flight at once, at most.
func (s *Server) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

func (s *Server) enter(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy += by
	s.peak = max(s.peak, s.busy)
}

// Problems returns what is wrong with the requests received.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]string(nil), s.problems...)
	if s.script != nil {
		all = append(all, s.script.unused()...)
	}
	return all
}

func (s *Server) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, "kmsfake: "+fmt.Sprintf(format, args...))
}

// A request is one call, taken apart.
type request struct {
	service, op, region string
	caller              Caller
	input               map[string]any
}

// str returns a member of the input.
func (r *request) str(name string) string {
	v, _ := r.input[name].(string)
	return v
}

func (r *request) num(name string) int {
	v, _ := r.input[name].(float64)
	return int(v)
}

// An apiError is an answer with an error code.
type apiError struct {
	code, message string
	status        int
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func fail(code, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, h *http.Request) {
	s.enter(1)
	defer s.enter(-1)
	body, err := io.ReadAll(io.LimitReader(h.Body, 1<<20))
	if err != nil {
		return
	}
	s.lookForSecrets(h, body)
	r, proto, bad := s.parse(h, body)
	if bad != nil {
		s.problem("%s %s: %s", h.Method, h.URL.Path, bad.message)
		proto.fail(w, bad)
		return
	}
	at := time.Now()
	out, failure, cut, after := s.answer(w, h, r)
	call := Call{Service: r.service, Op: r.op, Region: r.region, Account: r.caller.Account, Caller: r.caller.ARN, Input: r.input, At: at, UserAgent: h.UserAgent()}
	if failure != nil {
		call.Code = failure.code
	}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	switch {
	case cut:
	case after:
		hijack(w)
	case failure != nil:
		proto.fail(w, failure)
	default:
		proto.reply(w, r, out)
	}
}

// answer finds the answer to r. cut says that it was already given, or that
// there is none; after, that the connection is cut instead of giving it.
func (s *Server) answer(w http.ResponseWriter, h *http.Request, r *request) (out any, failure *apiError, cut, after bool) {
	if failure = s.limit(r); failure != nil {
		return nil, failure, false, false
	}
	f := s.fault(r)
	if f != nil {
		if failure, cut, after = s.inject(w, h, f); failure != nil || cut {
			return nil, failure, cut, false
		}
	}
	if s.script != nil {
		out, failure = s.script.next(r)
	} else {
		out, failure = s.Model.call(s, r)
	}
	return out, failure, false, after
}

// lookForSecrets holds that no secret access key travels.
func (s *Server) lookForSecrets(h *http.Request, body []byte) {
	s.mu.Lock()
	secrets := s.secrets
	s.mu.Unlock()
	text := h.URL.String() + "\n" + string(body)
	for name, values := range h.Header {
		text += "\n" + name + ": " + strings.Join(values, ",")
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
			s.problem("a request to %s holds a secret access key", h.URL.Path)
		}
	}
}

// newSession makes credentials for an assumed role.
func (s *Server) newSession(account, role, name string) (id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	id = "ASIA" + fmt.Sprintf("FAKE%012d", s.sessions)
	secret = "fakeSession" + fmt.Sprintf("Secret%023d", s.sessions)
	s.callers[id] = Caller{account, "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + name}
	s.secrets = append(s.secrets, secret)
	return id, secret
}

func object(body []byte) (map[string]any, error) {
	if len(body) == 0 {
		return map[string]any{}, nil
	}
	var m map[string]any
	err := json.Unmarshal(body, &m)
	return m, err
}

// Forgive drops the problems found so far, in tests that make them.
func (s *Server) Forgive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = nil
}
