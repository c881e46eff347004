package live

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ReadFacts reads the JSONL output of spillgate-live enrich and returns the
// facts, and how many resources nothing is known of. It takes the facts for
// what they say they are: whatever is done on their ground is checked against
// AWS once more before it is done. An output that is cut off is ErrCutOff.
func ReadFacts(r io.Reader) (all []*Facts, unknown int, err error) {
	lines := bufio.NewReaderSize(r, 64<<10)
	ended := false
	for n := 1; ; n++ {
		text, readErr := readLine(lines)
		if readErr != nil && readErr != io.EOF {
			return nil, 0, fmt.Errorf("reading line %d of the facts: %w", n, readErr)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			if ended {
				return nil, 0, fmt.Errorf("line %d of the facts comes after the last one", n)
			}
			var f *Facts
			if f, ended, err = factsLine(text); err != nil {
				return nil, 0, fmt.Errorf("line %d of the facts: %w", n, err)
			}
			switch {
			case f != nil && len(all) == MaxSubjects:
				return nil, 0, fmt.Errorf("more than %d resources", MaxSubjects)
			case f != nil:
				all = append(all, f)
			case !ended:
				unknown++
			}
		}
		if readErr == io.EOF {
			break
		}
	}
	if !ended {
		return all, unknown, ErrCutOff
	}
	return all, unknown, nil
}

// factsLine reads one line; end says that it is the last.
func factsLine(text []byte) (f *Facts, end bool, err error) {
	var line struct {
		Type          string `json:"type"`
		SchemaVersion int    `json:"schema_version"`
		Facts         *Facts `json:"facts"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return nil, false, fmt.Errorf("no line of spillgate-live enrich: %w", quiet(err))
	}
	switch line.Type {
	case "enrichment":
		if line.SchemaVersion != 1 {
			return nil, false, fmt.Errorf("facts of schema version %d; this program reads version 1", line.SchemaVersion)
		}
		return nil, true, nil
	case "enriched":
		return line.Facts, false, line.Facts.check()
	}
	return nil, false, errors.New("it is no line of spillgate-live enrich --format jsonl")
}

// check refuses facts that are about nothing.
func (f *Facts) check() error {
	switch {
	case f == nil:
		return nil
	case f.Subject.ARN == (ARN{}) && !IsAccessKeyID(f.Subject.AccessKeyID):
		return errors.New("the subject has neither an ARN nor an access key id")
	case len(f.Subject.Found) == 0 || f.Subject.Found[0].Fingerprint == "":
		return errors.New("the subject was found nowhere")
	}
	return nil
}
