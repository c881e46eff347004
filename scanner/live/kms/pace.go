package kms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// rates are the requests a second that this program allows itself, per account
// and Region: the documented quota where it is small, and a tenth or less of it
// where it is shared with those who use the keys.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
// and, for LookupEvents, https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
var rates = [...]struct {
	service, operation string
	rate               float64
}{
	{"KMS", "GetKeyLastUsage", 5},
	{"KMS", "RotateKeyOnDemand", 5},
	{"KMS", "EnableKeyRotation", 5},
	{"KMS", "RevokeGrant", 5},
	{"KMS", "ListKeyRotations", 50},
	{"KMS", "ListGrants", 50},
	{"CloudTrail", "LookupEvents", 2},
	{"Organizations", "DescribeAccount", 5},
	{"Organizations", "ListAccounts", 1},
}

// The rate over all operations in a Region begins at firstRate and grows up to
// regionRate while nothing is throttled.
const (
	firstRate  = 40.0
	regionRate = 200.0
	slowest    = 0.5
)

// A pacer spaces requests. Each operation has a fixed rate, and each account
// and Region one that adapts: a throttled request lowers it at once, every
// answer raises it: fast until the first refusal, then a little, so that it
// settles under a limit that nobody told.
//
// It also keeps by how much AWS's clock is ahead of this one.
type pacer struct {
	mu    sync.Mutex
	lanes map[lane]*pace
	skews map[place]time.Duration
	off   bool // in benchmarks
}

type lane struct {
	place
	operation string // empty: all of the Region
}

// A pace is a turnstile: one request at a time waits in it until its turn, by
// the rate of that moment, and the others wait for the turnstile.
type pace struct {
	turn chan struct{} // holds one token
	rate float64
	next time.Time // when the next request may go
	cut  time.Time // when the rate was last lowered
}

func newPacer() *pacer { return &pacer{lanes: map[lane]*pace{}, skews: map[place]time.Duration{}} }

// get returns a lane, made with a rate; p.mu is held.
func (p *pacer) get(l lane, rate float64) *pace {
	if p.lanes[l] == nil {
		p.lanes[l] = &pace{turn: make(chan struct{}, 1), rate: rate}
	}
	return p.lanes[l]
}

// burst is how much of the time before a request counts: ten requests, and at
// most a quarter of a second's worth, may go at once.
func burst(rate float64) time.Duration {
	return min(time.Second/4, time.Duration(10/rate*float64(time.Second)))
}

// pass waits for a turn in a lane.
func (p *pacer) pass(ctx context.Context, l lane, rate float64) error {
	p.mu.Lock()
	t := p.get(l, rate)
	p.mu.Unlock()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		now := time.Now()
		p.mu.Lock()
		wait := t.next.Sub(now)
		if wait <= 0 {
			if earliest := now.Add(-burst(t.rate)); t.next.Before(earliest) {
				t.next = earliest
			}
			t.next = t.next.Add(time.Duration(float64(time.Second) / t.rate))
		}
		p.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// wait blocks until a request may go.
func (p *pacer) wait(ctx context.Context, at place, service, operation string) error {
	if p.off {
		return ctx.Err()
	}
	for _, r := range rates {
		if r.service == service && r.operation == operation {
			if err := p.pass(ctx, lane{at, operation}, r.rate); err != nil {
				return err
			}
		}
	}
	return p.pass(ctx, lane{place: at}, firstRate)
}

// learn adapts the Region's rate to the answer to a request that was sent at a
// time. What was on its way when the rate was lowered does not lower it again.
func (p *pacer) learn(at place, sent time.Time, throttled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.get(lane{place: at}, firstRate)
	switch {
	case !throttled:
		grow := 0.02 + 0.001*l.rate
		if l.cut.IsZero() {
			grow = l.rate / 20
		}
		l.rate = min(regionRate, l.rate+grow)
	case sent.After(l.cut):
		now := time.Now()
		l.rate, l.cut = max(slowest, l.rate*0.7), now
		// What was saved up is spent: the limit's own store is empty too.
		l.next = now.Add(time.Duration(float64(time.Second) / l.rate))
	}
}

func (p *pacer) setSkew(at place, skew time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skews[at] = skew
}

func (p *pacer) skewOf(at place) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.skews[at]
}

// pace is the middleware around every request of a place, retries included:
// it waits for the turn, takes one of the slots, and learns from the answer. It
// stands after the credentials were fetched: assuming a role is a request that
// needs a slot of its own.
func (s *Session) pace(at place) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("spillgatePace", func(
			ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			err := s.pacer.wait(ctx, at, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx))
			if err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			select {
			case s.slots <- struct{}{}:
			case <-ctx.Done():
				return middleware.FinalizeOutput{}, middleware.Metadata{}, ctx.Err()
			}
			sent := time.Now()
			out, meta, err := next.HandleFinalize(ctx, in)
			<-s.slots
			s.pacer.learn(at, sent, isThrottle(err))
			if skew, ok := awsmiddleware.GetAttemptSkew(meta); ok {
				s.pacer.setSkew(at, skew)
			}
			return out, meta, err
		}), "Signing", middleware.Before)
	}
}

func isThrottle(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && isThrottleCode(api.ErrorCode())
}

// newRetryer returns the retries of questions: bounded, with jitter, and
// without the SDK's shared quota, since the pacer is what protects the
// service. An answer that was cut off is asked for again.
func newRetryer(attempts int) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = 3 * time.Second
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if err != nil && cutOff(err) && !errors.Is(err, context.Canceled) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}
