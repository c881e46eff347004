package kmsfake

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// otherOperation returns an operation of the services around KMS, or nil.
func (m *Model) otherOperation(service, name string) func(*Server, *request) (any, *apiError) {
	switch service + ":" + name {
	case "sts:GetCallerIdentity":
		return getCallerIdentity
	case "sts:AssumeRole":
		return m.assumeRole
	case "sts:GetAccessKeyInfo":
		return getAccessKeyInfo
	case "iam:GetAccessKeyLastUsed":
		return m.getAccessKeyLastUsed
	case "iam:ListAccessKeys":
		return m.listAccessKeys
	case "iam:UpdateAccessKey":
		return m.updateAccessKey
	case "organizations:ListAccounts":
		return m.listAccounts
	case "organizations:DescribeAccount":
		return m.describeAccount
	case "cloudtrail:LookupEvents":
		return m.lookupEvents
	case "secretsmanager:DescribeSecret":
		return m.describeSecret
	case "secretsmanager:RotateSecret":
		return m.rotateSecret
	case "account:ListRegions":
		return m.listRegions
	}
	return nil
}

func getCallerIdentity(_ *Server, r *request) (any, *apiError) {
	return element("Arn", r.caller.ARN) + element("UserId", "AIDAFAKE") + element("Account", r.caller.Account), nil
}

func (m *Model) assumeRole(s *Server, r *request) (any, *apiError) {
	arn := r.str("RoleArn")
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || m.Roles != nil && !slices.Contains(m.Roles, arn) {
		return nil, &apiError{code: "AccessDenied", message: "User: " + r.caller.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + arn, status: 403}
	}
	id, secret := s.newSession(parts[4], strings.TrimPrefix(parts[5], "role/"), r.str("RoleSessionName"))
	return "<Credentials>" + element("AccessKeyId", id) + element("SecretAccessKey", secret) + element("SessionToken", "fakeToken") +
		element("Expiration", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)) + "</Credentials>", nil
}

// getAccessKeyInfo tells the account that is coded in the id.
func getAccessKeyInfo(_ *Server, r *request) (any, *apiError) {
	id := r.str("AccessKeyId")
	if len(id) < 20 {
		return nil, fail("ValidationError", "an access key id has at least 16 characters")
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:20])
	if err != nil {
		return nil, fail("ValidationError", "no access key id")
	}
	var v uint64
	for _, b := range raw[:6] {
		v = v<<8 | uint64(b)
	}
	return element("Account", fmt.Sprintf("%012d", v&0x7fffffffff80>>7)), nil
}

func (m *Model) accessKey(r *request) *AccessKey {
	for _, k := range m.AccessKeys {
		if k.ID == r.str("AccessKeyId") && k.Account == r.caller.Account {
			return k
		}
	}
	return nil
}

func (m *Model) getAccessKeyLastUsed(_ *Server, r *request) (any, *apiError) {
	k := m.accessKey(r)
	if k == nil {
		return nil, &apiError{code: "AccessDenied", message: "not a key of this account", status: 403}
	}
	used := element("Region", "N/A") + element("ServiceName", "N/A")
	if !k.LastUsed.IsZero() {
		used = element("LastUsedDate", k.LastUsed.UTC().Format(time.RFC3339)) + element("Region", "eu-west-1") + element("ServiceName", "kms")
	}
	return element("UserName", k.User) + "<AccessKeyLastUsed>" + used + "</AccessKeyLastUsed>", nil
}

func (m *Model) listAccessKeys(_ *Server, r *request) (any, *apiError) {
	members := ""
	for _, k := range m.AccessKeys {
		if k.User == r.str("UserName") && k.Account == r.caller.Account {
			members += "<member>" + element("UserName", k.User) + element("AccessKeyId", k.ID) + element("Status", k.Status) + "</member>"
		}
	}
	return "<AccessKeyMetadata>" + members + "</AccessKeyMetadata><IsTruncated>false</IsTruncated>", nil
}

func (m *Model) updateAccessKey(_ *Server, r *request) (any, *apiError) {
	k := m.accessKey(r)
	if k == nil || k.User != r.str("UserName") {
		return nil, &apiError{code: "NoSuchEntity", message: "The Access Key cannot be found.", status: 404}
	}
	k.Status = r.str("Status")
	return "", nil
}

// token pages by NextToken.
func token[T any](r *request, all []T, size int) (items []T, next string) {
	r.input["Marker"] = r.str("NextToken")
	r.input["Limit"] = r.input["MaxResults"]
	items, next, _ = page(r, all, size)
	return items, next
}

func withToken(out map[string]any, next string) map[string]any {
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

func (m *Model) listAccounts(_ *Server, r *request) (any, *apiError) {
	ids, next := token(r, slices.Sorted(maps.Keys(m.Accounts)), 2)
	out := []any{}
	for _, id := range ids {
		out = append(out, accountView(id, m.Accounts[id]))
	}
	return withToken(map[string]any{"Accounts": out}, next), nil
}

func accountView(id, name string) map[string]any {
	status := "ACTIVE"
	if strings.HasPrefix(name, "closed") {
		status = "SUSPENDED"
	}
	return map[string]any{"Id": id, "Name": name, "Status": status, "State": status}
}

func (m *Model) describeAccount(_ *Server, r *request) (any, *apiError) {
	name, ok := m.Accounts[r.str("AccountId")]
	if !ok {
		return nil, fail("AccountNotFoundException", "no such account")
	}
	return map[string]any{"Account": accountView(r.str("AccountId"), name)}, nil
}

func (m *Model) lookupEvents(_ *Server, r *request) (any, *apiError) {
	resource := ""
	if list, ok := r.input["LookupAttributes"].([]any); ok && len(list) == 1 {
		attribute, _ := list[0].(map[string]any)
		if attribute["AttributeKey"] != "ResourceName" {
			return nil, fail("InvalidLookupAttributesException", "the fake looks up resource names only")
		}
		resource, _ = attribute["AttributeValue"].(string)
	}
	start, _ := r.input["StartTime"].(float64)
	var all []any
	for _, e := range m.Events {
		if e.Resource != resource || e.Region != r.region || seconds(e.At) < start {
			continue
		}
		record, _ := json.Marshal(map[string]any{"eventName": e.Name, "sourceIPAddress": e.SourceIP, "errorCode": e.ErrorCode,
			"userIdentity": map[string]any{"arn": e.User}})
		all = append(all, map[string]any{"EventId": e.ID, "EventName": e.Name, "EventTime": seconds(e.At), "Username": e.User, "CloudTrailEvent": string(record)})
	}
	items, next := token(r, all, m.PageSize)
	if items == nil {
		items = []any{}
	}
	return withToken(map[string]any{"Events": items}, next), nil
}

func (m *Model) secret(r *request) (*Secret, *apiError) {
	for _, s := range m.Secrets {
		if s.ARN == r.str("SecretId") {
			return s, nil
		}
	}
	return nil, fail("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func (m *Model) describeSecret(_ *Server, r *request) (any, *apiError) {
	s, err := m.secret(r)
	if err != nil {
		return nil, err
	}
	if !s.rotationStarted.IsZero() && !m.now().Before(s.rotationStarted.Add(m.RotationTakes)) {
		s.LastRotated, s.rotationStarted = s.rotationStarted.Add(m.RotationTakes), time.Time{}
	}
	out := map[string]any{"ARN": s.ARN, "Name": s.Name, "RotationEnabled": s.RotationLambda != ""}
	if s.RotationLambda != "" {
		out["RotationLambdaARN"] = s.RotationLambda
	}
	if !s.LastRotated.IsZero() {
		out["LastRotatedDate"] = seconds(s.LastRotated)
	}
	if !s.Deleted.IsZero() {
		out["DeletedDate"] = seconds(s.Deleted)
	}
	return out, nil
}

func (m *Model) rotateSecret(_ *Server, r *request) (any, *apiError) {
	s, err := m.secret(r)
	switch {
	case err != nil:
		return nil, err
	case s.RotationLambda == "":
		return nil, fail("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
	case r.str("ClientRequestToken") == "":
		return nil, fail("InvalidParameterException", "a request token is needed to repeat safely")
	}
	s.rotationStarted = m.now()
	return map[string]any{"ARN": s.ARN, "Name": s.Name, "VersionId": r.str("ClientRequestToken")}, nil
}

func (m *Model) listRegions(_ *Server, r *request) (any, *apiError) {
	names, next := token(r, m.Regions, 5)
	out := []any{}
	for _, name := range names {
		out = append(out, map[string]any{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"})
	}
	return withToken(map[string]any{"Regions": out}, next), nil
}
