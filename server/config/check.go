package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/server/access"
	"github.com/spillgate/spillgate/server/webhook"
)

// A fault is what is wrong with a setting, by its path in the file, such as
// source[1].clone.
type fault struct {
	at  string
	err error
}

// Error says what is wrong.
func (f *fault) Error() string { return f.at + ": " + f.err.Error() }

// Unwrap returns it without its path.
func (f *fault) Unwrap() error { return f.err }

func wrong(at, format string, args ...any) error { return &fault{at, fmt.Errorf(format, args...)} }

// check holds the file to what can be known without the secrets, and sets what
// was left out. Its errors are faults.
func (c *Config) check() error {
	if c.Data == "" {
		return wrong("data", `data is missing: name the folder of the queue and the mirrors, such as data = "/var/lib/spillgate"`)
	}
	if c.Workers < 0 || c.Workers > 1000 {
		return wrong("workers", "workers = %d: use 1 to 1000", c.Workers)
	}
	if c.Workers == 0 {
		c.Workers = 2
	}
	if c.Listen == "" {
		c.Listen = ":8080"
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return wrong("listen", `%q is not of the form host:port, such as ":8080"`, c.Listen)
	}
	if c.MemoryMegabytes < 0 {
		return wrong("memory-megabytes", "it is not negative; 0 is no limit")
	}
	if c.Mirror.MaxMegabytes < 0 || c.Mirror.TotalMegabytes < 0 {
		return wrong("mirror", "max-megabytes and total-megabytes are not negative; 0 is no bound")
	}
	if !c.Live.Enabled && c.Live.Operator != "" {
		return wrong("live.operator", "it allows responses, and live.enabled is not set")
	}
	if err := c.Live.checkAskAgain(); err != nil {
		return err
	}
	if c.Queue.MaxAttempts < 0 {
		return wrong("queue.max-attempts", "max-attempts = %d: it is at least 1", c.Queue.MaxAttempts)
	}
	if c.Queue.MaxCrashes < 0 {
		return wrong("queue.max-crashes", "max-crashes = %d: it is at least 1", c.Queue.MaxCrashes)
	}
	if c.Queue.Replicas < 0 || c.Queue.Replicas > 5 || c.Queue.Replicas > 1 && c.Queue.NATS == "" {
		return wrong("queue.replicas", "replicas = %d: an external cluster (queue.nats, or --nats) keeps 1 to 5", c.Queue.Replicas)
	}
	if len(c.Sources) == 0 {
		return wrong("source", "there is no [[source]]: without one nothing can be pushed here")
	}
	for i := range c.Sources {
		if err := c.Sources[i].check(fmt.Sprintf("source[%d]", i), c.Sources[:i]); err != nil {
			return err
		}
	}
	for i, t := range c.Tokens {
		at := fmt.Sprintf("token[%d]", i)
		if _, ok := access.ParseRole(t.Role); !ok || t.Name == "" {
			return wrong(at+".role", "token %q: needs a name and the role viewer, closer or manager", t.Name)
		}
		if err := t.Token.check(at + ".token"); err != nil {
			return err
		}
	}
	for i := range c.Notify {
		if err := c.Notify[i].check(fmt.Sprintf("notify[%d]", i), c.Notify[:i]); err != nil {
			return err
		}
	}
	return c.checkPages()
}

// minAskAgain is twice the wait before AWS is asked again for the first time.
const minAskAgain = 10 * time.Minute

func (l *Live) checkAskAgain() error {
	switch d := l.AskAgain; {
	case d == nil:
	case !l.Enabled:
		return wrong("live.ask-again", "AWS is not asked at all: live.enabled is not set")
	case d.Duration != 0 && d.Duration < minAskAgain:
		return wrong("live.ask-again", "%s is too short to ask again: use at least %s, or 0s for never", d, minAskAgain)
	}
	return nil
}

// checkPages checks the URL of the pages and who may look at them.
func (c *Config) checkPages() error {
	for i, text := range c.Web.From {
		_, network := netip.ParsePrefix(text)
		if _, address := netip.ParseAddr(text); network != nil && address != nil {
			return wrong("web.from", "%q (number %d) is neither an address nor a network", text, i+1)
		}
	}
	if c.Web.Header != "" && len(c.Web.From) == 0 {
		return wrong("web.header", "it logs people in only from the addresses of a proxy: name them by web.from")
	}
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return wrong("url", "%.100q is not of the form https://host", c.URL)
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && !ip.IsLoopback()) {
		return wrong("url", "it must begin with https://: logins and cookies need it")
	}
	if len(c.Tokens) == 0 && c.Web.Header == "" {
		return wrong("url", "nobody could log in to the pages: there is no [[token]] and no web.header")
	}
	return nil
}

func (s *Source) check(at string, before []Source) error {
	if s.Name == "" || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || slices.ContainsFunc(before, func(o Source) bool { return o.Name == s.Name }) {
		return wrong(at+".name", "the name of the source is missing, taken, or holds other than a-z, 0-9 and hyphens")
	}
	switch s.Kind {
	case webhook.GitHub, webhook.GitLab, webhook.Bitbucket, webhook.Generic:
	default:
		return wrong(at+".kind", "source %q: kind = %q: use github, gitlab, bitbucket or generic", s.Name, s.Kind)
	}
	if !strings.Contains(s.Clone, "{repository}") {
		return wrong(at+".clone", `source %q: clone must hold {repository}, such as "https://github.com/{repository}.git"`, s.Name)
	}
	if u, err := url.Parse(strings.ReplaceAll(s.Clone, "{repository}", "a/b")); err != nil || u.Scheme == "" {
		return wrong(at+".clone", "source %q: clone is no URL with a scheme", s.Name)
	} else if u.User != nil && u.Scheme != "ssh" {
		return wrong(at+".clone", "source %q: clone holds credentials; give them by user and token", s.Name)
	}
	if len(s.Secrets) == 0 {
		return wrong(at, "source %q: there is no [[source.secret]]: every delivery would be refused", s.Name)
	}
	for i, secret := range s.Secrets {
		if err := secret.check(fmt.Sprintf("%s.secret[%d]", at, i)); err != nil {
			return err
		}
	}
	if s.App != nil && (s.Kind != webhook.GitHub || s.App.ID == 0 || s.App.Installation == 0) {
		return wrong(at+".app", "source %q: app is for the kind github and needs id and installation", s.Name)
	}
	if s.SSHKey != "" && s.KnownHosts == "" {
		return wrong(at+".ssh-key", "source %q: ssh-key needs known-hosts: the file of the host keys to trust", s.Name)
	}
	return nil
}

// severities are those of min-severity.
var severities = []string{"", "info", "low", "medium", "high", "critical"}

func (n *Notify) check(at string, before []Notify) error {
	if n.Name == "" || slices.ContainsFunc(before, func(o Notify) bool { return o.Name == n.Name }) {
		return wrong(at+".name", "the name of the channel is missing or taken")
	}
	needsSecret, needsTo := true, false
	switch n.Kind {
	case "slack", "pagerduty":
	case "slack-bot", "webhook":
		needsTo = true
	case "sns":
		needsSecret, needsTo = false, true
	default:
		return wrong(at+".kind", "notify %q: kind = %q: use slack, slack-bot, sns, pagerduty or webhook", n.Name, n.Kind)
	}
	if needsTo && n.To == "" {
		return wrong(at, "notify %q: the kind %s needs to: the channel, the topic's ARN or the URL", n.Name, n.Kind)
	}
	if needsSecret {
		if err := n.Secret.check(at + ".secret"); err != nil {
			return err
		}
	}
	if !slices.Contains(severities, n.MinSeverity) {
		return wrong(at+".min-severity", "notify %q: min-severity = %q: use info, low, medium, high or critical", n.Name, n.MinSeverity)
	}
	if n.Burst < 0 {
		return wrong(at+".burst", "notify %q: burst is not negative", n.Name)
	}
	return nil
}

// check holds that a secret says where it is, once.
func (s Secret) check(at string) error {
	if (s.Env == "") == (s.File == "") {
		return &fault{at, errors.New("a secret has either env or file")}
	}
	return nil
}

// Unset names the secrets that cannot be had here, and why: a file may be
// checked on another machine than it is for.
func (c *Config) Unset() []string {
	all := []Secret{c.Web.Key}
	for i := range c.Sources {
		s := &c.Sources[i]
		all = append(append(all, s.Secrets...), s.Token)
		if s.App != nil {
			all = append(all, s.App.Key)
		}
	}
	for _, t := range c.Tokens {
		all = append(all, t.Token)
	}
	for _, n := range c.Notify {
		all = append(all, n.Secret)
	}
	var missing []string
	for _, s := range all {
		if _, err := c.Reveal(s); err != nil && !slices.Contains(missing, err.Error()) {
			missing = append(missing, err.Error())
		}
	}
	return missing
}
