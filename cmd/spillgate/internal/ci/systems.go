package ci

import "strings"

// request completes p for a pull request into the branch target. Without one it
// is measured against the default branch.
func (p *Plan) request(target string) *Plan {
	p.PullRequest = true
	if branch(target) == "" {
		return p.created()
	}
	p.Targets = []string{branch(target)}
	p.Scope, p.Why = Commits, "what the pull request adds to "+branch(target)
	return p
}

// gitlab: https://docs.gitlab.com/ci/variables/predefined_variables/
func gitlab(env Env) (*Plan, error) {
	p := &Plan{
		Event: env("CI_PIPELINE_SOURCE"), Head: env("CI_COMMIT_SHA"),
		Branch: env("CI_COMMIT_BRANCH"), Default: env("CI_DEFAULT_BRANCH"),
	}
	switch p.Event {
	case "merge_request_event", "external_pull_request_event":
		p.Branch = first(env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), env("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"))
		p.request(first(env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"), env("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME")))
		p.Why = strings.Replace(p.Why, "pull", "merge", 1)
		base := first(env("CI_MERGE_REQUEST_DIFF_BASE_SHA"), env("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA"))
		if base == "" {
			return p, nil
		}
		// The pipeline of a merged result or of a merge train runs on a merge
		// with the target, whose commits since the base are not new.
		p.Targets, p.Bases = nil, []string{base}
		if t := env("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"); t != "" {
			p.Bases = append(p.Bases, t)
		}
		return p, nil
	case "push":
		return p.pushed(env("CI_COMMIT_BEFORE_SHA"), p.Head), nil
	}
	return p.all("a pipeline started by " + first(p.Event, "something unknown") + " checks the whole history"), nil
}

// bitbucket: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
func bitbucket(env Env) (*Plan, error) {
	p := &Plan{Event: "push", Head: env("BITBUCKET_COMMIT"), Branch: env("BITBUCKET_BRANCH")}
	if env("BITBUCKET_PR_ID") != "" {
		p.Event = "pull request"
		// The destination's commit is abbreviated, and so not used.
		return p.request(env("BITBUCKET_PR_DESTINATION_BRANCH")), nil
	}
	return p.created(), nil
}

// azure: https://learn.microsoft.com/azure/devops/pipelines/build/variables
func azure(env Env) (*Plan, error) {
	p := &Plan{
		Event: env("BUILD_REASON"), Head: env("BUILD_SOURCEVERSION"),
		Branch: branch(env("BUILD_SOURCEBRANCH")),
	}
	if target := first(env("SYSTEM_PULLREQUEST_TARGETBRANCH"), env("SYSTEM_PULLREQUEST_TARGETBRANCHNAME")); target != "" {
		if source := env("SYSTEM_PULLREQUEST_SOURCECOMMITID"); source != "" {
			p.Head = source
		}
		p.Branch = branch(env("SYSTEM_PULLREQUEST_SOURCEBRANCH"))
		return p.request(target), nil
	}
	switch p.Event {
	case "IndividualCI", "BatchedCI":
		return p.created(), nil
	}
	return p.all("a " + first(p.Event, "nameless") + " build checks the whole history"), nil
}

// circle: https://circleci.com/docs/reference/variables/ names no target of a
// pull request; --base << pipeline.git.base_revision >> gives what a push
// brought.
func circle(env Env) (*Plan, error) {
	p := &Plan{Event: "push", Head: env("CIRCLE_SHA1"), Branch: env("CIRCLE_BRANCH")}
	if env("CIRCLE_PULL_REQUEST") != "" {
		p.Event, p.PullRequest = "pull request", true
	}
	// The branch of a fork is called pull/NUMBER.
	return p.created(), nil
}

// buildkite: https://buildkite.com/docs/pipelines/configure/environment-variables
func buildkite(env Env) (*Plan, error) {
	p := &Plan{
		Event: first(env("BUILDKITE_SOURCE"), "build"), Head: env("BUILDKITE_COMMIT"),
		Branch: env("BUILDKITE_BRANCH"), Default: env("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
	}
	if env("BUILDKITE_TAG") != "" {
		p.Branch = ""
	}
	if n := env("BUILDKITE_PULL_REQUEST"); n != "" && n != "false" {
		return p.request(first(env("BUILDKITE_PULL_REQUEST_BASE_BRANCH"), p.Default)), nil
	}
	if p.Event == "schedule" {
		return p.all("a scheduled build checks the whole history"), nil
	}
	return p.created(), nil
}

// drone: https://docs.drone.io/pipeline/environment/reference/
func drone(env Env) (*Plan, error) {
	p := &Plan{
		Event: env("DRONE_BUILD_EVENT"), Head: first(env("DRONE_COMMIT_SHA"), env("DRONE_COMMIT")),
		Branch: env("DRONE_BRANCH"), Default: env("DRONE_REPO_BRANCH"),
	}
	switch p.Event {
	case "pull_request":
		p.Branch = env("DRONE_SOURCE_BRANCH")
		return p.request(first(env("DRONE_TARGET_BRANCH"), env("DRONE_COMMIT_BRANCH"), p.Default)), nil
	case "push":
		return p.pushed(env("DRONE_COMMIT_BEFORE"), p.Head), nil
	case "tag":
		p.Branch = ""
		return p.created(), nil
	}
	return p.all("a " + first(p.Event, "nameless") + " build checks the whole history"), nil
}

// travis: https://docs.travis-ci.com/user/environment-variables/
func travis(env Env) (*Plan, error) {
	p := &Plan{Event: env("TRAVIS_EVENT_TYPE"), Head: env("TRAVIS_COMMIT"), Branch: env("TRAVIS_BRANCH")}
	switch p.Event {
	case "pull_request":
		if head := env("TRAVIS_PULL_REQUEST_SHA"); head != "" {
			p.Head = head
		}
		target := p.Branch // of a pull request it is the target's
		p.Branch = env("TRAVIS_PULL_REQUEST_BRANCH")
		return p.request(target), nil
	case "push":
		if env("TRAVIS_TAG") != "" {
			p.Branch = ""
		}
		before, _, _ := strings.Cut(env("TRAVIS_COMMIT_RANGE"), "..")
		if before != "" && !isID(before) {
			before = "" // abbreviated: the default branch is the safer measure
		}
		return p.pushed(before, p.Head), nil
	}
	return p.all("a build started by " + first(p.Event, "something unknown") + " checks the whole history"), nil
}

// teamcity: https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
// TeamCity gives branches as parameters only; the documentation shows how to
// hand them on in these two variables.
func teamcity(env Env) (*Plan, error) {
	p := &Plan{Event: "build", Head: env("BUILD_VCS_NUMBER"), Branch: branch(env("TEAMCITY_BRANCH"))}
	if !isID(p.Head) {
		p.Head = "HEAD" // of several roots there is no one number
	}
	if target := env("TEAMCITY_PULLREQUEST_TARGET_BRANCH"); target != "" {
		p.Event, p.Branch = "pull request", ""
		return p.request(target), nil
	}
	return p.created(), nil
}

// jenkins: https://plugins.jenkins.io/git/ and the branch source plugins.
func jenkins(env Env) (*Plan, error) {
	p := &Plan{
		Event: "build", Head: env("GIT_COMMIT"),
		Branch: first(env("BRANCH_NAME"), strings.TrimPrefix(env("GIT_BRANCH"), "origin/")),
	}
	if target := env("CHANGE_TARGET"); target != "" {
		p.Event, p.Branch = "pull request", env("CHANGE_BRANCH")
		return p.request(target), nil
	}
	if env("TAG_NAME") != "" {
		p.Branch = ""
	}
	// The last successful build, not the last one: what a failed build was
	// told of must fail the next one too.
	if before := env("GIT_PREVIOUS_SUCCESSFUL_COMMIT"); before != "" && before != p.Head {
		p.pushed(before, first(p.Head, "HEAD"))
		p.Why = "what came since the last successful build"
		return p, nil
	}
	return p.created(), nil
}
