package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/spillgate/spillgate/server/push"
)

// readGitHub reads a push event. Its commits[] list file names only, up to
// 2,048 commits, so nothing of it is used: git says what was pushed.
// Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
func readGitHub(h http.Header, body []byte) ([]push.Push, string, error) {
	switch h.Get("X-GitHub-Event") {
	case "push":
	case "ping":
		return nil, "ping", nil
	default:
		return nil, "ignored", nil
	}
	body, err := formPayload(h, body)
	if err != nil {
		return nil, "", err
	}
	var e struct {
		Ref, Before, After string
		Forced             bool
		Repository         struct {
			FullName string `json:"full_name"`
			Size     int64  // in KB
		}
		Pusher struct{ Name string }
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, "", malformed("the body is no push event of GitHub")
	}
	return []push.Push{{
		Delivery: h.Get("X-GitHub-Delivery"), Repository: e.Repository.FullName, Ref: e.Ref,
		Before: push.ObjectID(e.Before), After: push.ObjectID(e.After), Forced: e.Forced,
		Size: e.Repository.Size << 10, Pusher: e.Pusher.Name,
	}}, "", nil
}

// formPayload refuses the content type application/x-www-form-urlencoded,
// GitHub's default, with the way out.
func formPayload(h http.Header, body []byte) ([]byte, error) {
	if strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, malformed("set the webhook's content type to application/json")
	}
	return body, nil
}

// readGitLab reads a push or tag push hook. GitLab sends no hook at all for
// a push of more refs than push_event_hooks_limit (3); the worker finds what
// such pushes brought when the repository is next looked at.
// Source: https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
func readGitLab(h http.Header, body []byte) ([]push.Push, string, error) {
	switch h.Get("X-Gitlab-Event") {
	case "Push Hook", "Tag Push Hook", "System Hook":
	default:
		return nil, "ignored", nil
	}
	var e struct {
		ObjectKind         string `json:"object_kind"`
		EventName          string `json:"event_name"`
		Ref, Before, After string
		UserUsername       string `json:"user_username"`
		Project            struct {
			Path string `json:"path_with_namespace"`
		}
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, "", malformed("the body is no push hook of GitLab")
	}
	if kind := e.ObjectKind + e.EventName; !strings.Contains(kind, "push") {
		return nil, "ignored", nil
	}
	// Idempotency-Key stays over retries, the event's UUID over recursive
	// webhooks; older instances send neither.
	id := first(h.Get("Idempotency-Key"), h.Get("X-Gitlab-Webhook-UUID"), h.Get("X-Gitlab-Event-UUID"))
	if id == "" {
		id = digest(body)
	}
	return []push.Push{{
		Delivery: id, Repository: e.Project.Path, Ref: e.Ref,
		Before: push.ObjectID(e.Before), After: push.ObjectID(e.After), Pusher: e.UserUsername,
	}}, "", nil
}

// bitbucketPush is a push of Bitbucket Cloud (repo:push) or Data Center
// (repo:refs_changed).
type bitbucketPush struct {
	Repository struct {
		FullName string `json:"full_name"` // Cloud
		Slug     string // Data Center
		Project  struct{ Key string }
	}
	Actor struct {
		Nickname string // Cloud
		Name     string // Data Center
	}
	Push struct {
		Changes []struct {
			Old, New *struct {
				Type, Name string
				Target     struct{ Hash string }
			}
			Forced bool
		}
	}
	Changes []struct {
		RefID    string `json:"refId"`
		FromHash string `json:"fromHash"`
		ToHash   string `json:"toHash"`
	}
}

// readBitbucket reads a push of Bitbucket. A push of more than five refs
// lists only the first five changes in Cloud, and says truncated; what it
// leaves out is found when the worker next looks at the repository.
// Source: https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
func readBitbucket(h http.Header, body []byte) ([]push.Push, string, error) {
	event := h.Get("X-Event-Key")
	switch event {
	case "repo:push", "repo:refs_changed":
	case "diagnostics:ping":
		return nil, "ping", nil
	default:
		return nil, "ignored", nil
	}
	var e bitbucketPush
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, "", malformed("the body is no push of Bitbucket")
	}
	id := first(h.Get("X-Request-UUID"), h.Get("X-Request-Id"))
	if id == "" {
		id = digest(body)
	}
	pushes := e.cloud(id)
	if event == "repo:refs_changed" {
		pushes = e.dataCenter(id)
	}
	if len(pushes) == 0 {
		return nil, "ignored", nil
	}
	return pushes, "", nil
}

func (e *bitbucketPush) cloud(id string) []push.Push {
	var pushes []push.Push
	for _, c := range e.Push.Changes {
		p := push.Push{Delivery: id, Repository: e.Repository.FullName, Forced: c.Forced, Pusher: e.Actor.Nickname}
		if c.Old != nil {
			p.Ref, p.Before = bitbucketRef(c.Old.Type, c.Old.Name), c.Old.Target.Hash
		}
		if c.New != nil {
			p.Ref, p.After = bitbucketRef(c.New.Type, c.New.Name), c.New.Target.Hash
		}
		pushes = append(pushes, p)
	}
	return pushes
}

// bitbucketRef returns the full name of a ref.
func bitbucketRef(kind, name string) string {
	if kind == "tag" || kind == "annotated_tag" {
		return "refs/tags/" + name
	}
	return "refs/heads/" + name
}

func (e *bitbucketPush) dataCenter(id string) []push.Push {
	var pushes []push.Push
	for _, c := range e.Changes {
		pushes = append(pushes, push.Push{
			Delivery: id, Repository: e.Repository.Project.Key + "/" + e.Repository.Slug, Ref: c.RefID,
			Before: push.ObjectID(c.FromHash), After: push.ObjectID(c.ToHash), Pusher: e.Actor.Name,
		})
	}
	return pushes
}

// readGeneric reads the format for hosts without one of their own: a JSON
// object with delivery, repository, ref, before, after, forced and pusher,
// signed like GitHub's in the header X-Spillgate-Signature-256.
func readGeneric(_ http.Header, body []byte) ([]push.Push, string, error) {
	var e struct {
		Delivery, Repository, Ref, Before, After, Pusher string
		Forced                                           bool
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, "", malformed("the body is no JSON object with delivery, repository, ref, before and after")
	}
	return []push.Push{{
		Delivery: e.Delivery, Repository: e.Repository, Ref: e.Ref, Forced: e.Forced,
		Before: push.ObjectID(e.Before), After: push.ObjectID(e.After), Pusher: e.Pusher,
	}}, "", nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// digest stands for the id of a delivery that has none: the same body is the
// same delivery.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256-" + hex.EncodeToString(sum[:])
}
