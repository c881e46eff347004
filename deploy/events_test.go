package deploy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// matches reports whether an event fits a pattern of EventBridge, as far as the
// modules use them: an object fits member by member, a list where one of its
// entries is the event's value.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
func matches(t *testing.T, pattern, event any) bool {
	t.Helper()
	switch p := pattern.(type) {
	case map[string]any:
		e, ok := event.(map[string]any)
		if !ok {
			return false
		}
		for name, sub := range p {
			if !matches(t, sub, e[name]) {
				return false
			}
		}
		return true
	case []any:
		for _, want := range p {
			if _, ok := want.(map[string]any); ok {
				t.Fatalf("the pattern %v is none that this test knows", want)
			}
		}
		if many, ok := event.([]any); ok {
			return slices.ContainsFunc(many, func(one any) bool { return slices.Contains(p, one) })
		}
		return slices.Contains(p, event)
	}
	t.Fatalf("%v stands in a pattern and is neither an object nor a list", pattern)
	return false
}

// pattern evaluates the pattern of a rule.
func pattern(t *testing.T, rule string) any {
	t.Helper()
	e := evaluate(t, "terraform/alarms", map[string]cty.Value{"name": cty.StringVal("spillgate")})
	v, problems := e.block("resource", "aws_cloudwatch_event_rule", rule).Body.Attributes["event_pattern"].Expr.Value(e.ctx)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	var p any
	if err := json.Unmarshal([]byte(v.AsString()), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// fromKMS is an event as KMS sends it.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html
const fromKMS = `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"KMS CMK Rotation","source":"aws.kms","account":"111122223333",
"time":"2026-11-29T21:15:09Z","region":"us-west-2","resources":["arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
"detail":{"key-id":"1234abcd-12ab-34cd-56ef-1234567890ab"}}`

// fromCloudTrail is a call as EventBridge passes it on.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
const fromCloudTrail = `{"version":"0","id":"36eb8523-97d0-4518-b33d-ee3579ff19f0","detail-type":"AWS API Call via CloudTrail","source":"aws.kms",
"account":"111122223333","time":"2026-11-29T21:15:09Z","region":"us-west-2","resources":[],"detail":{"eventVersion":"1.09","eventTime":"2026-11-29T21:15:09Z",
"eventSource":"kms.amazonaws.com","eventName":"PutKeyPolicy","awsRegion":"us-west-2","userIdentity":{"type":"AssumedRole","accountId":"111122223333"},
"requestParameters":{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab","policyName":"default"},"readOnly":false,"eventType":"AwsApiCall"}}`

// TestEventPatterns holds the rules against events, those that they are for and
// those that they must leave alone.
func TestEventPatterns(t *testing.T) {
	kms, calls := pattern(t, "kms"), pattern(t, "calls")
	for name, c := range map[string]struct {
		event      string
		kms, calls bool
	}{
		"a rotation":         {fromKMS, true, false},
		"a deletion":         {strings.Replace(fromKMS, "KMS CMK Rotation", "KMS CMK Deletion", 1), true, false},
		"material that ends": {strings.Replace(fromKMS, "KMS CMK Rotation", "KMS Imported Key Material Expiration", 1), true, false},
		"another service's":  {strings.Replace(fromKMS, "aws.kms", "aws.ec2", 1), false, false},
		"a new key policy":   {fromCloudTrail, false, true},
		"a grant":            {strings.Replace(fromCloudTrail, `"PutKeyPolicy"`, `"CreateGrant"`, 1), false, true},
		"a replica":          {strings.Replace(fromCloudTrail, `"PutKeyPolicy"`, `"ReplicateKey"`, 1), false, true},
		"rotation off":       {strings.Replace(fromCloudTrail, `"PutKeyPolicy"`, `"DisableKeyRotation"`, 1), false, true},
		"a planned deletion": {strings.Replace(fromCloudTrail, `"PutKeyPolicy"`, `"ScheduleKeyDeletion"`, 1), false, true},
		"a use of the key":   {strings.Replace(fromCloudTrail, `"PutKeyPolicy"`, `"Decrypt"`, 1), false, false},
		"a call of S3":       {strings.Replace(fromCloudTrail, "kms.amazonaws.com", "s3.amazonaws.com", 1), false, false},
	} {
		var event any
		if err := json.Unmarshal([]byte(c.event), &event); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := matches(t, kms, event); got != c.kms {
			t.Errorf("%s: the rule kms matches: %v", name, got)
		}
		if got := matches(t, calls, event); got != c.calls {
			t.Errorf("%s: the rule calls matches: %v", name, got)
		}
	}
}
