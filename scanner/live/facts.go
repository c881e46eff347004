package live

import "time"

// Status is what is known of a resource's being. Words and meanings are fixed:
// scripts depend on them.
type Status string

// The states. AccessDenied is NoAccess and never "no key"; a failure to find
// out is StatusUnknown and never "inactive".
const (
	Enabled         Status = "enabled"
	Disabled        Status = "disabled"
	PendingDeletion Status = "pending deletion"
	PendingImport   Status = "pending import"
	Unavailable     Status = "unavailable" // also Creating and Updating
	NotFound        Status = "not found"
	NoAccess        Status = "no access"
	StatusUnknown   Status = "unknown"
)

// Facts are what an Enricher found out about one Subject.
type Facts struct {
	Subject Subject `json:"subject"`
	// Status sums up; Why says in a sentence how it is known or why not.
	Status Status `json:"status"`
	Why    string `json:"why,omitempty"`
	// Asked is when the first question was put.
	Asked time.Time `json:"asked"`
	// Caller is who asked.
	Caller Fact[Caller] `json:"caller"`
	// Key is set for KMS keys and aliases, AccessKey for access key ids, Secret
	// for secrets of Secrets Manager.
	Key       *KeyFacts       `json:"key,omitempty"`
	AccessKey *AccessKeyFacts `json:"access_key,omitempty"`
	Secret    *SecretFacts    `json:"secret,omitempty"`
}

// A Caller is the identity under which the questions were asked
// (sts:GetCallerIdentity).
type Caller struct {
	Account string `json:"account"`
	ARN     string `json:"arn"`
}

// KeyFacts are the facts about one KMS key. Field names follow the KMS API.
type KeyFacts struct {
	// ARN is the key's own ARN as DescribeKey gave it; for an alias it is the
	// key behind it. Until it is known nothing else is.
	ARN Fact[ARN] `json:"arn"`
	// KeyManager is CUSTOMER or AWS. The ARN does not tell.
	KeyManager Fact[string] `json:"key_manager"`
	KeySpec    Fact[string] `json:"key_spec"`  // SYMMETRIC_DEFAULT, RSA_2048, HMAC_256, …
	KeyUsage   Fact[string] `json:"key_usage"` // ENCRYPT_DECRYPT, SIGN_VERIFY, …
	Origin     Fact[string] `json:"origin"`    // AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE
	// KeyState is the API's own word (Enabled, Disabled, PendingDeletion, …).
	KeyState     Fact[string]    `json:"key_state"`
	Description  Fact[string]    `json:"description"`
	CreationDate Fact[time.Time] `json:"creation_date"`
	// DeletionDate is the zero time where no deletion is scheduled.
	DeletionDate Fact[time.Time]      `json:"deletion_date"`
	MultiRegion  Fact[MultiRegion]    `json:"multi_region"`
	Rotation     Fact[RotationStatus] `json:"rotation"`
	// Rotations are the completed rotations, the newest first. DescribeKey has
	// no date of the last rotation; this list is where it is known from.
	Rotations Fact[[]Rotation] `json:"rotations"`
	// Policy is the key policy document (PolicyName default), as JSON text.
	Policy  Fact[string]            `json:"policy"`
	Grants  Fact[[]Grant]           `json:"grants"`
	Aliases Fact[[]string]          `json:"aliases"`
	Tags    Fact[map[string]string] `json:"tags"`
	// LastUse is the newest cryptographic use that KMS tracked.
	LastUse Fact[LastUse] `json:"last_use"`
	// Replicas are the related multi-Region keys, each with its own policy and
	// grants. Empty for single-Region keys.
	Replicas []KeyFacts `json:"replicas,omitempty"`
	// Events are CloudTrail's events about the key, where they were asked for.
	Events Fact[[]Event] `json:"events"`
	// AccountName is the name in AWS Organizations, where readable.
	AccountName Fact[string] `json:"account_name"`
}

// MultiRegion is a key's role among related multi-Region keys. The zero value
// is a single-Region key.
type MultiRegion struct {
	Role     string `json:"role,omitempty"` // PRIMARY or REPLICA
	Primary  ARN    `json:"primary,omitempty"`
	Replicas []ARN  `json:"replicas,omitempty"`
}

// RotationStatus is the answer of GetKeyRotationStatus.
type RotationStatus struct {
	// Enabled is automatic rotation; PeriodInDays is 90 to 2560, and 0 where
	// it is off.
	Enabled      bool      `json:"enabled"`
	PeriodInDays int       `json:"period_in_days,omitempty"`
	Next         time.Time `json:"next,omitzero"`
	// OnDemandStarted is set while an on-demand rotation is in progress, and
	// gone after it.
	OnDemandStarted time.Time `json:"on_demand_started,omitzero"`
	// NotApplicable says why the key cannot rotate at all (asymmetric, HMAC,
	// custom key store, …); empty where it can.
	NotApplicable string `json:"not_applicable,omitempty"`
}

// A Rotation is one completed rotation.
type Rotation struct {
	At   time.Time `json:"at"`
	Type string    `json:"type"` // AUTOMATIC or ON_DEMAND
}

// MaxOnDemandRotations is how many on-demand rotations a key allows in its
// life; the quota cannot be raised.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
const MaxOnDemandRotations = 25

// A Grant is an entry of ListGrants.
type Grant struct {
	ID              string            `json:"id,omitempty"`
	Name            string            `json:"name,omitempty"`
	Grantee         string            `json:"grantee,omitempty"` // ARN, account id or service principal
	Retiring        string            `json:"retiring,omitempty"`
	IssuingAccount  string            `json:"issuing_account,omitempty"`
	Operations      []string          `json:"operations,omitempty"`
	EncryptionEqual map[string]string `json:"encryption_equal,omitempty"` // EncryptionContextEquals
	EncryptionSub   map[string]string `json:"encryption_sub,omitempty"`   // EncryptionContextSubset
	SourceARN       string            `json:"source_arn,omitempty"`
	Created         time.Time         `json:"created,omitzero"`
}

// LastUse is the answer of GetKeyLastUsage.
type LastUse struct {
	// Operation is empty where the key was not used since Tracked.
	Operation string    `json:"operation,omitempty"`
	At        time.Time `json:"at,omitzero"`
	// Tracked is since when KMS has kept this for the key.
	Tracked time.Time `json:"tracked,omitzero"`
}

// An Event is one CloudTrail event that names the key.
type Event struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
	Principal string    `json:"principal,omitempty"`
	SourceIP  string    `json:"source_ip,omitempty"`
	ErrorCode string    `json:"error_code,omitempty"`
}

// AccessKeyFacts are the facts about an access key id.
type AccessKeyFacts struct {
	// Account is decoded from the id offline, or given by
	// sts:GetAccessKeyInfo.
	Account Fact[string] `json:"account"`
	// Canary says whose tripwire the account is known to be; empty for none.
	// Such a key is never tried.
	Canary string `json:"canary,omitempty"`
	// User, Status (Active, Inactive) and LastUsed come from IAM on request.
	User     Fact[string]    `json:"user"`
	Status   Fact[string]    `json:"status"`
	LastUsed Fact[time.Time] `json:"last_used"`
}

// SecretFacts are the facts about a secret of Secrets Manager. Its value is
// never asked for.
type SecretFacts struct {
	// ARN is as DescribeSecret gave it.
	ARN  Fact[ARN]               `json:"arn"`
	Tags Fact[map[string]string] `json:"tags"`
	// Rotation says whether a rotation is set up: without one, RotateSecret
	// has nothing to call.
	Rotation    Fact[bool]      `json:"rotation"`
	LastRotated Fact[time.Time] `json:"last_rotated"` // zero for never
}
