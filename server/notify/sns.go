package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
)

// An SNS publishes to a topic of Amazon SNS: a Document for programs, a few
// lines for e-mail, one line for SMS. The message attributes severity, event
// and rule are there for filter policies.
type SNS struct {
	topic  string
	fifo   bool
	client *sns.Client
}

// SNSOptions say where the topic is. Only Topic must be set.
type SNSOptions struct {
	// Topic is the topic's ARN. Its Region is where it is called.
	Topic string
	// Endpoint is another URL to call, such as a VPC endpoint's.
	Endpoint string
	// Credentials are the default chain's if nil: environment, files, the
	// role of the container or the machine.
	Credentials aws.CredentialsProvider
}

// NewSNS returns a channel for the topic. Nothing is called yet.
func NewSNS(ctx context.Context, o SNSOptions) (*SNS, error) {
	part := strings.Split(o.Topic, ":")
	if len(part) != 6 || part[0] != "arn" || part[2] != "sns" || part[3] == "" || part[5] == "" {
		return nil, fmt.Errorf("sns: %.100q is no topic's ARN such as arn:aws:sns:eu-central-1:ACCOUNT:NAME", o.Topic)
	}
	if o.Endpoint != "" {
		if err := checkURL(o.Endpoint); err != nil {
			return nil, fmt.Errorf("sns: endpoint: %w", err)
		}
	}
	load := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(part[3]),
		// The outbox tries again by itself, and knows better when.
		awsconfig.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
	}
	if o.Credentials != nil {
		load = append(load, awsconfig.WithCredentialsProvider(o.Credentials))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("sns: reading the AWS configuration: %w", err)
	}
	client := sns.NewFromConfig(c, func(s *sns.Options) {
		if o.Endpoint != "" {
			s.BaseEndpoint = &o.Endpoint
		}
	})
	return &SNS{o.Topic, strings.HasSuffix(part[5], ".fifo"), client}, nil
}

// Kind returns "sns".
func (s *SNS) Kind() string { return "sns" }

// Send publishes one incident.
func (s *SNS) Send(ctx context.Context, m *Message) error {
	d := single(m, time.Now())
	i := &m.Incident
	return s.publish(ctx, d, i.headline(m.Event), inWords(i), map[string]string{"severity": i.Severity, "rule": i.Rule}, i.ID)
}

// Digest publishes several.
func (s *SNS) Digest(ctx context.Context, id string, messages []Message) error {
	d := several(id, messages, time.Now())
	var words []string
	worst := "info"
	for i := range messages {
		m := &messages[i]
		words = append(words, strings.TrimSpace(m.Incident.headline(m.Event)+" "+m.Incident.Link))
		if m.Event != Closed && rank(m.Incident.Severity) > rank(worst) {
			worst = m.Incident.Severity
		}
	}
	return s.publish(ctx, d, fmt.Sprintf("%d more incidents", len(messages)), strings.Join(words, "\n"), map[string]string{"severity": worst}, "digest")
}

// maxSNS is the largest message in bytes that SNS takes, less some room for
// attributes.
// Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxSNS = 250 << 10

func (s *SNS) publish(ctx context.Context, d Document, subject, words string, attributes map[string]string, group string) error {
	document, err := json.Marshal(d)
	if err != nil {
		return err
	}
	message, err := json.Marshal(map[string]string{"default": string(document), "email": words, "sms": clean(subject, 140)})
	if err != nil {
		return err
	}
	if len(message) > maxSNS {
		return &Failure{Err: errors.New("the message is too large for SNS"), Refused: true}
	}
	attributes["event"] = string(d.Event)
	in := &sns.PublishInput{
		TopicArn: &s.topic, Message: aws.String(string(message)), MessageStructure: aws.String("json"),
		Subject: aws.String(ascii(subject)), MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, value := range attributes {
		if value != "" { // SNS refuses empty ones
			in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		}
	}
	if s.fifo {
		in.MessageGroupId, in.MessageDeduplicationId = &group, aws.String(d.ID)
	}
	_, err = s.client.Publish(ctx, in)
	return snsError(err)
}

// snsError makes an error of the SDK's. Of what SNS says only the code is
// kept: messages about signatures repeat the request.
func snsError(err error) error {
	if err == nil {
		return nil
	}
	var answer *awshttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &answer) || !errors.As(err, &api) {
		return fmt.Errorf("calling SNS: %w", bare(err))
	}
	f := &Failure{Err: fmt.Errorf("SNS answered %d %s", answer.HTTPStatusCode(), clean(api.ErrorCode(), 80))}
	if answer.Response != nil {
		f.After = seconds(answer.Response.Header.Get("Retry-After"), time.Now())
	}
	switch api.ErrorCode() {
	case "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationException":
		f.Refused = true
	}
	return f
}

// ascii makes a subject: ASCII, at most 100 characters, beginning with a
// letter or digit.
// Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func ascii(s string) string {
	out := []byte("Spillgate: ")
	for _, r := range s {
		if len(out) == 99 {
			break
		}
		if r < 0x20 || r > 0x7e {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return string(out)
}

// inWords is the incident for an e-mail.
func inWords(i *Summary) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s: %s", capital(i.Severity), i.Title)
	for _, c := range i.changes() {
		line("Changed: %s", c)
	}
	if i.Match != "" {
		line("Match: %s", i.Match)
	}
	for _, p := range i.Places {
		line("- %s %s:%d %s", p.Repository, p.Path, p.Line, short(p.Commit))
	}
	if n := i.Occurrences - len(i.Places); n > 0 {
		line("and %d more places", n)
	}
	for _, d := range i.Done {
		line("Done: %s", d)
	}
	for _, v := range i.Verdict {
		line("Because: %s", v)
	}
	if i.Closed != nil {
		line("Closed by %s: %s", i.Closed.By, i.Closed.Reason)
	} else if i.Fix != "" {
		line("What to do: %s", i.Fix)
	}
	for _, u := range i.Unfixed {
		line("Not fixed: %s", u)
	}
	if i.Link != "" {
		line("%s", i.Link)
	}
	return b.String()
}

func short(commit string) string { return commit[:min(len(commit), 10)] }
