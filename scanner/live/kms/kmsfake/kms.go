package kmsfake

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// kmsOperation returns the operation of that name, or nil.
func (m *Model) kmsOperation(name string) func(*Server, *request) (any, *apiError) {
	switch name {
	case "DescribeKey":
		return m.describeKey
	case "GetKeyRotationStatus":
		return m.getKeyRotationStatus
	case "ListKeyRotations":
		return m.listKeyRotations
	case "GetKeyPolicy":
		return m.getKeyPolicy
	case "ListGrants":
		return m.listGrants
	case "ListAliases":
		return m.listAliases
	case "ListResourceTags":
		return m.listResourceTags
	case "GetKeyLastUsage":
		return m.getKeyLastUsage
	case "ListKeys":
		return m.listKeys
	case "RotateKeyOnDemand":
		return m.rotateKeyOnDemand
	case "EnableKeyRotation":
		return m.enableKeyRotation
	case "RevokeGrant":
		return m.revokeGrant
	case "Encrypt":
		return m.encrypt
	case "Decrypt":
		return m.decrypt
	case "GenerateDataKey":
		return m.generateDataKey
	case "ReEncrypt":
		return m.reEncrypt
	}
	return nil
}

func (m *Model) describeKey(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, true)
	if err != nil {
		return nil, err
	}
	meta := map[string]any{
		"KeyId": k.id(), "Arn": k.ARN, "AWSAccountId": k.account(), "CreationDate": seconds(k.Created),
		"Enabled": k.State == "Enabled", "KeyState": k.State, "KeyManager": k.Manager, "KeySpec": k.Spec,
		"KeyUsage": k.Usage, "Origin": k.Origin, "MultiRegion": k.Role != "", "Description": k.Description,
	}
	if !k.Deletion.IsZero() {
		meta["DeletionDate"] = seconds(k.Deletion)
	}
	if k.Role != "" {
		related := func(arn string) map[string]any {
			return map[string]any{"Arn": arn, "Region": strings.Split(arn, ":")[3]}
		}
		config := map[string]any{"MultiRegionKeyType": k.Role, "PrimaryKey": related(k.Primary)}
		var replicas []any
		for _, arn := range k.Replicas {
			replicas = append(replicas, related(arn))
		}
		config["ReplicaKeys"] = replicas
		meta["MultiRegionConfiguration"] = config
	}
	return map[string]any{"KeyMetadata": meta}, nil
}

// canRotate answers as the rotation operations do for keys that cannot.
func (k *Key) canRotate() *apiError {
	switch {
	case k.Spec != "SYMMETRIC_DEFAULT", k.Origin == "AWS_CLOUDHSM", k.Origin == "EXTERNAL_KEY_STORE", k.Origin == "EXTERNAL":
		return fail("UnsupportedOperationException", "%s origin is %s and its spec %s", k.ARN, k.Origin, k.Spec)
	}
	return nil
}

func (m *Model) getKeyRotationStatus(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	if err := k.canRotate(); err != nil {
		return nil, err
	}
	out := map[string]any{"KeyId": k.ARN, "KeyRotationEnabled": k.RotationOn && k.State != "PendingDeletion"}
	if k.RotationOn {
		out["RotationPeriodInDays"] = k.Period
		if !k.Next.IsZero() {
			out["NextRotationDate"] = seconds(k.Next)
		}
	}
	if !k.onDemandStart.IsZero() {
		out["OnDemandRotationStartDate"] = seconds(k.onDemandStart)
	}
	return out, nil
}

func (m *Model) listKeyRotations(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	if err := k.canRotate(); err != nil {
		return nil, err
	}
	items, next, err := page(r, k.Rotations, m.PageSize)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, rot := range items {
		out = append(out, map[string]any{"KeyId": k.ARN, "RotationDate": seconds(rot.At), "RotationType": rot.Type})
	}
	return paged("Rotations", out, next), nil
}

func paged(name string, items []any, next string) map[string]any {
	out := map[string]any{name: items, "Truncated": next != ""}
	if next != "" {
		out["NextMarker"] = next
	}
	return out
}

func (m *Model) getKeyPolicy(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	if name := r.str("PolicyName"); name != "default" {
		return nil, fail("NotFoundException", "No such policy exists")
	}
	return map[string]any{"Policy": k.Policy, "PolicyName": "default"}, nil
}

func (m *Model) listGrants(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	items, next, err := page(r, k.Grants, m.PageSize)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, g := range items {
		entry := map[string]any{"KeyId": k.ARN, "GrantId": g.ID, "Name": g.Name, "Operations": g.Operations,
			"IssuingAccount": g.Issuer, "CreationDate": seconds(orTime(g.Created, k.Created))}
		if g.Grantee != "" {
			entry["GranteePrincipal"] = g.Grantee
		}
		if g.Service != "" {
			entry["GranteeServicePrincipal"] = g.Service
		}
		if g.Retiring != "" {
			entry["RetiringPrincipal"] = g.Retiring
		}
		constraints := map[string]any{}
		if len(g.ContextEquals) > 0 {
			constraints["EncryptionContextEquals"] = g.ContextEquals
		}
		if g.SourceARN != "" {
			constraints["SourceArn"] = g.SourceARN
		}
		if len(constraints) > 0 {
			entry["Constraints"] = constraints
		}
		out = append(out, entry)
	}
	return paged("Grants", out, next), nil
}

func orTime(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

func (m *Model) listAliases(_ *Server, r *request) (any, *apiError) {
	var keys []*Key
	if r.str("KeyId") != "" {
		k, err := m.find(r, false)
		if err != nil {
			return nil, err
		}
		keys = []*Key{k}
	} else {
		keys = m.keysOf(r)
	}
	type alias struct{ name, key string }
	var all []alias
	for _, k := range keys {
		for _, a := range k.Aliases {
			all = append(all, alias{a, k.id()})
		}
	}
	items, next, err := page(r, all, m.PageSize)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, a := range items {
		out = append(out, map[string]any{"AliasName": a.name, "TargetKeyId": a.key})
	}
	return paged("Aliases", out, next), nil
}

// keysOf returns the keys of the caller in the endpoint's Region, by ARN.
func (m *Model) keysOf(r *request) []*Key {
	var keys []*Key
	for _, arn := range slices.Sorted(maps.Keys(m.byARN)) {
		if k := m.byARN[arn]; k.account() == r.caller.Account && k.region() == r.region {
			keys = append(keys, k)
		}
	}
	return keys
}

func (m *Model) listKeys(_ *Server, r *request) (any, *apiError) {
	items, next, err := page(r, m.keysOf(r), max(m.PageSize, 2))
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, k := range items {
		out = append(out, map[string]any{"KeyId": k.id(), "KeyArn": k.ARN})
	}
	return paged("Keys", out, next), nil
}

func (m *Model) listResourceTags(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	items, next, err := page(r, slices.Sorted(maps.Keys(k.Tags)), m.PageSize)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, name := range items {
		out = append(out, map[string]any{"TagKey": name, "TagValue": k.Tags[name]})
	}
	return paged("Tags", out, next), nil
}

func (m *Model) getKeyLastUsage(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"KeyId": k.ARN, "KeyCreationDate": seconds(k.Created), "TrackingStartDate": seconds(orTime(k.Tracked, k.Created))}
	if k.LastOperation != "" {
		out["KeyLastUsage"] = map[string]any{"Operation": k.LastOperation, "Timestamp": seconds(k.LastUsed)}
	}
	return out, nil
}

// mayChange answers as the changing operations do for a key in a state that
// allows no change.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (k *Key) mayChange() *apiError {
	switch {
	case k.State == "Disabled":
		return fail("DisabledException", "%s is disabled.", k.ARN)
	case k.State != "Enabled":
		return fail("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
	case k.Manager == "AWS":
		return fail("AccessDeniedException", "the key is managed by AWS")
	}
	return k.canRotate()
}

func (m *Model) rotateKeyOnDemand(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	if err := k.mayChange(); err != nil {
		return nil, err
	}
	switch {
	case k.Role == "REPLICA":
		return nil, fail("UnsupportedOperationException", "%s is a replica key", k.ARN)
	case k.AutomaticRotationInProgress, !k.onDemandStart.IsZero():
		return nil, fail("ConflictException", "a rotation is in progress")
	case k.OnDemandUsed >= MaxOnDemand:
		return nil, fail("LimitExceededException", "the key has been rotated on demand %d times", k.OnDemandUsed)
	}
	k.OnDemandUsed++
	k.onDemandStart = m.now()
	return map[string]any{"KeyId": k.ARN}, nil
}

func (m *Model) enableKeyRotation(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	if err := k.mayChange(); err != nil {
		return nil, err
	}
	period := r.num("RotationPeriodInDays")
	switch {
	case period == 0 && !k.RotationOn:
		period = 365
	case period == 0:
		period = k.Period
	case period < 90 || period > 2560:
		return nil, fail("ValidationException", "RotationPeriodInDays must be between 90 and 2560")
	}
	k.RotationOn, k.Period = true, period
	k.Next = m.now().AddDate(0, 0, period)
	return map[string]any{}, nil
}

func (m *Model) revokeGrant(_ *Server, r *request) (any, *apiError) {
	k, err := m.find(r, false)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(k.Grants, func(g Grant) bool { return g.ID == r.str("GrantId") })
	if i < 0 {
		return nil, fail("InvalidGrantIdException", "the grant does not exist")
	}
	if dry, _ := r.input["DryRun"].(bool); dry {
		return nil, fail("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
	}
	k.Grants = slices.Delete(slices.Clone(k.Grants), i, i+1)
	return map[string]any{}, nil
}
