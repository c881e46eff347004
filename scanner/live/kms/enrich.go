package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
)

var _ live.Enricher = (*Session)(nil)

// Enrich finds out about a KMS key or alias, a secret of Secrets Manager, or
// an access key id. See live.Enricher for what an error means.
func (s *Session) Enrich(ctx context.Context, subject live.Subject) (*live.Facts, error) {
	f := &live.Facts{Subject: subject, Status: live.StatusUnknown, Asked: time.Now().UTC()}
	var err error
	switch a := subject.ARN; {
	case subject.AccessKeyID != "":
		err = s.enrichAccessKey(ctx, f)
	case a.IsKey() || a.IsAlias():
		if err = plausible(a); err == nil {
			err = s.enrichKey(ctx, f)
		}
	case a.Service == "secretsmanager" && strings.HasPrefix(a.Resource, "secret:"):
		if err = plausible(a); err == nil {
			err = s.enrichSecret(ctx, f)
		}
	default:
		f.Why = "spillgate asks about KMS keys and aliases, secrets of Secrets Manager and access keys; " + a.Service + " is none of them"
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("asking about %s: %w", nameOf(subject), err)
	}
	return f, nil
}

func nameOf(s live.Subject) string {
	if s.AccessKeyID != "" {
		return "access key " + s.AccessKeyID
	}
	return s.ARN.String()
}

// fact asks a question: its answer, or why there is none.
func fact[T any](ask func() (T, error)) live.Fact[T] {
	v, err := ask()
	if err != nil {
		return live.Unknown[T](because(err))
	}
	return live.Known(v)
}

// because returns why a question failed, in words without the text of any
// answer.
func because(err error) string {
	var e *Error
	var bound *boundError
	switch {
	case errors.As(err, &e):
		return e.Error()
	case errors.As(err, &bound):
		return bound.Error()
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "out of time"
	}
	return "an unexpected failure"
}

// enrichKey asks everything about a key or alias. Credentials that do not work
// are the one failure that is an error, since nothing could be asked. That STS
// does not accept them is not enough: an endpoint for KMS alone may.
func (s *Session) enrichKey(ctx context.Context, f *live.Facts) error {
	a := f.Subject.ARN
	caller, err := s.Caller(ctx, a)
	switch {
	case err == nil:
		f.Caller = live.Known(caller)
	case classOfError(err) == Credentials:
		return err
	default:
		f.Caller = live.Unknown[live.Caller](because(err))
	}
	f.Key = &live.KeyFacts{}
	var failed error
	f.Status, f.Why, failed = s.ask(ctx, a, caller.Account, f.Key, everything)
	if classOfError(err) == NotAccepted && classOfError(failed) == NotAccepted {
		return failed
	}
	s.askAround(ctx, f)
	return nil
}

// askAround asks for what is not in KMS: the replicas' own facts, the name of
// the account, the trail.
func (s *Session) askAround(ctx context.Context, f *live.Facts) {
	k := f.Key
	own, _ := k.ARN.Get()
	if own == (live.ARN{}) {
		own = f.Subject.ARN
	}
	var wg sync.WaitGroup
	if related := relatives(own, k); len(related) > 0 {
		k.Replicas = make([]live.KeyFacts, len(related))
		for i, r := range related {
			wg.Go(func() {
				caller := f.Caller.Or(live.Caller{})
				_, why, _ := s.ask(ctx, r, caller.Account, &k.Replicas[i], exposure)
				if !k.Replicas[i].ARN.IsKnown() && why != "" {
					k.Replicas[i].ARN = live.Unknown[live.ARN](r.String() + ": " + why)
				}
			})
		}
	}
	if s.options.Organization {
		wg.Go(func() { k.AccountName = fact(func() (string, error) { return s.accountName(ctx, own) }) })
	}
	if !s.options.Trail.IsZero() && own.IsKey() && f.Status != live.NotFound {
		wg.Go(func() { k.Events = fact(func() ([]live.Event, error) { return s.events(ctx, own) }) })
	}
	wg.Wait()
}

// relatives returns the related multi-Region keys other than own.
func relatives(own live.ARN, k *live.KeyFacts) []live.ARN {
	m, _ := k.MultiRegion.Get()
	var all []live.ARN
	for _, r := range append([]live.ARN{m.Primary}, m.Replicas...) {
		// Related keys differ in their Region alone. An answer that names
		// another account's key is not followed.
		if plausible(r) == nil && r != own && r.In(own.Region) == own && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// A scope is which of the questions about a key are put.
type scope struct {
	policy, grants, aliases, tags, use bool
	rotation, rotations                bool
	lean                               bool // of keys that AWS manages, only the rotation
}

var (
	everything = scope{policy: true, grants: true, aliases: true, tags: true, use: true, rotation: true, rotations: true}
	exposure   = scope{policy: true, grants: true}
	// before is what preconditions of an action speak of.
	before = scope{policy: true, grants: true, tags: true, rotation: true, rotations: true}
)

// ask fills in k for one key or alias and returns its status, why it is that,
// and how DescribeKey failed. DescribeKey goes first, since it alone takes
// aliases and says whether the others make sense; where it is denied the others
// are asked all the same, because a key's policy may allow each of them apart.
func (s *Session) ask(ctx context.Context, a live.ARN, caller string, k *live.KeyFacts, what scope) (live.Status, string, error) {
	client := s.client(s.placeOf(a))
	status, why, err := describe(ctx, client, a, k)
	own := k.ARN.Or(a)
	if err != nil && (!a.IsKey() || classOfError(err) != Denied) {
		s.leave(k, what, "not asked, since DescribeKey gave no answer: "+because(err))
		return status, why, err
	}
	if manager, _ := k.KeyManager.Get(); what.lean && manager == "AWS" {
		s.leave(k, what, "not asked: AWS manages the key")
		what = scope{rotation: true}
	}
	q := questions{s: s, ctx: ctx, client: client, arn: own, foreign: caller != "" && caller != own.Account}
	var wg sync.WaitGroup
	run := func(wanted bool, f func()) {
		if wanted {
			wg.Go(f)
		}
	}
	fixed := rotationFixed(k)
	run(what.rotation, func() { k.Rotation = q.rotation(fixed) })
	run(what.rotations, func() { k.Rotations = q.rotations(fixed) })
	run(what.policy, func() { k.Policy = ofOwner(q, "kms:GetKeyPolicy", q.policy) })
	run(what.grants, func() { k.Grants = fact(q.grants) })
	run(what.aliases, func() { k.Aliases = ofOwner(q, "kms:ListAliases", q.aliases) })
	run(what.tags, func() { k.Tags = ofOwner(q, "kms:ListResourceTags", q.tags) })
	run(what.use, func() { k.LastUse = ofOwner(q, "kms:GetKeyLastUsage", q.lastUse) })
	wg.Wait()
	return status, why, err
}

// leave says of every question in what why it was not put.
func (s *Session) leave(k *live.KeyFacts, what scope, why string) {
	k.Rotation = live.Unknown[live.RotationStatus](why)
	k.Rotations = live.Unknown[[]live.Rotation](why)
	k.Policy = live.Unknown[string](why)
	k.Grants = live.Unknown[[]live.Grant](why)
	if what.tags {
		k.Tags = live.Unknown[map[string]string](why)
	}
	if what.aliases {
		k.Aliases = live.Unknown[[]string](why)
		k.LastUse = live.Unknown[live.LastUse](why)
	}
}
