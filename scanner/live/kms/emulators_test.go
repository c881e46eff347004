package kms

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// An answer of an endpoint that only resembles AWS, as it goes over the wire.
type rawAnswer struct {
	status int
	header map[string]string
	body   string
}

// resembling serves answers by operation ("DescribeKey"; STS's are named by
// their Action) below a path, and every other operation as it does those that
// it has not. It counts what it was asked.
func resembling(t *testing.T, path string, answers map[string]rawAnswer, other rawAnswer) (url string, count func(op string) int) {
	t.Helper()
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if op == "" {
			body, _ := io.ReadAll(r.Body)
			for pair := range strings.SplitSeq(string(body), "&") {
				if name, ok := strings.CutPrefix(pair, "Action="); ok {
					op = name
				}
			}
		}
		mu.Lock()
		asked[op]++
		mu.Unlock()
		a, ok := answers[op]
		if !ok {
			a = other
		}
		if strings.TrimSuffix(r.URL.Path, "/") != path {
			a = rawAnswer{status: http.StatusNotFound, body: "404 page not found"}
		}
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		if a.status == 0 {
			a.status = http.StatusOK
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	for name, value := range (&kmsfake.Server{URL: server.URL + path}).Env() {
		t.Setenv(name, value)
	}
	return server.URL + path, func(op string) int {
		mu.Lock()
		defer mu.Unlock()
		return asked[op]
	}
}

func openAt(t *testing.T, o Options) *Session {
	t.Helper()
	if o.Attempts == 0 {
		o.Attempts = 1
	}
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.pacer.off = true
	return s
}

// described is an answer to DescribeKey with the members given, as JSON, in the
// place of those that it has.
func described(changes ...string) string {
	members := map[string]json.RawMessage{}
	for _, text := range append([]string{`{"Arn":"` + keyARN + `","KeyId":"8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835","AWSAccountId":"` + homeAccount +
		`","KeyManager":"CUSTOMER","KeyState":"Enabled","KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","Origin":"AWS_KMS","MultiRegion":false}`}, changes...) {
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			panic(err)
		}
	}
	text, err := json.Marshal(map[string]any{"KeyMetadata": members})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestErrorShapes: the ways in which services and what resembles them write the
// same error mean the same.
// Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
func TestErrorShapes(t *testing.T) {
	asJSON := map[string]string{"Content-Type": "application/x-amz-json-1.1"}
	for name, c := range map[string]struct {
		answer rawAnswer
		status live.Status
		why    string
	}{
		"a name":                     {rawAnswer{400, asJSON, `{"__type":"NotFoundException","message":"Key does not exist"}`}, live.NotFound, "NotFoundException"},
		"a name with its namespace":  {rawAnswer{400, asJSON, `{"__type":"com.amazonaws.kms#NotFoundException","Message":"gone"}`}, live.NotFound, "(NotFoundException)"},
		"another namespace":          {rawAnswer{400, asJSON, `{"__type":"com.amazon.trent.service#AccessDeniedException"}`}, live.NoAccess, "(AccessDeniedException)"},
		"a name with a link":         {rawAnswer{400, asJSON, `{"__type":"NotFoundException:http://internal.amazon.com/coral/"}`}, live.NotFound, "(NotFoundException)"},
		"in a header":                {rawAnswer{400, map[string]string{"X-Amzn-Errortype": "NotFoundException:"}, `{"message":"gone"}`}, live.NotFound, "(NotFoundException)"},
		"as code":                    {rawAnswer{400, asJSON, `{"code":"AccessDeniedException","message":"no"}`}, live.NoAccess, "(AccessDeniedException)"},
		"with HTTP 404":              {rawAnswer{404, asJSON, `{"__type":"NotFoundException","message":"gone"}`}, live.NotFound, "(NotFoundException)"},
		"denied with HTTP 403":       {rawAnswer{403, asJSON, `{"__type":"AccessDeniedException","message":"no"}`}, live.NoAccess, "(AccessDeniedException)"},
		"of another Region":          {rawAnswer{400, asJSON, `{"__type":"NotFoundException","message":"Invalid arn us-east-1"}`}, live.StatusUnknown, "AWS_ENDPOINT_URL_KMS"},
		"without a content type":     {rawAnswer{400, nil, `{"__type":"NotFoundException"}`}, live.NotFound, "(NotFoundException)"},
		"inside, with HTTP 500":      {rawAnswer{500, asJSON, `{"__type":"InternalFailure","message":"boom"}`}, live.StatusUnknown, "refused (InternalFailure)"},
		"of a call that is not had":  {rawAnswer{501, asJSON, `{"__type":"InternalFailure","message":"not yet implemented"}`}, live.StatusUnknown, "the endpoint does not have this call (InternalFailure)"},
		"the same without a code":    {rawAnswer{501, nil, "Passed X-Amz-Target is not implemented"}, live.StatusUnknown, "the endpoint does not have this call (HTTP 501)"},
		"an unknown operation":       {rawAnswer{400, asJSON, `{"__type":"UnknownOperationException"}`}, live.StatusUnknown, "the endpoint does not have this call (UnknownOperationException)"},
		"an unknown operation, 404":  {rawAnswer{404, asJSON, `{"__type":"com.amazon.coral.service#UnknownOperationException","message":null}`}, live.StatusUnknown, "the endpoint does not have this call"},
		"a page that is not there":   {rawAnswer{404, map[string]string{"Content-Type": "text/html"}, "<html>nothing here</html>"}, live.StatusUnknown, "not an answer of AWS (HTTP 404)"},
		"nothing at all":             {rawAnswer{400, nil, ""}, live.StatusUnknown, "not an answer of AWS (HTTP 400)"},
		"an error in XML":            {rawAnswer{404, map[string]string{"Content-Type": "text/xml"}, "<ErrorResponse><Error><Code>NotFoundException</Code></Error></ErrorResponse>"}, live.StatusUnknown, "not an answer of AWS (HTTP 404)"},
		"text that calls itself one": {rawAnswer{400, asJSON, `"NotFoundException"`}, live.StatusUnknown, "not an answer of AWS (HTTP 400)"},
		"a list instead":             {rawAnswer{200, asJSON, `[]`}, live.StatusUnknown, "not an answer of AWS"},
		"null":                       {rawAnswer{200, asJSON, `null`}, live.StatusUnknown, "not an answer of AWS (HTTP 200)"},
		"an empty object":            {rawAnswer{200, asJSON, `{}`}, live.StatusUnknown, "an answer without the key"},
		"an empty answer":            {rawAnswer{200, asJSON, ``}, live.StatusUnknown, "an answer without the key"},
		"too fast, HTTP 429":         {rawAnswer{429, asJSON, `{"__type":"TooManyRequestsException"}`}, live.StatusUnknown, "throttled (TooManyRequestsException)"},
		"a security token":           {rawAnswer{400, asJSON, `{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`}, live.StatusUnknown, "credentials not accepted (UnrecognizedClientException); a Region"},
		"an ARN that it cannot read": {rawAnswer{400, asJSON, `{"__type":"InvalidArnException"}`}, live.StatusUnknown, "refused (InvalidArnException)"},
		"an input that it refuses":   {rawAnswer{400, asJSON, `{"__type":"ValidationException","message":"1 validation error detected"}`}, live.StatusUnknown, "refused (ValidationException)"},
	} {
		t.Run(name, func(t *testing.T) {
			sts := rawAnswer{200, map[string]string{"Content-Type": "text/xml"},
				"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>" + homeAccount + "</Account><Arn>a</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"}
			resembling(t, "", map[string]rawAnswer{"DescribeKey": c.answer, "GetCallerIdentity": sts}, rawAnswer{status: 501})
			f := enrich(t, openAt(t, Options{}), keyARN)
			if f.Status != c.status || !strings.Contains(f.Why, c.why) {
				t.Errorf("%q because %q, want %q because … %q", f.Status, f.Why, c.status, c.why)
			}
		})
	}
}

// TestEndpointForKMSAlone: an endpoint without STS, or one whose credentials
// mean nothing to STS, still answers about keys; and whatever it lacks is
// unknown, because it lacks it.
func TestEndpointForKMSAlone(t *testing.T) {
	html := rawAnswer{404, map[string]string{"Content-Type": "text/html"}, "<html>not found</html>"}
	for name, sts := range map[string]rawAnswer{
		"no such operation": {501, nil, "Passed X-Amz-Target () is not implemented"},
		"a page":            html,
		"a token":           {403, map[string]string{"Content-Type": "text/xml"}, "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"},
		"JSON":              {400, map[string]string{"Content-Type": "application/x-amz-json-1.1"}, `{"__type":"UnknownOperationException"}`},
	} {
		t.Run(name, func(t *testing.T) {
			resembling(t, "/aws/kms", map[string]rawAnswer{
				"GetCallerIdentity":    sts,
				"DescribeKey":          {body: described()},
				"GetKeyRotationStatus": {body: `{"KeyRotationEnabled":true}`},
				"GetKeyPolicy":         {body: `{"Policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}]}"}`},
				"ListAliases":          {body: `{"Aliases":null,"Truncated":false,"NextMarker":null}`},
				"ListKeyRotations":     {400, nil, `{"__type":"UnsupportedOperationException"}`},
				"GetKeyLastUsage":      {500, nil, "<html>NotImplementedError</html>"},
				"ListResourceTags":     html,
			}, rawAnswer{501, nil, `{"__type":"InternalFailure","message":"API not yet implemented"}`})
			f := enrich(t, openAt(t, Options{}), keyARN)
			want(t, "ARN", f.Key.ARN, mustARN(t, keyARN))
			if f.Caller.IsKnown() || f.Status != live.Enabled {
				t.Errorf("caller %v, status %s because %s", f.Caller, f.Status, f.Why)
			}
			want(t, "rotation", f.Key.Rotation, live.RotationStatus{Enabled: true})
			wantUnknown(t, "grants", f.Key.Grants, "kms:ListGrants: the endpoint does not have this call (InternalFailure)")
			wantUnknown(t, "use", f.Key.LastUse, "kms:GetKeyLastUsage: not an answer of AWS (HTTP 500)")
			wantUnknown(t, "tags", f.Key.Tags, "kms:ListResourceTags: not an answer of AWS (HTTP 404)")
			if a, ok := f.Key.Aliases.Get(); !ok || len(a) != 0 {
				t.Errorf("aliases %v because %q", a, f.Key.Aliases.Because())
			}
			if v := live.Judge(f, nil); v.Severity.String() != "critical" {
				t.Errorf("a policy for everybody is %s", v.Severity)
			}
			state, err := openAt(t, Options{}).Check(context.Background(), mustARN(t, keyARN))
			if err != nil || state.Status != live.Enabled {
				t.Errorf("checked: %+v, %v", state, err)
			}
		})
	}
}

// TestUnknownMembers: members and values that came after this program are no
// failure, and nothing is concluded from them.
func TestUnknownMembers(t *testing.T) {
	for name, c := range map[string]struct {
		more   string
		status live.Status
		check  func(t *testing.T, f *live.Facts)
	}{
		"a state": {`{"KeyState":"Hibernating"}`, live.StatusUnknown, func(t *testing.T, f *live.Facts) { want(t, "state", f.Key.KeyState, "Hibernating") }},
		"a member": {`{"QuantumState":{"Spin":"up"},"Replicants":[1,2]}`, live.Enabled, func(t *testing.T, f *live.Facts) {
			want(t, "origin", f.Key.Origin, "AWS_KMS")
		}},
		"a spec":    {`{"KeySpec":"ML_KEM_9000"}`, live.Enabled, func(t *testing.T, f *live.Facts) { notRotatable(t, f) }},
		"an origin": {`{"Origin":"MOON"}`, live.Enabled, func(t *testing.T, f *live.Facts) { want(t, "origin", f.Key.Origin, "MOON") }},
		"a manager": {`{"KeyManager":"PARTNER"}`, live.Enabled, func(t *testing.T, f *live.Facts) { want(t, "manager", f.Key.KeyManager, "PARTNER") }},
		"null everywhere": {`{"KeyManager":null,"KeySpec":null,"Origin":null,"CreationDate":null,"MultiRegion":null,"DeletionDate":null}`, live.Enabled, func(t *testing.T, f *live.Facts) {
			wantUnknown(t, "manager", f.Key.KeyManager, "gave no KeyManager")
			wantUnknown(t, "spec", f.Key.KeySpec, "gave no KeySpec")
			wantUnknown(t, "date", f.Key.CreationDate, "gave no CreationDate")
			standard := Standard{Now: time.Now()}
			for _, c := range Checks() {
				if r := c.Apply(f, standard); c.Name != "deletion" && r.Outcome != Unknown {
					t.Errorf("%s: %s, %s", c.Name, r.Outcome, r.Why)
				}
			}
		}},
		"only whether it is enabled":     {`{"KeyState":null,"Enabled":true}`, live.Enabled, func(*testing.T, *live.Facts) {}},
		"only whether it is not enabled": {`{"KeyState":null,"Enabled":false}`, live.StatusUnknown, func(*testing.T, *live.Facts) {}},
	} {
		t.Run(name, func(t *testing.T) {
			resembling(t, "", map[string]rawAnswer{
				"DescribeKey":          {body: described(c.more)},
				"GetKeyRotationStatus": {body: `{"KeyRotationEnabled":true,"KeyId":"x","NextRotationDate":1798761600,"Later":true}`},
				"GetKeyPolicy":         {body: `{"Policy":"{\"Statement\":[]}","PolicyName":"default"}`},
				"ListGrants":           {body: `{}`},
				"ListKeyRotations":     {body: `{"Rotations":[{"RotationType":"COSMIC","RotationDate":1767225600.5},{"RotationType":"ON_DEMAND"}]}`},
				"GetKeyLastUsage":      {body: `{"KeyLastUsage":{}}`},
			}, rawAnswer{status: 501})
			f := enrich(t, openAt(t, Options{}), keyARN)
			if f.Status != c.status {
				t.Errorf("%q because %q, want %q", f.Status, f.Why, c.status)
			}
			c.check(t, f)
			live.Judge(f, nil)
		})
	}
}

func notRotatable(t *testing.T, f *live.Facts) {
	t.Helper()
	if r, ok := f.Key.Rotation.Get(); !ok || r.NotApplicable == "" {
		t.Errorf("rotation %+v because %q", r, f.Key.Rotation.Because())
	}
}

// TestMultiRegionID: a key whose id is that of a multi-Region key, and which the
// endpoint does not call one, may have replicas that nobody looked at.
func TestMultiRegionID(t *testing.T) {
	arn := "arn:aws:kms:eu-west-1:" + homeAccount + ":key/mrk-" + strings.Repeat("0a1b", 8)
	for _, member := range []string{"", `,"MultiRegion":false`, `,"MultiRegion":true`} {
		resembling(t, "", map[string]rawAnswer{
			"DescribeKey": {body: `{"KeyMetadata":{"Arn":"` + arn + `","KeyState":"Enabled"` + member + `}}`},
		}, rawAnswer{status: 501})
		f := enrich(t, openAt(t, Options{}), arn)
		wantUnknown(t, "regions", f.Key.MultiRegion, "DescribeKey")
	}
}

// TestPagesOfOthers: a list whose tokens go round ends, whatever the service
// calls them, and a list that is cut short is not taken for all.
func TestPagesOfOthers(t *testing.T) {
	asJSON := map[string]string{"Content-Type": "application/x-amz-json-1.1"}
	_, count := resembling(t, "", map[string]rawAnswer{
		"ListAccounts":   {200, asJSON, `{"Accounts":[{"Id":"` + homeAccount + `","Status":"ACTIVE"}],"NextToken":"again"}`},
		"LookupEvents":   {200, asJSON, `{"Events":[],"NextToken":"again"}`},
		"ListKeys":       {200, asJSON, `{"Keys":[],"Truncated":true}`},
		"ListAccessKeys": {200, map[string]string{"Content-Type": "text/xml"}, `<ListAccessKeysResponse><ListAccessKeysResult><IsTruncated>true</IsTruncated></ListAccessKeysResult></ListAccessKeysResponse>`},
	}, rawAnswer{status: 501})
	s := openAt(t, Options{Trail: time.Now().Add(-time.Hour)})
	ctx := context.Background()
	ask := map[string]func() error{
		"ListAccounts":   func() error { _, err := s.Accounts(ctx, "aws"); return err },
		"LookupEvents":   func() error { _, err := s.events(ctx, mustARN(t, keyARN)); return err },
		"ListKeys":       func() error { _, err := s.Keys(ctx, "aws", homeAccount, "eu-west-1"); return err },
		"ListAccessKeys": func() error { _, err := s.accessKeyStatus(ctx, s.iam(place{partition: "aws"}), "u", "k"); return err },
	}
	for op, f := range ask {
		if err := f(); classOfError(err) != NotAWS || count(op) > 2 {
			t.Errorf("%s: %v after %d requests", op, err, count(op))
		}
	}
}

// TestAccountsInStates: an account whose state is not known here is asked.
func TestAccountsInStates(t *testing.T) {
	var list []string
	for id, state := range []string{`"State":"ACTIVE"`, `"State":"SUSPENDED"`, `"State":"SLEEPING"`, `"Status":"ACTIVE"`, `"Status":"SUSPENDED"`, `"Name":"none"`} {
		list = append(list, fmt.Sprintf(`{"Id":"%012d",%s}`, id, state))
	}
	resembling(t, "", map[string]rawAnswer{"ListAccounts": {body: `{"Accounts":[` + strings.Join(list, ",") + `]}`}}, rawAnswer{status: 501})
	all, err := openAt(t, Options{}).Accounts(context.Background(), "aws")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, a := range all {
		got += a.ID[11:]
	}
	if got != "0235" {
		t.Errorf("accounts %s are asked, want 0235", got)
	}
}
