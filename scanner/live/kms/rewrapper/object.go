package rewrapper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// maxCopy is the largest object that one CopyObject copies: 5 GB, which S3
// counts as GiB.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
const maxCopy = 5 << 30

// splitPlace returns bucket and key of s3://bucket/key.
func splitPlace(place string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(place, "s3://")
	if !ok {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, bucket != ""
}

// head asks for an object, for one version of it if version is not empty.
func (c *Client) head(ctx context.Context, place, version string) (*s3.HeadObjectOutput, error) {
	bucket, key, _ := splitPlace(place)
	in := &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), ChecksumMode: s3types.ChecksumModeEnabled}
	if version != "" {
		in.VersionId = aws.String(version)
	}
	out, err := c.s3.HeadObject(ctx, in)
	if err != nil {
		return nil, kms.Explain("s3:HeadObject", err)
	}
	return out, nil
}

// isGone reports whether an object is not there.
func isGone(err error) bool {
	var e *kms.Error
	return errors.As(err, &e) && e.Class == kms.Missing
}

// sameKMSKey compares what S3 says of an object's key with an ARN. S3 answers
// with the ARN; a bare id, as others than AWS give, is the key of the account
// and Region that are asked.
func sameKMSKey(said, arn string) bool {
	if !strings.HasPrefix(said, "arn:") {
		return said != "" && strings.HasSuffix(arn, ":key/"+said)
	}
	return rewrap.SameKey(said, arn)
}

// planned holds that an object is the one that was planned.
func (c *Client) planned(ctx context.Context, it *rewrap.Item) (*s3.HeadObjectOutput, error) {
	h, err := c.head(ctx, it.Place, "")
	switch {
	case isGone(err):
		return nil, fmt.Errorf("%w: the object is gone", rewrap.ErrChanged)
	case err != nil:
		return nil, err
	case aws.ToString(h.ETag) != it.ETag || versionOf(h) != it.Version:
		return nil, fmt.Errorf("%w: the object has been written again", rewrap.ErrChanged)
	case !sameKMSKey(aws.ToString(h.SSEKMSKeyId), c.from.String()):
		return nil, fmt.Errorf("%w: the object is under another key", rewrap.ErrChanged)
	}
	return h, nil
}

// versionOf returns the version of an object in a bucket that keeps versions;
// "null" is one that was written before.
func versionOf(h *s3.HeadObjectOutput) string { return aws.ToString(h.VersionId) }

// updateObject has S3 wrap an object's data key anew. Date, ETag, metadata and
// storage class stay.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/update-sse-encryption.html
func (c *Client) updateObject(ctx context.Context, it *rewrap.Item) error {
	h, err := c.planned(ctx, it)
	if err != nil {
		return err
	}
	bucket, key, _ := splitPlace(it.Place)
	in := &s3.UpdateObjectEncryptionInput{
		Bucket: aws.String(bucket), Key: aws.String(key),
		ObjectEncryption: &s3types.ObjectEncryptionMemberSSEKMS{Value: s3types.SSEKMSEncryption{
			KMSKeyArn: aws.String(c.to.String()), BucketKeyEnabled: h.BucketKeyEnabled,
		}},
	}
	if it.Version != "" {
		in.VersionId = aws.String(it.Version)
	}
	_, err = c.change.UpdateObjectEncryption(ctx, in)
	err = kms.Explain("s3:UpdateObjectEncryption", err)
	var e *kms.Error
	if errors.As(err, &e) && (e.Code == "NotImplemented" || e.Code == "MethodNotAllowed") {
		return fmt.Errorf("%w; plan again with --new-data-keys, which copies objects", err)
	}
	return err
}

// copyObject copies an object onto itself under the new key: S3 decrypts and
// encrypts the data, under a new data key. What the copy would lose is named.
func (c *Client) copyObject(ctx context.Context, it *rewrap.Item) error {
	h, err := c.planned(ctx, it)
	if err != nil {
		return err
	}
	bucket, key, _ := splitPlace(it.Place)
	source := bucket + "/" + (&url.URL{Path: key}).EscapedPath()
	source = strings.ReplaceAll(source, "+", "%2B")
	if it.Version != "" {
		source += "?versionId=" + url.QueryEscape(it.Version)
	}
	_, err = c.slow.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), CopySource: aws.String(source),
		CopySourceIfMatch: aws.String(it.ETag), IfMatch: aws.String(it.ETag),
		MetadataDirective: s3types.MetadataDirectiveCopy, TaggingDirective: s3types.TaggingDirectiveCopy,
		ServerSideEncryption: h.ServerSideEncryption, SSEKMSKeyId: aws.String(c.to.String()), BucketKeyEnabled: h.BucketKeyEnabled,
		// Without it the copy would be of the class STANDARD.
		StorageClass:            h.StorageClass,
		WebsiteRedirectLocation: h.WebsiteRedirectLocation,
		ObjectLockMode:          h.ObjectLockMode, ObjectLockRetainUntilDate: h.ObjectLockRetainUntilDate,
		ObjectLockLegalHoldStatus: h.ObjectLockLegalHoldStatus,
	})
	if err != nil {
		err = kms.Explain("s3:CopyObject", err)
		var e *kms.Error
		if errors.As(err, &e) && (e.Code == "PreconditionFailed" || e.Code == "ConditionalRequestConflict") {
			return fmt.Errorf("%w: the object has been written again", rewrap.ErrChanged)
		}
		return err
	}
	now, err := c.head(ctx, it.Place, "")
	if err != nil {
		return err
	}
	if lost := differs(h, now); lost != "" {
		return fmt.Errorf("%w: the copy's %s is not that of the object; compare them by hand", rewrap.ErrChanged, lost)
	}
	return nil
}

// differs names what a copy has lost, or is empty. Checksums are those that S3
// keeps: of the data, so that they do not depend on the key. One over parts is
// made anew by a copy and cannot be compared.
func differs(a, b *s3.HeadObjectOutput) string {
	str := aws.ToString
	whole := a.ChecksumType == s3types.ChecksumTypeFullObject && b.ChecksumType == s3types.ChecksumTypeFullObject
	changed := func(x, y *string) bool { return whole && x != nil && y != nil && *x != *y }
	switch {
	case aws.ToInt64(a.ContentLength) != aws.ToInt64(b.ContentLength):
		return "size"
	case changed(a.ChecksumCRC64NVME, b.ChecksumCRC64NVME), changed(a.ChecksumCRC32, b.ChecksumCRC32),
		changed(a.ChecksumCRC32C, b.ChecksumCRC32C), changed(a.ChecksumSHA1, b.ChecksumSHA1), changed(a.ChecksumSHA256, b.ChecksumSHA256):
		return "checksum"
	case !maps.Equal(a.Metadata, b.Metadata), str(a.ContentType) != str(b.ContentType), str(a.ContentEncoding) != str(b.ContentEncoding),
		str(a.CacheControl) != str(b.CacheControl), str(a.ContentDisposition) != str(b.ContentDisposition),
		str(a.ContentLanguage) != str(b.ContentLanguage), str(a.ExpiresString) != str(b.ExpiresString):
		return "metadata"
	case a.StorageClass != b.StorageClass:
		return "storage class"
	case aws.ToInt32(a.TagCount) != aws.ToInt32(b.TagCount):
		return "number of tags"
	}
	return ""
}

// checkObject tells from S3's answer under which key an object is.
func (c *Client) checkObject(ctx context.Context, it *rewrap.Item) (rewrap.Found, error) {
	h, err := c.head(ctx, it.Place, "")
	switch {
	case isGone(err):
		return rewrap.Found{Evidence: "the object is gone"}, nil
	case err != nil:
		return rewrap.Found{}, err
	}
	key, etag := aws.ToString(h.SSEKMSKeyId), aws.ToString(h.ETag)
	kept := etag == it.ETag && versionOf(h) == it.Version
	switch {
	case aws.ToInt64(h.ContentLength) != it.Size:
		return rewrap.Found{Evidence: "the object has another size: it has been written again"}, nil
	case sameKMSKey(key, c.to.String()) && (it.Action == rewrap.CopyObject || kept):
		return rewrap.Found{Is: rewrap.New, Evidence: "s3:HeadObject says the new key"}, nil
	case sameKMSKey(key, c.from.String()) && kept:
		return rewrap.Found{Is: rewrap.Old, Evidence: "s3:HeadObject says the old key"}, nil
	}
	return rewrap.Found{Evidence: "s3:HeadObject: the object has been written again, or is under a third key"}, nil
}
