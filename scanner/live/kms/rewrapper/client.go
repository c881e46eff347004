// Package rewrapper is the part of rewrap that talks to AWS: it finds what is
// under a key and brings it under another one.
//
// It only ever handles ciphertext. A raw blob is wrapped anew inside KMS, an
// object inside S3, and a message by a program of its own that links the
// Encryption SDK: that SDK is five times as large as all of spillgate-live, and
// it alone has the plain data in its memory, for as long as one message takes.
//
// What changes is sent once. Whether a change whose answer was lost has been
// made is found out by looking, never by sending it again.
package rewrapper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// Options say what is looked for and how it is brought under the new key. The
// zero value is the default.
type Options struct {
	// NewDataKeys encrypts the data of objects anew (CopyObject) instead of
	// wrapping their data keys anew.
	NewDataKeys bool
	// Inside reads the first 128 KiB of each object, to find messages of the
	// Encryption SDK that are stored in S3; they are encrypted anew as those in
	// files are.
	Inside bool
	// Context is the encryption context of raw blobs.
	Context map[string]string
	// Helper is the program that re-encrypts messages; empty if there is none.
	Helper string
	// Jobs bounds the objects asked about at a time; 0 is 8.
	Jobs int
	// CopyTimeout bounds one CopyObject, which S3 answers when the data is
	// copied; 0 is 30 minutes.
	CopyTimeout time.Duration
	// Now is the time that ages are counted to; nil is time.Now.
	Now func() time.Time
}

// A Client works for one pair of keys. It is safe for concurrent use.
type Client struct {
	options  Options
	session  *kms.Session
	from, to live.ARN
	old, new *awskms.Client // in the Regions of the two keys
	once     *awskms.Client // of the old key's Region, for changes
	s3       *s3.Client
	change   *s3.Client // sends once
	slow     *s3.Client // sends once, and waits for a copy
	creds    aws.CredentialsProvider
}

var _ rewrap.Worker = (*Client)(nil)

// New returns a client for data that is to leave the key from for the key to.
// It asks nobody yet.
func New(s *kms.Session, from, to live.ARN, o Options) (*Client, error) {
	switch {
	case !from.IsKey() || !to.IsKey():
		return nil, errors.New("both keys are named by the ARN of a key: an alias may point elsewhere tomorrow")
	case rewrap.SameKey(from.String(), to.String()):
		return nil, errors.New("the new key is the old one, or has its material")
	case from.Partition != to.Partition:
		return nil, fmt.Errorf("the keys are in different partitions, %s and %s", from.Partition, to.Partition)
	}
	old, err := s.ConfigFor(from)
	if err != nil {
		return nil, err
	}
	fresh, err := s.ConfigFor(to)
	if err != nil {
		return nil, err
	}
	if o.Jobs <= 0 {
		o.Jobs = 8
	}
	if o.CopyTimeout <= 0 {
		o.CopyTimeout = 30 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Client{options: o, session: s, from: from, to: to, creds: old.Credentials,
		old: awskms.NewFromConfig(old), new: awskms.NewFromConfig(fresh)}
	c.once = awskms.NewFromConfig(old, func(o *awskms.Options) { o.Retryer = kms.Once() })
	// The data of a bucket is under keys of its own Region.
	// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
	c.s3 = s3.NewFromConfig(old, pathStyle(old))
	c.change = s3.NewFromConfig(old, pathStyle(old), func(o *s3.Options) { o.Retryer = kms.Once() })
	c.slow = s3.NewFromConfig(old, pathStyle(old), func(x *s3.Options) {
		x.Retryer = kms.Once()
		if b, ok := old.HTTPClient.(*awshttp.BuildableClient); ok {
			x.HTTPClient = b.WithTimeout(o.CopyTimeout)
		}
	})
	return c, nil
}

// pathStyle puts the bucket into the path where the endpoint is not AWS's own:
// the name of another host has no names for buckets below it.
func pathStyle(cfg aws.Config) func(*s3.Options) {
	return func(o *s3.Options) {
		o.UsePathStyle = cfg.BaseEndpoint != nil || os.Getenv("AWS_ENDPOINT_URL_S3") != "" || os.Getenv("AWS_ENDPOINT_URL") != ""
	}
}

// Ready holds what must be true before anything is changed: the caller is of
// the new key's account, the new key is that key, enabled, symmetric and for
// encryption; and the old one is not out of use. The second result says what
// could not be found out about the old key.
func (c *Client) Ready(ctx context.Context) (warning string, err error) {
	caller, err := c.session.Caller(ctx, c.to)
	if err != nil {
		return "", err
	}
	if caller.Account != c.to.Account {
		return "", fmt.Errorf("the credentials are those of account %s, and the new key is of %s: data is not put under another account's key", caller.Account, c.to.Account)
	}
	k, err := describe(ctx, c.new, c.to)
	switch {
	case err != nil:
		return "", fmt.Errorf("looking at the new key: %w", err)
	case aws.ToString(k.Arn) != c.to.String():
		return "", errors.New("looking at the new key: KMS answered for another key")
	case k.KeyState != kmstypes.KeyStateEnabled:
		return "", fmt.Errorf("the new key is %s", k.KeyState)
	case k.KeySpec != kmstypes.KeySpecSymmetricDefault || k.KeyUsage != kmstypes.KeyUsageTypeEncryptDecrypt:
		return "", fmt.Errorf("the new key is a %s key for %s; data keys are wrapped by symmetric ones", k.KeySpec, k.KeyUsage)
	}
	k, err = describe(ctx, c.old, c.from)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "the state of the old key is unknown: " + err.Error(), nil
	}
	if k.KeyState != kmstypes.KeyStateEnabled {
		return "", fmt.Errorf("the old key is %s: what is under it cannot be unwrapped; enable it for as long as its data is moved", k.KeyState)
	}
	return "", nil
}

func describe(ctx context.Context, c *awskms.Client, a live.ARN) (*kmstypes.KeyMetadata, error) {
	out, err := c.DescribeKey(ctx, &awskms.DescribeKeyInput{KeyId: aws.String(a.String())})
	if err != nil {
		return nil, kms.Explain("kms:DescribeKey", err)
	}
	if out.KeyMetadata == nil {
		return nil, errors.New("kms:DescribeKey: an answer without the key")
	}
	return out.KeyMetadata, nil
}

// Change brings one item under the new key.
func (c *Client) Change(ctx context.Context, p *rewrap.Plan, it *rewrap.Item, prepared func(string) error) error {
	switch it.Action {
	case rewrap.ReEncrypt:
		return c.changeFile(it, prepared, func(old []byte) ([]byte, error) { return c.reEncrypt(ctx, p, it, old) })
	case rewrap.EncryptAnew:
		if _, _, stored := splitPlace(it.Place); stored {
			return c.writeStored(ctx, it, prepared)
		}
		return c.changeFile(it, prepared, func(old []byte) ([]byte, error) { return c.anew(ctx, it, old) })
	case rewrap.UpdateObjectEncryption:
		return c.updateObject(ctx, it)
	case rewrap.CopyObject:
		return c.copyObject(ctx, it)
	}
	return fmt.Errorf("%q is nothing that this program does", it.Action)
}

// Check reads back what an item is.
func (c *Client) Check(ctx context.Context, p *rewrap.Plan, it *rewrap.Item, prepared string) (rewrap.Found, error) {
	_, _, stored := splitPlace(it.Place)
	switch {
	case it.Kind == rewrap.Object:
		return c.checkObject(ctx, it)
	case stored:
		return c.checkStored(ctx, it, prepared)
	}
	return c.checkFile(ctx, p, it, prepared)
}
