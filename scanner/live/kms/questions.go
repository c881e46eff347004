package kms

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/spillgate/spillgate/scanner/live"
)

// describe asks DescribeKey and fills in what it tells.
func describe(ctx context.Context, client *awskms.Client, a live.ARN, k *live.KeyFacts) (live.Status, string, error) {
	const op = "kms:DescribeKey"
	out, err := client.DescribeKey(ctx, &awskms.DescribeKeyInput{KeyId: aws.String(a.String())})
	if err != nil {
		err = explain(op, err)
		setUndescribed(k, because(err))
		switch classOfError(err) {
		case Missing:
			return live.NotFound, "AWS knows no such key in " + a.Region + " (" + because(err) + ")", err
		case Denied:
			return live.NoAccess, "the caller may not ask; the key may exist or not (" + because(err) + ")", err
		case WrongEndpoint:
			return live.StatusUnknown, "the endpoint asked is not that of " + a.Region +
				"; check AWS_ENDPOINT_URL_KMS and AWS_ENDPOINT_URL (" + because(err) + ")", err
		case NotAccepted:
			return live.StatusUnknown, because(err) + "; a Region that the caller's account has not enabled answers so, too", err
		}
		return live.StatusUnknown, because(err), err
	}
	m := out.KeyMetadata
	if m == nil || aws.ToString(m.Arn) == "" {
		setUndescribed(k, op+": an answer without the key")
		return live.StatusUnknown, op + ": an answer without the key", &Error{Operation: op, Class: NotAWS}
	}
	own, perr := live.ParseARN(aws.ToString(m.Arn))
	if perr != nil || !own.IsKey() || a.IsKey() && own != a || own.Region != a.Region || own.Account != a.Account {
		why := op + ": the answer is about another key"
		setUndescribed(k, why)
		return live.StatusUnknown, why, &Error{Operation: op, Class: NotAWS}
	}
	k.ARN = live.Known(own)
	k.KeyManager = given(op, "KeyManager", string(m.KeyManager))
	spec := string(m.KeySpec)
	if spec == "" {
		spec = string(m.CustomerMasterKeySpec) //nolint:staticcheck // the older name; some endpoints send it alone
	}
	k.KeySpec = given(op, "KeySpec", spec)
	k.KeyUsage = given(op, "KeyUsage", string(m.KeyUsage))
	k.Origin = given(op, "Origin", string(m.Origin))
	if m.KeyState == "" && m.Enabled { // which says the same
		m.KeyState = types.KeyStateEnabled
	}
	k.KeyState = given(op, "KeyState", string(m.KeyState))
	k.Description = live.Known(aws.ToString(m.Description))
	k.CreationDate = live.Unknown[time.Time](op + " gave no CreationDate")
	if m.CreationDate != nil {
		k.CreationDate = live.Known(m.CreationDate.UTC())
	}
	k.DeletionDate = live.Known(timeOf(m.DeletionDate))
	k.MultiRegion = multiRegion(own, m)
	status, why := statusOf(m.KeyState)
	return status, why, nil
}

// given returns a member of an answer, which an endpoint that only resembles
// AWS may leave out.
func given(op, name, v string) live.Fact[string] {
	if v == "" {
		return live.Unknown[string](op + " gave no " + name)
	}
	return live.Known(v)
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func setUndescribed(k *live.KeyFacts, why string) {
	k.ARN = live.Unknown[live.ARN](why)
	for _, f := range []*live.Fact[string]{&k.KeyManager, &k.KeySpec, &k.KeyUsage, &k.Origin, &k.KeyState, &k.Description} {
		*f = live.Unknown[string](why)
	}
	k.CreationDate = live.Unknown[time.Time](why)
	k.DeletionDate = live.Unknown[time.Time](why)
	k.MultiRegion = live.Unknown[live.MultiRegion](why)
}

// statusOf maps the key states of KMS.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func statusOf(state types.KeyState) (live.Status, string) {
	why := "DescribeKey: KeyState is " + string(state)
	switch state {
	case types.KeyStateEnabled:
		return live.Enabled, why
	case types.KeyStateDisabled:
		return live.Disabled, why
	case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
		return live.PendingDeletion, why
	case types.KeyStatePendingImport:
		return live.PendingImport, why
	case types.KeyStateUnavailable, types.KeyStateCreating, types.KeyStateUpdating:
		return live.Unavailable, why
	case "":
		return live.StatusUnknown, "DescribeKey gave no KeyState"
	}
	return live.StatusUnknown, "DescribeKey gave a KeyState that is not known here"
}

func multiRegion(own live.ARN, m *types.KeyMetadata) live.Fact[live.MultiRegion] {
	c := m.MultiRegionConfiguration
	switch {
	case aws.ToBool(m.MultiRegion) && c == nil:
		return live.Unknown[live.MultiRegion]("DescribeKey gave no MultiRegionConfiguration")
	case aws.ToBool(m.MultiRegion):
	case own.IsMultiRegionKey():
		return live.Unknown[live.MultiRegion]("DescribeKey does not call it a multi-Region key, and its id does")
	default:
		return live.Known(live.MultiRegion{})
	}
	r := live.MultiRegion{Role: string(c.MultiRegionKeyType)}
	if c.PrimaryKey != nil {
		r.Primary, _ = live.ParseARN(aws.ToString(c.PrimaryKey.Arn))
	}
	for _, key := range c.ReplicaKeys {
		if arn, err := live.ParseARN(aws.ToString(key.Arn)); err == nil {
			r.Replicas = append(r.Replicas, arn)
		}
	}
	return live.Known(r)
}

// rotationFixed says why a key cannot rotate by AWS's hand, from what
// DescribeKey told; empty where it can, or where that is not known.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
func rotationFixed(k *live.KeyFacts) string {
	if spec, ok := k.KeySpec.Get(); ok && spec != "SYMMETRIC_DEFAULT" {
		return "KMS rotates symmetric encryption keys alone; this key is " + spec
	}
	switch origin, _ := k.Origin.Get(); origin {
	case "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE":
		return "KMS does not rotate keys in custom key stores"
	}
	return ""
}

// boundError says that a list is longer than its bound.
type boundError struct {
	op    string
	pages int
}

func (e *boundError) Error() string {
	return fmt.Sprintf("%s: more than %d pages; a part of the list could be taken for all of it", e.op, e.pages)
}

// questions are the questions about one key after DescribeKey.
type questions struct {
	s       *Session
	ctx     context.Context
	client  *awskms.Client
	arn     live.ARN // of the key itself
	foreign bool     // the caller is of another account
}

func (q questions) id() *string { return aws.String(q.arn.String()) }

// ofOwner asks a question that KMS answers to the key's own account alone; to
// others it is not put, since the answer would be a denial that says nothing.
// Source: the table of https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
func ofOwner[T any](q questions, op string, ask func() (T, error)) live.Fact[T] {
	if q.foreign {
		return live.Unknown[T](op + " is not for other accounts, and the key belongs to " + q.arn.Account)
	}
	return fact(ask)
}

// pages fetches all pages of a list, at most most. A marker that comes twice
// ends it with an error: an endpoint must not be able to keep the program busy.
func pages[T any](most int, op string, fetch func(marker *string) (items []T, next *string, err error)) ([]T, error) {
	all := []T{}
	seen := map[string]bool{}
	var marker *string
	for range most {
		items, next, err := fetch(marker)
		if err != nil {
			return nil, explain(op, err)
		}
		all = append(all, items...)
		if aws.ToString(next) == "" {
			return all, nil
		}
		if seen[*next] {
			return nil, &Error{Operation: op, Class: NotAWS}
		}
		seen[*next] = true
		marker = next
	}
	return nil, &boundError{op, most}
}

// markerOf returns the next marker of a page of op, as far as the page says that
// there is one. A page that says so without naming it is no end of the list: a
// part of it could be taken for all.
func markerOf(op string, truncated bool, next *string) (*string, error) {
	switch {
	case !truncated:
		return nil, nil
	case aws.ToString(next) == "":
		return nil, &Error{Operation: op, Class: NotAWS}
	}
	return next, nil
}

func (q questions) rotation(fixed string) live.Fact[live.RotationStatus] {
	if fixed != "" {
		return live.Known(live.RotationStatus{NotApplicable: fixed})
	}
	const op = "kms:GetKeyRotationStatus"
	out, err := q.client.GetKeyRotationStatus(q.ctx, &awskms.GetKeyRotationStatusInput{KeyId: q.id()})
	if err = explain(op, err); classOfError(err) == Unsupported && err.(*Error).Code == "UnsupportedOperationException" {
		return live.Known(live.RotationStatus{NotApplicable: "KMS says that the key cannot rotate automatically (UnsupportedOperationException)"})
	}
	if err != nil {
		return live.Unknown[live.RotationStatus](because(err))
	}
	return live.Known(live.RotationStatus{
		Enabled: out.KeyRotationEnabled, PeriodInDays: int(aws.ToInt32(out.RotationPeriodInDays)),
		Next: timeOf(out.NextRotationDate), OnDemandStarted: timeOf(out.OnDemandRotationStartDate),
	})
}

func (q questions) rotations(fixed string) live.Fact[[]live.Rotation] {
	if fixed != "" {
		return live.Known([]live.Rotation{})
	}
	const op = "kms:ListKeyRotations"
	return ofOwner(q, op, func() ([]live.Rotation, error) {
		list, err := pages(q.s.options.MaxPages, op, func(m *string) ([]types.RotationsListEntry, *string, error) {
			out, err := q.client.ListKeyRotations(q.ctx, &awskms.ListKeyRotationsInput{KeyId: q.id(), Marker: m})
			if err != nil {
				return nil, nil, err
			}
			next, err := markerOf(op, out.Truncated, out.NextMarker)
			return out.Rotations, next, err
		})
		if classOfError(err) == Unsupported && err.(*Error).Code == "UnsupportedOperationException" {
			return []live.Rotation{}, nil
		}
		if err != nil {
			return nil, err
		}
		all := []live.Rotation{}
		for _, r := range list {
			if r.RotationDate != nil { // material that is imported and pending has none
				all = append(all, live.Rotation{At: r.RotationDate.UTC(), Type: string(r.RotationType)})
			}
		}
		slices.SortFunc(all, func(a, b live.Rotation) int { return b.At.Compare(a.At) })
		return all, nil
	})
}

func (q questions) policy() (string, error) {
	const op = "kms:GetKeyPolicy"
	out, err := q.client.GetKeyPolicy(q.ctx, &awskms.GetKeyPolicyInput{KeyId: q.id(), PolicyName: aws.String("default")})
	switch {
	case err != nil:
		return "", explain(op, err)
	case strings.TrimSpace(aws.ToString(out.Policy)) == "":
		return "", &Error{Operation: op, Class: NotAWS}
	}
	return *out.Policy, nil
}

func (q questions) grants() ([]live.Grant, error) {
	const op = "kms:ListGrants"
	list, err := pages(q.s.options.MaxPages, op, func(m *string) ([]types.GrantListEntry, *string, error) {
		out, err := q.client.ListGrants(q.ctx, &awskms.ListGrantsInput{KeyId: q.id(), Marker: m})
		if err != nil {
			return nil, nil, err
		}
		next, err := markerOf(op, out.Truncated, out.NextMarker)
		return out.Grants, next, err
	})
	if err != nil {
		return nil, err
	}
	all := make([]live.Grant, 0, len(list))
	for i := range list {
		all = append(all, grantOf(&list[i]))
	}
	return all, nil
}

func grantOf(g *types.GrantListEntry) live.Grant {
	either := func(a, b *string) string {
		if s := aws.ToString(a); s != "" {
			return s
		}
		return aws.ToString(b)
	}
	out := live.Grant{
		ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name),
		Grantee:        either(g.GranteePrincipal, g.GranteeServicePrincipal),
		Retiring:       either(g.RetiringPrincipal, g.RetiringServicePrincipal),
		IssuingAccount: aws.ToString(g.IssuingAccount), Created: timeOf(g.CreationDate),
	}
	for _, o := range g.Operations {
		out.Operations = append(out.Operations, string(o))
	}
	if c := g.Constraints; c != nil {
		out.EncryptionEqual, out.EncryptionSub = c.EncryptionContextEquals, c.EncryptionContextSubset
		out.SourceARN = aws.ToString(c.SourceArn)
	}
	return out
}

// listAliases returns the aliases of a key or, for nil, of the Region.
func (q questions) listAliases(key *string) ([]types.AliasListEntry, error) {
	const op = "kms:ListAliases"
	return pages(q.s.options.MaxPages, op, func(m *string) ([]types.AliasListEntry, *string, error) {
		out, err := q.client.ListAliases(q.ctx, &awskms.ListAliasesInput{KeyId: key, Marker: m, Limit: aws.Int32(100)})
		if err != nil {
			return nil, nil, err
		}
		next, err := markerOf(op, out.Truncated, out.NextMarker)
		return out.Aliases, next, err
	})
}

func (q questions) aliases() ([]string, error) {
	list, err := q.listAliases(q.id())
	if err != nil {
		return nil, err
	}
	all := []string{}
	for _, a := range list {
		all = append(all, aws.ToString(a.AliasName))
	}
	slices.Sort(all)
	return all, nil
}

func (q questions) tags() (map[string]string, error) {
	const op = "kms:ListResourceTags"
	list, err := pages(q.s.options.MaxPages, op, func(m *string) ([]types.Tag, *string, error) {
		out, err := q.client.ListResourceTags(q.ctx, &awskms.ListResourceTagsInput{KeyId: q.id(), Marker: m})
		if err != nil {
			return nil, nil, err
		}
		next, err := markerOf(op, out.Truncated, out.NextMarker)
		return out.Tags, next, err
	})
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, t := range list {
		all[aws.ToString(t.TagKey)] = aws.ToString(t.TagValue)
	}
	return all, nil
}

func (q questions) lastUse() (live.LastUse, error) {
	out, err := q.client.GetKeyLastUsage(q.ctx, &awskms.GetKeyLastUsageInput{KeyId: q.id()})
	if err != nil {
		return live.LastUse{}, explain("kms:GetKeyLastUsage", err)
	}
	use := live.LastUse{Tracked: timeOf(out.TrackingStartDate)}
	if u := out.KeyLastUsage; u != nil {
		use.Operation, use.At = string(u.Operation), timeOf(u.Timestamp)
	}
	return use, nil
}
