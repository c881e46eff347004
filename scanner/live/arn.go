package live

import (
	"fmt"
	"strings"
)

// An ARN is an Amazon Resource Name, taken apart. The zero ARN is none.
//
//	arn:partition:service:region:account:resource
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// maxARN is longer than any ARN in AWS's documentation (2,048 characters).
const maxARN = 2048

// ParseARN takes s apart. Region and account may be empty, as in ARNs of S3
// buckets; nothing is checked against lists, since Regions and partitions are
// added. An error says what is wrong and never repeats more than the first 40
// characters of s.
func ParseARN(s string) (ARN, error) {
	if len(s) > maxARN {
		return ARN{}, fmt.Errorf("an ARN of %d characters; at most %d are allowed", len(s), maxARN)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return ARN{}, fmt.Errorf("%.40q is no ARN: it holds a space or a control character", s)
		}
	}
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return ARN{}, fmt.Errorf("%.40q is no ARN: want arn:partition:service:region:account:resource", s)
	}
	a := ARN{parts[1], parts[2], parts[3], parts[4], parts[5]}
	if a.Account != "" && a.Account != "aws" && !IsAccount(a.Account) {
		return ARN{}, fmt.Errorf("%.40q is no ARN: an account has 12 digits", s)
	}
	return a, nil
}

// IsAccount reports whether s is an AWS account id: 12 digits.
func IsAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// String puts the ARN together again; the zero ARN is empty.
func (a ARN) String() string {
	if a == (ARN{}) {
		return ""
	}
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// MarshalText writes the ARN as String does.
func (a ARN) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *ARN) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = ARN{}
		return nil
	}
	parsed, err := ParseARN(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// IsKey reports whether a names a KMS key, single-Region or multi-Region.
func (a ARN) IsKey() bool { return a.Service == "kms" && strings.HasPrefix(a.Resource, "key/") }

// IsAlias reports whether a names a KMS alias.
func (a ARN) IsAlias() bool { return a.Service == "kms" && strings.HasPrefix(a.Resource, "alias/") }

// KeyID returns the key id of a KMS key's ARN, else the empty string.
func (a ARN) KeyID() string {
	if !a.IsKey() {
		return ""
	}
	return strings.TrimPrefix(a.Resource, "key/")
}

// IsMultiRegionKey reports whether a names a multi-Region key (mrk-…).
func (a ARN) IsMultiRegionKey() bool { return strings.HasPrefix(a.KeyID(), "mrk-") }

// In returns the ARN of the same resource in another Region, as related
// multi-Region keys have it: all parts but the Region are equal.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
func (a ARN) In(region string) ARN {
	a.Region = region
	return a
}
