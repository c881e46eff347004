// Package localkmstest runs the enricher and the actor against local-kms, an
// emulator of KMS by others, so that they do not only agree with our own fake.
// It is a module of its own: the emulator and what it needs stay out of the
// product's.
package localkmstest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
	"github.com/nsmithuk/local-kms/src/handler"
	"github.com/sirupsen/logrus"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
)

// The emulator's default account is one of AWS's documentation, which the
// scanner takes for a placeholder.
const (
	account = "739104" + "826315"
	region  = "eu-west-1"
)

// emulator serves local-kms on 127.0.0.1. Its own Run listens on all addresses
// and never ends.
func emulator(t *testing.T) string {
	t.Helper()
	config.AWSAccountId, config.AWSRegion = account, region
	database := data.NewDatabase(t.TempDir())
	t.Cleanup(database.Close)
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		method := reflect.ValueOf(handler.NewRequestHandler(r, logger, database)).MethodByName(name)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if !method.IsValid() {
			w.WriteHeader(http.StatusNotImplemented)
			fmt.Fprintf(w, "Passed X-Amz-Target (%s) is not implemented", name) // as its own server does
			return
		}
		answer := method.Call(nil)[0].Interface().(handler.Response)
		w.WriteHeader(answer.Code)
		fmt.Fprint(w, answer.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLocalKMS(t *testing.T) {
	url := emulator(t)
	fake := kmsfake.New(t, &kmsfake.Model{Home: account}) // for STS, which the emulator has not
	for name, value := range fake.Env() {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ENDPOINT_URL_KMS", url)
	ctx := context.Background()
	client := awskms.New(awskms.Options{
		Region: region, BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKIAX", "x", ""),
	})
	made, err := client.CreateKey(ctx, &awskms.CreateKeyInput{
		Description: aws.String("payroll"), Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("pay")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateAlias(ctx, &awskms.CreateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: made.KeyMetadata.KeyId}); err != nil {
		t.Fatal(err)
	}
	key, err := live.ParseARN(*made.KeyMetadata.Arn)
	if err != nil {
		t.Fatal(err)
	}
	session, err := kms.Open(ctx, kms.Options{Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	enrich := func(a live.ARN) *live.Facts {
		t.Helper()
		f, err := session.Enrich(ctx, live.Subject{ARN: a, Found: []live.Locator{{}}})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := enrich(key)
	if f.Status != live.Enabled || f.Key.ARN.Or(live.ARN{}) != key || f.Key.Description.Or("") != "payroll" || f.Key.Tags.Or(nil)["team"] != "pay" {
		t.Errorf("%q because %q: %+v", f.Status, f.Why, f.Key)
	}
	if a := f.Key.Aliases.Or(nil); len(a) != 1 || a[0] != "alias/pay" {
		t.Errorf("aliases %v, unknown because %q", a, f.Key.Aliases.Because())
	}
	if r, ok := f.Key.Rotation.Get(); !ok || r.Enabled {
		t.Errorf("rotation %+v, unknown because %q", r, f.Key.Rotation.Because())
	}
	for name, because := range map[string]string{"kms:ListGrants": f.Key.Grants.Because(), "kms:ListKeyRotations": f.Key.Rotations.Because(), "kms:GetKeyLastUsage": f.Key.LastUse.Because()} {
		if !strings.HasPrefix(because, name+": ") {
			t.Errorf("the emulator has no %s, and it is unknown because %q", name, because)
		}
	}
	checkNames(t, enrich, key)
	checkRotation(t, session, key)
}

// checkNames asks by alias, and for a key that is not there.
func checkNames(t *testing.T, enrich func(live.ARN) *live.Facts, key live.ARN) {
	t.Helper()
	alias := key
	alias.Resource = "alias/pay"
	if f := enrich(alias); f.Key.ARN.Or(live.ARN{}) != key {
		t.Errorf("the alias stands for %v: %s", f.Key.ARN, f.Why)
	}
	gone := key
	gone.Resource = "key/8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	if f := enrich(gone); f.Status != live.NotFound {
		t.Errorf("a key that is not there: %q because %q", f.Status, f.Why)
	}
}

// checkRotation switches automatic rotation on.
func checkRotation(t *testing.T, session *kms.Session, key live.ARN) {
	t.Helper()
	ctx := context.Background()
	actor := kms.NewActor(session, session)
	action := live.Action{Kind: live.EnableRotation, Target: key}
	since := time.Now()
	if c, err := actor.Confirm(ctx, action, since); err != nil || c.Progress != live.Pending {
		t.Errorf("before: %+v, %v", c, err)
	}
	if _, err := actor.Do(ctx, action); err != nil {
		t.Fatal(err)
	}
	if c, err := actor.Confirm(ctx, action, since); err != nil || c.Progress != live.Confirmed {
		t.Errorf("after: %+v, %v", c, err)
	}
	if _, err := actor.Do(ctx, live.Action{Kind: live.RotateOnDemand, Target: key}); err == nil {
		t.Error("the emulator has no RotateKeyOnDemand, and it succeeded")
	}
}
