package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"

	"github.com/spillgate/spillgate/scanner/live"
)

var _ live.Actor = (*Actor)(nil)

// An Actor carries out actions, with one role that reads and one that
// responds. It decides nothing: what may be done is a matter of the plan.
type Actor struct {
	read, write *Session
}

// NewActor returns an Actor which reads with one session and changes with
// another. The second one's Options.Attempts do not count: a change is sent
// once.
func NewActor(read, write *Session) *Actor { return &Actor{read: read, write: write} }

// Recheck asks again for what the preconditions of a speak of: with the role
// that reads, but under the caller who will act, since the accounts of both
// must be the target's.
func (x *Actor) Recheck(ctx context.Context, a live.Action) (*live.Facts, error) {
	if err := actable(a); err != nil {
		return nil, err
	}
	subject := live.Subject{ARN: a.Target, Found: []live.Locator{{Fingerprint: a.Finding}}, Places: 1}
	if a.Kind == live.DeactivateAccessKey {
		subject = live.Subject{AccessKeyID: a.AccessKeyID, Found: subject.Found, Places: 1}
	}
	var f *live.Facts
	var err error
	if a.Target.IsKey() {
		f = &live.Facts{Subject: subject, Asked: time.Now().UTC(), Key: &live.KeyFacts{}}
		f.Status, f.Why, _ = x.read.ask(ctx, a.Target, a.Target.Account, f.Key, before)
		err = ctx.Err()
	} else {
		f, err = x.read.Enrich(ctx, subject)
	}
	if err != nil {
		return nil, fmt.Errorf("checking %s again: %w", nameOf(subject), err)
	}
	caller, err := x.write.Caller(ctx, a.Target)
	if err != nil {
		f.Caller = live.Unknown[live.Caller](because(err))
		return f, nil
	}
	f.Caller = live.Known(caller)
	return f, nil
}

// Do makes the one call of an action. An error of type *Error says by
// MayHaveHappened whether AWS may have carried it out all the same.
func (x *Actor) Do(ctx context.Context, a live.Action) (live.Receipt, error) {
	if err := actable(a); err != nil {
		return live.Receipt{}, err
	}
	var meta middleware.Metadata
	var note string
	var err error
	switch a.Kind {
	case live.RotateOnDemand:
		meta, note, err = x.rotate(ctx, a)
	case live.EnableRotation:
		meta, note, err = x.enable(ctx, a)
	case live.RevokeGrant:
		meta, note, err = x.revoke(ctx, a)
	case live.DeactivateAccessKey:
		meta, note, err = x.deactivate(ctx, a)
	case live.RotateSecret:
		meta, note, err = x.rotateSecret(ctx, a)
	default:
		return live.Receipt{}, fmt.Errorf("%q is nothing that this program does", a.Kind)
	}
	if err != nil {
		return live.Receipt{}, err
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(meta)
	return live.Receipt{RequestID: id, At: time.Now().UTC(), Note: note}, nil
}

// actable holds that an action's target is where AWS has resources. That of an
// access key has no Region.
func actable(a live.Action) error {
	target := a.Target
	if a.Kind == live.DeactivateAccessKey {
		target.Region = home(target.Partition, "us-east-1")
	}
	if err := plausible(target); err != nil {
		return fmt.Errorf("%s: %w", a.Kind, err)
	}
	return nil
}

func (x *Actor) kms(a live.Action) *awskms.Client { return x.write.client(x.write.placeOf(a.Target)) }

// oneRequest makes an operation send one request, whatever comes back.
func oneRequest(o *awskms.Options) { o.RetryMaxAttempts, o.Retryer = 1, aws.NopRetryer{} }

func needKey(a live.Action) error {
	if !a.Target.IsKey() {
		return fmt.Errorf("%s needs the ARN of a key, not %s", a.Kind, a.Target)
	}
	return nil
}

func (x *Actor) rotate(ctx context.Context, a live.Action) (middleware.Metadata, string, error) {
	if err := needKey(a); err != nil {
		return middleware.Metadata{}, "", err
	}
	out, err := x.kms(a).RotateKeyOnDemand(ctx, &awskms.RotateKeyOnDemandInput{KeyId: aws.String(a.Target.String())}, oneRequest)
	if err != nil {
		return middleware.Metadata{}, "", explain("kms:RotateKeyOnDemand", err)
	}
	return out.ResultMetadata, "the rotation was started; it takes effect some time later", nil
}

func (x *Actor) enable(ctx context.Context, a live.Action) (middleware.Metadata, string, error) {
	if err := needKey(a); err != nil {
		return middleware.Metadata{}, "", err
	}
	in := &awskms.EnableKeyRotationInput{KeyId: aws.String(a.Target.String())}
	if a.PeriodInDays != 0 {
		in.RotationPeriodInDays = aws.Int32(int32(a.PeriodInDays))
	}
	out, err := x.kms(a).EnableKeyRotation(ctx, in, oneRequest)
	if err != nil {
		return middleware.Metadata{}, "", explain("kms:EnableKeyRotation", err)
	}
	return out.ResultMetadata, "the schedule is set; the first rotation comes one period later", nil
}

// revoke asks for a dry run first, so that a missing permission or grant shows
// without a change.
func (x *Actor) revoke(ctx context.Context, a live.Action) (middleware.Metadata, string, error) {
	const op = "kms:RevokeGrant"
	if err := needKey(a); err != nil {
		return middleware.Metadata{}, "", err
	}
	in := &awskms.RevokeGrantInput{KeyId: aws.String(a.Target.String()), GrantId: aws.String(a.GrantID), DryRun: aws.Bool(true)}
	_, err := x.kms(a).RevokeGrant(ctx, in, oneRequest)
	var e *Error
	switch err = explain(op, err); {
	case err == nil:
		// An endpoint that does not know DryRun has revoked the grant already.
		return middleware.Metadata{}, "", &Error{Operation: op, Class: NotAWS, Uncertain: true}
	case !errors.As(err, &e) || e.Code != "DryRunOperationException":
		if e != nil {
			e.Uncertain = false
		}
		return middleware.Metadata{}, "", err
	}
	in.DryRun = nil
	out, err := x.kms(a).RevokeGrant(ctx, in, oneRequest)
	if err != nil {
		return middleware.Metadata{}, "", explain(op, err)
	}
	return out.ResultMetadata, "the grant is revoked; it can take five minutes until that holds everywhere", nil
}

func (x *Actor) deactivate(ctx context.Context, a live.Action) (middleware.Metadata, string, error) {
	in := &iam.UpdateAccessKeyInput{AccessKeyId: aws.String(a.AccessKeyID), Status: iamtypes.StatusTypeInactive}
	if a.User != "" {
		in.UserName = aws.String(a.User)
	}
	out, err := x.write.iam(x.write.placeOf(a.Target)).UpdateAccessKey(ctx, in, func(o *iam.Options) {
		o.RetryMaxAttempts, o.Retryer = 1, aws.NopRetryer{} // see oneRequest
	})
	if err != nil {
		return middleware.Metadata{}, "", explain("iam:UpdateAccessKey", err)
	}
	return out.ResultMetadata, "the access key is inactive", nil
}

// rotateSecret gives the request a token made of the finding, so that Secrets
// Manager takes a repetition for the same rotation.
func (x *Actor) rotateSecret(ctx context.Context, a live.Action) (middleware.Metadata, string, error) {
	in := &secretsmanager.RotateSecretInput{SecretId: aws.String(a.Target.String()), ClientRequestToken: aws.String(tokenOf(a))}
	out, err := x.write.secrets(x.write.placeOf(a.Target)).RotateSecret(ctx, in, func(o *secretsmanager.Options) {
		o.RetryMaxAttempts, o.Retryer = 1, aws.NopRetryer{} // see oneRequest
	})
	if err != nil {
		return middleware.Metadata{}, "", explain("secretsmanager:RotateSecret", err)
	}
	return out.ResultMetadata, "the rotation of the secret was started; its Lambda function does the work", nil
}

// tokenOf returns 32 to 64 characters, the same for the same finding and
// secret.
func tokenOf(a live.Action) string {
	token := "spillgate-" + a.Finding + "-" + strings.NewReplacer(":", "", "/", "").Replace(a.Target.Resource)
	for len(token) < 32 {
		token += "-"
	}
	return token[:min(len(token), 64)]
}

// Confirm asks whether an action has taken effect.
func (x *Actor) Confirm(ctx context.Context, a live.Action, since time.Time) (live.Confirmation, error) {
	if err := actable(a); err != nil {
		return live.Confirmation{}, err
	}
	switch a.Kind {
	case live.RotateOnDemand:
		return x.rotated(ctx, a, since)
	case live.EnableRotation:
		return x.enabled(ctx, a)
	case live.RevokeGrant:
		return x.revoked(ctx, a)
	case live.DeactivateAccessKey:
		return x.deactivated(ctx, a)
	case live.RotateSecret:
		return x.secretRotated(ctx, a, since)
	}
	return live.Confirmation{}, fmt.Errorf("%q is nothing that this program confirms", a.Kind)
}

func (x *Actor) ask(ctx context.Context, a live.Action) questions {
	p := x.read.placeOf(a.Target)
	return questions{s: x.read, ctx: ctx, client: x.read.client(p), arn: a.Target}
}

// roundOff is by how much a date of AWS may lie before the moment itself: its
// clock is read from answers that give whole seconds.
const roundOff = 2 * time.Second

// after returns the moment since by AWS's clock.
func (x *Actor) after(a live.Action, since time.Time) time.Time {
	return since.Add(x.read.pacer.skewOf(x.read.placeOf(a.Target)) - roundOff)
}

// rotated needs both answers: the date of a rotation in progress can vanish
// between two looks, and a rotation that shows may be an older one.
func (x *Actor) rotated(ctx context.Context, a live.Action, since time.Time) (live.Confirmation, error) {
	q := x.ask(ctx, a)
	var status live.Fact[live.RotationStatus]
	var list live.Fact[[]live.Rotation]
	var wg sync.WaitGroup
	wg.Go(func() { status = q.rotation("") })
	wg.Go(func() { list = q.rotations("") })
	wg.Wait()
	s, ok := status.Get()
	if !ok {
		return live.Confirmation{}, fmt.Errorf("confirming the rotation of %s: %s", a.Target, status.Because())
	}
	rotations, ok := list.Get()
	if !ok {
		return live.Confirmation{}, fmt.Errorf("confirming the rotation of %s: %s", a.Target, list.Because())
	}
	if !s.OnDemandStarted.IsZero() {
		return live.Confirmation{Progress: live.Pending, Evidence: "GetKeyRotationStatus: an on-demand rotation is in progress since " +
			s.OnDemandStarted.Format(time.RFC3339)}, nil
	}
	start := x.after(a, since)
	i := slices.IndexFunc(rotations, func(r live.Rotation) bool {
		return r.Type == "ON_DEMAND" && !r.At.Before(start)
	})
	if i < 0 {
		return live.Confirmation{Progress: live.Pending, Evidence: "GetKeyRotationStatus: no on-demand rotation is in progress; ListKeyRotations: none since " +
			since.UTC().Format(time.RFC3339)}, nil
	}
	return live.Confirmation{Progress: live.Confirmed, At: rotations[i].At,
		Evidence: "ListKeyRotations: ON_DEMAND at " + rotations[i].At.Format(time.RFC3339)}, nil
}

func (x *Actor) enabled(ctx context.Context, a live.Action) (live.Confirmation, error) {
	f := x.ask(ctx, a).rotation("")
	s, ok := f.Get()
	switch {
	case !ok:
		return live.Confirmation{}, fmt.Errorf("confirming the schedule of %s: %s", a.Target, f.Because())
	case s.Enabled && (a.PeriodInDays == 0 || s.PeriodInDays == 0 || s.PeriodInDays == a.PeriodInDays):
		return live.Confirmation{Progress: live.Confirmed, Evidence: fmt.Sprintf("GetKeyRotationStatus: on, every %d days", s.PeriodInDays)}, nil
	case s.NotApplicable != "":
		return live.Confirmation{Progress: live.Failed, Evidence: s.NotApplicable}, nil
	}
	return live.Confirmation{Progress: live.Pending, Evidence: fmt.Sprintf("GetKeyRotationStatus: on: %v, every %d days", s.Enabled, s.PeriodInDays)}, nil
}

func (x *Actor) revoked(ctx context.Context, a live.Action) (live.Confirmation, error) {
	grants, err := x.ask(ctx, a).grants()
	if err != nil {
		return live.Confirmation{}, fmt.Errorf("confirming that the grant of %s is gone: %w", a.Target, err)
	}
	if slices.ContainsFunc(grants, func(g live.Grant) bool { return g.ID == a.GrantID }) {
		return live.Confirmation{Progress: live.Pending, Evidence: "ListGrants still lists the grant"}, nil
	}
	return live.Confirmation{Progress: live.Confirmed, Evidence: "ListGrants does not list the grant"}, nil
}

func (x *Actor) deactivated(ctx context.Context, a live.Action) (live.Confirmation, error) {
	status, err := x.read.accessKeyStatus(ctx, x.read.iam(x.read.placeOf(a.Target)), a.User, a.AccessKeyID)
	switch {
	case classOfError(err) == Missing:
		return live.Confirmation{Progress: live.Confirmed, Evidence: "iam:ListAccessKeys does not list the key"}, nil
	case err != nil:
		return live.Confirmation{}, fmt.Errorf("confirming that access key %s is inactive: %w", a.AccessKeyID, err)
	case status == string(iamtypes.StatusTypeInactive):
		return live.Confirmation{Progress: live.Confirmed, Evidence: "iam:ListAccessKeys says Inactive"}, nil
	}
	return live.Confirmation{Progress: live.Pending, Evidence: "iam:ListAccessKeys says " + status}, nil
}

func (x *Actor) secretRotated(ctx context.Context, a live.Action, since time.Time) (live.Confirmation, error) {
	s, err := x.read.describeSecret(ctx, a.Target)
	if err != nil {
		return live.Confirmation{}, fmt.Errorf("confirming the rotation of %s: %w", a.Target, err)
	}
	if s.lastRotated.Before(x.after(a, since)) {
		return live.Confirmation{Progress: live.Pending, Evidence: "secretsmanager:DescribeSecret: no rotation since " + since.UTC().Format(time.RFC3339)}, nil
	}
	return live.Confirmation{Progress: live.Confirmed, At: s.lastRotated,
		Evidence: "secretsmanager:DescribeSecret: rotated at " + s.lastRotated.Format(time.RFC3339)}, nil
}
