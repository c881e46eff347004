// Package esdk encrypts messages of the AWS Encryption SDK anew, with that SDK.
//
// It is a module of its own, and its program a process of its own. The SDK for
// Go is made from a verified source in another language and is larger than all
// of spillgate-live; and the process that has plain data in its memory should
// be one that does nothing else: it reads one message, writes one message, and
// ends.
//
// A message is not patched: its header is authenticated under its data key. So
// the data gets a fresh data key, which is what a leaked one needs anyway.
package esdk

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"strings"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpltypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	client "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	types "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// A Job says between which keys a message moves. All are ARNs of KMS keys.
type Job struct {
	From, To string
	// Keep are further keys that the message is under and stays under.
	Keep []string
}

// publicKey is the entry that the SDK itself adds to the encryption context of
// signed messages.
// Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html
const publicKey = "aws-crypto-public-key"

// ReEncrypt returns a message that says what the given one says, under a new
// data key which is wrapped for j.To and j.Keep alone. Encryption context and
// frame length stay; a message of version 1 becomes one of version 2, which
// commits to its key. The new message has been read back with j.To, and its
// data and context compared, when ReEncrypt returns. No error holds data.
func ReEncrypt(ctx context.Context, cfg aws.Config, j Job, message []byte) ([]byte, error) {
	header, _, err := rewrap.ParseHeader(message)
	if err != nil {
		return nil, err
	}
	materials, err := mpl.NewClient(mpltypes.MaterialProvidersConfig{})
	if err != nil {
		return nil, fmt.Errorf("setting up the material providers: %w", err)
	}
	// Messages of version 1 do not commit to their key, and must be readable.
	policy := mpltypes.ESDKCommitmentPolicyRequireEncryptAllowDecrypt
	sdk, err := client.NewClient(types.AwsEncryptionSdkConfig{CommitmentPolicy: &policy})
	if err != nil {
		return nil, fmt.Errorf("setting up the Encryption SDK: %w", err)
	}
	w := &work{ctx: ctx, cfg: cfg, materials: materials, sdk: sdk}
	old, err := w.open(j.From, message)
	if err != nil {
		return nil, fmt.Errorf("reading the message with the old key: %w", err)
	}
	fresh, err := w.seal(j, header, old)
	if err != nil {
		return nil, fmt.Errorf("encrypting it under the new key: %w", err)
	}
	again, err := w.open(j.To, fresh)
	if err != nil {
		return nil, fmt.Errorf("reading the new message back: %w", err)
	}
	if !same(old, again) {
		return nil, errors.New("the new message does not say what the old one says")
	}
	return fresh, nil
}

type work struct {
	ctx       context.Context
	cfg       aws.Config
	materials *mpl.Client
	sdk       *client.Client
}

// keyring returns the keyring of one key, asked in the Region of its ARN.
func (w *work) keyring(arn string) (mpltypes.IKeyring, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "kms" || !strings.HasPrefix(parts[5], "key/") {
		return nil, fmt.Errorf("%.80q is not the ARN of a KMS key", arn)
	}
	c := kms.NewFromConfig(w.cfg, func(o *kms.Options) { o.Region = parts[3] })
	return w.materials.CreateAwsKmsKeyring(w.ctx, mpltypes.CreateAwsKmsKeyringInput{KmsClient: c, KmsKeyId: arn})
}

// open reads a message with one key.
func (w *work) open(arn string, message []byte) (*types.DecryptOutput, error) {
	k, err := w.keyring(arn)
	if err != nil {
		return nil, err
	}
	out, err := w.sdk.Decrypt(w.ctx, types.DecryptInput{Ciphertext: message, Keyring: k})
	if err != nil {
		return nil, explain(err)
	}
	delete(out.EncryptionContext, publicKey)
	return out, nil
}

// seal writes what was read as a new message.
func (w *work) seal(j Job, old *rewrap.Header, data *types.DecryptOutput) ([]byte, error) {
	generator, err := w.keyring(j.To)
	if err != nil {
		return nil, err
	}
	children := []mpltypes.IKeyring{}
	for _, arn := range j.Keep {
		k, err := w.keyring(arn)
		if err != nil {
			return nil, err
		}
		children = append(children, k)
	}
	ring, err := w.materials.CreateMultiKeyring(w.ctx, mpltypes.CreateMultiKeyringInput{Generator: generator, ChildKeyrings: children})
	if err != nil {
		return nil, explain(err)
	}
	suite := suiteFor(old.Suite)
	in := types.EncryptInput{Plaintext: data.Plaintext, EncryptionContext: data.EncryptionContext, Keyring: ring, AlgorithmSuiteId: &suite}
	if in.Plaintext == nil {
		in.Plaintext = []byte{}
	}
	if old.FrameLength > 0 {
		n := int64(old.FrameLength)
		in.FrameLength = &n
	}
	out, err := w.sdk.Encrypt(w.ctx, in)
	if err != nil {
		return nil, explain(err)
	}
	return out.Ciphertext, nil
}

// suiteFor returns the suite of version 2 that signs if the old one signs.
// Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/algorithms-reference.html
func suiteFor(old uint16) mpltypes.ESDKAlgorithmSuiteId {
	switch old {
	case 0x0214, 0x0346, 0x0378, 0x0578:
		return mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384
	}
	return mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey
}

// same compares data and encryption context.
func same(a, b *types.DecryptOutput) bool {
	x, y := sha256.Sum256(a.Plaintext), sha256.Sum256(b.Plaintext)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1 && maps.Equal(a.EncryptionContext, b.EncryptionContext)
}

// explain says what kind of error the SDK met. Its own texts, of nested errors
// of every keyring that was tried, are left out: they hold what the endpoint
// answered, which is not always AWS.
func explain(err error) error {
	var service interface{ ErrorCode() string }
	if errors.As(err, &service) {
		return fmt.Errorf("KMS answered %.60q", service.ErrorCode())
	}
	text := err.Error()
	for _, code := range [...]string{"AccessDeniedException", "DisabledException", "KMSInvalidStateException", "NotFoundException", "InvalidCiphertextException", "ThrottlingException"} {
		if strings.Contains(text, code) {
			return errors.New("KMS answered " + code)
		}
	}
	return errors.New("the message cannot be opened or written with this key")
}
