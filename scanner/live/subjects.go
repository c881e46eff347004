package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spillgate/spillgate/rules"
)

// Bounds of a report that Subjects reads.
const (
	// MaxPlaces is how many places of one subject are kept.
	MaxPlaces = 1000
	// MaxSubjects is how many different resources one report may name.
	MaxSubjects = 100_000
	// maxLine is the longest line: a finding with scanner.MaxLocations places
	// of long paths stays far below it.
	maxLine = 8 << 20
	// maxBeside is how many credentials are listed with a subject.
	maxBeside = 10
)

// ErrCutOff says that a report ends without its coverage, so that nobody knows
// what is missing.
var ErrCutOff = errors.New("the report is cut off: its last line is not the coverage; run the scan again and read all it prints")

// reportLine is what is read of a line of Spillgate's JSONL report. Whatever
// else it holds is not looked at, so that no text of a secret gets further.
type reportLine struct {
	Type          string         `json:"type"`
	SchemaVersion int            `json:"schema_version"`
	Rule          string         `json:"rule"`
	Severity      rules.Severity `json:"severity"`
	Fingerprint   string         `json:"fingerprint"`
	AccessKeyID   string         `json:"access_key_id"`
	Fields        []rules.Field  `json:"fields"`
	Location      reportPlace    `json:"location"`
	More          []reportPlace  `json:"more_locations"`
}

type reportPlace struct {
	Path   string `json:"path"`
	Line   int    `json:"start_line"`
	Commit struct {
		ID string `json:"id"`
	} `json:"commit"`
}

// Subjects reads a report of Spillgate in the format jsonl and returns the
// resources that can be asked about, each once and in the order in which they
// come: KMS keys and aliases, secrets of Secrets Manager, and access keys where
// the report names their ids. Findings that the scan suppressed are left out.
//
// A report that is cut off is ErrCutOff, together with the subjects read so
// far. Any other error names the line, and never its text.
func Subjects(r io.Reader) ([]Subject, error) {
	c := collector{index: map[string]int{}, credentials: map[string]*credentials{}}
	lines := bufio.NewReaderSize(r, 64<<10)
	ended := false
	for n := 1; ; n++ {
		text, err := readLine(lines)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading line %d of the findings: %w", n, err)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			if ended {
				return nil, fmt.Errorf("line %d of the findings comes after the coverage, which is the last line of a report; pass one report at a time", n)
			}
			var lineErr error
			if ended, lineErr = c.line(text); lineErr != nil {
				return nil, fmt.Errorf("line %d of the findings: %w", n, lineErr)
			}
		}
		if err == io.EOF {
			break
		}
	}
	c.relate()
	if !ended {
		return c.subjects, ErrCutOff
	}
	return c.subjects, nil
}

// readLine returns the next line; at the end of the input, what is left of it
// and io.EOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		if len(line)+len(piece) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes, which no finding is", maxLine)
		}
		line = append(line, piece...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

// collector gathers subjects.
type collector struct {
	subjects    []Subject
	index       map[string]int // of a subject's id
	credentials map[string]*credentials
}

// credentials are the credentials of one account that a report names.
type credentials struct {
	all              []Locator
	byCommit, byPath map[string]Locator
	unborn           *Locator // in no commit yet
}

// line reads one line, and reports whether it was the last of the report.
func (c *collector) line(text []byte) (bool, error) {
	var l reportLine
	if err := json.Unmarshal(text, &l); err != nil {
		return false, fmt.Errorf("no line of a report in the format jsonl: %w", quiet(err))
	}
	switch l.Type {
	case "coverage":
		if l.SchemaVersion != 1 {
			return false, fmt.Errorf("a report of schema version %d; this program reads version 1: use spillgate and spillgate-live of one release", l.SchemaVersion)
		}
		return true, nil
	case "suppressed":
		return false, nil
	case "finding":
		return false, c.finding(&l)
	}
	return false, errors.New("it is neither a finding nor the coverage; pass the output of spillgate … --format jsonl")
}

// quiet returns an error of encoding/json without the text that it may quote.
func quiet(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%.40q has the wrong type", wrong.Field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("no JSON at byte %d", syntax.Offset)
	}
	return errors.New("a value that is out of range")
}

// finding adds a finding, if it is of something that can be asked about.
func (c *collector) finding(l *reportLine) error {
	arn, account, err := identify(l)
	if err != nil {
		return err
	}
	credential := isCredential(l.Rule)
	places := append([]reportPlace{l.Location}, l.More...)
	locators := make([]Locator, 0, min(len(places), MaxPlaces))
	for i := range places {
		if i == MaxPlaces {
			break
		}
		p := &places[i]
		locators = append(locators, Locator{
			Rule: l.Rule, Severity: l.Severity, Fingerprint: l.Fingerprint, Path: p.Path, Line: p.Line, Commit: p.Commit.ID,
			Account: account, Credential: credential,
		})
	}
	if credential && account != "" {
		c.credential(account, locators)
	}
	switch {
	case arn.IsKey(), arn.IsAlias(), arn.Service == "secretsmanager":
		return c.add(Subject{ARN: arn}, locators, len(places))
	case l.AccessKeyID != "":
		if !IsAccessKeyID(l.AccessKeyID) {
			return errors.New("access_key_id is no AWS access key id")
		}
		return c.add(Subject{AccessKeyID: l.AccessKeyID}, locators, len(places))
	}
	return nil
}

// identify returns the ARN and the account that a finding names.
func identify(l *reportLine) (arn ARN, account string, err error) {
	for _, f := range l.Fields {
		switch f.Name {
		case "arn":
			if arn, err = ParseARN(f.Value); err != nil {
				return arn, "", err
			}
			account = arn.Account
		case "account":
			if !IsAccount(f.Value) {
				return arn, "", errors.New("the field account is no account of 12 digits")
			}
			account = f.Value
		}
	}
	if arn != (ARN{}) && IsAccount(arn.Account) && account != arn.Account {
		return arn, "", errors.New("the field account differs from the ARN's")
	}
	return arn, account, nil
}

// isCredential reports whether findings of the rule are AWS credentials, or a
// half of one.
func isCredential(rule string) bool {
	switch rule {
	case "aws-access-key-id", "aws-secret-access-key", "aws-session-token", "aws-bedrock-api-key", "aws-bedrock-short-term-key":
		return true
	}
	return false
}

// IsAccessKeyID reports whether s has the form of an AWS access key id.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
// (16 to 128 characters) and, for the prefixes and the letters,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func IsAccessKeyID(s string) bool {
	if len(s) < 16 || len(s) > 128 || !slices.Contains([]string{"AKIA", "ASIA", "ABIA", "ACCA"}, s[:4]) {
		return false
	}
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// add adds places to a subject.
func (c *collector) add(s Subject, locators []Locator, places int) error {
	id := s.ID()
	i, ok := c.index[id]
	if !ok {
		if len(c.subjects) == MaxSubjects {
			return fmt.Errorf("more than %d different resources; scan a smaller range", MaxSubjects)
		}
		i = len(c.subjects)
		c.index[id] = i
		c.subjects = append(c.subjects, s)
	}
	have := &c.subjects[i]
	have.Places += places
	have.Found = append(have.Found, locators[:min(len(locators), MaxPlaces-len(have.Found))]...)
	return nil
}

// ID returns the ARN, or the access key id where there is none. It tells
// subjects apart.
func (s *Subject) ID() string {
	if s.AccessKeyID != "" {
		return s.AccessKeyID
	}
	return s.ARN.String()
}

func (c *collector) credential(account string, locators []Locator) {
	have := c.credentials[account]
	if have == nil {
		have = &credentials{byCommit: map[string]Locator{}, byPath: map[string]Locator{}}
		c.credentials[account] = have
	}
	for _, l := range locators {
		if len(have.all) < maxBeside {
			have.all = append(have.all, l)
		}
		if l.Commit != "" {
			have.byCommit[l.Commit] = l
		} else {
			have.unborn = &l
		}
		if l.Path != "" {
			have.byPath[l.Path] = l
		}
	}
}

// relate tells each ARN which credentials of its account were found with it.
// Two findings are of one change if they are in one commit, in one file, or in
// no commit yet.
func (c *collector) relate() {
	for i := range c.subjects {
		s := &c.subjects[i]
		have := c.credentials[s.ARN.Account]
		if have == nil {
			continue
		}
		for _, l := range s.Found {
			beside, ok := have.byCommit[l.Commit]
			if !ok {
				beside, ok = have.byPath[l.Path]
			}
			if !ok && l.Commit == "" && have.unborn != nil {
				beside, ok = *have.unborn, true
			}
			if ok && len(s.Beside) < maxBeside && !slices.Contains(s.Beside, beside) {
				s.Beside = append(s.Beside, beside)
			}
		}
		if len(s.Beside) == 0 {
			s.Elsewhere = have.all
		}
	}
}
