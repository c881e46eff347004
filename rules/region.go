package rules

import "slices"

// A partition is one of AWS's separate clouds. Its Regions are named like each
// other and unlike those of other partitions, so that an ARN whose partition
// and Region disagree is made up.
//
// Names and Regions are those of the partitions file that the AWS SDKs share,
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json,
// as of November 2026.
type partition struct {
	name     string
	prefixes []string // of Regions
	regions  []string // known ones, in order
}

var partitions = [...]partition{
	{"aws", []string{"us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"}, []string{
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
		"ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
		"eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
		"us-east-1", "us-east-2", "us-west-1", "us-west-2",
	}},
	{"aws-cn", []string{"cn-"}, []string{"cn-north-1", "cn-northwest-1"}},
	{"aws-us-gov", []string{"us-gov-"}, []string{"us-gov-east-1", "us-gov-west-1"}},
	{"aws-iso", []string{"us-iso-"}, []string{"us-iso-east-1", "us-iso-west-1"}},
	{"aws-iso-b", []string{"us-isob-"}, []string{"us-isob-east-1", "us-isob-west-1"}},
	{"aws-iso-e", []string{"eu-isoe-"}, []string{"eu-isoe-west-1"}},
	{"aws-iso-f", []string{"us-isof-"}, []string{"us-isof-east-1", "us-isof-south-1"}},
	{"aws-eusc", []string{"eusc-de-"}, []string{"eusc-de-east-1"}},
}

// An agreement says how well a partition and a Region go together.
type agreement uint8

const (
	disagree agreement = iota
	plausible
	known
)

// partitionKnown grades the name of a partition.
func partitionKnown(name []byte) agreement {
	for i := range partitions {
		if partitions[i].name == string(name) {
			return known
		}
	}
	if len(name) < 6 || len(name) > 24 || string(name[:4]) != "aws-" || name[len(name)-1] == '-' {
		return disagree
	}
	for i := 4; i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c != '-' || name[i-1] == '-') {
			return disagree
		}
	}
	return plausible
}

// regionOf grades region as a Region of the named partition. One that fits
// two partitions by its prefix, such as us-gov-west-1 under aws, belongs to
// that with the longer prefix.
func regionOf(name, region []byte) agreement {
	if !wellFormedRegion(region) {
		return disagree
	}
	home, length := -1, 0
	for i := range partitions {
		if n := partitions[i].prefixOf(region); n > length {
			home, length = i, n
		}
	}
	if home < 0 || string(name) != partitions[home].name {
		if home < 0 && partitionKnown(name) == plausible {
			return plausible // a new partition with Regions of its own
		}
		return disagree
	}
	if partitions[home].lists(region) {
		return known
	}
	return plausible
}

// prefixOf returns the length of the prefix of p that region has, or 0.
func (p *partition) prefixOf(region []byte) int {
	for _, prefix := range p.prefixes {
		if len(region) >= len(prefix) && string(region[:len(prefix)]) == prefix {
			return len(prefix)
		}
	}
	return 0
}

// lists reports whether region is one of the known Regions of p.
func (p *partition) lists(region []byte) bool {
	_, ok := slices.BinarySearchFunc(p.regions, region, func(known string, want []byte) int {
		if known < string(want) {
			return -1
		}
		if known > string(want) {
			return 1
		}
		return 0
	})
	return ok
}

// wellFormedRegion reports whether region is two to four lower-case words and
// a number of one or two digits, joined by hyphens, 32 characters at most.
func wellFormedRegion(region []byte) bool {
	if len(region) > 32 {
		return false
	}
	words, start := 0, 0
	for i, c := range region {
		switch {
		case c == '-':
			if i == start || i-start > 12 {
				return false
			}
			words++
			start = i + 1
		case 'a' <= c && c <= 'z':
		case '0' <= c && c <= '9' && words >= 2 && words <= 4:
			for _, d := range region[i:] {
				if d < '0' || d > '9' {
					return false
				}
			}
			return i == start && len(region)-i <= 2
		default:
			return false
		}
	}
	return false
}
