// Package config reads the operator's file of the server. The file holds no
// secrets: where one is needed it names an environment variable or a file, so
// that the file itself may lie in a repository.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/spillgate/spillgate/server/webhook"
)

// A Config is the operator's file. Names are those of the file in lower case
// with hyphens.
type Config struct {
	// Listen is the address of webhooks, pages and metrics; ":8080" if empty.
	Listen string `toml:"listen"`
	// Data is the folder of queue and mirrors. Required.
	Data string `toml:"data"`
	// Workers is how many pushes are scanned at a time; 0 for 2.
	Workers int `toml:"workers"`
	// MemoryMegabytes is how much the server itself is to use, without its scans: to
	// stay below it collects garbage more often. What is in use may be more. 0 for
	// what GOMEMLIMIT says, if anything.
	MemoryMegabytes int64 `toml:"memory-megabytes"`

	Queue  Queue  `toml:"queue"`
	Mirror Mirror `toml:"mirror"`
	Scan   Scan   `toml:"scan"`
	Live   Live   `toml:"live"`
	// URL is where browsers find the pages, such as
	// https://spillgate.example; messages link there. Empty for no pages.
	URL     string   `toml:"url"`
	Web     Web      `toml:"web"`
	Notify  []Notify `toml:"notify"`
	Sources []Source `toml:"source"`
	Tokens  []Token  `toml:"token"`

	dir string // of the file, for relative paths
}

// Queue is where pushes wait.
type Queue struct {
	// NATS is the URL of an external cluster; empty for the embedded server.
	NATS        string `toml:"nats"`
	Credentials string `toml:"credentials"`
	Replicas    int    `toml:"replicas"`
	MaxPending  int64  `toml:"max-pending"`
	// MaxAttempts is how often a push may fail before it is dead; 8 if zero.
	// MaxCrashes is how often the server may end while it works on one; twice
	// MaxAttempts if zero.
	MaxAttempts int `toml:"max-attempts"`
	MaxCrashes  int `toml:"max-crashes"`
	// AckWait is how long a worker may be silent before its push is given to
	// another; 20 seconds if zero. A server that is killed keeps a push from the
	// others for as long.
	AckWait Duration `toml:"ack-wait"`
}

// Mirror bounds what is fetched.
type Mirror struct {
	// MaxMegabytes bounds one mirror, TotalMegabytes all of them; 0 for no
	// bound.
	MaxMegabytes   int64 `toml:"max-megabytes"`
	TotalMegabytes int64 `toml:"total-megabytes"`
	// FirstLook scans what was pushed to a new repository before all of it;
	// true if nil.
	FirstLook *bool    `toml:"first-look"`
	Timeout   Duration `toml:"timeout"`
	// Protocols as in git's GIT_ALLOW_PROTOCOL; "https:ssh" if empty.
	Protocols string `toml:"protocols"`
}

// Scan is how spillgate is run.
type Scan struct {
	Program     string   `toml:"program"`
	Config      string   `toml:"config"`
	MemoryLimit string   `toml:"memory-limit"`
	Timeout     Duration `toml:"timeout"`
}

// Live is the live stage: what AWS is asked, and what may be answered.
type Live struct {
	// Enabled asks AWS about the ARNs and access keys that were found.
	Enabled bool `toml:"enabled"`
	// Profile, Role and ExternalID say as whom; {account} and {partition} in
	// Role stand for those of the resource.
	Profile    string `toml:"profile"`
	Role       string `toml:"role"`
	ExternalID string `toml:"external-id"`
	// RespondRole makes the changes; empty for the same as Role.
	RespondRole string `toml:"respond-role"`
	// Operator is the file that allows responses; without it nothing is ever
	// changed.
	Operator string `toml:"operator"`
	// Trusted are accounts and organisations that may use keys, where there is
	// no operator's file.
	Trusted []string `toml:"trusted"`
	// AskAgain is for how long after its last push the server itself asks again about
	// an incident of which not all is known, or whose answer is allowed and could not
	// be begun; nil for a week, zero for never.
	AskAgain *Duration `toml:"ask-again"`
}

// Web is who may look at the pages, beside the tokens.
type Web struct {
	// Header is set by a proxy that has logged people in, such as
	// X-Auth-Request-Email; From are the addresses or networks of the proxy,
	// and Closers the names that may close incidents.
	Header  string   `toml:"header"`
	From    []string `toml:"from"`
	Closers []string `toml:"closers"`
	// Key signs sessions; needed where several servers have one URL.
	Key Secret `toml:"key"`
}

// Notify is a channel over which people are told.
type Notify struct {
	Name string `toml:"name"`
	// Kind is slack, slack-bot, sns, pagerduty or webhook.
	Kind string `toml:"kind"`
	// Secret is the URL of an incoming webhook (slack), the bot's token
	// (slack-bot), the routing key (pagerduty), what signs (webhook).
	Secret Secret `toml:"secret"`
	// To is the channel (slack-bot), the topic's ARN (sns), the URL (webhook,
	// and pagerduty outside the US).
	To string `toml:"to"`
	// MinSeverity is the lowest severity that is told of.
	MinSeverity string `toml:"min-severity"`
	// Burst is how many messages may follow each other at once, and Every how
	// long it takes until one more may; what comes faster is put together.
	Burst int      `toml:"burst"`
	Every Duration `toml:"every"`
}

// A Source is a code host.
type Source struct {
	Name string       `toml:"name"`
	Kind webhook.Kind `toml:"kind"`
	// Secrets are those of the webhook.
	Secrets []Secret `toml:"secret"`
	// Clone is the URL of a repository, with {repository} for its full name.
	Clone string `toml:"clone"`
	// User and Token are for HTTP; User is x-access-token if empty.
	User  string `toml:"user"`
	Token Secret `toml:"token"`
	// SSHKey and KnownHosts are files.
	SSHKey     string `toml:"ssh-key"`
	KnownHosts string `toml:"known-hosts"`
	App        *App   `toml:"app"`
	// API is the base URL of the host's API, for fleet scans and GitHub Apps;
	// empty for the public one.
	API string `toml:"api"`
}

// An App is a GitHub App, installed in the organisation.
type App struct {
	ID           int64  `toml:"id"`
	Installation int64  `toml:"installation"`
	Key          Secret `toml:"key"` // its private key, PEM
}

// A Token lets somebody in.
type Token struct {
	Name  string `toml:"name"`
	Role  string `toml:"role"` // viewer, closer or manager
	Token Secret `toml:"token"`
}

// A Secret says where a secret is.
type Secret struct {
	Env  string `toml:"env"`
	File string `toml:"file"`
}

// A Duration is written as Go writes it: 90s, 30m, 1h.
type Duration struct{ time.Duration }

// UnmarshalText parses the text.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = errors.New("a duration is not negative")
	}
	d.Duration = v
	return err
}

// Read reads the file; nats, if not empty, stands for what it says of queue.nats.
// Its errors name file, line and column where there are some.
func Read(path, nats string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := parse(text, nats)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	if c.dir, err = filepath.Abs(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse reads the text of a file. Errors begin with line and column.
func Parse(text []byte) (*Config, error) { return parse(text, "") }

func parse(text []byte, nats string) (*Config, error) {
	c := &Config{}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		var unknown *toml.StrictMissingError
		if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
			e := unknown.Errors[0]
			line, column := e.Position()
			return nil, fmt.Errorf("%d:%d: unknown key %q", line, column, strings.Join(e.Key(), "."))
		}
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			line, column := bad.Position()
			return nil, fmt.Errorf("%d:%d: %s", line, column, plain(bad.Error()))
		}
		return nil, fmt.Errorf(" %w", err)
	}
	if nats != "" {
		c.Queue.NATS = nats
	}
	if err := c.check(); err != nil {
		return nil, locate(text, err)
	}
	return c, nil
}

var wrongType = regexp.MustCompile(`^cannot decode TOML (\S+) into (?:a )?(?:struct field \S+ of type|Go value of type) (\S+)$`)

// plain takes the names of this program's types out of the decoder's words.
func plain(text string) string {
	text = strings.TrimPrefix(text, "toml: ")
	if m := wrongType.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("the value is of the type %s, and %s is expected", m[1], strings.TrimPrefix(m[2], "config."))
	}
	return text
}

// Path returns a path of the file, relative ones as from the file's folder.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// Reveal returns the secret, or the empty string where neither env nor file is
// given. The error never holds the secret.
func (c *Config) Reveal(s Secret) (string, error) {
	switch {
	case s.Env != "" && s.File != "":
		return "", errors.New("a secret has either env or file")
	case s.Env != "":
		v := os.Getenv(s.Env)
		if v == "" {
			return "", fmt.Errorf("the environment variable %s is empty", s.Env)
		}
		return v, nil
	case s.File != "":
		info, err := os.Stat(c.Path(s.File))
		if err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		if info.Mode().Perm()&0o007 != 0 {
			return "", fmt.Errorf("anyone may read %s; chmod 600 it", c.Path(s.File))
		}
		text, err := os.ReadFile(c.Path(s.File))
		if err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		v := strings.TrimSpace(string(text))
		if v == "" {
			return "", fmt.Errorf("%s is empty", c.Path(s.File))
		}
		return v, nil
	}
	return "", nil
}
