package kms

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// A Class is what kind of failure a call met. It decides what may be concluded
// from it.
type Class string

// The classes. Only NotFound says something about the key; every other one
// leaves it unknown.
const (
	Denied        Class = "access denied"
	Missing       Class = "not found"
	WrongEndpoint Class = "the endpoint serves another Region"
	Throttled     Class = "throttled"
	Network       Class = "no connection"
	NotAWS        Class = "not an answer of AWS"
	Unsupported   Class = "not supported for this key"
	NoSuchCall    Class = "the endpoint does not have this call"
	WrongState    Class = "not possible in the key's state"
	Credentials   Class = "no credentials" // the request could not be signed
	NotAccepted   Class = "credentials not accepted"
	Interrupted   Class = "interrupted"
	Refused       Class = "refused" // any other error code
)

// An Error is a failed call. It holds nothing of the answer's text: what
// answers is not always AWS, and AWS's own texts name callers.
type Error struct {
	// Operation is the call, as IAM policies name it.
	Operation string
	Class     Class
	// Code is AWS's error code, and Status the HTTP status, where there is one.
	Code      string
	Status    int
	RequestID string
	// Uncertain says that the request may have been carried out all the same:
	// it was sent, and no answer of AWS came back.
	Uncertain bool

	err error
}

// Error says what was called and how it failed.
func (e *Error) Error() string {
	detail := e.Code
	switch {
	case detail == "" && e.Class == Network:
		detail = connection(e.err)
	case detail == "" && e.Status != 0:
		detail = fmt.Sprintf("HTTP %d", e.Status)
	}
	if detail == "" {
		return e.Operation + ": " + string(e.Class)
	}
	return e.Operation + ": " + string(e.Class) + " (" + detail + ")"
}

// Unwrap returns the SDK's error, which must not be printed.
func (e *Error) Unwrap() error { return e.err }

// ErrorCode returns AWS's error code, or the class where there is none. It
// names the kind of failure for circuit breakers.
func (e *Error) ErrorCode() string {
	if e.Code != "" {
		return e.Code
	}
	return string(e.Class)
}

// MayHaveHappened reports whether a change may have been made in spite of the
// error.
func (e *Error) MayHaveHappened() bool { return e.Uncertain }

// codes are the error codes that have a class of their own, from the API
// references of the services and the common errors of each. Throttling has
// the SDK's own list.
var codes = [...]struct {
	code  string
	class Class
}{
	{"AccessDeniedException", Denied}, {"AccessDenied", Denied}, {"UnauthorizedOperation", Denied}, {"AuthorizationError", Denied},
	{"NotAuthorized", Denied}, {"UnauthorizedException", Denied},
	{"AWSOrganizationsNotInUseException", Refused},
	{"NotFoundException", Missing}, {"ResourceNotFoundException", Missing}, {"NoSuchEntity", Missing}, {"AccountNotFoundException", Missing},
	// S3's; those of HEAD have no body, and the SDK names them by the status.
	{"NoSuchKey", Missing}, {"NoSuchBucket", Missing}, {"NotFound", Missing}, {"Forbidden", Denied},
	{"PermanentRedirect", WrongEndpoint}, {"MovedPermanently", WrongEndpoint},
	{"UnsupportedOperationException", Unsupported},
	// An older endpoint, or one that resembles AWS, lacks calls; each has its
	// own way of saying so. See also explain, of HTTP 501.
	{"UnknownOperationException", NoSuchCall}, {"UnknownOperation", NoSuchCall}, {"InvalidAction", NoSuchCall},
	{"NotImplemented", NoSuchCall}, {"NotImplementedException", NoSuchCall},
	{"KMSInvalidStateException", WrongState}, {"DisabledException", WrongState},
	{"UnrecognizedClientException", NotAccepted}, {"InvalidClientTokenId", NotAccepted}, {"ExpiredToken", NotAccepted},
	{"ExpiredTokenException", NotAccepted}, {"InvalidSignatureException", NotAccepted}, {"SignatureDoesNotMatch", NotAccepted},
	{"MissingAuthenticationTokenException", NotAccepted}, {"MissingAuthenticationToken", NotAccepted},
	{"IncompleteSignatureException", NotAccepted}, {"IncompleteSignature", NotAccepted},
	{"InvalidAccessKeyId", NotAccepted}, {"AuthFailure", NotAccepted}, {"OptInRequired", NotAccepted},
	{"RequestExpired", NotAccepted}, {"TokenRefreshRequired", NotAccepted}, {"InvalidToken", NotAccepted},
}

// explain turns an error of the SDK into an Error; nil stays nil.
func explain(operation string, err error) error {
	if err == nil {
		return nil
	}
	var already *Error
	if errors.As(err, &already) {
		return already
	}
	e := &Error{Operation: operation, err: err}
	assuming := forCredentials(err)
	if assuming != "" {
		e.Operation = assuming
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.Status, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	var api smithy.APIError
	if errors.As(err, &api) && apiCode(api.ErrorCode()) {
		e.Code = api.ErrorCode()
		e.Class = classOf(e.Code, api.ErrorMessage())
		e.Uncertain = e.Status >= http.StatusInternalServerError && assuming == ""
		switch {
		case assuming != "" && e.Class != Throttled:
			e.Class = Credentials
		case e.Status == http.StatusNotImplemented:
			e.Class, e.Uncertain = NoSuchCall, false
		}
		return e
	}
	e.Class = classOfTransport(err, e.Status)
	// Without an answer of AWS only a failure before the request went out is
	// certain not to have changed anything.
	e.Uncertain = e.Class != Credentials && assuming == "" && !unsent(err)
	return e
}

// forCredentials returns the call that was to get the credentials for the call
// which failed; empty where the failure is the call's own.
func forCredentials(err error) string {
	var calls []*smithy.OperationError
	for e := err; e != nil; e = errors.Unwrap(e) {
		if op, ok := e.(*smithy.OperationError); ok {
			calls = append(calls, op)
		}
	}
	if len(calls) < 2 {
		return ""
	}
	last := calls[len(calls)-1]
	return strings.ToLower(strings.ReplaceAll(last.ServiceID, " ", "-")) + ":" + last.OperationName
}

// apiCode reports whether a code is one that a service gave: the SDK makes up
// UnknownError for an answer that it cannot read. What looks like no code is
// not repeated either.
func apiCode(code string) bool {
	if code == "" || code == "UnknownError" || len(code) > 80 {
		return false
	}
	for _, c := range code {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != ':' {
			return false
		}
	}
	return true
}

// isThrottleCode reports whether a code means "too fast". The SDK counts
// LimitExceededException among them, with which KMS says that a quota is used
// up for good.
func isThrottleCode(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok && code != "LimitExceededException"
}

func classOf(code, message string) Class {
	if isThrottleCode(code) {
		return Throttled
	}
	for _, c := range codes {
		if c.code != code {
			continue
		}
		// KMS says "Invalid arn <region>" when the ARN's Region is not the
		// endpoint's: that tells nothing about the key.
		if c.class == Missing && strings.HasPrefix(strings.ToLower(message), "invalid arn") {
			return WrongEndpoint
		}
		return c.class
	}
	return Refused
}

func classOfTransport(err error, status int) Class {
	var signing *smithy.SerializationError
	var dns *net.DNSError
	var op *net.OpError
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted
	case noCredentials(err):
		return Credentials
	case status == http.StatusNotImplemented:
		return NoSuchCall
	case status != 0 && !cutOff(err):
		return NotAWS
	case errors.As(err, &dns), errors.As(err, &op), errors.As(err, &netErr), errors.Is(err, context.DeadlineExceeded), cutOff(err):
		return Network
	case errors.As(err, &signing):
		return Refused
	}
	return Network
}

// noCredentials reports whether the request could not be signed. The SDK has
// no type for it.
func noCredentials(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get identity: get credentials") || strings.Contains(text, "failed to refresh cached credentials") ||
		strings.Contains(text, "failed to sign request")
}

// cutOff reports whether the answer ended before its end. A plain EOF means
// that only where there was no answer: in one that came, it is text which is no
// answer of AWS.
func cutOff(err error) bool {
	var response *awshttp.ResponseError
	return errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "connection reset") ||
		errors.Is(err, io.EOF) && !errors.As(err, &response)
}

// unsent reports whether the request surely never reached the service.
func unsent(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	if errors.As(err, &dns) {
		return true
	}
	return errors.As(err, &op) && op.Op == "dial"
}

// connection says in a few words what went wrong on the way, without host
// names of proxies or texts of answers.
func connection(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var unknown x509.UnknownAuthorityError
	var netErr net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &dns):
		return "the endpoint's name is not known"
	case errors.As(err, &unknown):
		return "the endpoint's certificate is not trusted"
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &op) && op.Op == "dial":
		return "refused"
	case strings.Contains(err.Error(), "unsupported protocol scheme"):
		return "the endpoint is no URL; check AWS_ENDPOINT_URL"
	case cutOff(err):
		return "the answer was cut off"
	}
	return ""
}

// classOfError returns the class of an error that explain made.
func classOfError(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}
