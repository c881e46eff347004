package ci

import (
	"path/filepath"
	"strings"
	"testing"
)

var (
	idHead = strings.Repeat("a", 40)
	idBase = strings.Repeat("b", 40)
	idMore = strings.Repeat("c", 40)
	idZero = strings.Repeat("0", 40)
)

// recorded are the variables that each system sets, as far as they matter, and
// the plan that they lead to: scope, head, what is left out, the branch.
var recorded = []struct {
	name string
	env  string // "KEY=value", separated by spaces; HEAD, BASE, MORE and ZERO are ids
	want string
}{
	{"github pull_request", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request GITHUB_SHA=MORE GITHUB_REF=refs/pull/12/merge EVENT=pull_request", "pr commits HEAD (refs/pull/12/head) ^BASE of topic default main"},
	{"github pull_request_target", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request_target GITHUB_SHA=BASE EVENT=pull_request", "pr commits HEAD (refs/pull/12/head) ^BASE of topic default main"},
	{"github fork", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request GITHUB_SHA=MORE EVENT=pull_request_fork", "pr commits HEAD (refs/pull/13/head) ^BASE of main default main"},
	{"github pull_request without its event", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request GITHUB_SHA=HEAD GITHUB_BASE_REF=main GITHUB_HEAD_REF=topic", "pr commits HEAD ^main"},
	{"github push", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD EVENT=push", "commits HEAD ^BASE of main default main"},
	{"github push of a new branch", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD EVENT=push_new", "new ref HEAD of topic default main"},
	{"github first push", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD EVENT=push_first", "everything HEAD of main default main"},
	{"github deleted", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=BASE EVENT=push_deleted", "nothing HEAD of topic default main"},
	{"github tag", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD EVENT=push_tag", "new ref HEAD default main"},
	{"github merge_group", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=merge_group GITHUB_SHA=HEAD EVENT=merge_group", "commits HEAD (refs/heads/gh-readonly-queue/main/pr-12-BASE) ^BASE default main"},
	{"github schedule", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=schedule GITHUB_SHA=HEAD EVENT=schedule", "everything HEAD default main"},
	{"github workflow_dispatch", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_dispatch GITHUB_SHA=HEAD EVENT=workflow_dispatch", "everything HEAD default main"},
	{"github release", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=release GITHUB_SHA=HEAD EVENT=release", "everything HEAD default main"},
	{"github create", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=create GITHUB_SHA=HEAD EVENT=create", "new ref HEAD of topic default main"},
	{"github create of a tag that is called as a branch", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=create GITHUB_SHA=HEAD EVENT=create_tag", "new ref HEAD default main"},
	{"github workflow_run of a pull request", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_run GITHUB_SHA=BASE EVENT=workflow_run_pr", "pr commits HEAD (refs/pull/12/head) ^BASE of topic default main"},
	{"github workflow_run of a fork", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_run GITHUB_SHA=BASE EVENT=workflow_run_fork", "pr new ref HEAD default main"},
	{"github workflow_run of the default branch", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_run GITHUB_SHA=HEAD EVENT=workflow_run_push", "everything HEAD of main default main"},
	{"github other event", "GITHUB_ACTIONS=true GITHUB_EVENT_NAME=issue_comment GITHUB_SHA=HEAD EVENT=schedule", "everything HEAD default main"},

	{"gitlab merge request", "GITLAB_CI=true CI_PIPELINE_SOURCE=merge_request_event CI_COMMIT_SHA=HEAD CI_MERGE_REQUEST_DIFF_BASE_SHA=BASE CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=topic CI_DEFAULT_BRANCH=main CI_COMMIT_BEFORE_SHA=ZERO", "pr commits HEAD ^BASE of topic default main"},
	{"gitlab merged result", "GITLAB_CI=true CI_PIPELINE_SOURCE=merge_request_event CI_COMMIT_SHA=HEAD CI_MERGE_REQUEST_DIFF_BASE_SHA=BASE CI_MERGE_REQUEST_TARGET_BRANCH_SHA=MORE CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=topic CI_DEFAULT_BRANCH=main", "pr commits HEAD ^BASE ^MORE of topic default main"},
	{"gitlab push", "GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=HEAD CI_COMMIT_BEFORE_SHA=BASE CI_COMMIT_BRANCH=topic CI_DEFAULT_BRANCH=main", "commits HEAD ^BASE of topic default main"},
	{"gitlab new branch", "GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=HEAD CI_COMMIT_BEFORE_SHA=ZERO CI_COMMIT_BRANCH=topic CI_DEFAULT_BRANCH=main", "new ref HEAD of topic default main"},
	{"gitlab tag", "GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=HEAD CI_COMMIT_BEFORE_SHA=ZERO CI_COMMIT_TAG=v1 CI_DEFAULT_BRANCH=main", "new ref HEAD default main"},
	{"gitlab schedule", "GITLAB_CI=true CI_PIPELINE_SOURCE=schedule CI_COMMIT_SHA=HEAD CI_COMMIT_BEFORE_SHA=ZERO CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main", "everything HEAD of main default main"},

	{"bitbucket pull request", "BITBUCKET_BUILD_NUMBER=7 BITBUCKET_COMMIT=HEAD BITBUCKET_BRANCH=topic BITBUCKET_PR_ID=3 BITBUCKET_PR_DESTINATION_BRANCH=main BITBUCKET_PR_DESTINATION_COMMIT=bbbbbbbbbbbb", "pr commits HEAD ^main of topic"},
	{"bitbucket push", "BITBUCKET_BUILD_NUMBER=7 BITBUCKET_COMMIT=HEAD BITBUCKET_BRANCH=topic", "new ref HEAD of topic"},

	{"azure pull request", "TF_BUILD=True BUILD_BUILDID=5 BUILD_REASON=PullRequest BUILD_SOURCEVERSION=MORE BUILD_SOURCEBRANCH=refs/pull/4/merge SYSTEM_PULLREQUEST_TARGETBRANCH=refs/heads/main SYSTEM_PULLREQUEST_SOURCECOMMITID=HEAD SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/topic", "pr commits HEAD ^main of topic"},
	{"azure push", "TF_BUILD=True BUILD_REASON=IndividualCI BUILD_SOURCEVERSION=HEAD BUILD_SOURCEBRANCH=refs/heads/topic", "new ref HEAD of topic"},
	{"azure schedule", "TF_BUILD=True BUILD_REASON=Schedule BUILD_SOURCEVERSION=HEAD BUILD_SOURCEBRANCH=refs/heads/main", "everything HEAD of main"},

	{"circleci", "CI=true CIRCLECI=true CIRCLE_SHA1=HEAD CIRCLE_BRANCH=topic", "new ref HEAD of topic"},
	{"circleci fork", "CI=true CIRCLECI=true CIRCLE_SHA1=HEAD CIRCLE_BRANCH=pull/9 CIRCLE_PULL_REQUEST=https://github.com/acme/shop/pull/9", "pr new ref HEAD of pull/9"},

	{"buildkite pull request", "BUILDKITE=true BUILDKITE_SOURCE=webhook BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=topic BUILDKITE_PULL_REQUEST=3 BUILDKITE_PULL_REQUEST_BASE_BRANCH=main BUILDKITE_PIPELINE_DEFAULT_BRANCH=main", "pr commits HEAD ^main of topic default main"},
	{"buildkite push", "BUILDKITE=true BUILDKITE_SOURCE=webhook BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=topic BUILDKITE_PULL_REQUEST=false BUILDKITE_PIPELINE_DEFAULT_BRANCH=main", "new ref HEAD of topic default main"},
	{"buildkite by hand", "BUILDKITE=true BUILDKITE_SOURCE=ui BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=main BUILDKITE_PULL_REQUEST=false BUILDKITE_PIPELINE_DEFAULT_BRANCH=main", "everything HEAD of main default main"},
	{"buildkite schedule", "BUILDKITE=true BUILDKITE_SOURCE=schedule BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=topic BUILDKITE_PIPELINE_DEFAULT_BRANCH=main", "everything HEAD of topic default main"},

	{"drone pull request", "DRONE=true DRONE_BUILD_EVENT=pull_request DRONE_COMMIT_SHA=HEAD DRONE_BRANCH=main DRONE_TARGET_BRANCH=main DRONE_SOURCE_BRANCH=topic DRONE_REPO_BRANCH=main", "pr commits HEAD ^main of topic default main"},
	{"drone push", "DRONE=true DRONE_BUILD_EVENT=push DRONE_COMMIT_SHA=HEAD DRONE_COMMIT_BEFORE=BASE DRONE_BRANCH=main DRONE_REPO_BRANCH=main", "commits HEAD ^BASE of main default main"},
	{"drone cron", "DRONE=true DRONE_BUILD_EVENT=cron DRONE_COMMIT_SHA=HEAD DRONE_BRANCH=main DRONE_REPO_BRANCH=main", "everything HEAD of main default main"},
	{"drone tag", "DRONE=true DRONE_BUILD_EVENT=tag DRONE_COMMIT_SHA=HEAD DRONE_BRANCH=main DRONE_REPO_BRANCH=main", "new ref HEAD default main"},

	{"travis pull request", "CI=true TRAVIS=true TRAVIS_EVENT_TYPE=pull_request TRAVIS_COMMIT=MORE TRAVIS_BRANCH=main TRAVIS_PULL_REQUEST_SHA=HEAD TRAVIS_PULL_REQUEST_BRANCH=topic TRAVIS_COMMIT_RANGE=BASE...HEAD", "pr commits HEAD ^main of topic"},
	{"travis push", "CI=true TRAVIS=true TRAVIS_EVENT_TYPE=push TRAVIS_COMMIT=HEAD TRAVIS_BRANCH=topic TRAVIS_COMMIT_RANGE=BASE...HEAD", "commits HEAD ^BASE of topic"},
	{"travis new branch", "CI=true TRAVIS=true TRAVIS_EVENT_TYPE=push TRAVIS_COMMIT=HEAD TRAVIS_BRANCH=topic", "new ref HEAD of topic"},
	{"travis cron", "CI=true TRAVIS=true TRAVIS_EVENT_TYPE=cron TRAVIS_COMMIT=HEAD TRAVIS_BRANCH=main", "everything HEAD of main"},

	{"teamcity", "TEAMCITY_VERSION=2025.07 BUILD_VCS_NUMBER=HEAD TEAMCITY_BRANCH=refs/heads/topic", "new ref HEAD of topic"},
	{"teamcity pull request", "TEAMCITY_VERSION=2025.07 BUILD_VCS_NUMBER=HEAD TEAMCITY_PULLREQUEST_TARGET_BRANCH=main", "pr commits HEAD ^main"},
	{"teamcity with several roots", "TEAMCITY_VERSION=2025.07 BUILD_VCS_NUMBER=12", "new ref HEAD"},

	{"jenkins pull request", "JENKINS_URL=https://ci.example.com/ GIT_COMMIT=HEAD CHANGE_ID=3 CHANGE_TARGET=main CHANGE_BRANCH=topic BRANCH_NAME=PR-3", "pr commits HEAD ^main of topic"},
	{"jenkins branch", "JENKINS_URL=https://ci.example.com/ GIT_COMMIT=HEAD BRANCH_NAME=topic GIT_PREVIOUS_COMMIT=MORE GIT_PREVIOUS_SUCCESSFUL_COMMIT=BASE", "commits HEAD ^BASE of topic"},
	{"jenkins first build", "JENKINS_HOME=/var/jenkins GIT_COMMIT=HEAD GIT_BRANCH=origin/topic", "new ref HEAD of topic"},
	{"jenkins rebuild", "JENKINS_URL=https://ci.example.com/ GIT_COMMIT=HEAD BRANCH_NAME=topic GIT_PREVIOUS_SUCCESSFUL_COMMIT=HEAD", "new ref HEAD of topic"},
}

// environ reads what a row of recorded says.
func environ(text string) Env {
	vars := map[string]string{}
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		value = strings.NewReplacer("HEAD", idHead, "BASE", idBase, "MORE", idMore, "ZERO", idZero).Replace(value)
		if key == "EVENT" {
			key, value = "GITHUB_EVENT_PATH", filepath.Join("testdata", "github", value+".json")
		}
		vars[key] = value
	}
	return func(name string) string { return vars[name] }
}

// describe writes a plan as the rows of recorded do.
func describe(p *Plan) string {
	var b strings.Builder
	if p.PullRequest {
		b.WriteString("pr ")
	}
	b.WriteString(p.Scope.String() + " " + p.Head)
	if p.HeadRef != "" {
		b.WriteString(" (" + p.HeadRef + ")")
	}
	for _, x := range append(append([]string(nil), p.Bases...), p.Targets...) {
		b.WriteString(" ^" + x)
	}
	if p.Branch != "" {
		b.WriteString(" of " + p.Branch)
	}
	if p.Default != "" {
		b.WriteString(" default " + p.Default)
	}
	return strings.NewReplacer(idHead, "HEAD", idBase, "BASE", idMore, "MORE").Replace(b.String())
}

func TestDetect(t *testing.T) {
	for _, c := range recorded {
		t.Run(c.name, func(t *testing.T) {
			p, err := Detect(environ(c.env))
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(p); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if p.System == "" || p.Event == "" || p.Why == "" {
				t.Errorf("the plan does not say what it is: %+v", p)
			}
		})
	}
}

func TestEverySystemIsRecorded(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range recorded {
		seen[System(environ(c.env))] = true
	}
	for _, s := range Systems() {
		if !seen[s] {
			t.Errorf("nothing is recorded of %s", s)
		}
	}
}

func TestDetectNothing(t *testing.T) {
	for _, env := range []string{"", "CI=true", "CIRCLECI=false", "HOME=/root"} {
		if p, err := Detect(environ(env)); p != nil || err != nil || System(environ(env)) != "" {
			t.Errorf("%q: %v, %v", env, p, err)
		}
	}
}

// TestDetectRefuses: what lands on git's command line is an id or a name.
func TestDetectRefuses(t *testing.T) {
	for _, env := range []string{
		"GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=HEAD CI_COMMIT_BEFORE_SHA=--upload-pack=x",
		"GITLAB_CI=true CI_PIPELINE_SOURCE=push CI_COMMIT_SHA=-x CI_COMMIT_BEFORE_SHA=BASE",
		"BUILDKITE=true BUILDKITE_COMMIT=HEAD BUILDKITE_PULL_REQUEST=1 BUILDKITE_PULL_REQUEST_BASE_BRANCH=--exec",
		"BUILDKITE=true BUILDKITE_COMMIT=HEAD BUILDKITE_PULL_REQUEST=1 BUILDKITE_PULL_REQUEST_BASE_BRANCH=a:refs/heads/b",
		"BUILDKITE=true BUILDKITE_COMMIT=HEAD BUILDKITE_BRANCH=a..b",
		"GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD",
		"GITHUB_ACTIONS=true GITHUB_EVENT_NAME=push GITHUB_SHA=HEAD GITHUB_EVENT_PATH=ci_test.go",
		"GITHUB_ACTIONS=true GITHUB_EVENT_NAME=pull_request GITHUB_SHA=HEAD EVENT=push",
		"GITHUB_ACTIONS=true GITHUB_EVENT_NAME=merge_group GITHUB_SHA=HEAD EVENT=push",
	} {
		if p, err := Detect(environ(env)); err == nil {
			t.Errorf("%q was taken: %s", env, describe(p))
		}
	}
	for _, rev := range []string{"", "-x", "^main", "a..b", "a b", idZero} {
		if _, err := Given("x", rev, "HEAD"); err == nil {
			t.Errorf("base %q was taken", rev)
		}
	}
}

// FuzzCheck: a plan that passes holds nothing that git takes for an option, a
// second word or a refspec.
func FuzzCheck(f *testing.F) {
	f.Add(idHead, "main", "-x")
	f.Fuzz(func(t *testing.T, id, target, branch string) {
		p := &Plan{Head: "HEAD", Bases: []string{id}, Targets: []string{target}, Branch: branch}
		if p.check() != nil {
			return
		}
		for _, s := range []string{id, target, branch} {
			if strings.HasPrefix(s, "-") || strings.ContainsAny(s, " \t\n\x00:^~*?[\\") || strings.Contains(s, "..") {
				t.Fatalf("%q passes", s)
			}
		}
	})
}
