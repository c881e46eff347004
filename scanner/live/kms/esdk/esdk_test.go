package esdk_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	mpltypes "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	client "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	types "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/spillgate/spillgate/scanner/live"
	livekms "github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/esdk"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper/s3fake"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// Made-up accounts and keys; none was ever issued.
const (
	account = "739104" + "826315"
	oldKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	newKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "2d7e41f0-86bc-4a19-b5d3-90c8e7f6a142"
	third   = "arn:aws:kms:us-east-2:" + account + ":key/" + "c47d10b2-93ea-4f58-8a6c-e51b07d9f364"
)

const plain = "what the made-up message says"

// begin starts the fake and returns the configuration for it.
func begin(t *testing.T) (*kmsfake.Server, aws.Config) {
	t.Helper()
	s := kmsfake.New(t, &kmsfake.Model{Home: account, Keys: []*kmsfake.Key{{ARN: oldKey}, {ARN: newKey}, {ARN: third}}})
	for name, value := range s.Env() {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s, cfg
}

// must is for what the SDK itself returns.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// encrypt makes a message with the official SDK, as an application does.
func encrypt(t *testing.T, cfg aws.Config, suite mpltypes.ESDKAlgorithmSuiteId, keys ...string) []byte {
	t.Helper()
	ctx := context.Background()
	materials := must(mpl.NewClient(mpltypes.MaterialProvidersConfig{}))(t)
	policy := mpltypes.ESDKCommitmentPolicyRequireEncryptAllowDecrypt
	if suite <= mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmIv12Tag16HkdfSha384EcdsaP384 {
		policy = mpltypes.ESDKCommitmentPolicyForbidEncryptAllowDecrypt
	}
	sdk := must(client.NewClient(types.AwsEncryptionSdkConfig{CommitmentPolicy: &policy}))(t)
	var rings []mpltypes.IKeyring
	for _, arn := range keys {
		c := kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = strings.Split(arn, ":")[3] })
		rings = append(rings, must(materials.CreateAwsKmsKeyring(ctx, mpltypes.CreateAwsKmsKeyringInput{KmsClient: c, KmsKeyId: arn}))(t))
	}
	ring := must(materials.CreateMultiKeyring(ctx, mpltypes.CreateMultiKeyringInput{Generator: rings[0], ChildKeyrings: rings[1:]}))(t)
	frame := int64(512)
	out := must(sdk.Encrypt(ctx, types.EncryptInput{Plaintext: []byte(plain), EncryptionContext: map[string]string{"env": "prod"},
		Keyring: ring, AlgorithmSuiteId: &suite, FrameLength: &frame}))(t)
	return out.Ciphertext
}

func names(t *testing.T, message []byte) (*rewrap.Header, []string) {
	t.Helper()
	h, n, err := rewrap.ParseHeader(message)
	if err != nil {
		t.Fatal(err)
	}
	if string(h.Append(nil)) != string(message[:n]) {
		t.Error("the header of the official SDK is written back otherwise")
	}
	var all []string
	for _, k := range h.Keys {
		all = append(all, k.Info)
	}
	return h, all
}

func TestReEncrypt(t *testing.T) {
	_, cfg := begin(t)
	for _, suite := range []mpltypes.ESDKAlgorithmSuiteId{
		mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384, mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey,
		mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmIv12Tag16HkdfSha384EcdsaP384, mpltypes.ESDKAlgorithmSuiteIdAlgAes128GcmIv12Tag16NoKdf,
	} {
		old := encrypt(t, cfg, suite, oldKey, third)
		before, _ := names(t, old)
		if n, err := rewrap.Length(append(slices.Clone(old), "and more"...)); err != nil || n != len(old) {
			t.Errorf("%s: a message of %d bytes is %d long, %v", suite, len(old), n, err)
		}
		fresh, err := esdk.ReEncrypt(context.Background(), cfg, esdk.Job{From: oldKey, To: newKey, Keep: []string{third}}, old)
		if err != nil {
			t.Errorf("%s: %v", suite, err)
			continue
		}
		h, all := names(t, fresh)
		if !slices.Equal(all, []string{newKey, third}) || !h.Committed() || h.FrameLength != 512 {
			t.Errorf("%s: under %q, version %d, frames of %d", suite, all, h.Version, h.FrameLength)
		}
		signed := func(h *rewrap.Header) bool { return slices.Contains([]uint16{0x0578, 0x0378}, h.Suite) }
		if signed(h) != signed(before) || string(h.ID) == string(before.ID) {
			t.Errorf("%s: suite %#x of %#x", suite, h.Suite, before.Suite)
		}
		if !slices.ContainsFunc(h.Context, func(p rewrap.Pair) bool { return string(p.Name) == "env" && string(p.Value) == "prod" }) {
			t.Errorf("%s: the encryption context is lost", suite)
		}
	}
}

func TestReEncryptRefuses(t *testing.T) {
	s, cfg := begin(t)
	good := encrypt(t, cfg, mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey, oldKey)
	damaged := slices.Clone(good)
	damaged[len(damaged)-5] ^= 1
	for name, test := range map[string]struct {
		job     esdk.Job
		message []byte
	}{
		"a damaged body":     {esdk.Job{From: oldKey, To: newKey}, damaged},
		"cut off":            {esdk.Job{From: oldKey, To: newKey}, good[:len(good)-20]},
		"another key's":      {esdk.Job{From: third, To: newKey}, good},
		"no ARN":             {esdk.Job{From: oldKey, To: "alias/new"}, good},
		"no such key":        {esdk.Job{From: oldKey, To: newKey + "0"}, good},
		"not a message":      {esdk.Job{From: oldKey, To: newKey}, []byte(plain)},
		"a key to keep gone": {esdk.Job{From: oldKey, To: newKey, Keep: []string{third + "0"}}, good},
	} {
		out, err := esdk.ReEncrypt(context.Background(), cfg, test.job, test.message)
		if err == nil || out != nil {
			t.Errorf("%s: done", name)
		} else if strings.Contains(err.Error(), plain) {
			t.Errorf("%s: the error holds the data", name)
		}
	}
	s.Deny("kms:Decrypt")
	if _, err := esdk.ReEncrypt(context.Background(), cfg, esdk.Job{From: oldKey, To: newKey}, good); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("denied: %v", err)
	}
}

// TestProgram runs the program as spillgate-live does: a folder is planned,
// changed and read back.
// TestProgram has rewrap bring messages under another key through the program:
// a file that is one, one in the middle of a text, and one in S3.
func TestProgram(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "spillgate-esdk")
	if out, err := exec.Command("go", "build", "-o", bin, "./spillgate-esdk").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	_, cfg := begin(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "message")
	message := encrypt(t, cfg, mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKey, oldKey)
	if err := os.WriteFile(path, message, 0o600); err != nil {
		t.Fatal(err)
	}
	signed := encrypt(t, cfg, mpltypes.ESDKAlgorithmSuiteIdAlgAes256GcmHkdfSha512CommitKeyEcdsaP384, third, oldKey)
	text := filepath.Join(dir, "values.yaml")
	if err := os.WriteFile(text, fmt.Appendf(nil, "password: %s\nname: x\n", base64.StdEncoding.EncodeToString(signed)), 0o600); err != nil {
		t.Fatal(err)
	}
	store := must(s3fake.Start(map[string]*s3fake.Object{"vault/m": {Data: message, Key: oldKey, Modified: time.Now()}}))(t)
	t.Cleanup(store.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3", store.URL)
	session := must(livekms.Open(context.Background(), livekms.Options{}))(t)
	c := must(rewrapper.New(session, must(live.ParseARN(oldKey))(t), must(live.ParseARN(newKey))(t), rewrapper.Options{Helper: bin, Inside: true}))(t)
	survey := must(c.Find(context.Background(), []string{dir, "s3://vault/"}, nil))(t)
	l := must(rewrap.OpenLedger(filepath.Join(t.TempDir(), "ledger")))(t)
	defer l.Close()
	if err := l.Begin(rewrap.NewPlan(oldKey, newKey, nil, nil, survey.Items), "test"); err != nil {
		t.Fatal(err)
	}
	var outcome rewrap.Outcome
	r, err := rewrap.Run(context.Background(), l, c, rewrap.Options{Each: func(o rewrap.Outcome) { outcome = o }})
	if err != nil || r.Done != 3 {
		t.Fatalf("%+v, %v, %+v", r, err, outcome)
	}
	_, all := names(t, must(os.ReadFile(path))(t))
	if !slices.Equal(all, []string{newKey}) {
		t.Errorf("under %q", all)
	}
	stored := store.Object("vault/m")
	if _, all := names(t, stored.Data); !slices.Equal(all, []string{newKey}) || stored.Key != newKey {
		t.Errorf("in S3: under %q, the object under %s", all, stored.Key)
	}
	before, after, _ := strings.Cut(string(must(os.ReadFile(text))(t)), "\nname: x\n")
	fresh := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(before, "password: ")))(t)
	if _, all := names(t, fresh); !slices.Equal(all, []string{newKey, third}) || after != "" {
		t.Errorf("in the middle of a text: under %q, then %q", all, after)
	}
	opened := map[string]bool{}
	for _, key := range []string{oldKey, newKey} {
		_, err := esdk.ReEncrypt(context.Background(), cfg, esdk.Job{From: key, To: third}, must(os.ReadFile(path))(t))
		opened[key] = err == nil
	}
	if !maps.Equal(opened, map[string]bool{oldKey: false, newKey: true}) {
		t.Errorf("opens with: %v", opened)
	}
}
