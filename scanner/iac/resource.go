package iac

import "strings"

// A resourceKind tells the resources apart that checks know.
type resourceKind uint8

const (
	kmsKey         resourceKind = iota // a key whose material KMS makes
	externalKey                        // a key with imported material
	replicaKey                         // a replica of a multi-Region key
	externalCopy                       // a replica of a multi-Region key with imported material
	policyOfKey                        // the key policy of a key that stands elsewhere
	otherResources                     // anything else
)

// terraformKind returns the kind of a resource type of Terraform's AWS
// provider (https://registry.terraform.io/providers/hashicorp/aws/latest/docs).
func terraformKind(typ string) resourceKind {
	switch typ {
	case "aws_kms_key":
		return kmsKey
	case "aws_kms_external_key":
		return externalKey
	case "aws_kms_replica_key":
		return replicaKey
	case "aws_kms_replica_external_key":
		return externalCopy
	case "aws_kms_key_policy":
		return policyOfKey
	}
	return otherResources
}

// A setting is what the checks read of a resource.
type setting uint8

const (
	rotation setting = iota
	period           // of rotation, in days
	window           // between the order to delete and the deletion, in days
	keySpec
	keyUsage
	origin
	keyStore // custom
	xksKey   // of an external key store
	keyPolicy
	primary // of a replica
	keyID   // that a policy is for
	settings
)

// A dialect has the names of the settings in one language, "" where it has no
// such setting.
type dialect [settings][]string

// terraform returns the names of Terraform's AWS provider.
func terraform() *dialect {
	return &dialect{
		rotation: {"enable_key_rotation"}, period: {"rotation_period_in_days"}, window: {"deletion_window_in_days"},
		keySpec: {"customer_master_key_spec", "key_spec"}, keyUsage: {"key_usage"}, origin: {"origin"},
		keyStore: {"custom_key_store_id"}, xksKey: {"xks_key_id"}, keyPolicy: {"policy"},
		primary: {"primary_key_arn"}, keyID: {"key_id"},
	}
}

// cloudformation returns the names of AWS::KMS::Key and AWS::KMS::ReplicaKey
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html).
func cloudformation() *dialect {
	return &dialect{
		rotation: {"EnableKeyRotation"}, period: {"RotationPeriodInDays"}, window: {"PendingWindowInDays"},
		keySpec: {"KeySpec"}, keyUsage: {"KeyUsage"}, origin: {"Origin"}, keyStore: {"CustomKeyStoreId"},
		xksKey: {"XksKeyId"}, keyPolicy: {"KeyPolicy"}, primary: {"PrimaryKeyArn"}, keyID: {"KeyId"},
	}
}

// A resource is one declaration.
type resource struct {
	kind    resourceKind
	dialect *dialect
	// address is what others refer to it by: aws_kms_key.main, or the logical
	// id of a template. label names it for people.
	address, label string
	// header is its first line and block all of it.
	header, block span
	// open says that settings may come from where they cannot be seen.
	open bool
	// set holds the settings that are there, and name what they are called.
	set  [settings]*member
	name [settings]string
}

// lookup fills the settings from whatever holds them.
func (r *resource) lookup(find func(name string) *member) {
	for s, names := range r.dialect {
		for _, n := range names {
			if m := find(n); m != nil && m.v.kind != null {
				r.set[s], r.name[s] = m, n
				break
			}
		}
		if r.name[s] == "" {
			r.name[s] = names[0]
		}
	}
}

// value returns what a setting says, nil if it is absent.
func (r *resource) value(s setting) *value {
	if m := r.set[s]; m != nil {
		return m.v
	}
	return nil
}

// is reports whether the setting is known to be one of words, which true if it
// is absent.
func (r *resource) is(s setting, absent bool, words ...string) (is, ok bool) {
	v := r.value(s)
	if v == nil {
		return absent, !r.open
	}
	t, isText := v.text()
	if !isText || v.partial {
		return false, false
	}
	for _, w := range words {
		if strings.EqualFold(t, w) {
			return true, true
		}
	}
	return false, true
}

// refersTo reports whether v is a reference to something of the resource at
// address.
func refersTo(v *value, address string) bool {
	if v == nil || v.kind != unknown {
		return false
	}
	rest, ok := strings.CutPrefix(v.why, address)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// A file is what was understood of one file.
type file struct {
	resources []resource
}

// lineEnd returns where the line that offset at is on ends.
func lineEnd(data []byte, at int) int {
	for at < len(data) && data[at] != '\n' && data[at] != '\r' {
		at++
	}
	return at
}
