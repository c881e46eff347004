package suppress

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/ignore"
)

// BaselineName is the usual name of a baseline, at the top of a repository.
const BaselineName = ".spillgate-baseline.jsonl"

// A Baseline lists secrets that are known and accepted for now, so that a gate
// can be put up in front of a repository that is not clean.
//
// Its file has a line of JSON per entry, sorted, after a line with the version
// and a salt:
//
//	{"spillgate_baseline":1,"salt":"…"}
//	{"fingerprint":"…","rule":"github-token","reason":"revoked in May","owner":"ops","until":"2027-01-31","seen":"deploy/ci.env"}
//
// An entry names a rule and a fingerprint of the secret, no line and no time
// of making, so it survives moved lines, renamed files and rebases, and two
// branches that add entries merge without a conflict mostly, and with
// MergeBaselines always. git's own merge=union does too, but may bring back an
// entry that one side took out; lines in any order and twice are read, and the
// next update sorts them.
//
// The file is committed, and a password has little entropy. So the fingerprint
// is not the one of reports, which is the same in all repositories: the salt,
// which is random and made once, goes into the stretched hash. What was computed
// against one baseline is of no use against another, and one who sees
// two cannot tell which secrets they share. The fingerprints of reports stay
// what they are, so that code scanning knows an alert again.
//
// Nobody changes a Baseline while a scan uses it.
type Baseline struct {
	// Name is the name of the file, for notices.
	Name string
	// Entries are sorted by rule, fingerprint and path.
	Entries []Entry

	salt []byte
}

// An Entry excuses one secret.
type Entry struct {
	// Fingerprint covers rule, secret and the salt of the baseline.
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	// Path is a pattern in the syntax of .gitignore that confines the entry
	// to some files; "" is everywhere.
	Path string `json:"path,omitempty"`
	// Reason, Owner and Until, the last day (UTC) on which the entry holds,
	// are for the people who have to live with it.
	Reason string `json:"reason,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Until  string `json:"until,omitempty"`
	// Seen is a path where the secret stood when the entry was made. It
	// confines nothing.
	Seen string `json:"seen,omitempty"`
}

// header is the first line of the file.
type header struct {
	Version int    `json:"spillgate_baseline"`
	Salt    string `json:"salt"`
}

const (
	saltLen         = 16
	printLen        = 32      // hexadecimal digits
	maxBaselineLine = 1 << 16 // bytes
)

// NewBaseline returns an empty baseline with a salt of its own.
func NewBaseline(name string) *Baseline {
	b := &Baseline{Name: name, salt: make([]byte, saltLen)}
	_, _ = rand.Read(b.salt) // never fails (crypto/rand)
	return b
}

// ParseBaseline reads the text of a baseline. An error names the file and the
// line. Of entries for the same secret and path, as a union merge leaves them
// behind, the one that expires first counts.
func ParseBaseline(name string, text []byte) (*Baseline, error) {
	b := &Baseline{Name: name}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if err := b.parseLine(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if b.salt == nil {
		return nil, fmt.Errorf(`%s: the first line, {"spillgate_baseline":1,"salt":"…"}, is missing: restore it from the history of the file, or make the file anew with spillgate baseline create --force`, name)
	}
	b.sort()
	return b, nil
}

func (b *Baseline) parseLine(line []byte) error {
	switch {
	case len(line) > maxBaselineLine:
		return fmt.Errorf("the line has over %d bytes: no entry is that long", maxBaselineLine)
	case bytes.HasPrefix(line, []byte("<<<<<<<")), bytes.HasPrefix(line, []byte("=======")), bytes.HasPrefix(line, []byte(">>>>>>>")), bytes.HasPrefix(line, []byte("|||||||")):
		return errors.New("a merge left a conflict here: keep the lines of both sides and delete the marks")
	case bytes.Contains(line, []byte(`"spillgate_baseline"`)):
		return b.parseHeader(line)
	}
	var e Entry
	if err := strictJSON(line, &e); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return err
	}
	b.Entries = append(b.Entries, e)
	return nil
}

func (b *Baseline) parseHeader(line []byte) error {
	var h header
	if err := strictJSON(line, &h); err != nil {
		return err
	}
	salt, err := hex.DecodeString(h.Salt)
	switch {
	case h.Version != 1:
		return fmt.Errorf("version %d of the format is not known to this version of Spillgate: update it", h.Version)
	case err != nil || len(salt) != saltLen:
		return fmt.Errorf("the salt must be %d hexadecimal digits: restore the line from the history of the file", 2*saltLen)
	case b.salt != nil && !bytes.Equal(b.salt, salt):
		return errors.New("two baselines were merged: the salts differ, so one half of the entries is void; keep one side and run spillgate baseline update")
	}
	b.salt = salt
	return nil
}

// strictJSON decodes one JSON object into v and refuses unknown fields. The
// decoder's own errors would quote the file.
func strictJSON(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fmt.Errorf("unknown field %s", field)
		}
		return errors.New("this is no JSON object of a baseline")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one JSON object stands on the line")
	}
	return nil
}

// check says what is wrong with the entry.
func (e *Entry) check() error {
	if b, err := hex.DecodeString(e.Fingerprint); err != nil || len(b)*2 != printLen || strings.ToLower(e.Fingerprint) != e.Fingerprint {
		return fmt.Errorf("the fingerprint must be %d lower-case hexadecimal digits", printLen)
	}
	if !isRule(e.Rule) || strings.Contains(e.Rule, "*") {
		return errors.New("the rule is missing or no id of a rule")
	}
	return CheckDate(e.Until)
}

// CheckDate reports what is wrong with s as the last day of an excuse; "" is
// fine.
func CheckDate(s string) error {
	if s == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return fmt.Errorf("the date %q is not of the form 2027-01-31", s)
	}
	return nil
}

// sort orders the entries and drops doubles.
func (b *Baseline) sort() {
	last := func(e Entry) string { return cmp.Or(e.Until, "9999-99-99") }
	slices.SortStableFunc(b.Entries, func(x, y Entry) int {
		return cmp.Or(
			strings.Compare(x.Rule, y.Rule), strings.Compare(x.Fingerprint, y.Fingerprint), strings.Compare(x.Path, y.Path),
			strings.Compare(last(x), last(y)), strings.Compare(y.Reason, x.Reason), strings.Compare(y.Owner, x.Owner), strings.Compare(y.Seen, x.Seen),
		)
	})
	b.Entries = slices.CompactFunc(b.Entries, func(x, y Entry) bool {
		return x.Rule == y.Rule && x.Fingerprint == y.Fingerprint && x.Path == y.Path
	})
}

// Bytes returns the text of the file: the same for the same entries.
func (b *Baseline) Bytes() []byte {
	b.sort()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(header{1, hex.EncodeToString(b.salt)}) // strings and numbers into memory
	for i := range b.Entries {
		_ = e.Encode(&b.Entries[i])
	}
	return out.Bytes()
}

// Fingerprint returns what an entry for the secret has as its fingerprint.
func (b *Baseline) Fingerprint(rule string, secret scanner.Secret) string {
	return scanner.Fingerprinter{Key: append([]byte("baseline\x00"), b.salt...)}.Fingerprint(rule, secret)
}

// baselineStage is the stage of a baseline.
type baselineStage struct {
	*Baseline
	options *Options
	byRule  map[string][]int
	prints  map[[2]string]string // by rule and secret: stretching takes time
	paths   []*ignore.File
	used    []bool
	expired []bool
	refused []bool
}

func newBaselineStage(b *Baseline, o *Options) *baselineStage {
	n := len(b.Entries)
	s := &baselineStage{
		Baseline: b, options: o, byRule: map[string][]int{}, prints: map[[2]string]string{},
		paths: make([]*ignore.File, n), used: make([]bool, n), expired: make([]bool, n), refused: make([]bool, n),
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		s.byRule[e.Rule] = append(s.byRule[e.Rule], i)
		if e.Path != "" {
			s.paths[i] = ignore.Parse(e.Path, false)
		}
	}
	return s
}

// Judge implements scanner.Stage.
func (s *baselineStage) Judge(f *scanner.Finding) {
	candidates := s.byRule[f.Rule.ID]
	if len(candidates) == 0 {
		return
	}
	key := [2]string{f.Rule.ID, f.Secret.Reveal()}
	print, ok := s.prints[key]
	if !ok {
		print = s.Fingerprint(f.Rule.ID, f.Secret)
		s.prints[key] = print
	}
	for _, i := range candidates {
		e := &s.Entries[i]
		if e.Fingerprint != print || e.Path != "" && !s.within(i, f) {
			continue
		}
		switch {
		case e.Until != "" && e.Until < s.options.Today:
			s.expired[i] = true
		case s.options.RequireReason && strings.TrimSpace(e.Reason) == "":
			s.refused[i] = true
		default:
			s.used[i] = true
			f.Suppression = &scanner.Suppression{By: "baseline", Reason: e.why()}
			return
		}
	}
}

// within reports whether f stands where the i-th entry is confined to.
func (s *baselineStage) within(i int, f *scanner.Finding) bool {
	return slices.ContainsFunc(s.options.tree().paths(f), func(path string) bool {
		return s.paths[i].Covers(path, f.Rule.ID) != nil
	})
}

// why returns the reason that reports give.
func (e *Entry) why() string {
	why := e.Reason
	if why == "" {
		why = "known when the baseline was made"
	}
	if e.Owner != "" {
		why += ", owner " + e.Owner
	}
	if e.Until != "" {
		why += ", until " + e.Until
	}
	return why
}

// Notices implements scanner.Reporter.
func (s *baselineStage) Notices() []scanner.Notice {
	var all []scanner.Notice
	for i := range s.Entries {
		e := &s.Entries[i]
		n := scanner.Notice{Where: s.Name, What: "the entry " + e.Fingerprint[:8] + " for " + e.Rule}
		if e.Seen != "" {
			n.What += " in " + e.Seen
		}
		switch {
		case s.expired[i]:
			n.Kind, n.Fix = scanner.NoticeExpired, "fix what it excuses, or set a new date with spillgate baseline audit"
			n.What += " expired on " + e.Until
		case s.refused[i]:
			n.Kind, n.Fix = scanner.NoticeRefused, "give one with spillgate baseline audit"
			n.What += " gives no reason"
		case !s.used[i] && s.options.BaselineAudit:
			n.Kind, n.Fix = scanner.NoticeUnused, "spillgate baseline prune takes it out"
			n.What += " excuses nothing"
		default:
			continue
		}
		all = append(all, n)
	}
	return all
}
