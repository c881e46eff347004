// Package live says what a found AWS identifier means while it is in use, and
// carries out a response to it.
//
// The scan is over when this package begins: it reads findings, not text. What
// comes in is a Locator (rule, ARN, place, fingerprint), never a secret. What
// comes out is in three layers, each of which can be read and tested without
// the next:
//
//	Locator --Enricher (reads only)--> Facts --Judge (pure)--> Verdict
//	Facts + Operator --NewPlan (pure)--> Plan
//	Plan --ledger(intent)--> Actor.Do --ledger(receipt)--> Actor.Confirm
//
// Text that anyone may push starts this chain, so it is safe by construction:
// nothing is changed without the operator's own file, which never comes from a
// scanned repository; an act is impossible without a plan, since Actor takes an
// Action and only NewPlan makes one that Responder accepts; and every question
// that could not be answered is a Fact that says why, and counts as a reason
// not to act.
//
// The package knows AWS's vocabulary and none of its clients: scanner/live/kms
// alone talks to AWS.
package live

import (
	"context"
	"time"
)

// An Enricher finds out about a subject. It only reads.
type Enricher interface {
	// Enrich asks AWS for what is known of the subject. It returns an error
	// only where nothing at all could be asked (a malformed ARN, no
	// credentials, a cancelled context); a question that failed is a Fact
	// which says why.
	Enrich(ctx context.Context, s Subject) (*Facts, error)
}

// An Actor carries out one action of a plan. Its methods are called one at a
// time for a key.
type Actor interface {
	// Recheck reads again, immediately before an act, what the action's
	// preconditions speak of, so that a plan made from old facts does not run.
	Recheck(ctx context.Context, a Action) (*Facts, error)
	// Do makes the call, once and without retries of its own that could repeat
	// a change; it returns when AWS has answered.
	Do(ctx context.Context, a Action) (Receipt, error)
	// Confirm asks AWS whether the action called at or after since has taken
	// effect. It never changes anything. Pending means: ask again later.
	Confirm(ctx context.Context, a Action, since time.Time) (Confirmation, error)
}

// A Subject is what an Enricher is asked about: one AWS resource, however
// often it was found.
type Subject struct {
	// ARN is the resource; for an access key id it is the zero ARN.
	ARN ARN `json:"arn,omitzero"`
	// AccessKeyID is an identifier of IAM, not a secret. Empty for ARNs.
	AccessKeyID string `json:"access_key_id,omitempty"`
	// Found are the places, in the order of the input; at least one, and at
	// most MaxPlaces. Places counts all.
	Found  []Locator `json:"found"`
	Places int       `json:"places"`
	// Beside are credentials of the resource's account in the same change, and
	// Elsewhere those in another change of the same report. Subjects fills
	// both in; neither holds more than a few.
	Beside    []Locator `json:"beside,omitempty"`
	Elsewhere []Locator `json:"elsewhere,omitempty"`
}

// A Receipt is AWS's answer to a change.
type Receipt struct {
	// RequestID is AWS's id of the request, for CloudTrail and support.
	RequestID string
	// At is when the answer came.
	At time.Time
	// Note says what the answer held, for people.
	Note string
}

// Progress of an asynchronous change.
type Progress string

// The answers of Actor.Confirm.
const (
	Pending   Progress = "pending"
	Confirmed Progress = "confirmed"
	Failed    Progress = "failed"
)

// A Confirmation says whether a change has taken effect, and how that is
// known.
type Confirmation struct {
	Progress Progress
	// Evidence names the call and what it said, for people.
	Evidence string
	// At is when the change took effect, where AWS says.
	At time.Time
}
