package kms

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// TestWhatGoesWrong: whatever an endpoint answers, the state of the key is
// unknown and says why, and never "not found" or "disabled".
func TestWhatGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  kmsfake.Fault
		status live.Status
		why    string
	}{
		{"denied", kmsfake.Fault{Code: "AccessDeniedException"}, live.NoAccess, "access denied (AccessDeniedException)"},
		{"not found", kmsfake.Fault{Code: "NotFoundException", Message: "Key 'x' does not exist"}, live.NotFound, "NotFoundException"},
		{"wrong endpoint", kmsfake.Fault{Code: "NotFoundException", Message: "Invalid arn eu-west-1"}, live.StatusUnknown, "AWS_ENDPOINT_URL_KMS"},
		{"throttled", kmsfake.Fault{Code: "ThrottlingException"}, live.StatusUnknown, "throttled (ThrottlingException)"},
		{"error page", kmsfake.Fault{HTML: true}, live.StatusUnknown, "not an answer of AWS (HTTP 502)"},
		{"page instead of an answer", kmsfake.Fault{HTML: true, Status: 200}, live.StatusUnknown, "not an answer of AWS"},
		{"login page", kmsfake.Fault{HTML: true, Status: 403}, live.StatusUnknown, "not an answer of AWS (HTTP 403)"},
		{"cut", kmsfake.Fault{Cut: true}, live.StatusUnknown, "no connection (the answer was cut off)"},
		{"slow", kmsfake.Fault{Delay: time.Minute}, live.StatusUnknown, "no connection (timed out)"},
		{"broken inside", kmsfake.Fault{Code: "KMSInternalException", Status: 500}, live.StatusUnknown, "KMSInternalException"},
		{"a code that is text", kmsfake.Fault{Code: "<script>alert(1)</script>"}, live.StatusUnknown, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := kmsfake.New(t, model(fullKey()))
			c.fault.Action = "kms:DescribeKey"
			server.Inject(c.fault)
			o := Options{Attempts: 2}
			if c.fault.Delay > 0 {
				o.Timeout = 300 * time.Millisecond
			}
			f := enrich(t, open(t, server, o), keyARN)
			if f.Status != c.status || !strings.Contains(f.Why, c.why) {
				t.Errorf("%q because %q, want %q because … %q", f.Status, f.Why, c.status, c.why)
			}
			if strings.Contains(f.Why, "<") || strings.Contains(f.Key.Policy.Because(), "<") {
				t.Errorf("the answer's text got through: %q", f.Why)
			}
			wantUnknown(t, "ARN", f.Key.ARN)
		})
	}
}

// TestRetries: a burst of throttling or a few lost answers are survived, and
// the requests of one question are bounded.
func TestRetries(t *testing.T) {
	for name, fault := range map[string]kmsfake.Fault{
		"throttling": {Code: "ThrottlingException", Times: 1},
		"error page": {HTML: true, Times: 1},
		"cut":        {Cut: true, Times: 1},
	} {
		server := kmsfake.New(t, model(fullKey()))
		fault.Action = "kms:ListGrants"
		server.Inject(fault)
		f := enrich(t, open(t, server, Options{}), keyARN)
		// Three pages and the one asked for again. On a machine that is short of
		// time another answer may be lost, which is survived as well.
		if n := server.Count("kms:ListGrants"); len(f.Key.Grants.Or(nil)) != 120 || n < 4 || n > 6 {
			t.Errorf("%s: grants unknown because %q after %d requests", name, f.Key.Grants.Because(), n)
		}
	}
	server := kmsfake.New(t, model(fullKey()))
	server.Inject(kmsfake.Fault{Action: "kms:ListGrants", Code: "ThrottlingException"})
	wantUnknown(t, "grants", enrich(t, open(t, server, Options{Attempts: 3}), keyARN).Key.Grants, "kms:ListGrants: throttled")
	if n := server.Count("kms:ListGrants"); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestEndlessPages: a list that does not end is unknown, not cut short.
func TestEndlessPages(t *testing.T) {
	m := model(fullKey())
	m.PageSize = 1
	server := kmsfake.New(t, m)
	f := enrich(t, open(t, server, Options{MaxPages: 3}), keyARN)
	wantUnknown(t, "grants", f.Key.Grants, "more than 3 pages")
	if !f.Key.Aliases.IsKnown() {
		t.Errorf("aliases unknown because %q", f.Key.Aliases.Because())
	}
	same := kmsfake.Step{Action: "kms:ListAliases", Reply: map[string]any{"Aliases": []any{}, "Truncated": true, "NextMarker": "x"}}
	script := kmsfake.NewScript(t, homeAccount, same, same)
	s := open(t, script, Options{})
	q := questions{s: s, ctx: context.Background(), client: s.client(place{"aws", "eu-west-1", ""}), arn: mustARN(t, keyARN)}
	if _, err := q.aliases(); classOfError(err) != NotAWS {
		t.Errorf("a marker that comes again: %v", err)
	}
}

// TestAnotherKeysAnswer: an answer about another key than the one asked for is
// none.
func TestAnotherKeysAnswer(t *testing.T) {
	caller := kmsfake.Step{Action: "sts:GetCallerIdentity", Reply: "<Account>" + homeAccount + "</Account><Arn>a</Arn>"}
	for _, arn := range []string{otherARN, "arn:aws:kms:eu-west-2:" + homeAccount + ":key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835", "nonsense", ""} {
		script := kmsfake.NewScript(t, homeAccount, caller,
			kmsfake.Step{Action: "kms:DescribeKey", Region: "eu-west-1", Reply: map[string]any{"KeyMetadata": map[string]any{"KeyId": "x", "Arn": arn, "KeyState": "Enabled"}}})
		f := enrich(t, open(t, script, Options{}), keyARN)
		if f.Status != live.StatusUnknown || f.Key.ARN.IsKnown() {
			t.Errorf("%q answered: status %q because %q", arn, f.Status, f.Why)
		}
	}
}

// TestSparseAnswers: members that an endpoint leaves out are unknown.
func TestSparseAnswers(t *testing.T) {
	reply := func(action string, v map[string]any) kmsfake.Step { return kmsfake.Step{Action: action, Reply: v} }
	script := kmsfake.NewScript(t, homeAccount,
		kmsfake.Step{Action: "sts:GetCallerIdentity", Reply: "<Account>" + homeAccount + "</Account><Arn>a</Arn>"},
		reply("kms:DescribeKey", map[string]any{"KeyMetadata": map[string]any{"KeyId": "x", "Arn": keyARN, "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "MultiRegion": true}}),
		reply("kms:GetKeyRotationStatus", map[string]any{"KeyRotationEnabled": true}),
		reply("kms:ListKeyRotations", map[string]any{}),
		reply("kms:GetKeyPolicy", map[string]any{}),
		reply("kms:ListGrants", map[string]any{"Grants": []any{}, "Truncated": true}),
		reply("kms:ListAliases", map[string]any{}),
		kmsfake.Step{Action: "kms:ListResourceTags", Code: "UnknownOperationException"},
		reply("kms:GetKeyLastUsage", map[string]any{}),
	)
	f := enrich(t, open(t, script, Options{}), keyARN)
	if f.Status != live.StatusUnknown {
		t.Errorf("no KeyState: %q", f.Status)
	}
	want(t, "spec by its older name", f.Key.KeySpec, "SYMMETRIC_DEFAULT")
	wantUnknown(t, "manager", f.Key.KeyManager, "gave no KeyManager")
	wantUnknown(t, "regions", f.Key.MultiRegion, "MultiRegionConfiguration")
	wantUnknown(t, "policy", f.Key.Policy, "kms:GetKeyPolicy: not an answer of AWS")
	wantUnknown(t, "a list that says it goes on, and not where", f.Key.Grants, "kms:ListGrants: not an answer of AWS")
	wantUnknown(t, "tags", f.Key.Tags, "kms:ListResourceTags: the endpoint does not have this call (UnknownOperationException)")
	want(t, "rotation", f.Key.Rotation, live.RotationStatus{Enabled: true})
}

func TestInterrupted(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	server.Inject(kmsfake.Fault{Action: "kms:DescribeKey", Delay: time.Minute})
	session := open(t, server, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	at := time.Now()
	if _, err := session.Enrich(ctx, subjectOf(t, keyARN)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if d := time.Since(at); d > 5*time.Second {
		t.Errorf("it took %v to stop", d)
	}
}

func TestNoCredentials(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	for name, value := range server.Env() {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	s, err := Open(context.Background(), Options{})
	if err == nil {
		_, err = s.Enrich(context.Background(), subjectOf(t, keyARN))
	}
	if classOfError(err) != Credentials {
		t.Errorf("without credentials: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA"+"NOBODYSKEY234567")
	t.Setenv("AWS_SECRET_ACCESS_KEY", kmsfake.SecretKey)
	if s, err = Open(context.Background(), Options{}); err == nil {
		_, err = s.Enrich(context.Background(), subjectOf(t, keyARN))
	}
	if classOfError(err) != NotAccepted {
		t.Errorf("with credentials that AWS does not know: %v", err)
	}
	if len(server.Problems()) == 0 {
		t.Error("the fake noticed nothing")
	}
	server.Forgive()
}

// TestHostileARNs: partition and Region become parts of host names. What
// scanned text says must not choose whom signed requests go to.
func TestHostileARNs(t *testing.T) {
	server := kmsfake.New(t, model(fullKey()))
	s := open(t, server, Options{})
	t.Setenv("AWS_ENDPOINT_URL", "") // the SDK's own host names, which nothing may be sent to
	real, err := Open(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const resource = ":key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	for _, head := range []string{
		"arn:aws:kms:example.com/:" + homeAccount, "arn:aws:kms:example.com#-1:" + homeAccount, "arn:aws:kms:eu-west-1.example.com:" + homeAccount,
		"arn:aws:kms:x@example-1:" + homeAccount, "arn:aws:kms:-eu-west-1:" + homeAccount, "arn:aws:kms:EU-WEST-1:" + homeAccount, "arn:aws:kms::" + homeAccount,
		"arn:aws.example:kms:eu-west-1:" + homeAccount, "arn:evil:kms:eu-west-1:" + homeAccount, "arn:aws:kms:eu-west-1:", "arn:aws:kms:eu-west-1:aws",
		"arn:aws:kms:eu-west-1-" + strings.Repeat("a", 40) + ":" + homeAccount,
	} {
		a := mustARN(t, head+resource)
		secret := a
		secret.Service, secret.Resource = "secretsmanager", "secret:db-Ab12Cd"
		for _, session := range []*Session{s, real} {
			for _, target := range []live.ARN{a, secret} {
				if _, err := session.Enrich(context.Background(), live.Subject{ARN: target}); err == nil || !strings.Contains(err.Error(), "names no") {
					t.Errorf("%s was asked about: %v", target, err)
				}
			}
			if _, err := session.Check(context.Background(), a); err == nil || !strings.Contains(err.Error(), "names no") {
				t.Errorf("%s was checked: %v", a, err)
			}
			if _, err := NewActor(session, session).Do(context.Background(), live.Action{Kind: live.RotateOnDemand, Target: a}); err == nil || !strings.Contains(err.Error(), "names no") {
				t.Errorf("%s was rotated: %v", a, err)
			}
			if _, err := session.Keys(context.Background(), a.Partition, a.Account, a.Region); err == nil || !strings.Contains(err.Error(), "names no") {
				t.Errorf("the keys of %s were listed: %v", a, err)
			}
		}
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// FuzzAnswers: whatever an endpoint answers, nothing panics or hangs, no text
// of the answer stands in a reason, and a key is found missing only if AWS's
// code says so.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "application/x-amz-json-1.1", []byte(`{"KeyMetadata":{"Arn":"`+keyARN+`","KeyState":"Enabled"},"Truncated":true,"NextMarker":"a"}`))
	f.Add(400, "application/x-amz-json-1.1", []byte(`{"__type":"NotFoundException","message":"gone"}`))
	f.Add(400, "text/html", []byte("<html>"))
	f.Add(500, "", []byte(`{"__type":"<b>"}`))
	f.Add(200, "application/x-amz-json-1.1", []byte(`{"Policy":1e400,"Grants":[{"Operations":null}],"Tags":[{}],"Rotations":[{"RotationDate":-1e300}]}`))
	var status int
	var kind string
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	f.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": kmsfake.AccessKeyID, "AWS_SECRET_ACCESS_KEY": kmsfake.SecretKey} {
		f.Setenv(name, value)
	}
	f.Fuzz(func(t *testing.T, code int, contentType string, answer []byte) {
		if code < 200 || code > 599 || strings.ContainsAny(contentType, "\r\n\x00") || len(answer) > 1<<16 {
			t.Skip()
		}
		status, kind, body = code, contentType, answer
		s, err := Open(context.Background(), Options{Attempts: 1, MaxPages: 2, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		s.pacer.off = true
		var k live.KeyFacts
		st, why, _ := s.ask(context.Background(), mustARN(t, keyARN), homeAccount, &k, everything)
		if st == live.NotFound && !strings.Contains(string(answer), "NotFound") && !strings.Contains(string(answer), "NoSuchEntity") {
			t.Errorf("not found, says nobody: %s", why)
		}
		for _, text := range []string{why, k.Policy.Because(), k.Grants.Because(), k.Rotation.Because(), k.Rotations.Because(), k.Tags.Because(), k.LastUse.Because()} {
			if strings.ContainsAny(text, "<>\x00\n\x1b") {
				t.Errorf("a reason with text of the answer: %q", text)
			}
		}
		if a, ok := k.ARN.Get(); ok && a != mustARN(t, keyARN) {
			t.Errorf("an answer about %s was taken", a)
		}
	})
}
