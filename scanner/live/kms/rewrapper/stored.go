package rewrapper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// Messages of the Encryption SDK that are stored in S3. The object is written
// again as a whole, on the condition that it is still the one that was read: S3
// refuses the write otherwise, so that what somebody else has written meanwhile
// is not lost.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html

// insideLength is how much of an object is read with Options.Inside, in bytes.
const insideLength = 128 << 10

// findStored looks for messages in an object, and reports whether it is going to
// be written again.
func (c *Client) findStored(ctx context.Context, s *Survey, place string, h *s3.HeadObjectOutput) (rewritten bool) {
	data, err := c.get(ctx, place, "", fmt.Sprintf("bytes=0-%d", insideLength-1), insideLength)
	if err != nil {
		if ctx.Err() == nil {
			s.problem("%s: %v", place, err)
		}
		return false
	}
	content := rewrap.Look(data)
	if content.Cut {
		s.problem("%s begins as a message of the Encryption SDK whose header is cut off", place)
		return false
	}
	size := aws.ToInt64(h.ContentLength)
	var message rewrap.Item
	if content.Header != nil {
		under := content.Header.Under(c.from.String())
		if len(under) == 0 {
			return false
		}
		message = c.message(place, content.Header, under[0])
		message.Encoding = content.Encoding
	} else {
		var found bool
		if message, found = c.inside(place, &content, size <= insideLength); !found {
			return false
		}
	}
	it := c.objectItem(place, rewrap.Message, h)
	it.Age.AtLeast = true // who stored it may have encrypted it earlier
	it.Action, it.Why, it.Key, it.Keep = message.Action, message.Why, message.Key, message.Keep
	it.Encoding, it.Inside, it.Notes = message.Encoding, message.Inside, message.Notes
	c.planStored(&it, h)
	s.add(it)
	return it.Action != rewrap.ByHand
}

// planStored says what stands in the way of writing the object again, and what
// that does beside it.
func (c *Client) planStored(it *rewrap.Item, h *s3.HeadObjectOutput) {
	if it.Action == rewrap.ByHand {
		return
	}
	bucket, _, _ := splitPlace(it.Place)
	under := sameKMSKey(aws.ToString(h.SSEKMSKeyId), c.from.String())
	switch {
	case isArchived(h):
		it.Action, it.Why = rewrap.ByHand, "it is archived: restore it before it can be read"
	case isLocked(h):
		it.Action, it.Why = rewrap.ByHand, "Object Lock keeps the old message whatever is written: decide what becomes of it, and write it again by your own program"
	case it.Size > maxMessage:
		it.Action, it.Why = rewrap.ByHand, fmt.Sprintf("it is larger than %d MiB, which are held in memory", maxMessage>>20)
	case strings.HasSuffix(bucket, "--x-s3"):
		it.Action, it.Why = rewrap.ByHand, "it is in a directory bucket, which this program does not write to"
	case under && c.to.Region != c.from.Region:
		it.Action, it.Why = rewrap.ByHand, "S3 encrypts the object itself under the old key, and the new one is in "+c.to.Region
	}
	if it.Action == rewrap.ByHand {
		it.Inside = nil
		return
	}
	it.Notes = append(it.Notes, "the object is written again: metadata, tags and storage class stay; its ACL is the default one, its date and ETag are new")
	if under {
		it.Notes = append(it.Notes, "S3 encrypts the object itself under the old key; the new one is under the new key")
	}
	if it.Version != "" && it.Version != "null" {
		it.Notes = append(it.Notes, "it becomes a new version; the old one stays as it is until you delete it, and older ones were not looked at")
	}
	if h.ReplicationStatus != "" {
		it.Notes = append(it.Notes, "its replicas are objects of their own: name their bucket too")
	}
}

// get reads an object, at most limit bytes; part is a range, or empty. etag, if
// not empty, is that of the object that must be there.
func (c *Client) get(ctx context.Context, place, etag, part string, limit int64) ([]byte, error) {
	bucket, key, _ := splitPlace(place)
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}
	if etag != "" {
		in.IfMatch = aws.String(etag)
	}
	if part != "" {
		in.Range = aws.String(part)
	}
	out, err := c.s3.GetObject(ctx, in)
	if err != nil {
		return nil, kms.Explain("s3:GetObject", err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, limit))
	if err != nil {
		return nil, kms.Explain("s3:GetObject", err)
	}
	return data, nil
}

// writeStored encrypts the messages of an object anew, and puts it in its place
// if that is still the old one.
func (c *Client) writeStored(ctx context.Context, it *rewrap.Item, prepared func(string) error) error {
	h, err := c.head(ctx, it.Place, "")
	switch {
	case isGone(err):
		return fmt.Errorf("%w: the object is gone", rewrap.ErrChanged)
	case err != nil:
		return err
	case aws.ToString(h.ETag) != it.ETag || versionOf(h) != it.Version:
		return fmt.Errorf("%w: the object has been written again", rewrap.ErrChanged)
	}
	old, err := c.get(ctx, it.Place, it.ETag, "", maxMessage+1)
	if err != nil {
		return writtenMeanwhile(err)
	}
	if int64(len(old)) != it.Size {
		return errors.New("reading it: S3 gave another number of bytes than it says")
	}
	text, err := c.anew(ctx, it, old)
	if err != nil {
		return err
	}
	in, err := c.putInput(ctx, it, h)
	if err != nil {
		return err
	}
	if err := prepared(digest(text)); err != nil {
		return err
	}
	in.Body = bytes.NewReader(text)
	if _, err := c.slow.PutObject(ctx, in); err != nil {
		return writtenMeanwhile(kms.Explain("s3:PutObject", err))
	}
	now, err := c.head(ctx, it.Place, "")
	if err != nil {
		return err
	}
	// Size and checksum are those of another message.
	h.ContentLength, h.ChecksumType = now.ContentLength, ""
	if lost := differs(h, now); lost != "" {
		return fmt.Errorf("%w: the new object's %s is not that of the old one; compare them by hand", rewrap.ErrChanged, lost)
	}
	return nil
}

// writtenMeanwhile tells S3's refusal of a condition from other errors.
func writtenMeanwhile(err error) error {
	var e *kms.Error
	if errors.As(err, &e) && (e.Code == "PreconditionFailed" || e.Code == "ConditionalRequestConflict") {
		return fmt.Errorf("%w: the object has been written again", rewrap.ErrChanged)
	}
	return err
}

// putInput is a PutObject that keeps what the object is beside its data.
func (c *Client) putInput(ctx context.Context, it *rewrap.Item, h *s3.HeadObjectOutput) (*s3.PutObjectInput, error) {
	bucket, key, _ := splitPlace(it.Place)
	in := &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), IfMatch: aws.String(it.ETag),
		Metadata: h.Metadata, ContentType: h.ContentType, ContentEncoding: h.ContentEncoding, CacheControl: h.CacheControl,
		ContentDisposition: h.ContentDisposition, ContentLanguage: h.ContentLanguage, WebsiteRedirectLocation: h.WebsiteRedirectLocation,
		StorageClass: s3types.StorageClass(h.StorageClass), ServerSideEncryption: h.ServerSideEncryption, BucketKeyEnabled: h.BucketKeyEnabled,
	}
	if h.ExpiresString != nil && h.Expires != nil {
		in.Expires = h.Expires
	}
	if sse := aws.ToString(h.SSEKMSKeyId); sameKMSKey(sse, c.from.String()) {
		in.SSEKMSKeyId = aws.String(c.to.String())
	} else if sse != "" {
		in.SSEKMSKeyId = h.SSEKMSKeyId
	}
	if aws.ToInt32(h.TagCount) == 0 {
		return in, nil
	}
	tags, err := c.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: in.Bucket, Key: in.Key})
	if err != nil {
		return nil, kms.Explain("s3:GetObjectTagging", err)
	}
	values := url.Values{}
	for _, t := range tags.TagSet {
		values.Set(aws.ToString(t.Key), aws.ToString(t.Value))
	}
	in.Tagging = aws.String(strings.ReplaceAll(values.Encode(), "+", "%20"))
	return in, nil
}

// checkStored tells by ETag and by the digest of the ledger which side of the
// change an object is on, and reads the new one back.
func (c *Client) checkStored(ctx context.Context, it *rewrap.Item, prepared string) (rewrap.Found, error) {
	h, err := c.head(ctx, it.Place, "")
	switch {
	case isGone(err):
		return rewrap.Found{Evidence: "the object is gone"}, nil
	case err != nil:
		return rewrap.Found{}, err
	case aws.ToString(h.ETag) == it.ETag && versionOf(h) == it.Version:
		return rewrap.Found{Is: rewrap.Old, Evidence: "the object is the old one"}, nil
	case prepared == "" || aws.ToInt64(h.ContentLength) > maxMessage:
		return rewrap.Found{Evidence: "the object has been written again"}, nil
	}
	text, err := c.get(ctx, it.Place, aws.ToString(h.ETag), "", maxMessage+1)
	if err != nil {
		return rewrap.Found{}, err
	}
	switch {
	case digest(text) != prepared:
		return rewrap.Found{Evidence: "the object is neither the old one nor the one that was made of it"}, nil
	case sameKMSKey(aws.ToString(h.SSEKMSKeyId), c.from.String()):
		return rewrap.Found{}, errors.New("S3 encrypts the new object under the old key")
	}
	if err := c.allHeaded(it, text); err != nil {
		return rewrap.Found{}, err
	}
	return rewrap.Found{Is: rewrap.New, Evidence: "the object was read back: " + messageEvidence}, nil
}
