package live

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/rules"
)

// permissive is an operator who allows everything that the tests try.
func permissive() *Operator {
	return &Operator{
		Accounts: []string{own}, Regions: []string{"eu-west-1", "us-east-1"},
		Actions:   []Kind{RotateOnDemand, EnableRotation, RevokeGrant, DeactivateAccessKey, RotateSecret},
		Resources: []string{"arn:aws:*:" + own + ":*"},
		Trusted:   []string{friend}, Limits: Limits{PerRun: 10, PerDay: 10},
		Grants: Revokes{Revoke: []string{"partner"}}, Digest: "d1",
	}
}

// mustPlan returns the plan by a history that can be read.
func mustPlan(all []*Facts, op *Operator, history History, now time.Time) *Plan {
	p, err := NewPlan(all, op, history, now)
	if err != nil {
		panic(err)
	}
	return p
}

// planOf returns the plan for the facts as change leaves them.
func planOf(change func(*Facts, *Operator), history ...*Entry) *Plan {
	f, op := keyFacts(), permissive()
	if change != nil {
		change(f, op)
	}
	return mustPlan([]*Facts{f}, op, Entries(history), now)
}

// kinds lists the kinds of a plan's actions.
func kinds(p *Plan) string {
	var all []string
	for _, a := range p.Actions {
		all = append(all, string(a.Kind))
	}
	return strings.Join(all, " ")
}

// wantRefused fails unless the plan does nothing, for a reason that holds the
// text.
func wantRefused(t *testing.T, p *Plan, text string) {
	t.Helper()
	if p.Acts() != 0 {
		t.Errorf("planned %s, want it refused: %s", kinds(p), text)
	}
	for _, r := range p.Refusals {
		if slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.Contains(s, text) }) {
			return
		}
	}
	t.Errorf("no refusal says %q: %+v", text, p.Refusals)
}

func TestPlanRotates(t *testing.T) {
	p := planOf(nil)
	if kinds(p) != "rotate-on-demand" || len(p.Refusals) != 0 {
		t.Fatalf("got %s, refused %+v", kinds(p), p.Refusals)
	}
	a := p.Actions[0]
	if a.Target != testKey || a.Finding != "f1" || a.Account() != own || !strings.Contains(a.Call, "aws kms rotate-key-on-demand --region eu-west-1 --key-id "+testKey.String()) {
		t.Errorf("got %+v", a)
	}
	if a.Undo == "" || a.Reason == "" || len(a.Leaves) < 3 {
		t.Errorf("the action says too little: %+v", a)
	}
}

// TestRule01OnlyWhatIsSwitchedOn: the zero Operator lets nothing be done.
func TestRule01OnlyWhatIsSwitchedOn(t *testing.T) {
	wantRefused(t, mustPlan([]*Facts{keyFacts()}, &Operator{}, nil, now), "not among the operator's actions")
	wantRefused(t, planOf(func(_ *Facts, op *Operator) { op.Actions = []Kind{EnableRotation} }), "not among the operator's actions")
}

// TestRule02DryRunText: the plan names the call, account, Region, key, reason
// and the way back, in at most 20 lines for each key, and its hash changes with
// whatever it would do.
func TestRule02DryRunText(t *testing.T) {
	p := planOf(func(f *Facts, _ *Operator) {
		f.Key.Policy = Known(policyOf(defaultStatement, star("kms:*", "")))
		f.Key.Rotation = Known(RotationStatus{})
		f.Key.Grants = Known([]Grant{{ID: "g1", Name: "partner", Grantee: "arn:aws:iam::" + foreign + ":role/x", Operations: []string{"Decrypt"}}})
	})
	if got := kinds(p); got != "revoke-grant narrow-policy enable-rotation rotate-on-demand" {
		t.Errorf("got %s", got)
	}
	text := p.Text()
	for _, want := range []string{p.Hash, "3 to do, 1 for a person", own, "eu-west-1", "aws kms revoke-grant", "undo: ", "why: ", "more lines"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if n := strings.Count(text[strings.Index(text, testKey.String()):], "\n"); n > maxPlanLines {
		t.Errorf("%d lines for one key:\n%s", n, text)
	}
	seen := map[string]bool{p.Hash: true}
	for i, change := range []func(*Plan){
		func(p *Plan) { p.Operator = "d2" }, func(p *Plan) { p.Actions = p.Actions[1:] },
		func(p *Plan) { p.Actions[0].Target.Account = foreign }, func(p *Plan) { p.Actions[0].GrantID = "g2" },
		func(p *Plan) { p.Actions[0].Finding = "f2" },
	} {
		q := *p
		q.Actions = slices.Clone(p.Actions)
		change(&q)
		if h := q.hash(); seen[h] {
			t.Errorf("change %d leaves the hash", i)
		} else {
			seen[h] = true
		}
	}
}

func TestPlanThroughJSON(t *testing.T) {
	p := planOf(nil)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePlan(text)
	if err != nil || back.Hash != p.Hash || kinds(back) != kinds(p) {
		t.Fatalf("came back as %+v, %v", back, err)
	}
	if !p.Approved(p.Hash) || !p.Approved("sha256:"+strings.ToUpper(p.Hash[:16])) || p.Approved(p.Hash[:15]) || p.Approved("") || p.Approved(p.Hash+"0") {
		t.Error("approval is misread")
	}
	for _, edit := range [][2]string{{own, foreign}, {"rotate-on-demand", "revoke-grant"}, {`"version":1`, `"version":2`}, {`"operator":"d1"`, `"operator":"d2"`}} {
		if _, err := ParsePlan([]byte(strings.ReplaceAll(string(text), edit[0], edit[1]))); err == nil {
			t.Errorf("a plan with %s for %s was accepted", edit[1], edit[0])
		}
	}
}

func TestPlanIsRepeatable(t *testing.T) {
	later := planOf(func(f *Facts, _ *Operator) { f.Asked = now.Add(time.Hour) })
	if p := planOf(nil); p.Hash != later.Hash {
		t.Error("an hour changed the plan's hash: it could never be approved")
	}
}

// TestRule03AllowLists: what the operator does not name is refused, and the tag
// wins over what he does name.
func TestRule03AllowLists(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Facts, *Operator)
		want   string
	}{
		"account":     {func(_ *Facts, op *Operator) { op.Accounts = []string{foreign} }, "not among the operator's accounts"},
		"Region":      {func(_ *Facts, op *Operator) { op.Regions = []string{"us-east-1"} }, "not among the operator's Regions"},
		"resource":    {func(_ *Facts, op *Operator) { op.Resources = []string{"arn:aws:kms:*:" + own + ":key/0*"} }, "neither a pattern"},
		"no resource": {func(_ *Facts, op *Operator) { op.Resources = nil }, "neither a pattern"},
		"tag's value": {func(f *Facts, op *Operator) {
			op.Resources, op.Tags, f.Key.Tags = nil, map[string]string{"a": "b"}, Known(map[string]string{"a": "c"})
		}, "neither a pattern"},
		"no-rotate":      {func(f *Facts, _ *Operator) { f.Key.Tags = Known(map[string]string{NoRotateTag: "no"}) }, "tagged spillgate:no-rotate"},
		"NO-Rotate":      {func(f *Facts, _ *Operator) { f.Key.Tags = Known(map[string]string{"Spillgate:No-Rotate": ""}) }, "tagged spillgate:no-rotate"},
		"tags unknown":   {func(f *Facts, _ *Operator) { f.Key.Tags = Unknown[map[string]string]("access denied") }, "is unknown: access denied"},
		"severity":       {func(_ *Facts, op *Operator) { high := rules.High; op.MinSeverity = &high }, "answers from high on"},
		"nothing at all": {func(_ *Facts, op *Operator) { *op = Operator{Actions: op.Actions} }, "not among the operator's accounts"},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, planOf(tt.change), tt.want) })
	}
	byTag := planOf(func(f *Facts, op *Operator) {
		op.Resources, op.Tags, f.Key.Tags = nil, map[string]string{"a": "b"}, Known(map[string]string{"a": "b"})
	})
	if kinds(byTag) != "rotate-on-demand" {
		t.Errorf("a key that a tag allows is refused: %+v", byTag.Refusals)
	}
}

// TestRule04CallersAccount: only the caller's own account, and only the key that
// was found.
func TestRule04CallersAccount(t *testing.T) {
	other := testKey
	other.Resource = "key/0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
	elsewhere := testKey.In("us-east-1")
	for name, tt := range map[string]struct {
		change func(*Facts, *Operator)
		want   string
	}{
		"another account":   {func(f *Facts, _ *Operator) { f.Caller = Known(Caller{Account: foreign}) }, "caller's account " + foreign},
		"unknown caller":    {func(f *Facts, _ *Operator) { f.Caller = Unknown[Caller]("timed out") }, "who calls is unknown: timed out"},
		"another key":       {func(f *Facts, _ *Operator) { f.Key.ARN = Known(other) }, "answers with another key"},
		"no ARN":            {func(f *Facts, _ *Operator) { f.Key.ARN = Unknown[ARN]("access denied") }, "gave no ARN"},
		"alias elsewhere":   {func(f *Facts, _ *Operator) { f.Subject.ARN.Resource = "alias/prod"; f.Key.ARN = Known(elsewhere) }, "key of another place"},
		"alias to an alias": {func(f *Facts, _ *Operator) { f.Subject.ARN.Resource = "alias/prod"; f.Key.ARN = Known(f.Subject.ARN) }, "key of another place"},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, planOf(tt.change), tt.want) })
	}
	alias := planOf(func(f *Facts, _ *Operator) { f.Subject.ARN.Resource = "alias/prod" })
	if kinds(alias) != "rotate-on-demand" || alias.Actions[0].Target != testKey {
		t.Errorf("for an alias: %+v, refused %+v", alias.Actions, alias.Refusals)
	}
}

// onDemand returns n on-demand rotations, the newest at the given age.
func onDemand(n int, age time.Duration) Fact[[]Rotation] {
	var all []Rotation
	for i := range n {
		all = append(all, Rotation{At: now.Add(-age - time.Duration(i)*30*24*time.Hour), Type: "ON_DEMAND"})
	}
	return Known(all)
}

// TestRule05Preconditions: each condition that KMS or prudence asks for, wrong
// and unknown.
func TestRule05Preconditions(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*KeyFacts)
		want   string
	}{
		"disabled":        {func(k *KeyFacts) { k.KeyState = Known("Disabled") }, "key state is Disabled"},
		"state unknown":   {func(k *KeyFacts) { k.KeyState = Unknown[string]("x") }, "key state is unknown: x"},
		"AWS managed":     {func(k *KeyFacts) { k.KeyManager = Known("AWS") }, "key manager is AWS"},
		"manager unknown": {func(k *KeyFacts) { k.KeyManager = Unknown[string]("x") }, "key manager is unknown"},
		"asymmetric":      {func(k *KeyFacts) { k.KeySpec = Known("RSA_2048") }, "key spec is RSA_2048"},
		"HMAC":            {func(k *KeyFacts) { k.KeyUsage = Known("GENERATE_VERIFY_MAC") }, "key usage is"},
		"imported":        {func(k *KeyFacts) { k.Origin = Known("EXTERNAL") }, "origin of the key material is EXTERNAL"},
		"CloudHSM":        {func(k *KeyFacts) { k.Origin = Known("AWS_CLOUDHSM") }, "origin of the key material"},
		"replica": {func(k *KeyFacts) {
			k.MultiRegion = Known(MultiRegion{Role: "REPLICA", Primary: testKey.In("us-east-1")})
		}, "primary key in us-east-1"},
		"role unknown":           {func(k *KeyFacts) { k.MultiRegion = Unknown[MultiRegion]("x") }, "role among multi-Region keys is unknown"},
		"in progress":            {func(k *KeyFacts) { k.Rotation = Known(RotationStatus{Enabled: true, OnDemandStarted: now}) }, "in progress"},
		"cannot":                 {func(k *KeyFacts) { k.Rotation = Known(RotationStatus{NotApplicable: "HMAC"}) }, "cannot rotate: HMAC"},
		"rotation unknown":       {func(k *KeyFacts) { k.Rotation = Unknown[RotationStatus]("x") }, "rotation status is unknown"},
		"count unknown":          {func(k *KeyFacts) { k.Rotations = Unknown[[]Rotation]("x") }, "how often it was rotated is unknown"},
		"reserve":                {func(k *KeyFacts) { k.Rotations = onDemand(20, 90*24*time.Hour) }, "5 of its 25 on-demand rotations are left"},
		"all used":               {func(k *KeyFacts) { k.Rotations = onDemand(25, 90*24*time.Hour) }, "0 of its 25"},
		"cool-down":              {func(k *KeyFacts) { k.Rotations = onDemand(1, 23*time.Hour) }, "rests for 24h"},
		"automatic, just now":    {func(k *KeyFacts) { k.Rotations = Known([]Rotation{{At: now.Add(-time.Hour), Type: "AUTOMATIC"}}) }, "rests for 24h"},
		"a clock that is behind": {func(k *KeyFacts) { k.Rotations = onDemand(1, -time.Hour) }, "rests for 24h"},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, planOf(func(f *Facts, _ *Operator) { tt.change(f.Key) }), tt.want) })
	}
	if p := planOf(func(f *Facts, _ *Operator) { f.Key.Rotations = onDemand(19, 25*time.Hour) }); kinds(p) != "rotate-on-demand" {
		t.Errorf("with 6 rotations left and a day of rest: %+v", p.Refusals)
	}
	wantRefused(t, planOf(func(f *Facts, _ *Operator) { f.Status = PendingDeletion; f.Caller = Unknown[Caller]("x") }), "its status is pending deletion")
	primary := planOf(func(f *Facts, _ *Operator) { f.Key.MultiRegion = Known(MultiRegion{Role: "PRIMARY"}) })
	if kinds(primary) != "rotate-on-demand" {
		t.Errorf("a primary key: %+v", primary.Refusals)
	}
	nothing := planOf(func(f *Facts, _ *Operator) { f.Key, f.Status = &KeyFacts{}, StatusUnknown })
	wantRefused(t, nothing, "is unknown: not asked")
}

// entryOf returns the ledger's entry for the action of the plain plan.
func entryOf(state EntryState, age time.Duration, change func(*Action)) *Entry {
	a := planOf(nil).Actions[0]
	if change != nil {
		change(&a)
	}
	return &Entry{ID: a.ID(), Action: a, State: state, Intent: now.Add(-age)}
}

func TestRule05CapsAndLedger(t *testing.T) {
	otherFinding := func(a *Action) { a.Finding = "f0" }
	otherKey := func(a *Action) { a.Target.Resource, a.Finding = "key/other", "f9" }
	wantRefused(t, planOf(nil, entryOf(Effective, time.Hour, otherFinding)), "rests for 24h")
	wantRefused(t, planOf(nil, entryOf(Abandoned, time.Hour, otherFinding)), "rests for 24h")
	if p := planOf(nil, entryOf(Refused, time.Hour, otherFinding)); p.Acts() != 1 {
		t.Errorf("what was not done keeps the key from rotating: %+v", p.Refusals)
	}
	var day []*Entry
	for range 10 {
		day = append(day, entryOf(Effective, 23*time.Hour, otherKey))
	}
	wantRefused(t, planOf(nil, day...), "10 actions in 24 hours is reached")
	if p := planOf(nil, day[:9]...); p.Acts() != 1 {
		t.Errorf("nine of ten: %+v", p.Refusals)
	}
	// What the ledger knows and KMS does not list yet counts against the reserve.
	var unlisted []*Entry
	for i := range 3 {
		unlisted = append(unlisted, entryOf(Effective, time.Duration(30+i)*time.Hour, otherFinding))
	}
	wantRefused(t, planOf(func(f *Facts, op *Operator) { f.Key.Rotations = onDemand(17, 90*24*time.Hour) }, unlisted...), "5 of its 25")
	second := keyFacts()
	second.Subject.ARN.Resource = "key/0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
	second.Key.ARN = Known(second.Subject.ARN)
	op := permissive()
	op.Limits.PerRun = 0 // the default, one
	p := mustPlan([]*Facts{keyFacts(), second}, op, nil, now)
	if p.Acts() != 1 || len(p.Refusals) != 1 || !strings.Contains(p.Refusals[0].Reasons[0], "cap of 1 actions per run") {
		t.Errorf("got %s, refused %+v", kinds(p), p.Refusals)
	}
}

// TestRule06Once: a finding that was answered is not answered again, and while
// an outcome is not known nothing else is done to the key.
func TestRule06Once(t *testing.T) {
	old := 400 * 24 * time.Hour
	for _, state := range []EntryState{Intended, Answered, Effective, Abandoned} {
		wantRefused(t, planOf(nil, entryOf(state, old, nil)), "this finding was answered")
	}
	if p := planOf(nil, entryOf(Refused, old, nil)); p.Acts() != 1 {
		t.Errorf("what was surely not done is not tried again: %+v", p.Refusals)
	}
	wantRefused(t, planOf(nil, entryOf(Intended, old, func(a *Action) { a.Finding = "f0" })), "outcome is not known")
	alias := keyFacts()
	alias.Subject.ARN.Resource, alias.Subject.Found = "alias/prod", []Locator{{Rule: "aws-kms-alias-arn", Severity: rules.Medium, Fingerprint: "f2"}}
	p := mustPlan([]*Facts{keyFacts(), alias}, permissive(), nil, now)
	if p.Acts() != 1 || !strings.Contains(p.Refusals[0].Reasons[0], "in this plan already") {
		t.Errorf("a key and its alias: %s, refused %+v", kinds(p), p.Refusals)
	}
}

// TestRule07NoDestruction: no kind of action disables or deletes a key.
func TestRule07NoDestruction(t *testing.T) {
	for _, k := range []Kind{"disable-key", "schedule-key-deletion", NarrowPolicy, ""} {
		op := permissive()
		op.Actions = append(op.Actions, k)
		a := planOf(nil).Actions[0]
		a.Kind = k
		if reasons := objections(&a, keyFacts(), op, nil, now); !slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, "nobody carries out") }) {
			t.Errorf("%q may be done: %q", k, reasons)
		}
	}
}

// The schedule of a key is set where it is off, and a schedule that somebody has
// set is left alone: the same call would change its period.
func TestPlanSchedule(t *testing.T) {
	off := func(f *Facts, op *Operator) {
		f.Key.Rotation = Known(RotationStatus{})
		op.Actions = []Kind{EnableRotation}
	}
	p := planOf(off)
	if kinds(p) != "enable-rotation" || p.Actions[0].PeriodInDays != 365 || !strings.Contains(p.Actions[0].Call, "--rotation-period-in-days 365") {
		t.Fatalf("got %+v, refused %+v", p.Actions, p.Refusals)
	}
	a, f, op := p.Actions[0], keyFacts(), permissive()
	if got := objections(&a, f, op, nil, now); len(got) != 1 || !strings.Contains(got[0], "on already") {
		t.Errorf("of a key whose rotation is on: %q", got)
	}
	off(f, op)
	a.PeriodInDays = 90
	if got := objections(&a, f, op, nil, now); len(got) != 1 || !strings.Contains(got[0], "the operator's is 365") {
		t.Errorf("of another period: %q", got)
	}
}

// However many grants a plan revokes, a person sees each call.
func TestPlanTextShowsEveryCall(t *testing.T) {
	p := planOf(func(f *Facts, _ *Operator) {
		var grants []Grant
		for i := range 12 {
			grants = append(grants, Grant{ID: strings.Repeat("ab", i+1), Name: "partner", Grantee: "arn:aws:iam::" + foreign + ":role/x", Operations: []string{"Decrypt"}})
		}
		f.Key.Grants = Known(grants)
	})
	text := p.Text()
	for _, a := range p.Actions {
		if !strings.Contains(text, a.Call+"\n") {
			t.Errorf("%s is missing in\n%s", a.Call, text)
		}
	}
	if n := strings.Count(text[strings.Index(text, testKey.String()):], "\n"); n > maxPlanLines || p.Acts() < 10 {
		t.Errorf("%d actions in %d lines", p.Acts(), n)
	}
}

func TestPlanGrant(t *testing.T) {
	grant := func(f *Facts) {
		f.Key.Rotation = Known(RotationStatus{Enabled: true, NotApplicable: ""})
		f.Key.Grants = Known([]Grant{
			{ID: "g1", Name: "partner", Grantee: "arn:aws:iam::" + foreign + ":role/x", Operations: []string{"Decrypt"}},
			{ID: "g2", Name: "partner", Grantee: "arn:aws:iam::" + own + ":role/x", Operations: []string{"Decrypt"}},
			{ID: "g3", Name: "unnamed", Grantee: "arn:aws:iam::" + foreign + ":role/y", Operations: []string{"Decrypt"}},
		})
	}
	only := func(f *Facts, op *Operator) { grant(f); op.Actions = []Kind{RevokeGrant} }
	p := planOf(only)
	if kinds(p) != "revoke-grant" || p.Actions[0].GrantID != "g1" {
		t.Errorf("got %+v, refused %+v", p.Actions, p.Refusals)
	}
	a := p.Actions[0]
	f, op := keyFacts(), permissive()
	grant(f)
	a.GrantID = "g2"
	if got := objections(&a, f, op, nil, now); len(got) == 0 {
		t.Error("a grant of our own may be revoked")
	}
	a.GrantID = "g3"
	if got := objections(&a, f, op, nil, now); len(got) == 0 {
		t.Error("a grant that the operator does not name may be revoked")
	}
	a.GrantID = "g9"
	if got := objections(&a, f, op, nil, now); len(got) == 0 {
		t.Error("a grant that is not there may be revoked")
	}
}

func TestPlanSecret(t *testing.T) {
	secret := ARN{"aws", "secretsmanager", "eu-west-1", own, "secret:db-aB3xY9"}
	facts := func() *Facts {
		f := keyFacts()
		f.Key, f.Subject.ARN = nil, secret
		f.Secret = &SecretFacts{ARN: Known(secret), Tags: Known(map[string]string(nil)), Rotation: Known(true), LastRotated: Known(time.Time{})}
		return f
	}
	if p := mustPlan([]*Facts{facts()}, permissive(), nil, now); kinds(p) != "rotate-secret" {
		t.Errorf("got %s, refused %+v", kinds(p), p.Refusals)
	}
	for want, change := range map[string]func(*SecretFacts){
		"set up is false":      func(s *SecretFacts) { s.Rotation = Known(false) },
		"set up is unknown":    func(s *SecretFacts) { s.Rotation = Unknown[bool]("x") },
		"tagged":               func(s *SecretFacts) { s.Tags = Known(map[string]string{NoRotateTag: ""}) },
		"whether it is tagged": func(s *SecretFacts) { s.Tags = Unknown[map[string]string]("x") },
		"its ARN is":           func(s *SecretFacts) { s.ARN = Known(testKey) },
		"rests for":            func(s *SecretFacts) { s.LastRotated = Known(now.Add(-time.Hour)) },
	} {
		f := facts()
		change(f.Secret)
		wantRefused(t, mustPlan([]*Facts{f}, permissive(), nil, now), want)
	}
	f := facts()
	f.Secret = nil
	wantRefused(t, mustPlan([]*Facts{f}, permissive(), nil, now), "nothing is known of the secret")
}

// TestRule09LeakedCredential: a leaked access key is deactivated by somebody
// else, never by itself, and tripwires are left alone.
func TestRule09LeakedCredential(t *testing.T) {
	id := "AKIA" + "Y3FDNQ4RZ7KWTB2M"
	facts := func(change func(*Facts)) *Facts {
		f := keyFacts()
		f.Key, f.Subject.ARN, f.Subject.AccessKeyID = nil, ARN{}, id
		f.AccessKey = &AccessKeyFacts{Account: Known(own), User: Known("jo"), Status: Known("Active"), LastUsed: Known(time.Time{})}
		if change != nil {
			change(f)
		}
		return f
	}
	p := mustPlan([]*Facts{facts(nil)}, permissive(), nil, now)
	if kinds(p) != "deactivate-access-key" || p.Actions[0].Target.String() != "arn:aws:iam::"+own+":user/jo" {
		t.Fatalf("got %+v, refused %+v", p.Actions, p.Refusals)
	}
	for want, change := range map[string]func(*Facts){
		"the user whose key leaked": func(f *Facts) { f.Caller = Known(Caller{Account: own, ARN: "arn:aws:iam::" + own + ":user/team/jo"}) },
		"tripwire":                  func(f *Facts) { f.AccessKey.Canary = "somebody" },
		"status is Inactive":        func(f *Facts) { f.AccessKey.Status = Known("Inactive"); f.Subject.Found[0].Severity = rules.Critical },
		"status is unknown":         func(f *Facts) { f.AccessKey.Status = Unknown[string]("x") },
		"user is unknown":           func(f *Facts) { f.AccessKey.User = Unknown[string]("x") },
		"account " + foreign:        func(f *Facts) { f.AccessKey.Account = Known(foreign) },
		"long-term":                 func(f *Facts) { f.Subject.AccessKeyID = "ASIA" + id[4:] },
	} {
		op := permissive()
		low := rules.Info
		op.MinSeverity = &low
		wantRefused(t, mustPlan([]*Facts{facts(change)}, op, nil, now), want)
	}
}

// A plan names what may hold anything: a grant's id, a user's name. What it
// prints for a shell is quoted.
func TestCallsAreQuoted(t *testing.T) {
	a := Action{Kind: RevokeGrant, Target: testKey, GrantID: "x; rm -rf ~ $(id) 'y'"}
	a.describe()
	if !strings.HasSuffix(a.Call, `--grant-id 'x; rm -rf ~ $(id) '\''y'\'''`) {
		t.Errorf("got %s", a.Call)
	}
}

// TestPlanOfLongHistory: a plan costs no more for each thing that was ever done:
// a server's ledger holds tens of thousands, and a push hundreds of keys.
func TestPlanOfLongHistory(t *testing.T) {
	var history []*Entry
	for n := range 1000 {
		history = append(history, entryOf(Effective, 1000*time.Hour, func(a *Action) { a.Target.Resource, a.Finding = "key/other", fmt.Sprint("o", n) }))
	}
	allocations := func(history []*Entry) float64 {
		return testing.AllocsPerRun(3, func() {
			if p := planOf(nil, history...); p.Acts() != 1 {
				t.Fatalf("%+v", p.Refusals)
			}
		})
	}
	if short, long := allocations(history[:1]), allocations(history); long > short+10 {
		t.Errorf("%.0f allocations with one entry, %.0f with %d", short, long, len(history))
	}
}
