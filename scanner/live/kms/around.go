package kms

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/spillgate/spillgate/scanner/live"
)

// maxEventPages bounds LookupEvents: 50 events a page at 2 pages a second.
const maxEventPages = 100

// events asks CloudTrail for the management events of the last 90 days at most
// that name the key, the newest first.
// Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func (s *Session) events(ctx context.Context, key live.ARN) ([]live.Event, error) {
	const op = "cloudtrail:LookupEvents"
	client := s.trail(s.placeOf(key))
	named := []cloudtrailtypes.LookupAttribute{{
		AttributeKey: cloudtrailtypes.LookupAttributeKeyResourceName, AttributeValue: aws.String(key.String()),
	}}
	list, err := pages(min(maxEventPages, s.options.MaxPages), op, func(m *string) ([]cloudtrailtypes.Event, *string, error) {
		out, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: aws.Time(s.options.Trail), LookupAttributes: named, NextToken: m})
		if err != nil {
			return nil, nil, err
		}
		return out.Events, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	all := []live.Event{}
	for i := range list {
		all = append(all, eventOf(&list[i]))
	}
	slices.SortStableFunc(all, func(a, b live.Event) int { return b.At.Compare(a.At) })
	return all, nil
}

func eventOf(e *cloudtrailtypes.Event) live.Event {
	var record struct {
		SourceIPAddress string `json:"sourceIPAddress"`
		ErrorCode       string `json:"errorCode"`
		UserIdentity    struct {
			ARN       string `json:"arn"`
			InvokedBy string `json:"invokedBy"`
		} `json:"userIdentity"`
	}
	// The record is a document of its own; without it the event still counts.
	_ = json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &record)
	principal := record.UserIdentity.ARN
	for _, other := range []string{record.UserIdentity.InvokedBy, aws.ToString(e.Username)} {
		if principal == "" {
			principal = other
		}
	}
	return live.Event{
		ID: aws.ToString(e.EventId), Name: aws.ToString(e.EventName), At: timeOf(e.EventTime),
		Principal: principal, SourceIP: record.SourceIPAddress, ErrorCode: record.ErrorCode,
	}
}

// accountName asks AWS Organizations for an account's name, once.
func (s *Session) accountName(ctx context.Context, a live.ARN) (string, error) {
	return keyed(&s.mu, s.accounts, a.Account).get(func() (string, error) {
		out, err := s.organization(a.Partition).DescribeAccount(ctx, &organizations.DescribeAccountInput{AccountId: aws.String(a.Account)})
		if err != nil {
			return "", explain("organizations:DescribeAccount", err)
		}
		if out.Account == nil {
			return "", &Error{Operation: "organizations:DescribeAccount", Class: NotAWS}
		}
		return aws.ToString(out.Account.Name), nil
	})
}

// canaries are accounts that are publicly known to hold access keys as
// tripwires: whoever tries such a key raises an alarm at its owner's. The
// operator's own are in Options.
//
// 052310077262 is Thinkst's, whose canarytokens.org hands out AWS keys: the id
// of the example key in TruffleHog's README decodes to it.
var canaries = [...]struct{ account, owner string }{
	{"052310077262", "Thinkst Canary (canarytokens.org)"},
}

// AccountOf decodes the account from an access key id, offline. Ids from
// before about 2019 (with I or J after the prefix) do not hold it.
func AccountOf(accessKeyID string) (string, bool) {
	if len(accessKeyID) != 20 || accessKeyID[4] == 'I' || accessKeyID[4] == 'J' {
		return "", false
	}
	raw, err := base32.StdEncoding.DecodeString(accessKeyID[4:])
	if err != nil {
		return "", false
	}
	var v uint64
	for _, b := range raw[:6] {
		v = v<<8 | uint64(b)
	}
	return fmt.Sprintf("%012d", v&0x7fffffffff80>>7), true
}

// enrichAccessKey finds out about an access key id. The key itself is never
// used: what is asked is asked with the operator's own credentials, which
// sts:GetAccessKeyInfo and IAM answer without the key's owner noticing.
func (s *Session) enrichAccessKey(ctx context.Context, f *live.Facts) error {
	id := f.Subject.AccessKeyID
	k := &live.AccessKeyFacts{}
	f.AccessKey = k
	at := live.ARN{Partition: "aws", Service: "iam", Resource: "access-key"}
	if account, ok := AccountOf(id); ok {
		k.Account = live.Known(account)
		f.Why = "the account is decoded from the id"
	} else {
		k.Account = fact(func() (string, error) {
			out, err := s.sts(place{partition: at.Partition}).GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String(id)})
			if err != nil {
				return "", explain("sts:GetAccessKeyInfo", err)
			}
			if !live.IsAccount(aws.ToString(out.Account)) {
				return "", &Error{Operation: "sts:GetAccessKeyInfo", Class: NotAWS}
			}
			return *out.Account, nil
		})
		f.Why = k.Account.Because()
	}
	at.Account = k.Account.Or("")
	if k.Canary = s.canary(at.Account); k.Canary != "" {
		f.Why = "a tripwire of " + k.Canary + ": nothing is asked about it"
		s.leaveKey(k, f.Why)
		return nil
	}
	if !s.options.IAM || at.Account == "" {
		return nil
	}
	return s.askIAM(ctx, f, at)
}

func (s *Session) leaveKey(k *live.AccessKeyFacts, why string) {
	k.User, k.Status, k.LastUsed = live.Unknown[string](why), live.Unknown[string](why), live.Unknown[time.Time](why)
}

func (s *Session) canary(account string) string {
	for _, c := range canaries {
		if c.account == account {
			return c.owner
		}
	}
	if account != "" && slices.Contains(s.options.Canaries, account) {
		return "the operator (account " + account + ")"
	}
	return ""
}

// askIAM asks the key's own account whose it is, whether it is active and when
// it was last used.
func (s *Session) askIAM(ctx context.Context, f *live.Facts, at live.ARN) error {
	k, id := f.AccessKey, aws.String(f.Subject.AccessKeyID)
	caller, err := s.Caller(ctx, at)
	switch {
	case classOfError(err) == Credentials || classOfError(err) == NotAccepted:
		return err
	case err != nil:
		f.Caller = live.Unknown[live.Caller](because(err))
		s.leaveKey(k, because(err))
		return nil
	}
	f.Caller = live.Known(caller)
	if caller.Account != at.Account {
		s.leaveKey(k, "IAM tells its own account alone, and the key belongs to "+at.Account)
		return nil
	}
	client := s.iam(s.placeOf(at))
	out, err := client.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: id})
	if err = explain("iam:GetAccessKeyLastUsed", err); err != nil {
		s.leaveKey(k, because(err))
		if c := classOfError(err); c == Denied {
			f.Status = live.NoAccess
		} else if c == Missing {
			f.Status = live.NotFound
		}
		f.Why = because(err)
		return nil
	}
	k.User = given("iam:GetAccessKeyLastUsed", "UserName", aws.ToString(out.UserName))
	k.LastUsed = live.Known(time.Time{})
	if u := out.AccessKeyLastUsed; u != nil {
		k.LastUsed = live.Known(timeOf(u.LastUsedDate))
	}
	k.Status = fact(func() (string, error) { return s.accessKeyStatus(ctx, client, aws.ToString(out.UserName), *id) })
	switch status, _ := k.Status.Get(); status {
	case string(iamtypes.StatusTypeActive):
		f.Status, f.Why = live.Enabled, "iam:ListAccessKeys says Active"
	case string(iamtypes.StatusTypeInactive):
		f.Status, f.Why = live.Disabled, "iam:ListAccessKeys says Inactive"
	default:
		f.Why = k.Status.Because()
	}
	return nil
}

// accessKeyStatus returns Active or Inactive.
func (s *Session) accessKeyStatus(ctx context.Context, client *iam.Client, user, id string) (string, error) {
	const op = "iam:ListAccessKeys"
	list, err := pages(s.options.MaxPages, op, func(m *string) ([]iamtypes.AccessKeyMetadata, *string, error) {
		out, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String(user), Marker: m})
		if err != nil {
			return nil, nil, err
		}
		next, err := markerOf(op, out.IsTruncated, out.Marker)
		return out.AccessKeyMetadata, next, err
	})
	if err != nil {
		return "", err
	}
	for _, k := range list {
		if aws.ToString(k.AccessKeyId) == id {
			return string(k.Status), nil
		}
	}
	return "", &Error{Operation: op, Class: Missing}
}

// enrichSecret finds out whether a secret of Secrets Manager exists. Its value
// is never asked for.
func (s *Session) enrichSecret(ctx context.Context, f *live.Facts) error {
	a := f.Subject.ARN
	caller, err := s.Caller(ctx, a)
	if classOfError(err) == Credentials {
		return err
	}
	f.Caller = fact(func() (live.Caller, error) { return caller, err })
	secret, failed := s.describeSecret(ctx, a)
	if classOfError(err) == NotAccepted && classOfError(failed) == NotAccepted {
		return failed
	}
	err = failed
	f.Secret = &live.SecretFacts{
		ARN:         fact(func() (live.ARN, error) { return secret.arn, err }),
		Tags:        fact(func() (map[string]string, error) { return secret.tags, err }),
		Rotation:    fact(func() (bool, error) { return secret.rotation, err }),
		LastRotated: fact(func() (time.Time, error) { return secret.lastRotated, err }),
	}
	switch {
	case err == nil && !secret.deleted.IsZero():
		f.Status, f.Why = live.PendingDeletion, "secretsmanager:DescribeSecret: deleted at "+secret.deleted.Format(time.RFC3339)
	case err == nil:
		f.Status, f.Why = live.Enabled, "secretsmanager:DescribeSecret: the secret exists"
	case classOfError(err) == Missing:
		f.Status, f.Why = live.NotFound, because(err)
	case classOfError(err) == Denied:
		f.Status, f.Why = live.NoAccess, because(err)
	default:
		f.Why = because(err)
	}
	return nil
}

// secretState is what DescribeSecret tells.
type secretState struct {
	arn                  live.ARN
	tags                 map[string]string
	rotation             bool
	lastRotated, deleted time.Time
}

func (s *Session) describeSecret(ctx context.Context, a live.ARN) (secretState, error) {
	const op = "secretsmanager:DescribeSecret"
	out, err := s.secrets(s.placeOf(a)).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(a.String())})
	if err != nil {
		return secretState{}, explain(op, err)
	}
	got, err := live.ParseARN(aws.ToString(out.ARN))
	if err != nil || got != a && !strings.HasPrefix(got.String(), a.String()+"-") {
		return secretState{}, &Error{Operation: op, Class: NotAWS}
	}
	state := secretState{
		arn: got, tags: map[string]string{}, rotation: aws.ToBool(out.RotationEnabled),
		lastRotated: timeOf(out.LastRotatedDate), deleted: timeOf(out.DeletedDate),
	}
	for _, t := range out.Tags {
		state.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return state, nil
}
