package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/cmd/internal/frame"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

func keyIn(region, account string, n int) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/8f3b9c1e-5d27-4a60-b1e4-%012x", region, account, n)
}

// zoo is an account with a key of every kind, numbered.
func zoo() *kmsfake.Model {
	m := &kmsfake.Model{Home: homeAccount, Regions: []string{"eu-west-1", "us-east-2", "ap-south-1"}}
	soon := time.Now().AddDate(0, 0, 30)
	mrk := func(region string) string {
		return "arn:aws:kms:" + region + ":" + homeAccount + ":key/mrk-3f9a51c07be24d86a1d0e2b94c57f683"
	}
	for i, k := range []kmsfake.Key{
		{RotationOn: true, Next: soon, Aliases: []string{"alias/good"}, Tags: map[string]string{"=1+1": "x"}, Description: "fine"},
		{Aliases: []string{"alias/off"}},
		{Spec: "RSA_2048", Usage: "SIGN_VERIFY"},
		{Spec: "HMAC_256", Usage: "GENERATE_VERIFY_MAC"},
		{Origin: "EXTERNAL"},
		{Origin: "AWS_CLOUDHSM"},
		{Manager: "AWS", RotationOn: true, Next: soon, Aliases: []string{"alias/aws/s3"}},
		{State: "PendingDeletion", Deletion: soon},
		{State: "Disabled"},
		{RotationOn: true, Period: 730, Next: soon},
		{RotationOn: true, Next: time.Now().AddDate(0, 0, -10)},
		{RotationOn: true, Next: soon, Policy: openPolicy},
	} {
		k.ARN = keyIn([]string{"eu-west-1", "us-east-2"}[i%2], homeAccount, i)
		m.Keys = append(m.Keys, &k)
	}
	primary := mrk("eu-west-1")
	m.Keys = append(m.Keys,
		&kmsfake.Key{ARN: primary, Role: "PRIMARY", Primary: primary, Replicas: []string{mrk("us-east-2")}},
		&kmsfake.Key{ARN: mrk("us-east-2"), Role: "REPLICA", Primary: primary, Replicas: []string{mrk("us-east-2")}})
	return m
}

func auditJSON(t *testing.T, out string) auditReport {
	t.Helper()
	var r auditReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// TestAuditRules: each rule's outcome for each kind of key.
func TestAuditRules(t *testing.T) {
	server := kmsfake.New(t, zoo())
	out, stderr, code := run(t, server, "", "audit", "--format", "json")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	r := auditJSON(t, out)
	want := map[int]string{ // rotation, period, overdue, exposure, deletion
		0: "P P P P P", 1: "F - - P P", 2: "- - - P P", 3: "- - - P P", 4: "- - - P P", 5: "- - - P P", 6: "- - - - P",
		7: "- - - - F", 8: "- - - P P", 9: "P F P P P", 10: "P P F P P", 11: "P P P F P",
	}
	short := map[string]string{"pass": "P", "fail": "F", "not applicable": "-", "unknown": "?"}
	seen := 0
	for _, k := range r.Keys {
		var got []string
		for _, c := range k.Checks {
			if c.Why == "" {
				t.Errorf("%s: %s does not say why", k.ARN, c.Rule)
			}
			got = append(got, short[string(c.Outcome)])
		}
		expected := map[bool]string{true: "F - - P P", false: "- - - P P"}[k.MultiRegion == "primary"]
		if k.MultiRegion == "" {
			var n int
			if _, err := fmt.Sscanf(k.ARN[len(k.ARN)-12:], "%x", &n); err != nil {
				t.Fatal(err)
			}
			expected = want[n]
		}
		seen++
		if s := strings.Join(got, " "); s != expected {
			t.Errorf("%s (%s %s %s): %s, want %s", k.ARN, k.Spec, k.Origin, k.State, s, expected)
		}
	}
	if seen != 14 || r.Targets != 3 {
		t.Errorf("%d keys in %d Regions", seen, r.Targets)
	}
	if s := r.Rules[0]; s.Pass != 4 || s.Fail != 2 || s.Rate() != "66.6 %" || s.NotApplicable != 8 {
		t.Errorf("%+v, %s", s, s.Rate())
	}
	for _, c := range server.Calls() {
		if c.Op == "GetKeyPolicy" && c.Input["KeyId"] == keyIn("eu-west-1", homeAccount, 6) {
			t.Error("the policy of a key of AWS was asked for")
		}
	}
}

func TestAuditFormats(t *testing.T) {
	m := zoo()
	m.Keys[0].Aliases = []string{"alias/<b>"}
	m.Keys[0].Tags = map[string]string{"=cmd": "|' /C calc'!A0", "x": "\x1b[2J"}
	server := kmsfake.New(t, m)
	page := filepath.Join(t.TempDir(), "keys.html")
	out, _, code := run(t, server, "", "audit", "--format", "csv", "--report", "html="+page)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 15 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@|\t\r") {
				t.Errorf("a cell that can be a formula: %q", c)
			}
		}
	}
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), "alias/&lt;b&gt;") || strings.Contains(string(html), "<b>") {
		t.Errorf("%v: the page holds what it should not", err)
	}
	text, _, _ := run(t, server, "", "audit", "--region", "eu-west-1", "--region", "us-east-2")
	for _, want := range []string{"14 keys in 2 Regions of 1 account", "rotation     66.6 %", "period: fail", "rotates every 730 days; at most 365 are wanted", "oops"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestAuditExitCodes: only required rules fail a run, and what is unknown is
// never 0.
func TestAuditExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		fault *kmsfake.Fault
		code  int
		says  string
	}{
		"nothing required":   {nil, nil, 0, ""},
		"rotation":           {[]string{"--require", "rotation"}, nil, 1, "automatic rotation is off"},
		"longer period":      {[]string{"--require", "period", "--max-period", "800"}, nil, 0, ""},
		"unknown":            {[]string{"--require", "deletion", "--region", "ap-south-1"}, nil, 0, ""},
		"policy denied":      {[]string{"--require", "exposure", "--region", "eu-west-1"}, &kmsfake.Fault{Action: "kms:GetKeyPolicy", Code: "AccessDeniedException"}, 2, "kms:GetKeyPolicy: access denied"},
		"keys not listed":    {nil, &kmsfake.Fault{Action: "kms:ListKeys", Region: "us-east-2", Code: "AccessDeniedException"}, 2, "us-east-2: the keys could not be listed: kms:ListKeys: access denied"},
		"Regions not listed": {nil, &kmsfake.Fault{Action: "account:ListRegions", Code: "AccessDeniedException"}, 2, "name them with --region"},
		"no such rule":       {[]string{"--require", "cleanliness"}, nil, 3, "cleanliness"},
		"no such report":     {[]string{"--report", "pdf=x"}, nil, 3, "pdf"},
	} {
		t.Run(name, func(t *testing.T) {
			server := kmsfake.New(t, zoo())
			if c.fault != nil {
				server.Inject(*c.fault)
			}
			out, stderr, code := run(t, server, "", append([]string{"audit"}, c.args...)...)
			if code != c.code || !strings.Contains(out+stderr, c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", code, c.code, c.says, out, stderr)
			}
		})
	}
}

// TestAuditOrganization: the active accounts, each under a role of its own.
func TestAuditOrganization(t *testing.T) {
	m := zoo()
	third := "520943" + "716288"
	m.Accounts = map[string]string{homeAccount: "payroll", otherAccount: "web", third: "sandbox", "520943716289": "closed long ago"}
	role := func(a string) string { return "arn:aws:iam::" + a + ":role/read" }
	m.Roles = []string{role(homeAccount), role(otherAccount)}
	m.Keys = append(m.Keys, &kmsfake.Key{ARN: keyIn("eu-west-1", otherAccount, 1)})
	server := kmsfake.New(t, m)
	out, _, code := run(t, server, "", "audit", "--organization", "--role-arn", "arn:{partition}:iam::{account}:role/read", "--format", "json", "--region", "eu-west-1")
	r := auditJSON(t, out)
	names := map[string]int{}
	for _, k := range r.Keys {
		names[k.AccountName]++
	}
	if code != 2 || names["payroll"] != 7 || names["web"] != 1 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], third) || !strings.Contains(r.Problems[0], "sts:AssumeRole") {
		t.Errorf("exit code %d, keys %v, problems %q", code, names, r.Problems)
	}
}

// TestAuditResumes: an audit that met trouble goes on where it was, asks again
// only for what it has no answer, and survives a torn line.
func TestAuditResumes(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	server := kmsfake.New(t, zoo())
	server.Inject(kmsfake.Fault{Action: "kms:ListKeys", Region: "us-east-2", Code: "AccessDeniedException"})
	args := []string{"audit", "--state", state, "--format", "json", "--require", "exposure"}
	server.Inject(kmsfake.Fault{Action: "kms:GetKeyPolicy", Key: keyIn("eu-west-1", homeAccount, 0), Code: "InternalFailure", Status: 403})
	if out, _, code := run(t, server, "", args...); code != 2 || len(auditJSON(t, out).Keys) != 7 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	f, err := os.OpenFile(state, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"subject":{"arn":"arn:aws:kms:us-`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	server.Heal()
	server.Forget()
	out, stderr, code := run(t, server, "", args...)
	if code != 1 || len(auditJSON(t, out).Keys) != 14 {
		t.Errorf("exit code %d: %s\n%s", code, stderr, out)
	}
	if n := server.Count("kms:DescribeKey"); n != 8 {
		t.Errorf("%d keys asked about, want the 7 of us-east-2 and the one without a policy", n)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Error("the state of a complete audit is still there")
	}
	if err := os.WriteFile(state, []byte("my diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := run(t, server, "", args...); code != 3 || !strings.Contains(stderr, "no state of an audit") {
		t.Errorf("another file as the state: %d %s", code, stderr)
	}
}

// TestAuditInterrupted: what was found out until an interruption is not asked
// for again.
func TestAuditInterrupted(t *testing.T) {
	m := zoo()
	m.RatePerRegion = 10
	server := kmsfake.New(t, m)
	for name, value := range server.Env() {
		t.Setenv(name, value)
	}
	state := filepath.Join(t.TempDir(), "state")
	var out, errs lockedBuffer
	a := &app{Process: Process{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.root().Run(ctx, []string{"spillgate-live", "audit", "--state", state}) }()
	lines := 0
	waitFor(t, func() string {
		data, _ := os.ReadFile(state)
		if lines = strings.Count(string(data), "\n"); lines >= 4 {
			return "enough"
		}
		return ""
	})
	cancel()
	if err := <-ended; frame.ExitCode(err) != 130 || out.String() != "" {
		t.Fatalf("interrupted: %v, %q", err, out.String())
	}
	data, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	done := strings.Count(string(data), "\n") - 1
	m.RatePerRegion = 0
	server.Forget()
	if text, stderr, code := run(t, server, "", "audit", "--state", state); code != 0 || !strings.Contains(text, "14 keys") {
		t.Errorf("exit code %d: %s\n%s", code, stderr, text)
	}
	if n := server.Count("kms:DescribeKey"); n != 14-done {
		t.Errorf("%d keys asked about after %d of 14", n, done)
	}
}

// TestAuditThrottled audits keys over Regions each of which allows so many
// requests a second: everything is answered in about the time that the rate
// needs, and the requests refused stay few. SPILLGATE_AUDIT_KEYS and
// SPILLGATE_AUDIT_RATE set the size.
func TestAuditThrottled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	keys, rate := 90, 20.0
	if s := os.Getenv("SPILLGATE_AUDIT_KEYS"); s != "" {
		if _, err := fmt.Sscan(s+" "+os.Getenv("SPILLGATE_AUDIT_RATE"), &keys, &rate); err != nil {
			t.Fatal(err)
		}
	}
	m := &kmsfake.Model{Home: homeAccount, RatePerRegion: rate, PageSize: 100}
	for i := range 9 {
		m.Regions = append(m.Regions, fmt.Sprintf("eu-west-%d", i+1))
	}
	for i := range keys {
		m.Keys = append(m.Keys, &kmsfake.Key{ARN: keyIn(m.Regions[i%9], homeAccount, i), RotationOn: i%3 != 0, Next: time.Now().AddDate(0, 1, 0)})
	}
	server := kmsfake.New(t, m)
	begun := time.Now()
	out, stderr, code := run(t, server, "", "audit", "--format", "json", "--require", "exposure", "--jobs", "64")
	took := time.Since(begun)
	if out == "" {
		t.Fatalf("exit code %d after %v: %s", code, took, stderr)
	}
	r := auditJSON(t, out)
	refused := 0
	for _, c := range server.Calls() {
		if c.Code == "ThrottlingException" {
			refused++
		}
	}
	all := len(server.Calls())
	ideal := time.Duration(float64(all-refused) / 9 / rate * float64(time.Second))
	t.Logf("%d keys in 9 Regions at %.0f requests/s each: %.1f s (the rate alone needs %.1f s), %d requests, %d refused; %s",
		len(r.Keys), rate, took.Seconds(), ideal.Seconds(), all, refused, r.Rules[0].Rate())
	if code != 0 || len(r.Keys) != keys || r.Rules[0].Unknown != 0 || r.Rules[3].Unknown != 0 {
		t.Errorf("exit code %d: %s; %d keys, %+v", code, stderr, len(r.Keys), r.Rules)
	}
	if refused*2 > all {
		t.Errorf("%d of %d requests were refused", refused, all)
	}
}

// FuzzAuditState: whatever stands in a state file, it is refused or read; what
// is read are young answers about keys, and what is appended is read again.
func FuzzAuditState(f *testing.F) {
	const head = `{"spillgate":"audit-state","version":1}` + "\n"
	f.Add([]byte(""))
	f.Add([]byte(head + `{"subject":{"arn":"` + keyARN + `"},"asked":"2026-05-04T03:02:01Z","key":{"arn":{"value":"` + keyARN + `"}}}` + "\n" + `{"sub`))
	f.Add([]byte(head + `{"subject":{"arn":"arn:aws:s3:::b"},"key":{}}` + "\n"))
	f.Add([]byte(`{"spillgate":"audit-state","version":2}` + "\n"))
	now := time.Date(2026, 5, 4, 4, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openAuditState(name, now)
		if err != nil {
			return
		}
		defer s.close()
		for key, facts := range s.done {
			if !key.IsKey() || facts.Key == nil || now.Sub(facts.Asked) >= stateAge {
				t.Errorf("%s is taken for done", key)
			}
		}
		arn, err := live.ParseARN(openARN)
		if err != nil {
			t.Fatal(err)
		}
		added := &live.Facts{Subject: live.Subject{ARN: arn}, Asked: now, Key: answered()}
		if err := s.add(added); err != nil {
			t.Fatal(err)
		}
		again, err := openAuditState(name, now)
		if err != nil {
			t.Fatalf("after a line was added: %v", err)
		}
		defer again.close()
		if again.done[arn] == nil || len(again.done) < len(s.done) {
			t.Errorf("%d answers, and %d after one was added", len(s.done), len(again.done))
		}
	})
}

// answered are the facts about a key all of whose questions have answers.
func answered() *live.KeyFacts {
	return &live.KeyFacts{
		ARN: live.Known(live.ARN{}), Rotation: live.Known(live.RotationStatus{}), Rotations: live.Known([]live.Rotation{}), Policy: live.Known("{}"),
		Grants: live.Known([]live.Grant{}), Tags: live.Known(map[string]string{}), Aliases: live.Known([]string{}),
	}
}
