package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-github/v88/github"
)

// GitHub lists the repositories of an organisation of GitHub.
type GitHub struct {
	// Token returns what authenticates a request; nil for none.
	Token func(ctx context.Context) (string, error)
	// API is the base URL of an Enterprise Server, such as
	// https://github.example.com/api/v3; empty for github.com.
	API string
	// Client makes the requests; nil for one with a time-out of a minute.
	Client *http.Client
}

// Page returns 100 repositories. Archived ones and forks are listed too: what
// they hold is as public as the rest.
// Source: https://docs.github.com/en/rest/repos/repos#list-organization-repositories
func (g *GitHub) Page(ctx context.Context, organization, cursor string) ([]string, string, error) {
	client, err := g.client(ctx)
	if err != nil {
		return nil, "", err
	}
	page := 1
	if cursor != "" {
		if page, err = strconv.Atoi(cursor); err != nil {
			return nil, "", fmt.Errorf("the cursor %q is no page", cursor)
		}
	}
	// By creation, the oldest first: a repository that is made meanwhile comes
	// at the end and moves none to a page that was read.
	found, answer, err := client.Repositories.ListByOrg(ctx, organization, &github.RepositoryListByOrgOptions{
		Type: "all", Sort: "created", Direction: "asc", ListOptions: github.ListOptions{Page: page, PerPage: 100},
	})
	if err != nil {
		return nil, "", asLimit(err)
	}
	var names []string
	for _, r := range found {
		names = append(names, r.GetFullName())
	}
	if answer.NextPage == 0 {
		return names, "", nil
	}
	return names, strconv.Itoa(answer.NextPage), nil
}

// asLimit turns the client's errors about limits into a Limit.
func asLimit(err error) error {
	var primary *github.RateLimitError
	if errors.As(err, &primary) {
		return &Limit{primary.Rate.Reset.Time}
	}
	var secondary *github.AbuseRateLimitError
	if errors.As(err, &secondary) {
		wait := time.Minute
		if secondary.RetryAfter != nil {
			wait = *secondary.RetryAfter
		}
		return &Limit{time.Now().Add(wait)}
	}
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return asStatus(answer.Response, err)
	}
	return err
}

// asStatus returns what an answer that is no list means: a limit that a proxy or
// another host words otherwise, a refusal, or err, after which it is worth asking
// again.
func asStatus(answer *http.Response, err error) error {
	switch code := answer.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && answer.Header.Get("Retry-After") != "":
		return &Limit{time.Now().Add(retryAfter(answer.Header))}
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout:
		return &Refused{err}
	}
	return err
}

func (g *GitHub) client(ctx context.Context) (*github.Client, error) {
	options := []github.ClientOptionsFunc{github.WithUserAgent("spillgate-server"), github.WithTimeout(time.Minute)}
	if g.Client != nil {
		options = append(options, github.WithHTTPClient(g.Client))
	}
	if g.API != "" {
		api := g.API
		if api[len(api)-1] != '/' {
			api += "/"
		}
		options = append(options, github.WithURLs(&api, nil))
	}
	if g.Token != nil {
		token, err := g.Token(ctx)
		if err != nil {
			return nil, err
		}
		if token != "" {
			options = append(options, github.WithAuthToken(token))
		}
	}
	return github.NewClient(options...)
}
