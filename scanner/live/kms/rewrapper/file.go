package rewrapper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// maxMessage is the largest file that is changed, in bytes. The Encryption SDK
// for Go holds a message, and what it says, in memory as a whole.
const maxMessage = 256 << 20

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// readFile reads a file of at most maxMessage bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMessage+1))
	if err == nil && len(b) > maxMessage {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxMessage>>20)
	}
	return b, err
}

// changeFile puts what change makes of a file in its place.
func (c *Client) changeFile(it *rewrap.Item, prepared func(string) error, change func([]byte) ([]byte, error)) error {
	file, err := readFile(it.Place)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the file is gone", rewrap.ErrChanged)
	}
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if digest(file) != it.Digest {
		return fmt.Errorf("%w: the file has other bytes", rewrap.ErrChanged)
	}
	text, err := change(file)
	if err != nil {
		return err
	}
	return replace(it, text, prepared)
}

// replace writes the new file beside the old one and puts it in its place in
// one step, if that is still the old one.
func replace(it *rewrap.Item, text []byte, prepared func(string) error) error {
	info, err := os.Stat(it.Place)
	if err != nil {
		return fmt.Errorf("looking at it: %w", err)
	}
	// One name for each file: what an interrupted run left is written over.
	next := filepath.Join(filepath.Dir(it.Place), "."+filepath.Base(it.Place)+partSuffix)
	defer os.Remove(next)
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return fmt.Errorf("writing the new file: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the new file: %w", err)
	}
	if err := prepared(digest(text)); err != nil {
		return err
	}
	now, err := readFile(it.Place)
	if err != nil || digest(now) != it.Digest {
		return fmt.Errorf("%w: the file has changed while it was worked on", rewrap.ErrChanged)
	}
	if err := os.Rename(next, it.Place); err != nil {
		return fmt.Errorf("putting the new file in its place: %w", err)
	}
	return syncFolder(filepath.Dir(it.Place))
}

// partSuffix ends the name of a file that is being written.
const partSuffix = ".spillgate-rewrap"

// reEncrypt wraps a raw blob under the new key, inside KMS, and returns the text
// of its file once KMS says that the new key opens it.
func (c *Client) reEncrypt(ctx context.Context, p *rewrap.Plan, it *rewrap.Item, text []byte) ([]byte, error) {
	blob, err := it.Encoding.Decode(text)
	if err != nil {
		return nil, err
	}
	out, err := c.once.ReEncrypt(ctx, &awskms.ReEncryptInput{
		CiphertextBlob: blob, SourceKeyId: aws.String(c.from.String()), DestinationKeyId: aws.String(c.to.String()),
		SourceEncryptionContext: p.Context, DestinationEncryptionContext: p.ToContext,
	})
	if err != nil {
		return nil, kms.Explain("kms:ReEncrypt", err)
	}
	if aws.ToString(out.KeyId) != c.to.String() {
		return nil, errors.New("kms:ReEncrypt: the answer is not under the new key")
	}
	opens, err := c.opens(ctx, c.new, c.to.String(), out.CiphertextBlob, p.ToContext)
	if err != nil {
		return nil, fmt.Errorf("verifying the new blob: %w", err)
	}
	if !opens {
		return nil, errors.New("verifying the new blob: it does not open under the new key")
	}
	return written(it.Encoding, out.CiphertextBlob, text)
}

// opens asks whether key opens a blob, without having it opened: a dry run of
// Decrypt answers DryRunOperationException where the real call would succeed.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
func (c *Client) opens(ctx context.Context, client *awskms.Client, key string, blob []byte, context map[string]string) (bool, error) {
	const op = "kms:Decrypt (dry run)"
	_, err := client.Decrypt(ctx, &awskms.DecryptInput{
		CiphertextBlob: blob, KeyId: aws.String(key), EncryptionContext: context, DryRun: aws.Bool(true),
	})
	if err == nil {
		return false, errors.New(op + ": the endpoint does not know dry runs; its answer was dropped")
	}
	var e *kms.Error
	if errors.As(kms.Explain(op, err), &e) {
		switch e.Code {
		case "DryRunOperationException":
			return true, nil
		case "IncorrectKeyException":
			return false, nil
		}
	}
	return false, kms.Explain(op, err)
}

// messageEvidence is how it is known that a message is under the new key.
const messageEvidence = "the header names the new key and not the old one; the Encryption SDK read the same data back"

// checkFile tells by the digests of the plan and of the ledger which side of
// the change a file is on, and looks at what the new one says of itself.
func (c *Client) checkFile(ctx context.Context, p *rewrap.Plan, it *rewrap.Item, prepared string) (rewrap.Found, error) {
	file, err := readFile(it.Place)
	if errors.Is(err, os.ErrNotExist) {
		return rewrap.Found{Evidence: "the file is gone"}, nil
	}
	if err != nil {
		return rewrap.Found{}, fmt.Errorf("reading it: %w", err)
	}
	sum := digest(file)
	switch {
	case sum == it.Digest:
		return rewrap.Found{Is: rewrap.Old, Evidence: "the file is the old one"}, nil
	case prepared == "" || sum != prepared:
		return rewrap.Found{Evidence: "the file is neither the old one nor the one that was made of it"}, nil
	}
	if it.Kind == rewrap.Message {
		if err := c.allHeaded(it, file); err != nil {
			return rewrap.Found{}, err
		}
		return rewrap.Found{Is: rewrap.New, Evidence: messageEvidence}, nil
	}
	data, err := it.Encoding.Decode(file)
	if err != nil {
		return rewrap.Found{}, err
	}
	switch opens, err := c.opens(ctx, c.new, c.to.String(), data, p.ToContext); {
	case err != nil:
		return rewrap.Found{}, err
	case !opens:
		return rewrap.Found{}, errors.New("KMS says that the blob is under another key than the new one")
	}
	return rewrap.Found{Is: rewrap.New, Evidence: "kms:Decrypt (dry run) opens it with the new key"}, nil
}
