package live

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// RefuseUnmerged returns an error if this process runs for a change that is
// not merged, or for a fork's: anybody may propose one, and what they propose
// would choose the key. Where it cannot be told, on GitHub, it is refused too.
//
// Sources: https://docs.github.com/en/actions/reference/workflows-and-actions/variables
// and events-that-trigger-workflows; https://docs.gitlab.com/ci/variables/predefined_variables/;
// the variables of the other systems are those of their documentation.
func RefuseUnmerged(getenv func(string) string) error {
	for _, v := range [...]struct{ system, name, unless string }{
		{"GitLab", "CI_MERGE_REQUEST_IID", ""},
		{"GitLab", "CI_EXTERNAL_PULL_REQUEST_IID", ""},
		{"Bitbucket", "BITBUCKET_PR_ID", ""},
		{"Azure Pipelines", "SYSTEM_PULLREQUEST_PULLREQUESTID", ""},
		{"Jenkins", "CHANGE_ID", ""},
		{"CircleCI", "CIRCLE_PULL_REQUEST", ""},
		{"Travis CI", "TRAVIS_PULL_REQUEST", "false"},
		{"Buildkite", "BUILDKITE_PULL_REQUEST", "false"},
		{"Drone", "DRONE_PULL_REQUEST", ""},
	} {
		if value := getenv(v.name); value != "" && value != v.unless {
			return fmt.Errorf("this is a run of %s for a change that is not merged (%s is set); anybody may propose one: respond in the pipeline of a protected branch", v.system, v.name)
		}
	}
	if getenv("GITHUB_ACTIONS") == "" && getenv("GITHUB_EVENT_NAME") == "" {
		return nil
	}
	if err := refuseGitHub(getenv("GITHUB_EVENT_NAME"), getenv("GITHUB_EVENT_PATH")); err != nil {
		return err
	}
	if getenv("GITHUB_REF_PROTECTED") != "true" {
		return fmt.Errorf("%.200q is not protected, so whoever may push to it alone chooses what is responded to%s", getenv("GITHUB_REF"), protected)
	}
	return nil
}

// githubEvent is what is read of an event's payload.
type githubEvent struct {
	PullRequest json.RawMessage `json:"pull_request"`
	Issue       struct {
		PullRequest json.RawMessage `json:"pull_request"`
	} `json:"issue"`
	Repository struct {
		Name string `json:"full_name"`
		Fork bool   `json:"fork"`
	} `json:"repository"`
	WorkflowRun *struct {
		Event string `json:"event"`
		Head  struct {
			Name string `json:"full_name"`
			Fork bool   `json:"fork"`
		} `json:"head_repository"`
	} `json:"workflow_run"`
}

const protected = "; respond on a push to a protected branch, in a job with a protected environment"

// refuseGitHub judges a run of GitHub Actions.
func refuseGitHub(name, path string) error {
	switch {
	case name == "":
		return fmt.Errorf("this is a run of GitHub Actions, and GITHUB_EVENT_NAME does not say for what%s", protected)
	case strings.HasPrefix(name, "pull_request"), name == "merge_group":
		return fmt.Errorf("this is a run of GitHub Actions for %s%s", name, protected)
	case path == "":
		return fmt.Errorf("this is a run of GitHub Actions, and GITHUB_EVENT_PATH does not say where its event is%s", protected)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the event of GitHub Actions: %w%s", err, protected)
	}
	defer f.Close()
	var e githubEvent
	if err := json.NewDecoder(io.LimitReader(f, 64<<20)).Decode(&e); err != nil {
		return fmt.Errorf("reading the event of GitHub Actions: %w%s", quiet(err), protected)
	}
	is := func(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
	switch run := e.WorkflowRun; {
	case is(e.PullRequest), is(e.Issue.PullRequest):
		return fmt.Errorf("the event %s is about a pull request%s", name, protected)
	case e.Repository.Name == "":
		return fmt.Errorf("the event %s does not say which repository it is of%s", name, protected)
	case e.Repository.Fork:
		return fmt.Errorf("%s is a fork%s", e.Repository.Name, protected)
	case run != nil && (strings.HasPrefix(run.Event, "pull_request") || run.Head.Fork || run.Head.Name != e.Repository.Name):
		return fmt.Errorf("the workflow that this run follows was for a pull request or of a fork%s", protected)
	}
	return nil
}
