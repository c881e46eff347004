package live

import (
	"cmp"
	"slices"
	"strings"
)

// limits are what the conditions of a statement surely demand. Only what is
// sure counts: a condition that this package does not know, or that lets
// requests without its key through, narrows nothing and is listed as ignored.
type limits struct {
	// accounts are the only accounts whose principals pass, and sources the
	// only ones on whose behalf a service does; nil means any.
	accounts, sources []string
	// orgs are the only organisations whose members pass; nil means any.
	orgs []string
	// manner are conditions on how the key is used, not by whom.
	manner []string
	// context and forResource say that requests without an encryption context,
	// or without kms:GrantIsForAWSResource, never pass.
	context, forResource bool
	// ignored are conditions that do not narrow.
	ignored []string
}

// String returns the condition as reports show it.
func (c *condition) String() string {
	return c.operator + " " + c.name + " " + strings.Join(c.values, ", ")
}

func sortConditions(all []condition) {
	slices.SortFunc(all, func(a, b condition) int {
		return cmp.Or(cmp.Compare(a.operator, b.operator), cmp.Compare(a.key, b.key))
	})
}

// limitsOf returns what the conditions, all of which must hold, demand.
func limitsOf(conditions []condition) limits {
	var l limits
	for i := range conditions {
		c := &conditions[i]
		if op, ok := positive(c.operator); !ok || !l.add(c, op) {
			l.ignored = append(l.ignored, c.String())
		}
	}
	return l
}

// positive returns the operator in lower case without ForAnyValue, if a
// request without the condition's key fails it. Those with IfExists,
// ForAllValues and Null and the negated ones let such a request through.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
// and, for sets, reference_policies_condition-single-vs-multi-valued-context-keys.html
func positive(operator string) (string, bool) {
	op := strings.TrimPrefix(strings.ToLower(operator), "foranyvalue:")
	switch op {
	case "stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool", "ipaddress":
		return op, true
	}
	return op, false
}

// add adds what one condition demands, and reports whether it demands
// anything.
func (l *limits) add(c *condition, op string) bool {
	for _, v := range c.values {
		if strings.Contains(v, "${") {
			return false // a variable of the request: its value is unknown
		}
	}
	switch {
	case op == "bool":
		return l.addBool(c)
	case op == "ipaddress":
		return c.key == "aws:sourceip" && !slices.ContainsFunc(c.values, wholeInternet) && l.addManner(c)
	}
	switch c.key {
	case "kms:calleraccount", "aws:principalaccount":
		return restrict(&l.accounts, c.values, accountItself)
	case "aws:principalarn":
		return restrict(&l.accounts, c.values, accountOfARN(op))
	case "aws:sourceaccount":
		return restrict(&l.sources, c.values, accountItself)
	case "aws:sourcearn":
		return restrict(&l.sources, c.values, accountOfARN(op)) ||
			!slices.ContainsFunc(c.values, vagueARN) && l.addManner(c)
	case "aws:principalorgid", "aws:sourceorgid":
		return restrict(&l.orgs, c.values, organization)
	case "aws:principalorgpaths", "aws:sourceorgpaths":
		return restrict(&l.orgs, c.values, func(v string) string { org, _, _ := strings.Cut(v, "/"); return organization(org) })
	case "kms:viaservice":
		return !slices.ContainsFunc(c.values, vagueService) && l.addManner(c)
	case "aws:sourcevpc", "aws:sourcevpce":
		return !slices.ContainsFunc(c.values, wild) && l.addManner(c)
	}
	switch {
	case strings.HasPrefix(c.key, "kms:encryptioncontext:"), c.key == "kms:encryptioncontextkeys":
		if slices.ContainsFunc(c.values, onlyWild) {
			return false
		}
		l.context = true
		return l.addManner(c)
	case strings.HasPrefix(c.key, "kms:recipientattestation:"):
		return !slices.ContainsFunc(c.values, wild) && l.addManner(c)
	}
	return false
}

func (l *limits) addBool(c *condition) bool {
	if slices.ContainsFunc(c.values, func(v string) bool { return !strings.EqualFold(v, "true") }) {
		return false
	}
	switch c.key {
	case "kms:grantisforawsresource":
		l.forResource = true
		return l.addManner(c)
	case "aws:principalisawsservice":
		return l.addManner(c)
	}
	return false
}

func (l *limits) addManner(c *condition) bool {
	l.manner = append(l.manner, c.String())
	return true
}

// restrict makes set the intersection of itself and what read makes of the
// values, and reports false, and changes nothing, if read makes nothing of one
// of them.
func restrict(set *[]string, values []string, read func(string) string) bool {
	got := make([]string, 0, len(values))
	for _, v := range values {
		r := read(v)
		if r == "" {
			return false
		}
		if !slices.Contains(got, r) && (*set == nil || slices.Contains(*set, r)) {
			got = append(got, r)
		}
	}
	*set = got
	return true
}

func accountItself(v string) string {
	if IsAccount(v) {
		return v
	}
	return ""
}

// accountOfARN returns a function that returns the account in an ARN or in a
// pattern of ARNs, and the empty string where it is not fixed. The operators
// on ARNs match field by field; to those on strings an asterisk also stands for
// colons, so that what comes before the account must hold none.
func accountOfARN(op string) func(string) string {
	return func(v string) string {
		a, err := ParseARN(v)
		if err != nil || !IsAccount(a.Account) {
			return ""
		}
		if strings.HasPrefix(op, "string") && wild(a.Partition+a.Service+a.Region) {
			return ""
		}
		return a.Account
	}
}

func organization(v string) string {
	if strings.HasPrefix(v, "o-") && len(v) > 2 && !wild(v) {
		return v
	}
	return ""
}

func wild(v string) bool     { return strings.ContainsAny(v, "*?") }
func onlyWild(v string) bool { return strings.Trim(v, "*?") == "" }

// vagueARN reports whether an ARN without an account, as those of S3 have,
// leaves open which resource is meant.
func vagueARN(v string) bool {
	a, err := ParseARN(v)
	return err != nil || wild(a.Partition+a.Service) || onlyWild(a.Resource) || strings.HasPrefix(a.Resource, "*")
}

// vagueService reports whether a value of kms:ViaService leaves open which
// service is meant.
func vagueService(v string) bool {
	name, _, found := strings.Cut(v, ".")
	return !found || wild(name)
}

func wholeInternet(v string) bool { return strings.HasSuffix(v, "/0") || !strings.ContainsAny(v, ".:") }

// perimeter returns the limits that a Deny with these conditions puts on all
// that it names: "deny everybody whose account is not one of these". Only a
// single negated condition says so for sure.
func perimeter(conditions []condition) (limits, bool) {
	if len(conditions) != 1 {
		return limits{}, false
	}
	c := conditions[0]
	var l limits
	switch strings.TrimSuffix(strings.ToLower(c.operator), "ifexists") {
	case "stringnotequals", "stringnotequalsignorecase", "stringnotlike":
	default:
		return limits{}, false
	}
	switch c.key {
	case "kms:calleraccount", "aws:principalaccount":
		return l, restrict(&l.accounts, c.values, accountItself)
	case "aws:principalorgid":
		return l, restrict(&l.orgs, c.values, organization)
	}
	return limits{}, false
}
