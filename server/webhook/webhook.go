// Package webhook receives the push webhooks of code hosts.
//
// A host gives a receiver a few seconds and most never send a delivery again,
// so the receiver does three things and no more: it checks the signature over
// the raw body, puts the pushed refs into the durable queue, and answers 202.
// A full queue is 503, which hosts and operators see; nothing is dropped
// behind a 2xx. What a body holds is believed only after its signature, and
// even then only names and ids are taken from it: where a repository is
// fetched from is the operator's configuration.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// MaxBody is the largest body that is read, in bytes: GitHub's cap, above
// which it does not deliver.
// Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
const MaxBody = 25 << 20

// ErrFull is what a Queue returns when it takes no more for now.
var ErrFull = errors.New("the queue is full")

// A Queue keeps pushes durably: when Put returns nil, the push survives a
// crash. A push that was put before is no error.
type Queue interface {
	Put(ctx context.Context, p push.Push) (duplicate bool, err error)
}

// A Source is one configured host.
type Source struct {
	// Name appears in the URL (/webhooks/NAME) and in incidents.
	Name string
	// Kind is the host's dialect.
	Kind Kind
	// Secrets are the accepted webhook secrets; several while one is replaced.
	// None means that every delivery is refused.
	Secrets []string
}

// A Kind is a host's dialect of webhooks.
type Kind string

// The kinds.
const (
	GitHub    Kind = "github"
	GitLab    Kind = "gitlab"
	Bitbucket Kind = "bitbucket"
	Generic   Kind = "generic"
)

// A Counter counts deliveries by outcome. The outcomes are accepted,
// duplicate, ping, ignored, unsigned, malformed, oversized, full and failed.
type Counter interface {
	Delivered(source, outcome string, took time.Duration)
}

// A Handler answers the deliveries of one source.
type Handler struct {
	Source  Source
	Queue   Queue
	Counter Counter
	Log     *slog.Logger
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// A refusal is an answer other than 2xx.
type refusal struct {
	code    int
	outcome string
	say     string
}

var (
	errUnsigned = &refusal{http.StatusUnauthorized, "unsigned", "the signature is missing or wrong"}
	errFull     = &refusal{http.StatusServiceUnavailable, "full", "the queue is full; send it again later"}
	errStore    = &refusal{http.StatusServiceUnavailable, "failed", "the delivery could not be stored; send it again later"}
	errTooBig   = &refusal{http.StatusRequestEntityTooLarge, "oversized", "the body is too large"}
)

func (r *refusal) Error() string { return r.say }

func malformed(say string) *refusal { return &refusal{http.StatusBadRequest, "malformed", say} }

// ServeHTTP verifies, persists and answers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := h.now()
	outcome, err := h.take(w, r, start)
	if err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			no = errStore
		}
		outcome = no.outcome
		if no.code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "60")
		}
		http.Error(w, no.say, no.code)
		h.Log.Warn("webhook refused", "source", h.Source.Name, "outcome", outcome, "why", err.Error())
	} else {
		code := http.StatusAccepted
		if outcome == "ping" || outcome == "ignored" {
			code = http.StatusOK
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, outcome+"\n")
	}
	if h.Counter != nil {
		h.Counter.Delivered(h.Source.Name, outcome, h.now().Sub(start))
	}
}

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// take returns the outcome of a delivery that is in order.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, received time.Time) (string, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return "", &refusal{http.StatusMethodNotAllowed, "malformed", "webhooks are posted"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return "", errTooBig
		}
		return "", malformed("the body broke off")
	}
	d := dialects[h.Source.Kind]
	if d == nil || !d.verify(r.Header, body, h.Source.Secrets) {
		return "", errUnsigned
	}
	pushes, outcome, err := d.read(r.Header, body)
	if err != nil || outcome != "" {
		return outcome, err
	}
	return h.put(r.Context(), pushes, received)
}

// put stores all pushes of a delivery. If one cannot be stored, the delivery
// is refused as a whole; those already stored are recognised when it comes
// again.
func (h *Handler) put(ctx context.Context, pushes []push.Push, received time.Time) (string, error) {
	for i := range pushes {
		pushes[i].Source, pushes[i].Received, pushes[i].Trace = h.Source.Name, received, span.Carry(ctx)
		if err := pushes[i].Check(); err != nil {
			return "", malformed(err.Error())
		}
	}
	known := 0
	for _, p := range pushes {
		duplicate, err := h.Queue.Put(ctx, p)
		switch {
		case errors.Is(err, ErrFull):
			return "", errFull
		case err != nil:
			h.Log.Error("storing a push", "source", h.Source.Name, "err", err)
			return "", errStore
		case duplicate:
			known++
		}
	}
	if known == len(pushes) {
		return "duplicate", nil
	}
	return "accepted", nil
}

// A dialect is how one kind of host signs and words its deliveries.
type dialect struct {
	// verify reports whether one of the secrets signed the delivery.
	verify func(h http.Header, body []byte, secrets []string) bool
	// read returns the pushes, or the outcome of a delivery that holds none.
	read func(h http.Header, body []byte) (pushes []push.Push, outcome string, err error)
}

var dialects = map[Kind]*dialect{
	GitHub:    {verifySHA256("X-Hub-Signature-256"), readGitHub},
	GitLab:    {verifyGitLab, readGitLab},
	Bitbucket: {verifySHA256("X-Hub-Signature"), readBitbucket},
	Generic:   {verifySHA256("X-Spillgate-Signature-256"), readGeneric},
}

// verifySHA256 checks a header "sha256=" + hex HMAC-SHA256 over the raw body,
// in constant time for every secret.
func verifySHA256(header string) func(http.Header, []byte, []string) bool {
	return func(h http.Header, body []byte, secrets []string) bool {
		signature, ok := strings.CutPrefix(h.Get(header), "sha256=")
		if !ok {
			return false
		}
		given, err := hex.DecodeString(signature)
		if err != nil || len(given) != sha256.Size {
			return false
		}
		match := 0
		for _, secret := range secrets {
			if secret == "" {
				continue // an empty secret would let anyone sign
			}
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			match |= subtle.ConstantTimeCompare(given, mac.Sum(nil))
		}
		return match == 1
	}
}

// verifyGitLab compares X-Gitlab-Token with the secrets. GitLab sends the
// secret itself and signs nothing, hence the digests: their comparison tells
// nothing of lengths.
// Source: https://docs.gitlab.com/user/project/integrations/webhooks/
func verifyGitLab(h http.Header, _ []byte, secrets []string) bool {
	given := sha256.Sum256([]byte(h.Get("X-Gitlab-Token")))
	match := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		want := sha256.Sum256([]byte(secret))
		match |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return match == 1
}
