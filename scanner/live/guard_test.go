package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRule08NoPullRequests: nothing is changed in a run that anybody can start
// by proposing a change.
func TestRule08NoPullRequests(t *testing.T) {
	repo := `"repository":{"full_name":"acme/app","fork":false}`
	for name, tt := range map[string]struct {
		env   map[string]string
		event string
		ok    bool
	}{
		"no CI":                  {nil, "", true},
		"push":                   {map[string]string{"GITHUB_EVENT_NAME": "push"}, "{" + repo + "}", true},
		"schedule":               {map[string]string{"GITHUB_EVENT_NAME": "schedule"}, "{" + repo + "}", true},
		"dispatch":               {map[string]string{"GITHUB_EVENT_NAME": "workflow_dispatch"}, `{"pull_request":null,` + repo + "}", true},
		"after a push":           {map[string]string{"GITHUB_EVENT_NAME": "workflow_run"}, `{"workflow_run":{"event":"push","head_repository":{"full_name":"acme/app"}},` + repo + "}", true},
		"issue comment":          {map[string]string{"GITHUB_EVENT_NAME": "issue_comment"}, `{"issue":{"number":1},` + repo + "}", true},
		"unprotected branch":     {map[string]string{"GITHUB_EVENT_NAME": "push", "GITHUB_REF_PROTECTED": "false"}, "{" + repo + "}", false},
		"pull_request":           {map[string]string{"GITHUB_EVENT_NAME": "pull_request"}, "{" + repo + "}", false},
		"pull_request_target":    {map[string]string{"GITHUB_EVENT_NAME": "pull_request_target"}, "{" + repo + "}", false},
		"pull_request_review":    {map[string]string{"GITHUB_EVENT_NAME": "pull_request_review"}, "{" + repo + "}", false},
		"merge_group":            {map[string]string{"GITHUB_EVENT_NAME": "merge_group"}, "{" + repo + "}", false},
		"a comment on one":       {map[string]string{"GITHUB_EVENT_NAME": "issue_comment"}, `{"issue":{"pull_request":{"url":"x"}},` + repo + "}", false},
		"an event with one":      {map[string]string{"GITHUB_EVENT_NAME": "check_run"}, `{"pull_request":{"number":3},` + repo + "}", false},
		"push to a fork":         {map[string]string{"GITHUB_EVENT_NAME": "push"}, `{"repository":{"full_name":"eve/app","fork":true}}`, false},
		"after a pull request":   {map[string]string{"GITHUB_EVENT_NAME": "workflow_run"}, `{"workflow_run":{"event":"pull_request","head_repository":{"full_name":"acme/app"}},` + repo + "}", false},
		"after a fork's push":    {map[string]string{"GITHUB_EVENT_NAME": "workflow_run"}, `{"workflow_run":{"event":"push","head_repository":{"full_name":"eve/app","fork":true}},` + repo + "}", false},
		"no name":                {map[string]string{"GITHUB_ACTIONS": "true"}, "{" + repo + "}", false},
		"no repository":          {map[string]string{"GITHUB_EVENT_NAME": "push"}, "{}", false},
		"no JSON":                {map[string]string{"GITHUB_EVENT_NAME": "push"}, "{", false},
		"no event":               {map[string]string{"GITHUB_EVENT_NAME": "push"}, "", false},
		"GitLab merge request":   {map[string]string{"CI_MERGE_REQUEST_IID": "7"}, "", false},
		"GitLab branch":          {map[string]string{"GITLAB_CI": "true"}, "", true},
		"Travis branch":          {map[string]string{"TRAVIS_PULL_REQUEST": "false"}, "", true},
		"Travis pull request":    {map[string]string{"TRAVIS_PULL_REQUEST": "12"}, "", false},
		"Buildkite pull request": {map[string]string{"BUILDKITE_PULL_REQUEST": "12"}, "", false},
		"Jenkins change":         {map[string]string{"CHANGE_ID": "4"}, "", false},
		"Bitbucket pull request": {map[string]string{"BITBUCKET_PR_ID": "4"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			env := func(k string) string { return tt.env[k] }
			if _, set := tt.env["GITHUB_REF_PROTECTED"]; tt.ok && !set && tt.env != nil {
				tt.env["GITHUB_REF_PROTECTED"] = "true"
			}
			if tt.event != "" {
				path := filepath.Join(t.TempDir(), "event.json")
				must(t, os.WriteFile(path, []byte(tt.event), 0o600))
				tt.env["GITHUB_EVENT_PATH"] = path
			}
			err := RefuseUnmerged(env)
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "protected branch") {
				t.Errorf("the way out is missing: %v", err)
			}
		})
	}
}
