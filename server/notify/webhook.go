package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a webhook.
const (
	// HeaderID is the message's id, the same at every attempt: a receiver that
	// has seen it may answer 200 and do nothing.
	HeaderID = "Spillgate-Message-Id"
	// HeaderTime is when the attempt was made, in seconds since 1970.
	HeaderTime = "Spillgate-Timestamp"
	// HeaderSignature holds one signature per secret, separated by commas:
	// "v1=" and the hex HMAC-SHA256 of the timestamp, a full stop and the raw
	// body. The timestamp is signed so that a delivery that was overheard
	// cannot be used again later. In a shell, with the raw body in a file:
	//
	//	{ printf '%s.' "$timestamp"; cat body; } | openssl dgst -sha256 -hmac "$secret"
	HeaderSignature = "Spillgate-Signature"
)

// A Document is the body of a webhook, and the message of SNS.
type Document struct {
	Version int    `json:"version"` // 1
	ID      string `json:"id"`
	Event   Event  `json:"event"`
	// Sent is when the attempt was made.
	Sent time.Time `json:"sent"`
	// Incident is set for one, Items for a digest.
	Incident *Summary `json:"incident,omitempty"`
	Items    []Item   `json:"items,omitempty"`
}

// An Item is one message of a digest.
type Item struct {
	ID       string  `json:"id"`
	Event    Event   `json:"event"`
	Incident Summary `json:"incident"`
}

func single(m *Message, now time.Time) Document {
	return Document{Version: 1, ID: m.ID, Event: m.Event, Sent: now.UTC(), Incident: &m.Incident}
}

func several(id string, messages []Message, now time.Time) Document {
	d := Document{Version: 1, ID: id, Event: Several, Sent: now.UTC()}
	for i := range messages {
		s := messages[i].Incident
		// What is long stays with the incident's page.
		s.Places, s.Why, s.Verdict, s.Unfixed = s.Places[:min(len(s.Places), 1)], "", nil, nil
		d.Items = append(d.Items, Item{messages[i].ID, messages[i].Event, s})
	}
	return d
}

// A Webhook posts JSON to an URL, signed.
type Webhook struct {
	url     string
	secrets []string
	client  *http.Client
}

// NewWebhook returns a channel that posts to the URL. Each secret signs;
// several while one is replaced. There must be one of at least 16 characters.
func NewWebhook(to string, secrets ...string) (*Webhook, error) {
	if err := checkURL(to); err != nil {
		return nil, fmt.Errorf("webhook: url: %w", err)
	}
	if len(secrets) == 0 {
		return nil, errors.New("webhook: it needs a secret to sign with")
	}
	for _, s := range secrets {
		if len(s) < 16 {
			return nil, errors.New("webhook: a secret needs at least 16 characters")
		}
	}
	return &Webhook{to, secrets, newClient()}, nil
}

// Kind returns "webhook".
func (w *Webhook) Kind() string { return "webhook" }

// Send posts one incident.
func (w *Webhook) Send(ctx context.Context, m *Message) error {
	now := time.Now()
	return w.post(ctx, single(m, now), now)
}

// Digest posts several.
func (w *Webhook) Digest(ctx context.Context, id string, messages []Message) error {
	now := time.Now()
	return w.post(ctx, several(id, messages, now), now)
}

func (w *Webhook) post(ctx context.Context, d Document, now time.Time) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, s := range w.secrets {
		signatures = append(signatures, "v1="+hex.EncodeToString(sign(s, stamp, body)))
	}
	header := http.Header{}
	header.Set(HeaderID, d.ID)
	header.Set(HeaderTime, stamp)
	header.Set(HeaderSignature, strings.Join(signatures, ","))
	return post(ctx, w.client, w.url, header, body)
}

func sign(secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Tolerance is how far a timestamp may be from the receiver's clock.
const Tolerance = 5 * time.Minute

// Verify is what a receiver does first: it reports why a delivery cannot be
// trusted. It compares in constant time.
func Verify(secret string, h http.Header, body []byte, now time.Time) error {
	stamp := h.Get(HeaderTime)
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("the delivery has no timestamp")
	}
	if age := now.Sub(time.Unix(n, 0)); age > Tolerance || age < -Tolerance {
		return errors.New("the timestamp is too far from now")
	}
	want := sign(secret, stamp, body)
	ok := false
	for part := range strings.SplitSeq(h.Get(HeaderSignature), ",") {
		given, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(part), "v1="))
		ok = err == nil && hmac.Equal(given, want) || ok
	}
	if !ok || secret == "" {
		return errors.New("the signature is missing or wrong")
	}
	return nil
}
