package kms

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/spillgate/spillgate/scanner/live"
)

// An Account is an account of an organisation.
type Account struct{ ID, Name string }

// Accounts lists the active accounts of the caller's organisation. The
// management account and delegated administrators may ask.
func (s *Session) Accounts(ctx context.Context, partition string) ([]Account, error) {
	const op = "organizations:ListAccounts"
	client := s.organization(partition)
	list, err := pages(s.options.MaxPages, op, func(m *string) ([]orgtypes.Account, *string, error) {
		out, err := client.ListAccounts(ctx, &organizations.ListAccountsInput{NextToken: m})
		if err != nil {
			return nil, nil, err
		}
		return out.Accounts, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	var all []Account
	for i := range list {
		if active(&list[i]) {
			all = append(all, Account{aws.ToString(list[i].Id), aws.ToString(list[i].Name)})
		}
	}
	return all, nil
}

// active reports whether an account may answer. One in a state that is not
// known here is asked: that it refuses is seen, that it was left out is not.
func active(a *orgtypes.Account) bool {
	switch a.State {
	case orgtypes.AccountStateSuspended, orgtypes.AccountStatePendingClosure, orgtypes.AccountStateClosed, orgtypes.AccountStatePendingActivation:
		return false
	case "": // its older name
		return a.Status != orgtypes.AccountStatusSuspended && a.Status != orgtypes.AccountStatusPendingClosure //nolint:staticcheck // see above
	}
	return true
}

// Regions lists the Regions that an account has enabled.
// Source: https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
func (s *Session) Regions(ctx context.Context, partition, id string) ([]string, error) {
	const op = "account:ListRegions"
	client := s.account(s.placeOf(live.ARN{Partition: partition, Account: id}))
	enabled := []accounttypes.RegionOptStatus{accounttypes.RegionOptStatusEnabled, accounttypes.RegionOptStatusEnabledByDefault}
	list, err := pages(s.options.MaxPages, op, func(m *string) ([]accounttypes.Region, *string, error) {
		out, err := client.ListRegions(ctx, &account.ListRegionsInput{RegionOptStatusContains: enabled, NextToken: m})
		if err != nil {
			return nil, nil, err
		}
		return out.Regions, out.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, r := range list {
		all = append(all, aws.ToString(r.RegionName))
	}
	slices.Sort(all)
	return all, nil
}

// region returns an ARN that stands for an account's Region.
func region(partition, id, name string) live.ARN {
	return live.ARN{Partition: partition, Service: "kms", Region: name, Account: id, Resource: "key/"}
}

// Keys lists the keys of an account in a Region, those of AWS included: their
// ARNs look the same. The credentials must be the account's own.
func (s *Session) Keys(ctx context.Context, partition, id, name string) ([]live.ARN, error) {
	const op = "kms:ListKeys"
	at := region(partition, id, name)
	if err := plausible(at); err != nil {
		return nil, err
	}
	q := questions{s: s, ctx: ctx, client: s.client(s.placeOf(at)), arn: at}
	list, err := pages(q.s.options.MaxPages, op, func(m *string) ([]types.KeyListEntry, *string, error) {
		out, err := q.client.ListKeys(ctx, &awskms.ListKeysInput{Marker: m, Limit: aws.Int32(1000)})
		if err != nil {
			return nil, nil, err
		}
		next, err := markerOf(op, out.Truncated, out.NextMarker)
		return out.Keys, next, err
	})
	if err != nil {
		return nil, err
	}
	all := map[live.ARN]bool{}
	for _, k := range list {
		arn, err := live.ParseARN(aws.ToString(k.KeyArn))
		if err != nil || !arn.IsKey() {
			return nil, &Error{Operation: op, Class: NotAWS}
		}
		if arn.Account != id || arn.Region != name {
			return nil, fmt.Errorf("%s answered with keys of %s in %s: the credentials are not those of %s", op, arn.Account, arn.Region, id)
		}
		all[arn] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b live.ARN) int { return strings.Compare(a.String(), b.String()) }), nil
}

// Aliases lists the aliases of an account's Region, by key id. One list for
// all keys costs less than one for each.
func (s *Session) Aliases(ctx context.Context, partition, id, name string) (map[string][]string, error) {
	at := region(partition, id, name)
	if err := plausible(at); err != nil {
		return nil, err
	}
	list, err := questions{s: s, ctx: ctx, client: s.client(s.placeOf(at)), arn: at}.listAliases(nil)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, a := range list {
		if key := aws.ToString(a.TargetKeyId); key != "" { // an alias may stand for no key
			all[key] = append(all[key], aws.ToString(a.AliasName))
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all, nil
}

// Survey asks what an audit of a key needs: state, rotation, who may use it,
// tags. Of keys that AWS manages only the state and rotation, since nobody can
// change anything else about them. The credentials must be the account's own.
func (s *Session) Survey(ctx context.Context, key live.ARN) *live.Facts {
	f := &live.Facts{Subject: live.Subject{ARN: key}, Asked: time.Now().UTC(), Key: &live.KeyFacts{}}
	f.Status, f.Why, _ = s.ask(ctx, key, key.Account, f.Key, scope{
		policy: true, grants: true, tags: true, rotation: true, rotations: true, lean: true,
	})
	return f
}

// A Target is one Region of one account.
type Target struct{ Partition, Account, Region string }

// A Surveyor goes through keys. Its zero value is ready.
type Surveyor struct {
	// Each is called with the facts about each key, one at a time.
	Each func(*live.Facts)
	// Failed is called with a target whose keys could not be listed, one at a
	// time.
	Failed func(Target, error)
	// Listed is called with the number of keys of a target, one at a time.
	Listed func(Target, int)
	// Skip says which keys need not be asked about.
	Skip func(live.ARN) bool
}

// perTarget is how many keys of a Region are asked about at a time, and targets
// how many Regions. What waits for its turn there does not hold up the others.
const (
	perTarget = 8
	targets   = 48
)

// Run surveys all keys of the targets. It returns when all were asked, or with
// the context's error when that ended first.
func (v *Surveyor) Run(ctx context.Context, s *Session, all []Target) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, targets)
	for _, t := range all {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := v.target(ctx, s, t, &mu); err != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				v.Failed(t, err)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// target surveys one Region of one account.
func (v *Surveyor) target(ctx context.Context, s *Session, t Target, mu *sync.Mutex) error {
	keys, err := s.Keys(ctx, t.Partition, t.Account, t.Region)
	if err != nil {
		return err
	}
	mu.Lock()
	v.Listed(t, len(keys))
	mu.Unlock()
	if len(keys) == 0 {
		return nil
	}
	aliases, aliasErr := s.Aliases(ctx, t.Partition, t.Account, t.Region)
	next := make(chan live.ARN)
	var wg sync.WaitGroup
	for range min(perTarget, len(keys)) {
		wg.Go(func() {
			for key := range next {
				f := s.Survey(ctx, key)
				f.Key.Aliases = fact(func() ([]string, error) { return append([]string{}, aliases[key.KeyID()]...), aliasErr })
				if ctx.Err() != nil {
					continue // half an answer is none
				}
				mu.Lock()
				v.Each(f)
				mu.Unlock()
			}
		})
	}
	for _, key := range keys {
		if v.Skip != nil && v.Skip(key) {
			continue
		}
		select {
		case next <- key:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	wg.Wait()
	return nil
}
