package kmsfake

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A protocol says how answers of a service look on the wire.
type protocol struct{ service string }

// credential is the Authorization header of Signature Version 4.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
const credential = `^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ` +
	`SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`

// targets maps the prefix of X-Amz-Target to the service's name in signatures.
var targets = [...]struct{ prefix, service string }{
	{"TrentService.", "kms"},
	{"AWSOrganizationsV20161128.", "organizations"},
	{"CloudTrail_20131101.", "cloudtrail"},
	{"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "cloudtrail"},
	{"secretsmanager.", "secretsmanager"},
}

// parse takes a request apart and checks its signature's form and scope.
func (s *Server) parse(h *http.Request, body []byte) (*request, protocol, *apiError) {
	r := &request{}
	target := h.Header.Get("X-Amz-Target")
	for _, t := range targets {
		if op, ok := strings.CutPrefix(target, t.prefix); ok {
			r.service, r.op = t.service, op
		}
	}
	var err error
	switch {
	case r.service != "":
		r.input, err = object(body)
	case h.URL.Path == "/listRegions":
		r.service, r.op = "account", "ListRegions"
		r.input, err = object(body)
	default:
		var form url.Values
		form, err = url.ParseQuery(string(body))
		r.op, r.input = form.Get("Action"), map[string]any{}
		for name := range form {
			r.input[name] = form.Get(name)
		}
	}
	m := regexp.MustCompile(credential).FindStringSubmatch(h.Header.Get("Authorization"))
	switch {
	case m == nil:
		return r, protocol{r.service}, fail("IncompleteSignatureException", "the Authorization header is none of Signature Version 4")
	case r.service == "":
		r.service = m[4] // the query protocol does not name the service elsewhere
	}
	r.region = m[3]
	p := protocol{r.service}
	switch {
	case err != nil:
		return r, p, fail("SerializationException", "the body cannot be read: %v", err)
	case r.op == "":
		return r, p, fail("UnknownOperationException", "no operation is named")
	case r.service != m[4]:
		return r, p, fail("InvalidSignatureException", "a call of %s is signed for %s", r.service, m[4])
	case !strings.Contains(";"+m[5]+";", ";host;") || !strings.Contains(";"+m[5]+";", ";x-amz-date;"):
		return r, p, fail("InvalidSignatureException", "host and x-amz-date are not signed")
	case !strings.HasPrefix(h.Header.Get("X-Amz-Date"), m[2]):
		return r, p, fail("InvalidSignatureException", "the day of the signature is not that of X-Amz-Date")
	}
	s.mu.Lock()
	caller, known := s.callers[m[1]]
	s.mu.Unlock()
	if !known {
		return r, p, fail("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	r.caller = caller
	return r, p, nil
}

func (p protocol) query() bool { return p.service == "sts" || p.service == "iam" }

// fail writes an error as the service would.
func (p protocol) fail(w http.ResponseWriter, e *apiError) {
	w.Header().Set("X-Amzn-Requestid", requestID())
	if p.query() {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(e.status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>",
			e.code, escape(e.message), requestID())
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if p.service == "account" {
		w.Header().Set("X-Amzn-Errortype", e.code)
	}
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.code, "message": e.message})
}

// reply writes an answer. Those of the query protocol are XML text.
func (p protocol) reply(w http.ResponseWriter, r *request, out any) {
	w.Header().Set("X-Amzn-Requestid", requestID())
	if p.query() {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]v</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>",
			r.op, out, requestID())
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

func requestID() string { return fmt.Sprintf("fake-request-%d", time.Now().UnixNano()) }

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// element is an XML element with text.
func element(name, text string) string { return "<" + name + ">" + escape(text) + "</" + name + ">" }

// seconds is how AWS's JSON protocol writes times.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
