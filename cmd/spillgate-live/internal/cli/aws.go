package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/spillgate/spillgate/rules"
	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
)

// awsFlags are the flags of every command that asks AWS. Where to ask comes
// from the ARNs; these say with which credentials, and within which bounds.
func awsFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "profile", Usage: "`PROFILE` of the shared AWS configuration (default: AWS_PROFILE, or the SDK's chain)"},
		&cli.StringFlag{
			Name:  "role-arn",
			Usage: "assume this role; {account} and {partition} in the `ARN` stand for those of the resource",
		},
		&cli.StringFlag{Name: "external-id", Usage: "external `ID` for --role-arn"},
		&cli.DurationFlag{Name: "timeout", Value: 10 * time.Second, Usage: "longest `TIME` of one request", Validator: positiveTime},
		&cli.IntFlag{Name: "jobs", Aliases: []string{"j"}, Value: 16, Usage: "most requests at a time, `N`", Validator: positive},
	}, more...)
}

func positiveTime(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("a time above 0 is needed, as in 10s")
	}
	return nil
}

func positive(n int) error {
	if n < 1 || n > 1000 {
		return fmt.Errorf("a number from 1 to 1000 is needed")
	}
	return nil
}

// accounts checks a list of account ids.
func accounts(all []string) error {
	for _, a := range all {
		if !live.IsAccount(a) {
			return fmt.Errorf("%q is no account: 12 digits are needed", a)
		}
	}
	return nil
}

// strangers checks a list of accounts and organisations that are none.
func strangers(all []string) error {
	for _, a := range all {
		if !strings.HasPrefix(a, "o-") && accounts([]string{a}) != nil {
			return fmt.Errorf("%q is neither an account of 12 digits nor an organisation (o-…)", a)
		}
	}
	return nil
}

// allowFlag names who is no stranger.
func allowFlag() cli.Flag {
	return &cli.StringSliceFlag{
		Name: "allow-account", Validator: strangers,
		Usage: "an `ACCOUNT` or organisation (o-…) that may use keys; may be repeated",
	}
}

// awsOptions reads what awsFlags set.
func awsOptions(c *cli.Command) kms.Options {
	return kms.Options{
		Profile: c.String("profile"), Role: c.String("role-arn"), ExternalID: c.String("external-id"),
		Timeout: c.Duration("timeout"), Jobs: c.Int("jobs"), Version: strings.TrimPrefix(version(), "v"),
	}
}

// openAWS opens a session; a role or profile that cannot be is wrong usage.
func openAWS(ctx context.Context, o kms.Options) (*kms.Session, error) {
	s, err := kms.Open(ctx, o)
	if err != nil {
		return nil, usage("check --profile, --role-arn and the AWS configuration", "%v", err)
	}
	return s, nil
}

// advise says what to do about credentials that are missing or not accepted,
// if that is what err is about. Other failures say themselves what they need.
func (a *app) advise(err error) {
	var e *kms.Error
	if !errors.As(err, &e) {
		return
	}
	switch e.Class {
	case kms.Credentials:
		fmt.Fprintln(a.Stderr, "spillgate-live: name a profile (--profile or AWS_PROFILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY;"+
			" with --role-arn they must be allowed to assume the role")
	case kms.NotAccepted:
		fmt.Fprintln(a.Stderr, "spillgate-live: AWS does not accept the credentials: sign in again, or name another profile (--profile or AWS_PROFILE)")
	}
}

// severityFlag is a flag that takes a severity.
func severityFlag(name, value, text string) cli.Flag {
	return &cli.StringFlag{
		Name: name, Value: value, Usage: text + ": " + strings.Join(rules.SeverityNames(), ", "),
		Validator: func(s string) error {
			var v rules.Severity
			return v.UnmarshalText([]byte(s))
		},
	}
}

func severityOf(c *cli.Command, name string) rules.Severity {
	var v rules.Severity
	_ = v.UnmarshalText([]byte(c.String(name))) // checked by the flag
	return v
}

// input returns the reader of FILE or, for "" and "-", of standard input.
func (a *app) input(name string) (io.ReadCloser, error) {
	if name == "" || name == "-" {
		return io.NopCloser(a.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("name a file that can be read, or pipe into the command", "%v", err)
	}
	return f, nil
}

// progress counts on a terminal's last line, and nowhere else.
type progress struct {
	w     io.Writer
	what  string
	total int
	done  int
	last  time.Time
}

// newProgress returns a progress that shows if w is a terminal.
func newProgress(w io.Writer, what string, total int) *progress {
	if !terminal(w) {
		w = nil
	}
	return &progress{w: w, what: what, total: total}
}

// step counts one more. The caller calls it from one goroutine.
func (p *progress) step() {
	p.done++
	if p.w == nil || p.done < p.total && time.Since(p.last) < time.Second/10 {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.w, "\r\x1b[K%s %d of %d", p.what, p.done, p.total)
}

// end clears the line.
func (p *progress) end() {
	if p.w != nil && p.done > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// terminal reports whether w is a terminal, or another character device.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
