package kms

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/spillgate/spillgate/scanner/live"
)

// ConfigFor returns the SDK's configuration for calls about a: Region and role
// by the ARN, paced and bounded as all of the session's requests are. It is for
// the packages below this one, which speak with services that it does not know.
func (s *Session) ConfigFor(a live.ARN) (aws.Config, error) {
	if err := plausible(a); err != nil {
		return aws.Config{}, err
	}
	return s.configFor(s.placeOf(a)), nil
}

// Explain turns an error of the SDK into an *Error, which holds nothing of the
// answer's text; nil stays nil. operation is the call as IAM policies name it.
func Explain(operation string, err error) error { return explain(operation, err) }

// Once makes a change be sent once: set it as Retryer of its client. A change
// whose answer was lost may have happened.
func Once() aws.Retryer { return aws.NopRetryer{} }
