package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// Made-up accounts and keys.
const (
	homeAccount  = "739104" + "826315"
	otherAccount = "608080" + "594723"
	keyARN       = "arn:aws:kms:eu-west-1:" + homeAccount + ":key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	openARN      = "arn:aws:kms:us-east-2:" + homeAccount + ":key/c47d10b2-93ea-4f58-8a6c-e51b07d9f364"
)

// openPolicy lets everybody decrypt.
const openPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"oops","Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}`

// run runs the program against a fake.
func run(t *testing.T, server *kmsfake.Server, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runWith(t, server.Env(), stdin, args...)
}

// runWith runs the program in an environment.
func runWith(t *testing.T, env map[string]string, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	code = Main(Process{Args: append([]string{"spillgate-live"}, args...), Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs})
	return out.String(), errs.String(), code
}

// finding is a line as spillgate --format jsonl prints it.
func finding(arn, path string) string {
	return fmt.Sprintf(`{"type":"finding","rule":"aws-kms-key-arn","title":"t","severity":"medium","fingerprint":"f-%s","fields":[{"name":"arn","value":%q}],"location":{"kind":"content","path":%q,"start_line":3}}`+"\n", path, arn, path)
}

const coverage = `{"type":"coverage","schema_version":1,"tool":{},"summary":{},"coverage":[]}` + "\n"

func twoKeys() *kmsfake.Model {
	return &kmsfake.Model{Home: homeAccount, Keys: []*kmsfake.Key{
		{ARN: keyARN, Description: "pay\x1b[31mroll", Aliases: []string{"alias/pay"}, Tags: map[string]string{"team": "pay"}},
		{ARN: openARN, Policy: openPolicy, RotationOn: true, Next: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)},
	}}
}

// validator checks a line against the schema in the repository.
func validator(t *testing.T) func(line string) {
	t.Helper()
	data, err := os.ReadFile("../../../../scanner/live/schema/enriched.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("enriched.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("enriched.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(line string) {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, line)
		}
	}
}

// TestEnrichJSONL: a line per resource, in the order of the findings, each
// asked about once; the lines are as the schema says.
func TestEnrichJSONL(t *testing.T) {
	server := kmsfake.New(t, twoKeys())
	in := finding(keyARN, "a.tf") + finding(openARN, "b.tf") + finding(keyARN, "c.tf") + coverage
	out, stderr, code := run(t, server, in, "enrich")
	if code != 1 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	valid := validator(t)
	for _, l := range lines {
		valid(l)
	}
	var first, second enrichedLine
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(lines[1]), &second); err != nil {
		t.Fatal(err)
	}
	if first.Facts.Subject.ARN.String() != keyARN || first.Verdict.Severity.String() != "medium" || first.Facts.Subject.Places != 2 {
		t.Errorf("first: %+v", first.Verdict)
	}
	if second.Facts.Subject.ARN.String() != openARN || second.Verdict.Severity.String() != "critical" {
		t.Errorf("second: %+v", second.Verdict)
	}
	if n := server.Count("kms:DescribeKey"); n != 2 {
		t.Errorf("%d times DescribeKey for two keys", n)
	}
}

func TestEnrichText(t *testing.T) {
	m := twoKeys()
	m.Keys[0].Tags["evil"] = "a\x1b[2Jb"
	server := kmsfake.New(t, m)
	server.Deny("kms:ListGrants")
	out, _, code := run(t, server, finding(keyARN, "a.tf")+finding(openARN, "b.tf")+coverage, "enrich", "--format", "text", "--fail-on", "critical")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"medium  " + keyARN, "critical (was medium)  " + openARN, "a.tf:3", "enabled, SYMMETRIC_DEFAULT, AWS_KMS, managed by the customer",
		"rotation  off", "rotation  on, every 365 days, next 2027-01-02", "alias/pay", "team=pay",
		"kms:ListGrants: access denied (AccessDeniedException)", "oops", "2 asked about: 1 at or above the limit, 0 unknown",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("a control character got through")
	}
}

// TestEnrichExitCodes: what is bad outranks what is unknown, and neither is 0.
func TestEnrichExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		args  []string
		fault *kmsfake.Fault
		code  int
		says  string
	}{
		"fine":                      {finding(keyARN, "a.tf") + coverage, nil, nil, 0, ""},
		"nothing found":             {coverage, nil, nil, 0, ""},
		"lower limit":               {finding(keyARN, "a.tf") + coverage, []string{"--fail-on", "medium"}, nil, 1, ""},
		"cut off":                   {finding(keyARN, "a.tf"), nil, nil, 2, "cut off"},
		"empty":                     {"", nil, nil, 2, "cut off"},
		"throttled":                 {finding(keyARN, "a.tf") + coverage, nil, &kmsfake.Fault{Action: "kms:DescribeKey", Code: "ThrottlingException"}, 2, "throttled"},
		"denied":                    {finding(keyARN, "a.tf") + coverage, nil, &kmsfake.Fault{Action: "kms:DescribeKey", Code: "AccessDeniedException"}, 2, "no access"},
		"denied by another account": {finding(strings.Replace(keyARN, homeAccount, otherAccount, 1), "a.tf") + coverage, nil, nil, 0, "no access"},
		"expired credentials":       {finding(keyARN, "a.tf") + coverage, nil, &kmsfake.Fault{Code: "ExpiredToken"}, 2, "credentials not accepted (ExpiredToken)"},
		"garbage":                   {"hello\n", nil, nil, 2, "line 1"},
		"no such format":            {coverage, []string{"--format", "xml"}, nil, 3, "xml"},
		"no such account":           {coverage, []string{"--allow-account", "12"}, nil, 3, "12 digits"},
		"no such role":              {coverage, []string{"--role-arn", "reader"}, nil, 3, "arn:partition"},
		"no such profile":           {coverage, []string{"--profile", "nobody"}, nil, 3, "nobody"},
		"events of long ago":        {coverage, []string{"--trail", "9000h"}, nil, 3, "90 days"},
		"a trail that is no time":   {coverage, []string{"--trail", "yesterday"}, nil, 3, "neither"},
		"a file that is not there":  {coverage, []string{"/nonexistent/findings"}, nil, 3, "nonexistent"},
	} {
		t.Run(name, func(t *testing.T) {
			server := kmsfake.New(t, twoKeys())
			if c.fault != nil {
				server.Inject(*c.fault)
			}
			out, stderr, code := run(t, server, c.in, append([]string{"enrich"}, c.args...)...)
			if code != c.code || !strings.Contains(out+stderr, c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", code, c.code, c.says, out, stderr)
			}
		})
	}
}

// TestEnrichWithoutCredentials: each resource is named, the reason is given
// once for each and what to do about it once for all.
func TestEnrichWithoutCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		fault  kmsfake.Fault
		state  string
		advice string
	}{
		"none":    {map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, kmsfake.Fault{Code: "Unasked"}, "no credentials", "--profile or AWS_PROFILE"},
		"expired": {nil, kmsfake.Fault{Code: "ExpiredTokenException"}, "kms:DescribeKey: credentials not accepted (ExpiredTokenException)", "sign in again"},
	} {
		t.Run(name, func(t *testing.T) {
			server := kmsfake.New(t, twoKeys())
			server.Inject(c.fault)
			env := server.Env()
			maps.Copy(env, c.env)
			out, stderr, code := runWith(t, env, finding(keyARN, "a.tf")+finding(openARN, "b.tf")+coverage, "enrich", "--format", "text")
			if code != 2 || strings.Count(out, c.state) != 2 || !strings.Contains(out, "medium  "+keyARN) || !strings.Contains(out, "medium  "+openARN) {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			if strings.Count(stderr, c.advice) != 1 {
				t.Errorf("the advice is %q", stderr)
			}
		})
	}
}

// TestGroupedUnknowns: what one failure leaves unknown is one line.
func TestGroupedUnknowns(t *testing.T) {
	server := kmsfake.New(t, &kmsfake.Model{Home: homeAccount})
	out, _, _ := run(t, server, finding(keyARN, "a.tf")+coverage, "enrich", "--format", "text")
	if !strings.Contains(out, "unknown   key policy, grants, rotation, rotations, tags, last use: not asked") || strings.Count(out, "not asked") != 1 {
		t.Error(out)
	}
}

// TestEnrichAllows: an allowed account is no stranger.
func TestEnrichAllows(t *testing.T) {
	m := twoKeys()
	m.Keys[1].Policy = strings.Replace(openPolicy, `"*"`, `{"AWS":"arn:aws:iam::`+otherAccount+`:root"}`, 1)
	server := kmsfake.New(t, m)
	in := finding(openARN, "b.tf") + coverage
	if out, _, code := run(t, server, in, "enrich"); code != 1 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if out, _, code := run(t, server, in, "enrich", "--allow-account", otherAccount); code != 0 {
		t.Errorf("allowed: exit code %d:\n%s", code, out)
	}
}
