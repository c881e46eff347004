package ci

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// maxEvent bounds the event file, in bytes; GitHub's payloads have at most 25 MB
// (https://docs.github.com/webhooks/webhook-events-and-payloads).
const maxEvent = 32 << 20

// A githubEvent is the part of an event's payload that says what is new.
type githubEvent struct {
	Number      int            `json:"number"`
	Ref         string         `json:"ref"`
	RefType     string         `json:"ref_type"`
	Before      string         `json:"before"`
	After       string         `json:"after"`
	PullRequest *githubRequest `json:"pull_request"`
	MergeGroup  *struct {
		BaseSHA string `json:"base_sha"`
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
	} `json:"merge_group"`
	WorkflowRun *struct {
		HeadSHA      string          `json:"head_sha"`
		HeadBranch   string          `json:"head_branch"`
		Event        string          `json:"event"`
		PullRequests []githubRequest `json:"pull_requests"`
	} `json:"workflow_run"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
}

type githubRequest struct {
	Number int         `json:"number"`
	Base   githubPoint `json:"base"`
	Head   githubPoint `json:"head"`
}

type githubPoint struct {
	Ref string `json:"ref"`
	SHA string `json:"sha"`
}

// github reads the event that started the workflow
// (https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows).
func github(env Env) (*Plan, error) {
	p := &Plan{Event: env("GITHUB_EVENT_NAME"), Head: env("GITHUB_SHA")}
	if base := env("GITHUB_BASE_REF"); base != "" && env("GITHUB_EVENT_PATH") == "" {
		return p.request(base), nil // in a container that was given the variables alone
	}
	e, err := readEvent(env("GITHUB_EVENT_PATH"))
	if err != nil {
		return nil, err
	}
	p.Default = e.Repository.DefaultBranch
	switch p.Event {
	case "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment":
		return p.githubRequest(e.PullRequest)
	case "push":
		p.Branch = branch(first(e.Ref, env("GITHUB_REF")))
		if e.After == "" {
			return nil, fmt.Errorf("the event file of the push names no commit (after)")
		}
		return p.pushed(e.Before, e.After), nil
	case "merge_group":
		if e.MergeGroup == nil {
			return nil, fmt.Errorf("the event file has no merge_group")
		}
		p.Head, p.HeadRef = e.MergeGroup.HeadSHA, e.MergeGroup.HeadRef
		p.Bases, p.Why = []string{e.MergeGroup.BaseSHA}, "what the merge queue is about to merge"
		return p, nil
	case "create":
		if p.Branch = e.Ref; e.RefType == "tag" {
			p.Branch = ""
		}
		return p.created(), nil
	case "delete":
		return p.pushed("", "0"), nil
	case "workflow_run":
		return p.githubRun(e)
	case "schedule", "workflow_dispatch", "repository_dispatch":
		return p.all("a " + p.Event + " run checks the whole history"), nil
	case "release":
		return p.all("a release publishes the whole history"), nil
	}
	return p.all("a " + first(p.Event, "nameless") + " event does not say what is new"), nil
}

// githubRequest completes p for a pull request. What is checked out is a merge
// that GitHub made up, or with pull_request_target the base; what is scanned
// are the commits that are asked to be taken.
func (p *Plan) githubRequest(r *githubRequest) (*Plan, error) {
	if r == nil || r.Base.SHA == "" || r.Head.SHA == "" {
		return nil, fmt.Errorf("the event file names no base and head of the pull request")
	}
	p.Head, p.Bases, p.PullRequest = r.Head.SHA, []string{r.Base.SHA}, true
	p.HeadRef = fmt.Sprintf("refs/pull/%d/head", r.Number)
	p.Branch, p.Why = r.Head.Ref, fmt.Sprintf("what pull request #%d adds to %s", r.Number, r.Base.Ref)
	return p, nil
}

// githubRun completes p for a workflow that another one started.
func (p *Plan) githubRun(e *githubEvent) (*Plan, error) {
	run := e.WorkflowRun
	if run == nil || run.HeadSHA == "" {
		return nil, fmt.Errorf("the event file has no workflow_run with a head_sha")
	}
	for _, r := range run.PullRequests {
		if r.Head.SHA == run.HeadSHA {
			return p.githubRequest(&r)
		}
	}
	p.Head, p.Branch = run.HeadSHA, run.HeadBranch
	if run.Event == "pull_request" || run.Event == "pull_request_target" {
		// GitHub lists no pull request of a fork, whose branch may be called
		// as the default branch is.
		p.Branch, p.PullRequest = "", true
	}
	return p.created(), nil
}

func readEvent(path string) (*githubEvent, error) {
	e := &githubEvent{}
	if path == "" {
		return nil, fmt.Errorf("GITHUB_EVENT_PATH is not set: run inside a workflow step, or give --base and --head")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err == nil && len(text) > maxEvent {
		err = fmt.Errorf("it has more than %d bytes", maxEvent)
	}
	if err == nil {
		err = json.Unmarshal(text, e)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the event %s: %w", path, err)
	}
	return e, nil
}
