package scanner

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spillgate/spillgate/rules"
)

var (
	idRule     = &rules.Rule{ID: "aws-access-key-id", Severity: rules.Medium, Tags: []string{"aws", "credential"}}
	secretRule = &rules.Rule{ID: "aws-secret-access-key", Severity: rules.Critical, Tags: []string{"aws", "credential"}}
	arnRule    = &rules.Rule{ID: "aws-kms-key-arn", Severity: rules.Medium, Identifier: true, Tags: []string{"aws", "arn"}}
	passRule   = &rules.Rule{ID: "generic-credential", Severity: rules.High, Fallback: true}
)

// finding makes a finding of a rule in a line of an object; its account may be
// empty.
func finding(r *rules.Rule, o *Object, line int, account string) *Finding {
	f := &Finding{
		Rule: r, Severity: r.Severity, Secret: Secret{fmt.Sprint(r.ID, line, account)},
		Location: Location{Object: o, StartLine: line, EndLine: line, StartColumn: 1, Offset: int64(line) * 100},
	}
	if account != "" {
		f.Fields = []rules.Field{{Name: "account", Value: account}}
	}
	return f
}

// ledgerOf returns a ledger of these findings, the i-th in its i-th batch.
func ledgerOf(all []*Finding) *ledger {
	l := &ledger{table: newTable()}
	for _, f := range all {
		_, n := l.table.add(sightingOf(f))
		l.add([]batch{{f.Object, f.Offset, f.StartLine, []place{{sighting: n}}}})
	}
	l.sortByObject()
	return l
}

// correlate makes of each finding what it becomes beside the others.
func correlate(all []*Finding) {
	l := ledgerOf(all)
	l.sortByPlace()
	known := l.credentials()
	nth := map[*batch]int{}
	for i := range l.batches {
		nth[&l.batches[i]] = i
	}
	l.byPlace(func(s *standing) {
		severity, why := s.weigh(known)
		*all[nth[s.batch]] = *s.finding(l.table, severity, why)
	})
}

func TestPairs(t *testing.T) {
	o, other := &Object{Path: "a"}, &Object{Path: "b"}
	for _, test := range []struct {
		name  string
		all   []*Finding
		with  []string // the field of each finding
		worst []rules.Severity
	}{
		{"side by side", []*Finding{finding(idRule, o, 4, "1"), finding(secretRule, o, 5, "")},
			[]string{"aws-secret-access-key in line 5", "aws-access-key-id in line 4"}, []rules.Severity{rules.Critical, rules.Critical}},
		{"secret first", []*Finding{finding(secretRule, o, 4, ""), finding(idRule, o, 6, "1")},
			[]string{"aws-access-key-id in line 6", "aws-secret-access-key in line 4"}, []rules.Severity{rules.Critical, rules.Critical}},
		{"far apart", []*Finding{finding(idRule, o, 4, "1"), finding(secretRule, o, 4+pairReach+1, "")},
			[]string{"", ""}, []rules.Severity{rules.Medium, rules.Critical}},
		{"in two files", []*Finding{finding(idRule, o, 4, "1"), finding(secretRule, other, 5, "")},
			[]string{"", ""}, []rules.Severity{rules.Medium, rules.Critical}},
		{"two pairs", []*Finding{finding(idRule, o, 1, "1"), finding(secretRule, o, 2, ""), finding(idRule, o, 3, "2"), finding(secretRule, o, 4, "")},
			[]string{"aws-secret-access-key in line 2", "aws-access-key-id in line 1", "aws-secret-access-key in line 4", "aws-access-key-id in line 3"},
			[]rules.Severity{rules.Critical, rules.Critical, rules.Critical, rules.Critical}},
		{"two ids, one secret", []*Finding{finding(idRule, o, 1, "1"), finding(idRule, o, 9, "2"), finding(secretRule, o, 10, "")},
			[]string{"", "aws-secret-access-key in line 10", "aws-access-key-id in line 9"},
			[]rules.Severity{rules.Medium, rules.Critical, rules.Critical}},
		{"between two ids, nearer to its own", []*Finding{finding(idRule, o, 1, "1"), finding(secretRule, o, 2, ""), finding(idRule, o, 3, "2")},
			[]string{"aws-secret-access-key in line 2", "aws-access-key-id in line 1", ""},
			[]rules.Severity{rules.Critical, rules.Critical, rules.Medium}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 5 {
				all := slices.Clone(test.all)
				for i, f := range all {
					copied := *f
					copied.Fields = slices.Clone(f.Fields)
					all[i] = &copied
				}
				byIndex := slices.Clone(all)
				r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				correlate(all)
				for i, f := range byIndex {
					if got := field(f, fieldWith); got != test.with[i] {
						t.Errorf("finding %d is with %q, want %q", i, got, test.with[i])
					}
					if f.Severity != test.worst[i] {
						t.Errorf("finding %d is %s, want %s", i, f.Severity, test.worst[i])
					}
				}
			}
		})
	}
}

func TestRaisedARNs(t *testing.T) {
	one, two := &Commit{ID: "1111"}, &Commit{ID: "2222"}
	example := finding(idRule, &Object{Path: "k"}, 1, "739104826315")
	example.Suppression = &Suppression{By: "placeholder"}
	for _, test := range []struct {
		name     string
		arn, key *Finding
		want     string
	}{
		{"same file", finding(arnRule, &Object{Path: "a"}, 1, "739104826315"), finding(idRule, &Object{Path: "a"}, 9, "739104826315"),
			"credentials of account 739104826315 in the same change: aws-access-key-id at a:9:1"},
		{"another file of the commit", finding(arnRule, &Object{Path: "a", Commit: one}, 1, "739104826315"), finding(idRule, &Object{Path: "b", Commit: one}, 9, "739104826315"),
			"credentials of account 739104826315 in the same change: aws-access-key-id at b:9:1"},
		{"another commit", finding(arnRule, &Object{Path: "a", Commit: one}, 1, "739104826315"), finding(idRule, &Object{Path: "a", Commit: two}, 9, "739104826315"), ""},
		{"another account", finding(arnRule, &Object{Path: "a"}, 1, "739104826315"), finding(idRule, &Object{Path: "a"}, 9, "739104826316"), ""},
		{"no account", finding(arnRule, &Object{Path: "a"}, 1, ""), finding(idRule, &Object{Path: "a"}, 9, ""), ""},
		{"an example", finding(arnRule, &Object{Path: "a"}, 1, "739104826315"), example, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			correlate([]*Finding{test.arn, test.key})
			if got := field(test.arn, fieldRaised); got != test.want {
				t.Errorf("raised because of %q, want %q", got, test.want)
			}
			want := rules.Medium
			if test.want != "" {
				want = rules.Critical
			}
			if test.arn.Severity != want {
				t.Errorf("severity %s, want %s", test.arn.Severity, want)
			}
		})
	}
}

// TestRaisedMerged says that a merged finding keeps the reason of its worst
// place, wherever that is.
func TestRaisedMerged(t *testing.T) {
	mild := finding(arnRule, &Object{Path: "a", Commit: &Commit{ID: "1", Date: "2024"}}, 1, "739104826315")
	bad := finding(arnRule, &Object{Path: "a", Commit: &Commit{ID: "2", Date: "2025"}}, 1, "739104826315")
	key := finding(idRule, &Object{Path: "b", Commit: &Commit{ID: "2", Date: "2025"}}, 1, "739104826315")
	count, _ := ledgerOf([]*Finding{bad, key, mild}).merge()
	mild = count[0]
	if len(count) != 2 || mild.Object.Commit.ID != "1" || mild.Severity != rules.Critical || field(mild, fieldRaised) == "" {
		t.Errorf("%d findings, the ARN %s, raised because of %q", len(count), mild.Severity, field(mild, fieldRaised))
	}
}

func TestDropContainers(t *testing.T) {
	top := &Object{Path: "a.tgz"}
	middle := &Object{Path: "a.tgz!/b.tar", Container: top}
	inner := &Object{Path: "a.tgz!/b.tar!/c", Container: middle}
	same := func(o *Object) *Finding {
		f := finding(arnRule, o, 1, "1")
		f.Secret = Secret{"the same"}
		return f
	}
	l := ledgerOf([]*Finding{same(top), same(inner), same(middle), finding(arnRule, top, 2, "2"), finding(idRule, middle, 3, "3")})
	l.dropContainers()
	var left []int
	for i := range l.batches {
		if len(l.batches[i].places) > 0 {
			left = append(left, i)
		}
	}
	if !slices.Equal(left, []int{1, 3, 4}) {
		t.Errorf("findings %d are left, want 1, 3 and 4", left)
	}
}

func TestUserNames(t *testing.T) {
	for _, test := range []struct{ name, context, want string }{
		{"the line before", "db_user: alice\ndb_password: \"@\"\n", "user name in line 6"},
		{"the same line, before", `connect(user="alice", password="@")`, "user name in line 7"},
		{"the same line, behind", `{"password": "@", "username": "alice"}`, "user name in line 7"},
		{"login", "LOGIN=alice\nPASSWORD=@", "user name in line 6"},
		{"an arrow", "'user_name' => 'alice', 'password' => '@'", "user name in line 7"},
		{"no value", "user:\n  password: @", ""},
		{"a variable", "user: ${USER}\npassword: @", ""},
		{"a word", "the user alice has\npassword: @", ""},
		{"none", "host: db\npassword: @", ""},
		{"the next line", "password: @\nuser: alice", ""},
		{"letters that change their length", "İ user: alice\npassword: @", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := finding(passRule, &Object{Path: "a"}, 7, "")
			secret := "x9Kq" + "2vLm"
			f.Secret, f.Context = Secret{secret}, Secret{strings.ReplaceAll(test.context, "@", secret)}
			correlate([]*Finding{f})
			if got := field(f, fieldWith); got != test.want {
				t.Errorf("with %q, want %q", got, test.want)
			}
		})
	}
}

// TestCorrelateTime says that many findings take little time.
func TestCorrelateTime(t *testing.T) {
	o := &Object{Path: "a"}
	all := make([]*Finding, 0, 300_000)
	for i := range 100_000 {
		all = append(all, finding(idRule, o, i, "1"), finding(secretRule, o, i, ""), finding(arnRule, o, i, "1"))
	}
	correlate(all)
	if field(all[0], fieldWith) == "" || field(all[2], fieldRaised) == "" {
		t.Error("not correlated")
	}
}

// A secret of several lines once reached beyond what was taken for its line.
func TestNameUsersOfLongSecrets(t *testing.T) {
	secret := "one\ntwo\nthree"
	f := &Finding{Rule: passRule, Secret: Secret{secret}, Context: Secret{"a = " + secret + " user=bob\nlogin=x"}, Location: Location{Object: &Object{}, StartLine: 3}}
	nameUser(f)
	if got := field(f, fieldWith); got != "user name in line 3" {
		t.Errorf("got %q", got)
	}
}
