// Package kms asks AWS about KMS keys and access keys, and carries out the
// actions of a plan. It is the only package that talks to AWS.
//
// Three things it does otherwise than a straightforward client:
//
//   - Where to ask comes from the ARN alone. Partition, Region and account of
//     the ARN choose the endpoint and the role; the environment's Region is
//     never used, since it would look up another key, or none.
//   - A question that fails is an answer of its own. Every Fact says why it is
//     unknown, by operation and error code, and never with the text of an answer:
//     an endpoint that is not AWS may send anything.
//   - Reading and changing are two clients. What reads is retried and paced;
//     what changes is sent once, since a change whose answer was lost may have
//     happened.
//
// Requests are paced on this side (see pacer): a scan of thousands of keys must
// not take the request quota from those who use the keys.
package kms

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/spillgate/spillgate/scanner/live"
)

// Options say how AWS is reached and what is asked. The zero value uses the
// SDK's default credentials and asks what is always asked.
type Options struct {
	// Profile is a profile of the shared AWS configuration; empty is the
	// default chain (environment, profile, web identity, instance role).
	Profile string
	// Role is the ARN of a role to assume for questions about an account, in
	// which {account} and {partition} stand for those of the resource:
	// arn:{partition}:iam::{account}:role/spillgate-read. Empty asks with the
	// credentials of the chain.
	Role string
	// ExternalID goes with Role where its trust policy asks for one.
	ExternalID string
	// Timeout bounds one request; 0 is 10 seconds. A question takes at most
	// Attempts requests.
	Timeout time.Duration
	// Attempts bounds the requests of one question; 0 is 4. Changes are sent
	// once whatever this says.
	Attempts int
	// Jobs bounds the requests in flight; 0 is 16.
	Jobs int
	// MaxPages bounds the pages of one list; 0 is 1000. A longer list is
	// unknown: a part of it could be taken for all.
	MaxPages int
	// Trail asks CloudTrail for the events about a key since then, which must
	// be within its 90 days; the zero time does not ask.
	Trail time.Time
	// IAM asks IAM about the user, status and last use of access keys in the
	// caller's account. Organization asks for the names of accounts.
	IAM          bool
	Organization bool
	// Canaries are accounts, beside the known ones, whose access keys are
	// tripwires: nothing is asked about them.
	Canaries []string
	// Version is this program's, for the user agent.
	Version string
}

const (
	defaultTimeout  = 10 * time.Second
	defaultAttempts = 4
	defaultJobs     = 16
	defaultMaxPages = 1000
)

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Jobs <= 0 {
		o.Jobs = defaultJobs
	}
	if o.MaxPages <= 0 {
		o.MaxPages = defaultMaxPages
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}

// A Session holds the credentials and the clients of one run. It only reads,
// and is safe for concurrent use.
type Session struct {
	options Options
	config  aws.Config
	pacer   *pacer
	slots   chan struct{} // requests in flight

	mu       sync.Mutex
	roles    map[string]aws.CredentialsProvider // by role ARN
	kms      map[place]*awskms.Client
	callers  map[place]*once[live.Caller]
	accounts map[string]*once[string]
}

// A place is where a question is put: an endpoint, and under which account's
// role. Account is empty where no role is assumed.
type place struct{ partition, region, account string }

// Open reads the AWS configuration. It asks nobody but what the credentials
// themselves need, and that not before the first question.
func Open(ctx context.Context, o Options) (*Session, error) {
	o = o.withDefaults()
	if r := o.Role; r != "" {
		if _, err := live.ParseARN(expandRole(r, "aws", "000000000000")); err != nil {
			return nil, fmt.Errorf("the role to assume: %w", err)
		}
	}
	client := awshttp.NewBuildableClient().WithTimeout(o.Timeout).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = o.Jobs
	})
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithLogger(logging.Nop{}),      // its warnings would stand in the middle of a report
		config.WithDefaultRegion("us-east-1"), // only for credentials that need an STS of their own
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	s := &Session{
		options: o, pacer: newPacer(), slots: make(chan struct{}, o.Jobs),
		roles: map[string]aws.CredentialsProvider{}, kms: map[place]*awskms.Client{},
		callers: map[place]*once[live.Caller]{}, accounts: map[string]*once[string]{},
	}
	cfg.RetryMaxAttempts = 0 // AWS_MAX_ATTEMPTS does not count: Options say
	cfg.Retryer = func() aws.Retryer { return newRetryer(o.Attempts) }
	cfg.APIOptions = append(cfg.APIOptions,
		awsmiddleware.AddUserAgentKeyValue("spillgate", o.Version))
	s.config = cfg
	return s, nil
}

func expandRole(role, partition, account string) string {
	return strings.NewReplacer("{partition}", partition, "{account}", account).Replace(role)
}

// home returns the Region whose endpoint serves a partition's global services;
// regional is for partitions that are not known here.
// Source: https://docs.aws.amazon.com/general/latest/gr/iam-service.html
func home(partition, regional string) string {
	switch partition {
	case "aws":
		return "us-east-1"
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-iso":
		return "us-iso-east-1"
	case "aws-iso-b":
		return "us-isob-east-1"
	case "aws-iso-e":
		return "eu-isoe-west-1"
	case "aws-iso-f":
		return "us-isof-south-1"
	case "aws-eusc":
		return "eusc-de-east-1"
	}
	return regional
}

// plausible holds that an ARN's partition, Region and account are made of what
// AWS makes them of. They become parts of host names and of role ARNs, and come
// from text that anyone may write: a Region of "example.com/" must not choose
// whom the operator's signed requests go to.
func plausible(a live.ARN) error {
	switch {
	case !words(a.Partition) || !strings.HasPrefix(a.Partition, "aws"):
		return fmt.Errorf("%.60q names no partition of AWS", a)
	case !words(a.Region) || len(a.Region) > 32 || !strings.Contains(a.Region, "-"):
		return fmt.Errorf("%.60q names no Region of AWS", a)
	case !live.IsAccount(a.Account):
		return fmt.Errorf("%.60q names no account", a)
	}
	return nil
}

// words reports whether s is lower-case letters and digits, joined by hyphens.
func words(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return s != ""
}

// placeOf returns where questions about an ARN are put.
func (s *Session) placeOf(a live.ARN) place {
	p := place{partition: a.Partition, region: a.Region}
	if s.options.Role != "" {
		p.account = a.Account
	}
	return p
}

// configFor returns the configuration of a place. Its Region is the place's,
// whatever the environment says.
func (s *Session) configFor(p place) aws.Config {
	cfg := s.config.Copy()
	cfg.Region = p.region
	cfg.APIOptions = append([]func(*middleware.Stack) error{}, cfg.APIOptions...)
	cfg.APIOptions = append(cfg.APIOptions, s.pace(p))
	if p.account != "" {
		cfg.Credentials = s.assume(p)
	}
	return cfg
}

// assume returns the credentials of the role for a place's account, made once.
func (s *Session) assume(p place) aws.CredentialsProvider {
	role := expandRole(s.options.Role, p.partition, p.account)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.roles[role]; c != nil {
		return c
	}
	base := s.configFor(place{partition: p.partition, region: home(p.partition, p.region)})
	c := aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(base), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "spillgate"
		if s.options.ExternalID != "" {
			o.ExternalID = aws.String(s.options.ExternalID)
		}
	}))
	s.roles[role] = c
	return c
}

// client returns the KMS client of a place.
func (s *Session) client(p place) *awskms.Client {
	s.mu.Lock()
	c := s.kms[p]
	s.mu.Unlock()
	if c != nil {
		return c
	}
	c = awskms.NewFromConfig(s.configFor(p))
	s.mu.Lock()
	defer s.mu.Unlock()
	if earlier := s.kms[p]; earlier != nil {
		return earlier
	}
	s.kms[p] = c
	return c
}

func (p place) home() place {
	p.region = home(p.partition, p.region)
	return p
}

func (s *Session) sts(p place) *sts.Client { return sts.NewFromConfig(s.configFor(p.home())) }
func (s *Session) iam(p place) *iam.Client { return iam.NewFromConfig(s.configFor(p.home())) }
func (s *Session) trail(p place) *cloudtrail.Client {
	return cloudtrail.NewFromConfig(s.configFor(p))
}

func (s *Session) secrets(p place) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(s.configFor(p))
}

// organization asks with the credentials of the chain: the management account
// or a delegated administrator is who may ask.
func (s *Session) organization(partition string) *organizations.Client {
	return organizations.NewFromConfig(s.configFor(place{partition: partition}.home()))
}

func (s *Session) account(p place) *account.Client {
	return account.NewFromConfig(s.configFor(p.home()))
}

// once is a value that is asked for at most once at a time and kept when it
// was given. A failure is not kept: the next one who asks tries again.
type once[T any] struct {
	mu    sync.Mutex
	value T
	known bool
}

func (o *once[T]) get(ask func() (T, error)) (T, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known {
		return o.value, nil
	}
	v, err := ask()
	if err == nil {
		o.value, o.known = v, true
	}
	return v, err
}

func keyed[K comparable, T any](mu *sync.Mutex, m map[K]*once[T], k K) *once[T] {
	mu.Lock()
	defer mu.Unlock()
	if m[k] == nil {
		m[k] = &once[T]{}
	}
	return m[k]
}

// Caller asks under which identity questions about a are put
// (sts:GetCallerIdentity, which needs no permission).
func (s *Session) Caller(ctx context.Context, a live.ARN) (live.Caller, error) {
	p := s.placeOf(a).home()
	return keyed(&s.mu, s.callers, p).get(func() (live.Caller, error) {
		out, err := s.sts(p).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return live.Caller{}, explain("sts:GetCallerIdentity", err)
		}
		return live.Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
	})
}
