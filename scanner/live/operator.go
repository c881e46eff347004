package live

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/spillgate/spillgate/rules"
)

// An Operator is what the people who run a response allow it to do. Everything
// that it does not name is forbidden; the zero Operator forbids all. It comes
// from a file of theirs (see LoadOperator), never from what was scanned.
type Operator struct {
	// Accounts, Regions and Actions are what a response may touch.
	Accounts []string `toml:"accounts"`
	Regions  []string `toml:"regions"`
	Actions  []Kind   `toml:"actions"`
	// Resources are patterns of ARNs (see Glob), and Tags are tags, any one of
	// which allows the key or secret that bears it. A resource needs one of
	// the two.
	Resources []string          `toml:"resources"`
	Tags      map[string]string `toml:"tags"`
	// Trusted are other accounts, and organisations (o-…), that may use keys:
	// they are no strangers to Judge.
	Trusted []string `toml:"trusted"`
	// MinSeverity is the severity after enrichment from which on a finding is
	// answered. Nil is medium.
	MinSeverity *rules.Severity `toml:"min_severity"`

	Limits   Limits   `toml:"limits"`
	Rotation Schedule `toml:"rotation"`
	Grants   Revokes  `toml:"grants"`
	Stop     Stop     `toml:"stop"`
	Notify   Notify   `toml:"notify"`
	Standing Standing `toml:"standing"`

	// Digest identifies the text of the file. It is part of every plan's hash.
	Digest string `toml:"-"`
}

// Limits bound what one run, one day and one key bear. Zero is the default.
type Limits struct {
	// PerRun and PerDay are how many actions are carried out; default 1 and 5.
	PerRun int `toml:"per_run"`
	PerDay int `toml:"per_day"`
	// Reserve is how many of the 25 on-demand rotations of a key are kept for
	// people; default 5. CoolDown is how long a key rests between two
	// rotations; default 24 h.
	Reserve  *int     `toml:"reserve"`
	CoolDown Duration `toml:"cool_down"`
	// Confirm is how long the effect of an action is waited for; default 15 min.
	Confirm Duration `toml:"confirm"`
}

// Schedule is the automatic rotation that EnableRotation sets.
type Schedule struct {
	// PeriodInDays is 90 to 2560; default 365.
	PeriodInDays int `toml:"period_in_days"`
}

// Revokes names the grants that RevokeGrant may revoke, by name or id, where a
// stranger holds them.
type Revokes struct {
	Revoke []string `toml:"revoke"`
}

// Stop is the kill switch: no step is done while the file exists or the
// environment variable is set to anything but 0. The variable
// SPILLGATE_STOP always counts.
type Stop struct {
	File string `toml:"file"`
	Env  string `toml:"env"`
}

// Notify is a program that is told before and after each action, on standard
// input, as one line of JSON. Default time-out 10 s. An action whose
// announcement fails is not done.
type Notify struct {
	Command []string `toml:"command"`
	Timeout Duration `toml:"timeout"`
}

// Standing is the operator's consent in advance: kinds of action that need
// neither a person nor the plan's hash.
type Standing struct {
	Apply []Kind `toml:"apply"`
}

// A Duration is a time in the words of time.ParseDuration ("24h").
type Duration time.Duration

// UnmarshalText reads a positive duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v <= 0 {
		return fmt.Errorf("%.20q is no positive duration such as 24h", b)
	}
	*d = Duration(v)
	return nil
}

// or returns d, or other for zero.
func (d Duration) or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
}

// StopVariable is the environment variable of the kill switch that holds
// whatever the operator's file says.
const StopVariable = "SPILLGATE_STOP"

const (
	maxOperator      = 1 << 20
	defaultPerRun    = 1
	defaultPerDay    = 5
	defaultReserve   = 5
	defaultCoolDown  = 24 * time.Hour
	defaultConfirm   = 15 * time.Minute
	defaultPeriod    = 365
	minPeriod        = 90 // of EnableKeyRotation
	maxPeriod        = 2560
	defaultNotify    = 10 * time.Second
	kindNames        = "rotate-on-demand, enable-rotation, revoke-grant, deactivate-access-key, rotate-secret"
	operatorKeyNames = "accounts regions actions resources tags trusted min_severity limits rotation grants stop notify standing " +
		"per_run per_day reserve cool_down confirm period_in_days revoke file env command timeout apply"
)

// ParseOperator reads the text of an operator's file; name names it in errors.
// A key that it does not know is an error, since a limit that is misspelt would
// be none.
func ParseOperator(name string, text []byte) (*Operator, error) {
	if len(text) > maxOperator {
		return nil, fmt.Errorf("%s: over %d MiB: it is no operator's file", name, maxOperator>>20)
	}
	op := &Operator{}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(op); err != nil {
		return nil, operatorError(name, err)
	}
	if err := op.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	op.Digest = hex.EncodeToString(sum[:])
	return op, nil
}

// operatorError says where a file is wrong, and what was probably meant.
func operatorError(name string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := &strict.Errors[0]
		line, _ := e.Position()
		key := e.Key()
		fix := ""
		if near := rules.Nearest(key[len(key)-1], strings.Fields(operatorKeyNames)); near != "" {
			fix = "; did you mean " + near + "?"
		}
		return fmt.Errorf("%s:%d: unknown key %q%s", name, line, strings.Join(key, "."), fix)
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		return fmt.Errorf("%s:%d:%d: %w", name, line, column, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// check refuses values that mean nothing, or something else than they seem to.
func (op *Operator) check() error {
	for _, a := range op.Accounts {
		if !IsAccount(a) {
			return fmt.Errorf("accounts: %q is no account of 12 digits", a)
		}
	}
	for _, t := range op.Trusted {
		if !IsAccount(t) && organization(t) == "" {
			return fmt.Errorf("trusted: %q is neither an account of 12 digits nor an organisation (o-…)", t)
		}
	}
	for _, r := range op.Regions {
		if r == "" || wild(r) {
			return fmt.Errorf("regions: %q is no Region; name each", r)
		}
	}
	for _, r := range op.Resources {
		if !strings.HasPrefix(r, "arn:") {
			return fmt.Errorf("resources: %q is no pattern of ARNs, such as arn:aws:kms:eu-west-1:<account>:key/*", r)
		}
	}
	for k := range op.Tags {
		if k == "" || k == NoRotateTag {
			return fmt.Errorf("tags: %q cannot allow anything", k)
		}
	}
	for what, kinds := range map[string][]Kind{"actions": op.Actions, "standing.apply": op.Standing.Apply} {
		for _, k := range kinds {
			if !slices.Contains(strings.Split(kindNames, ", "), string(k)) {
				return fmt.Errorf("%s: unknown action %q; there are %s", what, k, kindNames)
			}
		}
	}
	return op.checkNumbers()
}

func (op *Operator) checkNumbers() error {
	l := &op.Limits
	switch {
	case l.PerRun < 0 || l.PerDay < 0:
		return errors.New("limits: per_run and per_day count actions and cannot be negative; leave actions empty to forbid all")
	case l.Reserve != nil && (*l.Reserve < 0 || *l.Reserve > MaxOnDemandRotations):
		return fmt.Errorf("limits.reserve: %d is not between 0 and %d", *l.Reserve, MaxOnDemandRotations)
	case op.Rotation.PeriodInDays != 0 && (op.Rotation.PeriodInDays < minPeriod || op.Rotation.PeriodInDays > maxPeriod):
		return fmt.Errorf("rotation.period_in_days: %d is not between %d and %d", op.Rotation.PeriodInDays, minPeriod, maxPeriod)
	case len(op.Notify.Command) > 0 && op.Notify.Command[0] == "":
		return errors.New("notify.command: the program's name is empty")
	}
	return nil
}

func (op *Operator) perRun() int { return orInt(op.Limits.PerRun, defaultPerRun) }

// PerDay returns how many actions are carried out within 24 hours.
func (op *Operator) PerDay() int { return orInt(op.Limits.PerDay, defaultPerDay) }

func (op *Operator) period() int { return orInt(op.Rotation.PeriodInDays, defaultPeriod) }

func (op *Operator) reserve() int {
	if op.Limits.Reserve == nil {
		return defaultReserve
	}
	return *op.Limits.Reserve
}

func (op *Operator) coolDown() time.Duration { return op.Limits.CoolDown.or(defaultCoolDown) }

func (op *Operator) minSeverity() rules.Severity {
	if op.MinSeverity == nil {
		return rules.Medium
	}
	return *op.MinSeverity
}

func orInt(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// NoRotateTag is the tag of a key that no response touches, whatever the
// operator's file says and whatever the tag's value is.
const NoRotateTag = "spillgate:no-rotate"
