package kmsfake

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Model is the world of the fake: accounts, keys, identities. Set it up
// before Start; afterwards Change is how a test alters it.
type Model struct {
	// Home is the account of the root credentials.
	Home string
	Keys []*Key
	// Regions are the enabled Regions of every account, for
	// account:ListRegions.
	Regions []string
	// Accounts are the accounts of the organization, by id with their names.
	Accounts map[string]string
	// Roles are the ARNs of roles that may be assumed; nil allows any.
	Roles []string
	// AccessKeys are access keys of IAM users, Secrets those of Secrets
	// Manager, Events what CloudTrail has recorded.
	AccessKeys []*AccessKey
	Secrets    []*Secret
	Events     []Event
	// PageSize is how many entries a page holds where the request names no
	// limit; 50 by default.
	PageSize int
	// RatePerRegion is how many requests a second KMS allows in a Region; 0 is
	// no limit.
	RatePerRegion float64
	// RotationTakes is how long an on-demand rotation is in progress.
	RotationTakes time.Duration
	// Clock is the time of the model; nil is the real one.
	Clock func() time.Time

	mu    sync.Mutex
	byARN map[string]*Key
}

// A Key is a KMS key. The zero value of a member is what a fresh customer
// managed key of AWS_KMS origin has.
type Key struct {
	ARN                         string
	Manager, Spec, Usage        string
	Origin, State, Description  string
	Created, Deletion           time.Time
	Policy                      string
	Grants                      []Grant
	Aliases                     []string // "alias/…"
	Tags                        map[string]string
	RotationOn                  bool
	Period                      int
	Next                        time.Time
	Rotations                   []Rotation // completed, any order
	OnDemandUsed                int
	Role, Primary               string   // of a multi-Region key: PRIMARY or REPLICA, and the primary's ARN
	Replicas                    []string // ARNs
	LastOperation               string
	LastUsed, Tracked           time.Time
	ForeignMayRead              bool // the policy lets other accounts describe the key
	AutomaticRotationInProgress bool
	onDemandStart               time.Time
}

// A Rotation is a completed rotation.
type Rotation struct {
	At   time.Time
	Type string
}

// A Grant is an entry of ListGrants.
type Grant struct {
	ID, Name, Grantee, Service, Retiring, Issuer string
	Operations                                   []string
	ContextEquals                                map[string]string
	SourceARN                                    string
	Created                                      time.Time
}

// An AccessKey is an IAM user's.
type AccessKey struct {
	ID, Account, User, Status string
	LastUsed                  time.Time
}

// A Secret is one of Secrets Manager.
type Secret struct {
	ARN, Name       string
	RotationLambda  string
	LastRotated     time.Time
	Deleted         time.Time
	rotationStarted time.Time
}

// An Event is one that CloudTrail has recorded about a resource.
type Event struct {
	ID, Name, Resource, Region, User, SourceIP, ErrorCode string
	At                                                    time.Time
}

// MaxOnDemand is how many on-demand rotations a key allows.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const MaxOnDemand = 25

func (m *Model) prepare() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byARN = map[string]*Key{}
	for _, k := range m.Keys {
		m.add(k)
	}
	if m.PageSize == 0 {
		m.PageSize = 50
	}
}

func (m *Model) add(k *Key) {
	set := func(s *string, to string) {
		if *s == "" {
			*s = to
		}
	}
	set(&k.Manager, "CUSTOMER")
	set(&k.Spec, "SYMMETRIC_DEFAULT")
	set(&k.Usage, "ENCRYPT_DECRYPT")
	set(&k.Origin, "AWS_KMS")
	set(&k.State, "Enabled")
	if k.Policy == "" {
		k.Policy = DefaultPolicy(k.account())
	}
	if k.Created.IsZero() {
		k.Created = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	}
	if k.RotationOn && k.Period == 0 {
		k.Period = 365
	}
	m.byARN[k.ARN] = k
}

// DefaultPolicy is the key policy that KMS gives a key made without one.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func DefaultPolicy(account string) string {
	return `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow",` +
		`"Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"}]}`
}

// Change alters the model while it serves.
func (m *Model) Change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// Key returns the key of an ARN, or nil.
func (m *Model) Key(arn string) *Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byARN[arn]
}

// OnDemandRotations returns how many on-demand rotations of a key were
// started.
func (m *Model) OnDemandRotations(arn string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.byARN[arn]; k != nil {
		return k.OnDemandUsed
	}
	return 0
}

// AllOnDemandRotations returns how many on-demand rotations were started, of all
// keys.
func (m *Model) AllOnDemandRotations() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, k := range m.Keys {
		n += k.OnDemandUsed
	}
	return n
}

func (m *Model) now() time.Time {
	if m.Clock != nil {
		return m.Clock()
	}
	return time.Now()
}

func (k *Key) account() string { return strings.Split(k.ARN, ":")[4] }
func (k *Key) region() string  { return strings.Split(k.ARN, ":")[3] }
func (k *Key) id() string      { return strings.TrimPrefix(strings.Split(k.ARN, ":")[5], "key/") }

// settle completes a rotation whose time has come.
func (k *Key) settle(now time.Time, takes time.Duration) {
	if !k.onDemandStart.IsZero() && !now.Before(k.onDemandStart.Add(takes)) {
		k.Rotations = append(k.Rotations, Rotation{k.onDemandStart.Add(takes), "ON_DEMAND"})
		k.onDemandStart = time.Time{}
	}
}

// crossAccount are the operations that work on another account's key.
// Source: the table of https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
var crossAccount = []string{"DescribeKey", "GetKeyRotationStatus", "ListGrants", "RevokeGrant"}

// find returns the key that a request names, as KMS does: by ARN for the
// endpoint's Region only, by id in the caller's account.
func (m *Model) find(r *request, aliases bool) (*Key, *apiError) {
	name := r.str("KeyId")
	if !strings.HasPrefix(name, "arn:") {
		resource := name
		if !strings.HasPrefix(name, "alias/") {
			resource = "key/" + name
		}
		name = "arn:aws:kms:" + r.region + ":" + r.caller.Account + ":" + resource
	}
	parts := strings.SplitN(name, ":", 6)
	switch {
	case len(parts) < 6 || parts[2] != "kms":
		return nil, fail("InvalidArnException", "Invalid arn")
	case parts[3] != r.region:
		return nil, fail("NotFoundException", "Invalid arn %s", parts[3])
	}
	k := m.byARN[name]
	if alias := parts[5]; strings.HasPrefix(alias, "alias/") {
		if !aliases {
			return nil, fail("NotFoundException", "Invalid keyId '%s'", alias)
		}
		for _, other := range m.byARN {
			if other.account() == parts[4] && other.region() == parts[3] && slices.Contains(other.Aliases, alias) {
				k = other
			}
		}
	}
	foreign := parts[4] != r.caller.Account
	switch {
	case foreign && (k == nil || !k.ForeignMayRead || !slices.Contains(crossAccount, r.op)):
		return nil, fail("AccessDeniedException", "User: %s is not authorized to perform: kms:%s on resource: %s", r.caller.ARN, r.op, name)
	case k == nil:
		return nil, fail("NotFoundException", "Key '%s' does not exist", name)
	}
	k.settle(m.now(), m.RotationTakes)
	return k, nil
}

// call answers a request from the model.
func (m *Model) call(s *Server, r *request) (any, *apiError) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var op func(*Server, *request) (any, *apiError)
	switch r.service {
	case "kms":
		op = m.kmsOperation(r.op)
	default:
		op = m.otherOperation(r.service, r.op)
	}
	if op == nil {
		s.problem("unexpected call of %s:%s", r.service, r.op)
		return nil, fail("UnknownOperationException", "the fake knows no %s:%s", r.service, r.op)
	}
	return op(s, r)
}

// page cuts a page out of all, by Limit and Marker.
func page[T any](r *request, all []T, size int) (items []T, next string, err *apiError) {
	from := 0
	if marker := r.str("Marker"); marker != "" {
		if _, e := fmt.Sscanf(marker, "page-%d", &from); e != nil || from < 0 || from > len(all) {
			return nil, "", fail("InvalidMarkerException", "Marker is not one of ours")
		}
	}
	if limit := r.num("Limit"); limit > 0 {
		size = min(size, limit)
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = fmt.Sprintf("page-%d", to)
	}
	return all[from:to], next, nil
}
