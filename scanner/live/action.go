package live

// Kind is what an Action does. The list is closed: nothing disables or deletes
// a key, and no action is carried out with a leaked credential.
type Kind string

// The kinds of action.
const (
	// RotateOnDemand calls kms:RotateKeyOnDemand: asynchronous, at most 25
	// times in a key's life.
	RotateOnDemand Kind = "rotate-on-demand"
	// EnableRotation calls kms:EnableKeyRotation: sets the schedule, rotates
	// nothing now.
	EnableRotation Kind = "enable-rotation"
	// RevokeGrant calls kms:RevokeGrant for one named grant.
	RevokeGrant Kind = "revoke-grant"
	// DeactivateAccessKey calls iam:UpdateAccessKey with status Inactive.
	DeactivateAccessKey Kind = "deactivate-access-key"
	// RotateSecret calls secretsmanager:RotateSecret.
	RotateSecret Kind = "rotate-secret"
	// NarrowPolicy is carried out by nobody: it is a diff for a person.
	NarrowPolicy Kind = "narrow-policy"
)

// An Action is one step of a plan: one call on one resource.
type Action struct {
	Kind Kind `json:"kind"`
	// Target is the resource called upon: for KMS always the key's own ARN
	// as DescribeKey gave it.
	Target ARN `json:"target"`
	// PeriodInDays belongs to EnableRotation (90 to 2560).
	PeriodInDays int `json:"period_in_days,omitempty"`
	// GrantID belongs to RevokeGrant.
	GrantID string `json:"grant_id,omitempty"`
	// AccessKeyID and User belong to DeactivateAccessKey.
	AccessKeyID string `json:"access_key_id,omitempty"`
	User        string `json:"user,omitempty"`
	// Diff belongs to NarrowPolicy.
	Diff string `json:"diff,omitempty"`
	// Call is the exact call, as a person would type it for the AWS CLI.
	Call string `json:"call"`
	// Reason says why, and Undo how to take it back, or that it cannot be.
	Reason string `json:"reason"`
	Undo   string `json:"undo"`
	// Leaves says what the action does not fix.
	Leaves []string `json:"leaves,omitempty"`
	// Subject is what was found: the key's ARN or an alias, a secret's ARN, an
	// access key id. Enrich asks about it again before the act.
	Subject string `json:"subject"`
	// Finding is the fingerprint of the finding that the action answers.
	Finding string `json:"finding"`
}

// Account returns the account whose resources the action changes.
func (a *Action) Account() string { return a.Target.Account }
