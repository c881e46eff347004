package rewrapper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// helperTime bounds one message in the helper, which makes a handful of calls
// of KMS.
const helperTime = 5 * time.Minute

// anew returns the text of an item with its messages encrypted anew: all of it
// is one, or they stand in the middle of it.
func (c *Client) anew(ctx context.Context, it *rewrap.Item, text []byte) ([]byte, error) {
	if len(it.Inside) == 0 {
		return c.oneAnew(ctx, rewrap.Span{Key: it.Key, Keep: it.Keep}, it.Encoding, text)
	}
	var out []byte
	at := 0
	for _, s := range it.Inside {
		if s.At < at || s.At+s.Length > len(text) {
			return nil, fmt.Errorf("%w: its messages are not where they were", rewrap.ErrChanged)
		}
		fresh, err := c.oneAnew(ctx, s, rewrap.Base64, text[s.At:s.At+s.Length])
		if err != nil {
			return nil, err
		}
		out = append(append(out, text[at:s.At]...), fresh...)
		at = s.At + s.Length
	}
	return append(out, text[at:]...), nil
}

// oneAnew encrypts one message anew, and writes it as it was written.
func (c *Client) oneAnew(ctx context.Context, s rewrap.Span, e rewrap.Encoding, text []byte) ([]byte, error) {
	old, err := e.Decode(text)
	if err != nil {
		return nil, err
	}
	fresh, err := c.encryptAnew(ctx, s, old)
	if err != nil {
		return nil, err
	}
	return written(e, fresh, text)
}

// written writes data as like is written, and holds that it reads as data,
// whatever the lines of like look like.
func written(e rewrap.Encoding, data, like []byte) ([]byte, error) {
	text := e.Encode(data, like)
	if again, err := e.Decode(text); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("the new text would not be read as the old one was; it is left as it is")
	}
	return text, nil
}

// encryptAnew has the helper re-encrypt one message. Ciphertext goes in and
// ciphertext comes out; the helper has compared what both say.
func (c *Client) encryptAnew(ctx context.Context, s rewrap.Span, message []byte) ([]byte, error) {
	env, err := c.helperEnv(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	args := []string{"--from", s.Key, "--to", c.to.String()}
	for _, k := range s.Keep {
		args = append(args, "--keep", k)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, c.options.Helper, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = bytes.NewReader(message), &out, &said, env
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("the Encryption SDK: %.300s (%w)", strings.TrimPrefix(text, "spillgate-esdk: "), err)
	}
	h, _, err := rewrap.ParseHeader(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the new message: %w", err)
	}
	if err := c.headed(h, s.Keep); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// headed holds that a message is wrapped under the new key and those that it
// keeps, and no longer under the old one.
func (c *Client) headed(h *rewrap.Header, keep []string) error {
	var names []string
	for _, k := range h.Keys {
		if k.Provider == rewrap.KMSProvider {
			names = append(names, k.Info)
		}
	}
	for _, want := range append([]string{c.to.String()}, keep...) {
		if !slices.Contains(names, want) {
			return fmt.Errorf("the new message is not under %s", want)
		}
	}
	if len(h.Under(c.from.String())) > 0 {
		return errors.New("the new message is under the old key as well")
	}
	return nil
}

// allHeaded holds the same of every message of an item's new text.
func (c *Client) allHeaded(it *rewrap.Item, text []byte) error {
	if len(it.Inside) == 0 {
		message, err := it.Encoding.Decode(text)
		if err != nil {
			return err
		}
		h, _, err := rewrap.ParseHeader(message)
		if err != nil {
			return fmt.Errorf("the new message: %w", err)
		}
		return c.headed(h, it.Keep)
	}
	now := rewrap.Look(text)
	fresh := 0
	for i := range now.Inside {
		h := now.Inside[i].Header
		if len(h.Under(c.from.String())) > 0 {
			return errors.New("a message in the new text is under the old key")
		}
		if slices.ContainsFunc(it.Inside, func(s rewrap.Span) bool { return c.headed(h, s.Keep) == nil }) {
			fresh++
		}
	}
	if fresh < len(it.Inside) {
		return fmt.Errorf("%d messages of the new text are under the new key, and %d were made", fresh, len(it.Inside))
	}
	return nil
}

// helperEnv is this process's environment with the credentials that the session
// has: a role that was assumed, or those of a profile.
func (c *Client) helperEnv(ctx context.Context) ([]string, error) {
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return nil, errors.New("the credentials for the Encryption SDK could not be had")
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE":
			return true
		}
		return false
	})
	env = append(env, "AWS_ACCESS_KEY_ID="+creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+creds.SecretAccessKey)
	if creds.SessionToken != "" {
		env = append(env, "AWS_SESSION_TOKEN="+creds.SessionToken)
	}
	return env, nil
}
