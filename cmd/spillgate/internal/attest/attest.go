// Package attest writes and reads attestations: statements that a commit was
// scanned, by what, and that nothing blocked. They tell a commit that went round
// the hooks (git commit --no-verify) from one that did not.
//
// An attestation is a note on its commit, below refs/notes/spillgate:
//
//	spillgate attestation v1
//	commit 1f2e3d…
//	tree 4c5b6a…
//	program v1.2.3
//	rules 9a8b7c…
//	scanned 1 commit, 2 blobs, 310 B
//
// and, where the user signs, a signature of these lines by an SSH key in the
// form of `ssh-keygen -Y sign` with the namespace of this package. It names the
// commit, so that a rebase or a note that was copied does not pass.
//
// What it is worth: without a signature anybody who may push notes can write one.
// It then finds out who forgot the hooks, and not who means to deceive. With one
// it says that the holder of the key vouches for the scan. Neither replaces the
// scan of a server, which needs to believe nobody.
package attest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Ref is where git keeps the notes.
const Ref = "refs/notes/spillgate"

const (
	firstLine = "spillgate attestation v1"
	armour    = "-----BEGIN SSH SIGNATURE-----"
)

// A Statement is what an attestation says.
type Statement struct {
	// Commit and Tree are full object ids.
	Commit, Tree string
	// Program is the version of Spillgate, and Rules the digest of its rules and
	// of the configuration (see cli).
	Program, Rules string
	// Scanned is the coverage in words.
	Scanned string
}

// Text returns the lines of s, which a signature covers.
func (s Statement) Text() string {
	line := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	return fmt.Sprintf("%s\ncommit %s\ntree %s\nprogram %s\nrules %s\nscanned %s\n",
		firstLine, line(s.Commit), line(s.Tree), line(s.Program), line(s.Rules), line(s.Scanned))
}

// Parse reads a note: its statement, the bytes that a signature covers, and the
// signature, nil if there is none. Anything that Text would not have written is
// an error.
func Parse(note []byte) (s Statement, signed, signature []byte, err error) {
	signed = note
	if i := bytes.Index(note, []byte(armour)); i >= 0 {
		signed, signature = note[:i], bytes.TrimSpace(note[i:])
	}
	signed = append(bytes.TrimRight(signed, "\n"), '\n')
	lines := strings.Split(string(signed), "\n")
	if len(lines) != 7 || lines[0] != firstLine {
		return s, nil, nil, errors.New("it is no attestation")
	}
	for i, to := range []struct {
		key   string
		value *string
	}{{"commit", &s.Commit}, {"tree", &s.Tree}, {"program", &s.Program}, {"rules", &s.Rules}, {"scanned", &s.Scanned}} {
		value, ok := strings.CutPrefix(lines[i+1], to.key+" ")
		if !ok {
			return s, nil, nil, fmt.Errorf("its line %d is not the %s", i+2, to.key)
		}
		*to.value = value
	}
	if s.Text() != string(signed) {
		return s, nil, nil, errors.New("it is not written as attestations are")
	}
	return s, signed, signature, nil
}
