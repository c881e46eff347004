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

// encryptAnew has the helper re-encrypt one message. Ciphertext goes in and
// ciphertext comes out; the helper has compared what both say.
func (c *Client) encryptAnew(ctx context.Context, it *rewrap.Item, message []byte) ([]byte, error) {
	env, err := c.helperEnv(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	args := []string{"--from", it.Key, "--to", c.to.String()}
	for _, k := range it.Keep {
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
	if err := c.headed(it, out.Bytes()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// headed holds that a message is wrapped under the new key and those that it
// keeps, and no longer under the old one.
func (c *Client) headed(it *rewrap.Item, message []byte) error {
	h, _, err := rewrap.ParseHeader(message)
	if err != nil {
		return fmt.Errorf("the new message: %w", err)
	}
	var names []string
	for _, k := range h.Keys {
		if k.Provider == rewrap.KMSProvider {
			names = append(names, k.Info)
		}
	}
	for _, want := range append([]string{c.to.String()}, it.Keep...) {
		if !slices.Contains(names, want) {
			return fmt.Errorf("the new message is not under %s", want)
		}
	}
	if len(h.Under(c.from.String())) > 0 {
		return errors.New("the new message is under the old key as well")
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
