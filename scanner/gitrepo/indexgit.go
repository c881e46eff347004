package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// indexByGit lists the index through git, for formats that only git reads. It
// keeps git from expanding sparse directories, for which it would write trees
// into the repository. git does not look at the checksum of an index, so that
// is done here first.
func (r *Repo) indexByGit(ctx context.Context) (*index, error) {
	data, err := r.indexBytes()
	if err != nil || data == nil {
		return &index{}, err
	}
	if n := len(data) - r.hashLen; n < 12 || !checksumOK(data[:n], data[n:], r.hashLen) {
		return nil, fmt.Errorf("reading index %s: its checksum is wrong: the file is damaged", r.indexFile)
	}
	list := []string{"ls-files", "--stage", "--debug", "-z", "--full-name"}
	out, err := r.git.output(ctx, append(list, "--sparse")...)
	var g *gitError
	if errors.As(err, &g) && g.code == 129 { // before git 2.36 there was no --sparse
		out, err = r.git.output(ctx, list...)
	}
	if err != nil {
		return nil, fmt.Errorf("reading index %s: %w", r.indexFile, err)
	}
	ix, err := parseLsFiles(out, r.hashLen)
	if err != nil {
		return nil, fmt.Errorf("reading index %s: %w", r.indexFile, err)
	}
	return ix, nil
}

// parseLsFiles reads `git ls-files --stage --debug -z`: for each entry
// "MODE ID STAGE\tPATH\0", then lines of stat data that end in "flags: HEX\n"
// (https://git-scm.com/docs/git-ls-files, --debug).
func parseLsFiles(out []byte, hashLen int) (*index, error) {
	ix := &index{}
	for len(out) > 0 {
		head, rest, ok := bytes.Cut(out, []byte{0})
		meta, path, tab := bytes.Cut(head, []byte("\t"))
		words := strings.Fields(string(meta))
		if !ok || !tab || len(words) != 3 {
			return nil, fmt.Errorf("unexpected line of git ls-files: %.80q", head)
		}
		mode, err := strconv.ParseUint(words[0], 8, 32)
		if err != nil {
			return nil, fmt.Errorf("mode of %q: %w", path, err)
		}
		e := indexEntry{path: path, mode: uint32(mode), stage: words[2][0] - '0'}
		if e.id, err = parseOID(words[1], hashLen); err != nil {
			return nil, err
		}
		marker := []byte("\tflags: ")
		at := bytes.Index(rest, marker)
		if at < 0 {
			return nil, fmt.Errorf("git ls-files --debug says no flags of %q", path)
		}
		flags, rest, _ := bytes.Cut(rest[at+len(marker):], []byte("\n"))
		bits, err := strconv.ParseUint(string(flags), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("flags of %q: %w", path, err)
		}
		// in memory the extended flags stand 16 bits higher than in the file
		e.intentToAdd = bits>>16&extIntent != 0
		ix.entries, out = append(ix.entries, e), rest
	}
	return ix, nil
}
