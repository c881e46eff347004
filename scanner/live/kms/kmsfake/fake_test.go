package kmsfake

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// spy records how a test would have failed.
type spy struct {
	failed   []string
	cleanups []func()
}

func (s *spy) Helper() {}
func (s *spy) Errorf(format string, args ...any) {
	s.failed = append(s.failed, fmt.Sprintf(format, args...))
}
func (s *spy) Fatalf(format string, args ...any) { s.Errorf(format, args...) }
func (s *spy) Cleanup(f func())                  { s.cleanups = append(s.cleanups, f) }
func (s *spy) end() string {
	for _, f := range s.cleanups {
		f()
	}
	return strings.Join(s.failed, "\n")
}

const account = "739104" + "826315"

// post sends a call of KMS with an Authorization header.
func post(t *testing.T, url, target, authorization, body string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("X-Amz-Date", "20260102T030405Z")
	r.Header.Set("Authorization", authorization)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func authorization(service, region string) string {
	return "AWS4-HMAC-SHA256 Credential=" + AccessKeyID + "/20260102/" + region + "/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + strings.Repeat("0", 64)
}

// TestScriptFails: a script fails the test on a call that it does not expect,
// on one in another Region or with another input, and on a step not used.
func TestScriptFails(t *testing.T) {
	for name, c := range map[string]struct {
		target, region, body, says string
	}{
		"as expected":        {"TrentService.DescribeKey", "eu-west-1", `{"KeyId":"k"}`, ""},
		"another call":       {"TrentService.ListKeys", "eu-west-1", `{"KeyId":"k"}`, "unexpected call of kms:ListKeys"},
		"another Region":     {"TrentService.DescribeKey", "eu-west-2", `{"KeyId":"k"}`, "unexpected call of kms:DescribeKey in eu-west-2"},
		"another key":        {"TrentService.DescribeKey", "eu-west-1", `{"KeyId":"x"}`, "unexpected call"},
		"not called, unused": {"TrentService.ListKeys", "eu-west-1", `{}`, "no call of kms:DescribeKey eu-west-1"},
	} {
		tb := &spy{}
		s := NewScript(tb, account, Step{Action: "kms:DescribeKey", Region: "eu-west-1", Input: map[string]any{"KeyId": "k"}})
		post(t, s.URL, c.target, authorization("kms", c.region), c.body)
		if got := tb.end(); (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

// TestRequestsAreChecked: what is not signed for its service, and what holds a
// secret, fails the test.
func TestRequestsAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ authorization, body, says string }{
		"fine":            {authorization("kms", "eu-west-1"), `{}`, ""},
		"unsigned":        {"", `{}`, "none of Signature Version 4"},
		"another service": {authorization("sts", "eu-west-1"), `{}`, "signed for sts"},
		"somebody else":   {strings.Replace(authorization("kms", "eu-west-1"), AccessKeyID, "AKIANOBODY", 1), `{}`, "security token"},
		"no JSON":         {authorization("kms", "eu-west-1"), `{`, "cannot be read"},
		"a secret":        {authorization("kms", "eu-west-1"), `{"Marker":"` + SecretKey + `"}`, "holds a secret access key"},
	} {
		tb := &spy{}
		s := New(tb, &Model{Home: account})
		post(t, s.URL, "TrentService.ListKeys", c.authorization, c.body)
		got := tb.end()
		if (c.says == "") != (got == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
		if strings.Contains(got, SecretKey) {
			t.Errorf("%s: the secret stands in the failure", name)
		}
	}
}
