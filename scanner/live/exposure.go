package live

import (
	"fmt"
	"slices"
	"strings"
)

// Reach says to whom a key is exposed.
type Reach string

// The reaches, from the widest.
const (
	Everyone         Reach = "everyone"             // any identity of any account
	OfOrganization   Reach = "organization"         // the members of an organisation
	ForeignAccount   Reach = "account"              // an account, or a principal of it
	FederatedUsers   Reach = "federated"            // whom an identity provider vouches for
	AnyoneViaService Reach = "service"              // a service of AWS, for whomever it works
	Gone             Reach = "identity of the past" // the id of an identity that was deleted
)

// An Exposure is one way in which somebody outside the key's own account and
// the allowed ones can use a key.
type Exposure struct {
	Reach Reach `json:"reach"`
	// Principal is as the policy or the grant names it. Account is empty where
	// the reach has none.
	Principal string `json:"principal"`
	Account   string `json:"account,omitempty"`
	// Via names the statement (by Sid or number) or the grant. GrantID is set
	// for grants.
	Via     string `json:"via"`
	GrantID string `json:"grant_id,omitempty"`
	// Statement counts the statements of the policy from 1; 0 for grants.
	Statement int `json:"statement,omitempty"`
	// Region is that of the replica of a multi-Region key which the exposure
	// is about; empty for the key itself. Judge fills it in.
	Region string `json:"region,omitempty"`
	// Actions are the actions of KMS allowed, without "kms:", sorted.
	Actions []string `json:"actions"`
	// Narrowed are the conditions that limit how the key may be used.
	Narrowed []string `json:"narrowed,omitempty"`
	// Ignored are the conditions, and the statements with Deny, which do not
	// surely narrow this exposure and so were not counted.
	Ignored []string `json:"ignored,omitempty"`

	byService bool // a service of AWS makes the calls, under a principal of its own
}

// Weak reports whether the exposure lets others learn about the key and
// nothing more.
func (e *Exposure) Weak() bool {
	return e.Reach == Gone || !slices.ContainsFunc(e.Actions, func(a string) bool { return !weakAction(a) })
}

// String describes the exposure in one line.
func (e *Exposure) String() string {
	s := fmt.Sprintf("%s lets %s call %s", e.Via, e.who(), summary(e.Actions))
	if len(e.Narrowed) > 0 {
		s += " where " + strings.Join(e.Narrowed, " and ")
	}
	return s
}

func (e *Exposure) who() string {
	switch e.Reach {
	case Everyone:
		return "everyone (" + e.Principal + ")"
	case OfOrganization:
		return "members of " + e.Principal
	case AnyoneViaService:
		return e.Principal + ", for whomever it works,"
	}
	return e.Principal
}

// summary lists a few actions and counts the others. The strongest come first.
func summary(actions []string) string {
	if len(actions) >= len(kmsActions) {
		return "kms:*"
	}
	sorted := slices.Clone(actions)
	rank := func(a string) int {
		switch {
		case a == "Decrypt":
			return 0
		case a == "PutKeyPolicy", a == "CreateGrant":
			return 1
		case !weakAction(a):
			return 2
		}
		return 3
	}
	slices.SortStableFunc(sorted, func(a, b string) int { return rank(a) - rank(b) })
	const most = 4
	if n := len(sorted) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(sorted[:most], ", "), n)
	}
	return strings.Join(sorted, ", ")
}

// Exposures returns who outside key's own account and the allowed ones can use
// the key, by its policy and its grants. Allowed holds account ids and ids of
// organisations (o-…). It errs on the side of an exposure: a condition that is
// not surely narrowing does not count, nor does a Deny that is not surely
// covering. An error means that the policy could not be understood: the answer
// is then unknown, and what is returned are the exposures by grants alone.
//
// IAM policies of the accounts themselves are not looked at: what a key policy
// delegates to an account, that account decides.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
// and for Principal elements
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func Exposures(key ARN, policy string, grants []Grant, allowed []string) ([]Exposure, error) {
	x := exposer{key: key, allowed: allowed}
	statements, err := parsePolicy(policy)
	var all []Exposure
	for i := range statements {
		if s := &statements[i]; !s.deny {
			all = append(all, x.allow(s)...)
		}
	}
	for i := range grants {
		all = append(all, x.grant(&grants[i])...)
	}
	for i := range statements {
		s := &statements[i]
		if !s.deny {
			continue
		}
		var left []Exposure
		for j := range all {
			left = append(left, x.deny(s, all[j])...)
		}
		all = left
	}
	return all, err
}

// exposer knows who is no stranger.
type exposer struct {
	key     ARN
	allowed []string
}

// trusted reports whether an account or organisation is no stranger.
func (x *exposer) trusted(id string) bool {
	return id != "" && (id == x.key.Account || slices.Contains(x.allowed, id))
}

// allow returns the exposures by a statement with Allow.
func (x *exposer) allow(s *statement) []Exposure {
	l := limitsOf(s.conditions)
	actions := spread(s.actions, s.notAction)
	actions = slices.DeleteFunc(actions, func(a string) bool {
		return l.context && !hasEncryptionContext(a) || l.forResource && !hasGrantIsForResource(a)
	})
	if len(actions) == 0 {
		return nil
	}
	slices.Sort(actions)
	base := Exposure{Via: s.name(), Statement: s.index, Actions: actions, Ignored: l.ignored}
	if s.notPrincipal {
		base.Reach, base.Principal = Everyone, "all but those in NotPrincipal"
		return x.limit(base, &l)
	}
	var all []Exposure
	for _, p := range s.principals {
		e := base
		x.name(&e, p)
		all = append(all, x.limit(e, &l)...)
	}
	return all
}

// name fills in who the principal p is.
func (x *exposer) name(e *Exposure, p principal) {
	e.Principal = p.value
	a, err := ParseARN(p.value)
	switch {
	case p.kind == "Service":
		e.Reach, e.byService = AnyoneViaService, true
	case p.kind == "Federated" && (err != nil || !IsAccount(a.Account)):
		e.Reach = FederatedUsers
	case IsAccount(p.value):
		e.Reach, e.Account = ForeignAccount, p.value
	case err == nil && IsAccount(a.Account) && !wild(a.Partition+a.Service+a.Region):
		e.Reach, e.Account = ForeignAccount, a.Account
	case p.kind == "AWS" && wild(p.value):
		e.Reach = Everyone
	case p.kind == "AWS" && isUniqueID(p.value):
		e.Reach = Gone
	default:
		e.Reach = ForeignAccount // whose account its name does not tell: a stranger
	}
}

// isUniqueID reports whether s is the id of an IAM identity, which a policy
// shows in place of an ARN once the identity has been deleted.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func isUniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AROA") || strings.HasPrefix(s, "AIDA")) && !strings.ContainsAny(s, ":/*?")
}

// limit returns what the limits leave of an exposure.
func (x *exposer) limit(e Exposure, l *limits) []Exposure {
	e.Narrowed = append(slices.Clone(e.Narrowed), l.manner...)
	accounts := l.accounts
	switch e.Reach {
	case ForeignAccount:
		if x.trusted(e.Account) || accounts != nil && !slices.Contains(accounts, e.Account) || x.all(l.orgs) {
			return nil
		}
		return []Exposure{e}
	case Gone:
		return []Exposure{e}
	case AnyoneViaService:
		accounts = l.sources
	case Everyone, OfOrganization, FederatedUsers:
		if accounts == nil {
			accounts = l.sources
		}
	}
	switch {
	case accounts != nil:
		return x.each(e, accounts, ForeignAccount)
	case l.orgs != nil && e.Reach != OfOrganization:
		return x.each(e, l.orgs, OfOrganization)
	case x.all(l.orgs):
		return nil
	}
	return []Exposure{e}
}

// all reports whether there are organisations and all are trusted.
func (x *exposer) all(orgs []string) bool {
	return orgs != nil && !slices.ContainsFunc(orgs, func(o string) bool { return !x.trusted(o) })
}

// each returns an exposure to each of ids that is not trusted.
func (x *exposer) each(e Exposure, ids []string, reach Reach) []Exposure {
	var all []Exposure
	for _, id := range ids {
		if x.trusted(id) {
			continue
		}
		one := e
		one.Narrowed = slices.Clone(e.Narrowed)
		if e.Reach == AnyoneViaService {
			one.Narrowed = append(one.Narrowed, "through "+e.Principal)
		}
		one.Reach, one.Principal = reach, id
		if reach == ForeignAccount {
			one.Account = id
		}
		all = append(all, one)
	}
	return all
}

// grant returns the exposures by a grant. A service of AWS that the key's own
// account made a grant for is no stranger: it works on that account's
// resources.
func (x *exposer) grant(g *Grant) []Exposure {
	e := Exposure{GrantID: g.ID, Via: "grant " + g.ID, Actions: grantActions(g.Operations)}
	if len(e.Actions) == 0 {
		return nil
	}
	x.name(&e, principal{"AWS", g.Grantee})
	if strings.HasSuffix(g.Grantee, ".amazonaws.com") || strings.HasSuffix(g.Grantee, ".amazonaws.com.cn") {
		e.byService = true
		source, err := ParseARN(g.SourceARN)
		issuer := grantIssuer(g)
		switch {
		case err == nil && IsAccount(source.Account) && x.trusted(source.Account):
			return nil
		case err == nil && IsAccount(source.Account):
			e.Reach, e.Account = ForeignAccount, source.Account
		case x.trusted(issuer):
			return nil
		default:
			e.Reach, e.Account = ForeignAccount, issuer
		}
		e.Principal += " on behalf of account " + e.Account
	}
	var l limits
	for _, m := range [...]struct {
		word string
		set  map[string]string
	}{{"equals", g.EncryptionEqual}, {"contains", g.EncryptionSub}} {
		if len(m.set) > 0 {
			l.manner = append(l.manner, fmt.Sprintf("the encryption context %s the grant's %d pairs", m.word, len(m.set)))
		}
	}
	return x.limit(e, &l)
}

// grantIssuer returns the account under which a grant was issued. The API
// gives an ARN or an id.
func grantIssuer(g *Grant) string {
	if a, err := ParseARN(g.IssuingAccount); err == nil {
		return a.Account
	}
	return g.IssuingAccount
}

func grantActions(operations []string) []string {
	actions := slices.Clone(operations)
	slices.Sort(actions)
	return slices.Compact(actions)
}

// deny returns what a statement with Deny leaves of an exposure.
func (x *exposer) deny(s *statement, e Exposure) []Exposure {
	denied := spread(s.actions, s.notAction)
	hit := func(a string) bool { return containsFold(denied, a) }
	if !slices.ContainsFunc(e.Actions, hit) || !x.speaksOf(s, &e) {
		return []Exposure{e}
	}
	l, isPerimeter := perimeter(s.conditions)
	if !x.covers(s, &e) || len(s.conditions) > 0 && !isPerimeter {
		e.Ignored = append(slices.Clone(e.Ignored), "Deny of "+s.name())
		return []Exposure{e}
	}
	inside, outside := e, e
	inside.Actions = slices.DeleteFunc(slices.Clone(e.Actions), func(a string) bool { return !hit(a) })
	outside.Actions = slices.DeleteFunc(slices.Clone(e.Actions), hit)
	var left []Exposure
	if len(outside.Actions) > 0 {
		left = append(left, outside)
	}
	if isPerimeter {
		left = append(left, x.limit(inside, &l)...)
	}
	return left
}

// speaksOf reports whether a Deny may be about the exposure's principal, so
// that it is worth saying that it was not counted.
func (x *exposer) speaksOf(s *statement, e *Exposure) bool {
	if s.notPrincipal || e.Reach == Everyone || e.Reach == OfOrganization {
		return true
	}
	return slices.ContainsFunc(s.principals, func(p principal) bool {
		return p.value == "*" || p.value == e.Principal || e.Account != "" && strings.Contains(p.value, e.Account)
	})
}

// covers reports whether a Deny, its conditions aside, surely is about all of
// the exposure.
func (x *exposer) covers(s *statement, e *Exposure) bool {
	about := func(r string) bool { return Glob(r, x.key.String()) }
	if s.notResource || len(s.resources) > 0 && !slices.ContainsFunc(s.resources, about) {
		return false
	}
	if s.notPrincipal {
		return !e.byService && !slices.ContainsFunc(s.principals, func(p principal) bool {
			var named Exposure
			x.name(&named, p)
			return named.Reach != ForeignAccount || !x.trusted(named.Account)
		})
	}
	return slices.ContainsFunc(s.principals, func(p principal) bool {
		switch {
		case p.value == e.Principal && e.Reach != FederatedUsers:
			return p.kind != "AWS" || e.Reach != AnyoneViaService
		case e.byService:
			return false // whether "*" in a Deny names services is not promised
		case p.kind == "AWS" && p.value == "*":
			return true
		}
		a, err := ParseARN(p.value)
		root := err == nil && a.Service == "iam" && a.Resource == "root"
		return e.Reach == ForeignAccount && e.Account != "" && (p.value == e.Account || root && a.Account == e.Account)
	})
}
