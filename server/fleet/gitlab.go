package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// GitLab lists the projects of a group of GitLab and of its subgroups.
type GitLab struct {
	// Token is sent as PRIVATE-TOKEN; empty for none.
	Token string
	// API is the base URL; https://gitlab.com/api/v4 if empty.
	API string
	// Client makes the requests; nil for one with a time-out of a minute.
	Client *http.Client
}

// Page returns 100 projects in the order of their ids: one that is made
// meanwhile comes at the end and moves none to a page that was read.
// Source: https://docs.gitlab.com/api/groups/#list-projects
func (g *GitLab) Page(ctx context.Context, group, cursor string) ([]string, string, error) {
	api := g.API
	if api == "" {
		api = "https://gitlab.com/api/v4"
	}
	page := "1"
	if cursor != "" {
		page = cursor
	}
	query := url.Values{
		"include_subgroups": {"true"}, "order_by": {"id"}, "sort": {"asc"}, "per_page": {"100"}, "page": {page}, "simple": {"true"},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(api, "/")+"/groups/"+url.PathEscape(group)+"/projects?"+query.Encode(), nil)
	if err != nil {
		return nil, "", err
	}
	if g.Token != "" {
		r.Header.Set("PRIVATE-TOKEN", g.Token)
	}
	client := g.Client
	if client == nil {
		client = &http.Client{Timeout: time.Minute}
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, "", asStatus(answer, fmt.Errorf("GitLab answers %s", answer.Status))
	}
	var projects []struct {
		Path string `json:"path_with_namespace"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 32<<20)).Decode(&projects); err != nil {
		return nil, "", fmt.Errorf("reading GitLab's answer: %w", err)
	}
	var names []string
	for _, p := range projects {
		names = append(names, p.Path)
	}
	return names, answer.Header.Get("X-Next-Page"), nil
}

// retryAfter returns how long a host says to wait; a minute where it does not.
func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s >= 0 && s < 24*3600 {
		return time.Duration(s) * time.Second
	}
	return time.Minute
}
