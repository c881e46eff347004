package report

import (
	"slices"
	"strings"

	"github.com/spillgate/spillgate/rules"
)

// hardCoded is the number of the weakness that a secret in a repository is: use
// of hard-coded credentials (https://cwe.mitre.org/data/definitions/798.html).
const hardCoded = "798"

// weakness returns the number of the weakness that r is about in the Common
// Weakness Enumeration: the one that a tag such as cwe-732 names, none for other
// rules about infrastructure code, and else a secret in a repository.
func weakness(r *rules.Rule) string {
	for _, tag := range r.Tags {
		if n, ok := strings.CutPrefix(tag, "cwe-"); ok {
			return n
		}
	}
	if isInfrastructure(r) {
		return ""
	}
	return hardCoded
}

// isInfrastructure reports whether r judges infrastructure code: what it finds
// is no secret.
func isInfrastructure(r *rules.Rule) bool { return slices.Contains(r.Tags, "iac") }

// weaknessTags returns the tags by which code scanning files r.
func weaknessTags(r *rules.Rule) []string {
	tags := []string{"security"}
	if !isInfrastructure(r) {
		tags = append(tags, "secret")
	}
	if n := weakness(r); n != "" {
		tags = append(tags, "external/cwe/cwe-"+n)
	}
	return tags
}
