package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
)

// auditState keeps what an audit found out, a line of JSON per key, so that
// one that was interrupted goes on. Facts age: lines older than stateAge are
// asked about again, and so are those whose answer was no answer.
type auditState struct {
	name string
	file *os.File
	done map[live.ARN]*live.Facts
}

const stateAge = 24 * time.Hour

// stateHeader is the first line of the file.
type stateHeader struct {
	Spillgate string `json:"spillgate"` // "audit-state"
	Version   int    `json:"version"`
}

func openAuditState(name string, now time.Time) (*auditState, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, usage("name a file that can be written", "--state: %v", err)
	}
	s := &auditState{name: name, file: file, done: map[live.ARN]*live.Facts{}}
	if err := s.read(now); err != nil {
		file.Close()
		return nil, usage("name another file, or remove this one", "--state %s: %v", name, err)
	}
	return s, nil
}

// read reads what an earlier run left. A last line that was torn off by the
// interruption is cut away.
func (s *auditState) read(now time.Time) error {
	data, err := io.ReadAll(s.file)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return s.line(stateHeader{"audit-state", 1})
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	lines := bufio.NewReader(bytes.NewReader(data[:whole]))
	var header stateHeader
	first, _ := lines.ReadBytes('\n')
	if err := json.Unmarshal(first, &header); err != nil || header.Spillgate != "audit-state" {
		return errors.New("it is no state of an audit")
	}
	if header.Version != 1 {
		return fmt.Errorf("it was written by another version of spillgate-live (%d)", header.Version)
	}
	for n := 2; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		f := &live.Facts{}
		if err := json.Unmarshal(line, f); err != nil || f.Key == nil || !f.Subject.ARN.IsKey() {
			return fmt.Errorf("line %d is damaged", n)
		}
		if age := now.Sub(f.Asked); age < stateAge && age > -time.Hour && settled(f) {
			s.done[f.Subject.ARN] = f
		} else {
			delete(s.done, f.Subject.ARN)
		}
	}
	return s.file.Truncate(int64(whole))
}

// settled reports whether asking again would answer the same: denials stay,
// throttling and lost connections do not.
func settled(f *live.Facts) bool {
	k := f.Key
	because := []string{k.ARN.Because(), k.Rotation.Because(), k.Rotations.Because(), k.Policy.Because(), k.Grants.Because(), k.Tags.Because(), k.Aliases.Because()}
	for _, b := range because {
		if b != "" && !strings.Contains(b, "access denied") && !strings.Contains(b, "AWS manages") && !strings.Contains(b, "NotFoundException") {
			return false
		}
	}
	return true
}

func (s *auditState) add(f *live.Facts) error { return s.line(f) }

// line appends in one write, so that an interruption tears one line at most.
func (s *auditState) line(v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = s.file.Write(append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the state %s: %w", s.name, err)
	}
	return nil
}

func (s *auditState) close() { s.file.Close() }

// remove ends the state of a complete audit.
func (s *auditState) remove() error {
	s.close()
	if err := os.Remove(s.name); err != nil {
		return fmt.Errorf("removing the state of the complete audit: %w", err)
	}
	return nil
}
