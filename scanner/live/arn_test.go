package live

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParseARN(t *testing.T) {
	for _, s := range []string{
		testKey.String(), "arn:aws:s3:::acme-logs", "arn:aws:iam::aws:policy/ReadOnly",
		"arn:aws:rds:eu-west-1:" + own + ":db:x:y", "arn:aws-eusc:kms:eusc-de-east-1:" + own + ":alias/a/b",
	} {
		a, err := ParseARN(s)
		if err != nil || a.String() != s {
			t.Errorf("%s came back as %s, %v", s, a, err)
		}
	}
	for _, s := range []string{
		"", "arn", "arn:aws:kms:eu-west-1:" + own, "arn:aws:kms:eu-west-1:12345:key/x", "arn:aws:kms:eu-west-1:" + own + ":key/a b",
		"arn::kms:eu-west-1:" + own + ":key/x", "arn:aws:kms:r:" + own + ":", "urn:aws:kms:r:" + own + ":key/x", "arn:aws:kms:r:" + own + ":" + strings.Repeat("x", maxARN),
		"arn:aws:kms:r:" + own + ":key/\x00",
	} {
		if a, err := ParseARN(s); err == nil {
			t.Errorf("%.60q was taken for the ARN %s", s, a)
		}
	}
}

func TestARNKinds(t *testing.T) {
	alias := testKey
	alias.Resource = "alias/prod"
	multi := testKey
	multi.Resource = "key/mrk-1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f"
	if !testKey.IsKey() || testKey.IsAlias() || testKey.IsMultiRegionKey() || testKey.KeyID() != "3f1c9a52-7b0e-4d1c-9c55-0a8be1d2f647" {
		t.Errorf("%s is misread", testKey)
	}
	if alias.IsKey() || !alias.IsAlias() || alias.KeyID() != "" {
		t.Errorf("%s is misread", alias)
	}
	if !multi.IsMultiRegionKey() || multi.In("us-east-1").Region != "us-east-1" || multi.In("us-east-1").Resource != multi.Resource {
		t.Errorf("%s is misread", multi)
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add(testKey.String())
	f.Add("arn:aws:s3:::b/k:x")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseARN(s)
		if err == nil && a.String() != s {
			t.Errorf("%q came back as %q", s, a)
		}
	})
}

// A fact and its reason survive the journey through JSON; silence is no answer.
func TestFact(t *testing.T) {
	type facts struct {
		A, B, C, D Fact[time.Duration]
		Z          Fact[string]
	}
	in := facts{A: Known(time.Second), B: Unknown[time.Duration]("access denied"), C: Known(time.Duration(0)), Z: Known("")}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out facts
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if v, ok := out.A.Get(); !ok || v != time.Second {
		t.Errorf("A came back as %v, %t", v, ok)
	}
	if out.B.IsKnown() || out.B.Because() != "access denied" || out.B.Or(7) != 7 {
		t.Errorf("B came back as %+v", out.B)
	}
	if !out.C.IsKnown() || !out.Z.IsKnown() || out.D.Because() != notAsked || in.D.Because() != notAsked {
		t.Errorf("came back as %+v", out)
	}
	for _, bad := range []string{`{}`, `{"unknown":""}`, `3`, `{"value":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &out.A); err == nil {
			t.Errorf("%s was read as a fact", bad)
		}
	}
}
