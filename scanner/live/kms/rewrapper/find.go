package rewrapper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// A Survey is what was found, and what was looked at to find it.
type Survey struct {
	Items []rewrap.Item
	// Files and Objects count what was looked at.
	Files, Objects int
	// Problems are what could not be looked at: without them the survey proves
	// nothing about these.
	Problems []string

	mu sync.Mutex
}

func (s *Survey) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

func (s *Survey) add(it rewrap.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Items = append(s.Items, it)
}

// Find looks at sources: files, folders, s3://bucket, s3://bucket/prefix/ and
// s3://bucket/key; and at blobs, files that hold one KMS ciphertext each. An
// error is that of the context; what failed otherwise is a problem of the
// survey.
func (c *Client) Find(ctx context.Context, sources, blobs []string) (*Survey, error) {
	s := &Survey{}
	for _, source := range sources {
		bucket, key, remote := splitPlace(source)
		switch {
		case strings.HasPrefix(source, "s3://") && !remote:
			s.problem("%s names no bucket", source)
		case remote && (key == "" || strings.HasSuffix(key, "/")):
			c.findPrefix(ctx, s, bucket, key)
		case remote:
			c.findObject(ctx, s, source)
		default:
			c.findFiles(ctx, s, source)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	for _, path := range blobs {
		c.findBlob(ctx, s, path)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	slices.Sort(s.Problems)
	return s, nil
}

// maxLook is how much of a file is looked at for messages, in bytes.
const maxLook = 8 << 20

func (c *Client) findFiles(ctx context.Context, s *Survey, root string) {
	// What is named may be a link; inside of folders links are not followed.
	path, err := realPath(root)
	if err != nil {
		s.problem("%v", err)
		return
	}
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.problem("%v", err)
			return nil
		case d.Type().IsRegular() && !strings.HasSuffix(d.Name(), partSuffix):
			if err := c.findFile(s, path); err != nil {
				s.problem("%v", err)
			}
		}
		return nil
	})
}

// realPath follows links, and names the file whatever folder a later run is
// started in: the ledger outlives this one.
func realPath(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

func front(path string, n int64) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, n))
	return b, info, err
}

func (c *Client) findFile(s *Survey, path string) error {
	data, info, err := front(path, maxLook)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.Files++
	s.mu.Unlock()
	content := rewrap.Look(data)
	age := rewrap.AgeOfFile(info.ModTime(), c.options.Now())
	if content.Cut {
		return fmt.Errorf("%s begins as a message of the Encryption SDK whose header is cut off", path)
	}
	if info.Size() > maxLook && content.Header == nil {
		s.problem("%s: only the first %d MiB were looked at", path, maxLook>>20)
	}
	if h := content.Header; h != nil {
		if under := h.Under(c.from.String()); len(under) > 0 {
			it := c.message(path, h, under[0])
			it.Encoding, it.Size, it.Age = content.Encoding, info.Size(), age
			if it.Action != rewrap.ByHand {
				whole, err := readFile(path)
				if err != nil {
					return err
				}
				it.Digest = digest(whole)
			}
			s.add(it)
		}
		return nil
	}
	it, ok := c.inside(path, &content, info.Size() <= maxLook)
	if !ok {
		return nil
	}
	it.Size, it.Age = info.Size(), age
	if it.Action != rewrap.ByHand {
		it.Digest = digest(data) // all of it was looked at
	}
	s.add(it)
	return nil
}

// inside returns the item of a text in the middle of which messages stand that
// are under the key; false if there are none. whole says that all of the text
// was looked at. Either all of them are encrypted anew, or the text is left.
func (c *Client) inside(place string, content *rewrap.Content, whole bool) (it rewrap.Item, found bool) {
	for i := range content.Inside {
		e := &content.Inside[i]
		under := e.Header.Under(c.from.String())
		if len(under) == 0 {
			continue
		}
		one := c.message(place, e.Header, under[0])
		if !found {
			it, found = one, true
		}
		for _, note := range one.Notes {
			if !slices.Contains(it.Notes, note) {
				it.Notes = append(it.Notes, note)
			}
		}
		switch {
		case it.Action == rewrap.ByHand:
		case one.Action == rewrap.ByHand:
			it.Action, it.Why = one.Action, one.Why
		case e.Length == 0:
			it.Action, it.Why = rewrap.ByHand, "a message in the middle of its text is broken into lines or cut off: encrypt it anew where that text is made"
		}
		it.Inside = append(it.Inside, rewrap.Span{At: e.At, Length: e.Length, Key: under[0], Keep: one.Keep})
	}
	if !found {
		return it, false
	}
	it.Encoding, it.Keep = rewrap.Base64, nil
	if it.Action != rewrap.ByHand && (!whole || content.More) {
		it.Action, it.Why = rewrap.ByHand, "messages stand in the middle of a text that is too long to be looked at as a whole"
	}
	if it.Action == rewrap.ByHand {
		it.Inside = nil
	}
	return it, true
}

// message returns the item of a message that is under the key, without what is
// known of its file.
func (c *Client) message(place string, h *rewrap.Header, under string) rewrap.Item {
	it := rewrap.Item{Place: place, Kind: rewrap.Message, Action: rewrap.EncryptAnew, Key: under}
	for _, k := range h.Others(c.from.String()) {
		switch {
		case k.Provider != rewrap.KMSProvider:
			it.Action, it.Keep = rewrap.ByHand, nil
			it.Why = fmt.Sprintf("it can also be opened with a key of the provider %.40q, which is needed to write it again", k.Provider)
			return it
		case k.Info != c.to.String() && !slices.Contains(it.Keep, k.Info):
			it.Keep = append(it.Keep, k.Info)
		}
	}
	if len(h.Under(c.from.String())) > 1 {
		it.Notes = append(it.Notes, "it is under several replicas of the key, and leaves them all")
	}
	if !h.Committed() {
		it.Notes = append(it.Notes, "it becomes a message of version 2, which commits to its data key: see that what reads it can")
	}
	if c.options.Helper == "" {
		it.Action = rewrap.ByHand
		it.Why = "it needs the Encryption SDK: install spillgate-esdk beside spillgate-live, or re-encrypt it with your own program"
	}
	return it
}

// maxBlob is the largest ciphertext that KMS takes, in bytes.
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
const maxBlob = 6144

func (c *Client) findBlob(ctx context.Context, s *Survey, name string) {
	path, err := realPath(name)
	if err != nil {
		s.problem("%v", err)
		return
	}
	file, info, err := front(path, 3*maxBlob)
	if err != nil {
		s.problem("%v", err)
		return
	}
	s.Files++
	encoding := rewrap.Raw
	if strings.Trim(string(file), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n") == "" {
		encoding = rewrap.Base64
	}
	blob, err := encoding.Decode(file)
	switch {
	case err != nil:
		s.problem("%s: %v", path, err)
		return
	case len(blob) == 0 || len(blob) > maxBlob || info.Size() > 3*maxBlob:
		s.problem("%s: no ciphertext of KMS is empty or over %d bytes", path, maxBlob)
		return
	}
	under, err := c.opens(ctx, c.old, c.from.String(), blob, c.options.Context)
	var e *kms.Error
	switch {
	case errors.As(err, &e) && e.Code == "InvalidCiphertextException":
		s.problem("%s: KMS does not open it: it is no ciphertext of KMS, or has another encryption context (--context)", path)
	case err != nil:
		s.problem("%s: %v", path, err)
	case under:
		s.add(rewrap.Item{
			Place: path, Kind: rewrap.Blob, Action: rewrap.ReEncrypt, Key: c.from.String(), Encoding: encoding,
			Size: info.Size(), Digest: digest(file), Age: rewrap.AgeOfFile(info.ModTime(), c.options.Now()),
			Notes: []string{"whether it is a data key or data, KMS does not tell; either stays the same inside"},
		})
	}
}

// findPrefix looks at all objects whose names begin with prefix.
func (c *Client) findPrefix(ctx context.Context, s *Survey, bucket, prefix string) {
	places := make(chan string)
	var wg sync.WaitGroup
	for range c.options.Jobs {
		wg.Go(func() {
			for place := range places {
				c.findObject(ctx, s, place)
			}
		})
	}
	defer wg.Wait()
	defer close(places)
	list := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix)})
	for list.HasMorePages() && ctx.Err() == nil {
		page, err := list.NextPage(ctx)
		if err != nil {
			s.problem("s3://%s/%s: %v%s", bucket, prefix, kms.Explain("s3:ListObjectsV2", err), c.elsewhere(err))
			return
		}
		for i := range page.Contents {
			places <- "s3://" + bucket + "/" + aws.ToString(page.Contents[i].Key)
		}
	}
}

// elsewhere says what it means if a bucket is in another Region.
func (c *Client) elsewhere(err error) string {
	var e *kms.Error
	if errors.As(kms.Explain("", err), &e) && e.Class == kms.WrongEndpoint {
		return ": the bucket is not in " + c.from.Region + ", and S3 encrypts under keys of the bucket's Region alone"
	}
	return ""
}

func (c *Client) findObject(ctx context.Context, s *Survey, place string) {
	h, err := c.head(ctx, place, "")
	if err != nil {
		if ctx.Err() == nil {
			s.problem("%s: %v%s", place, err, c.elsewhere(err))
		}
		return
	}
	s.mu.Lock()
	s.Objects++
	s.mu.Unlock()
	rewritten := false
	if c.options.Inside && aws.ToInt64(h.ContentLength) > 0 {
		rewritten = c.findStored(ctx, s, place, h)
	}
	// What is written again comes under the new key by that.
	if sameKMSKey(aws.ToString(h.SSEKMSKeyId), c.from.String()) && !rewritten {
		it := c.objectItem(place, rewrap.Object, h)
		it.Key = c.from.String()
		c.planObject(&it, h)
		s.add(it)
	}
}

// objectItem returns the item of an object, without what is to be done.
func (c *Client) objectItem(place string, kind rewrap.Kind, h *s3.HeadObjectOutput) rewrap.Item {
	return rewrap.Item{
		Place: place, Kind: kind, Size: aws.ToInt64(h.ContentLength), ETag: aws.ToString(h.ETag), Version: versionOf(h),
		Age: rewrap.AgeOfObject(aws.ToTime(h.LastModified), c.options.Now()),
	}
}

func isLocked(h *s3.HeadObjectOutput) bool {
	return h.ObjectLockMode != "" || h.ObjectLockLegalHoldStatus == s3types.ObjectLockLegalHoldStatusOn
}

// isArchived reports whether an object cannot be read before it is restored.
func isArchived(h *s3.HeadObjectOutput) bool {
	return h.ArchiveStatus != "" || (h.StorageClass == s3types.StorageClassGlacier || h.StorageClass == s3types.StorageClassDeepArchive) &&
		!strings.Contains(aws.ToString(h.Restore), `ongoing-request="false"`)
}

// planObject chooses how an object comes under the new key, and says what that
// does beside it.
func (c *Client) planObject(it *rewrap.Item, h *s3.HeadObjectOutput) {
	dual := h.ServerSideEncryption == s3types.ServerSideEncryptionAwsKmsDsse
	locked, archived := isLocked(h), isArchived(h)
	hand := func(why string) { it.Action, it.Why = rewrap.ByHand, why }
	bucket, _, _ := splitPlace(it.Place)
	it.Action = rewrap.UpdateObjectEncryption
	if c.options.NewDataKeys || dual {
		it.Action = rewrap.CopyObject
	}
	switch {
	case c.to.Region != c.from.Region:
		hand("the new key is in " + c.to.Region + ", and S3 encrypts under keys of the bucket's Region alone")
	case strings.HasSuffix(bucket, "--x-s3"):
		hand("it is in a directory bucket, whose key is the bucket's")
	case it.Action == rewrap.UpdateObjectEncryption && locked:
		hand("Object Lock forbids it; with --new-data-keys a new version is made, and the locked one stays under the old key")
	case it.Action == rewrap.CopyObject && it.Size > maxCopy:
		hand("one CopyObject copies 5 GB at most: copy it in parts, or leave --new-data-keys out")
	case it.Action == rewrap.CopyObject && archived:
		hand("it is archived: restore it before it can be copied, or leave --new-data-keys out")
	}
	if dual && it.Action == rewrap.CopyObject {
		it.Notes = append(it.Notes, "it is encrypted twice (DSSE-KMS), which only a copy can change")
	}
	if it.Version != "" && it.Version != "null" {
		it.Notes = append(it.Notes, "older versions were not looked at")
	}
	if h.ReplicationStatus != "" {
		it.Notes = append(it.Notes, "its replicas are objects of their own: name their bucket too")
	}
	if it.Action != rewrap.CopyObject {
		return
	}
	it.Notes = append(it.Notes, "the copy keeps data, metadata, tags and storage class; its ACL is the default one, its date and ETag are new, "+
		"and an encryption context of your own is not kept (S3 does not tell it)")
	if it.Version != "" && it.Version != "null" {
		it.Notes = append(it.Notes, "the copy is a new version; the old one stays under the old key until you delete it")
	}
}
