package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testRelease: the archive with the right checksum is run, and no other; it is
// fetched once; and who built it is asked where a program can tell.
func testRelease(t *testing.T, s *stage) {
	const payload = `{"ref":"refs/heads/main","before":"MAIN","after":"MAIN",REPO}`
	s.archive = release(t)
	s.version, s.sha256 = "v1.2.3", fmt.Sprintf("%x", sha256.Sum256(s.archive))
	runs := func(name string, signs ...string) {
		t.Helper()
		log := s.run("push", payload, "true")
		ok := s.outputs(log) == s.expand("0 0 MAIN..MAIN")
		for _, sign := range signs {
			ok = ok && strings.Contains(log, sign)
		}
		if !ok {
			t.Errorf("%s: the release does not run, or the log lacks one of %q:\n%s", name, signs, log)
		}
	}
	refuses := func(name, why string) {
		t.Helper()
		if log := s.run("push", payload, "true"); s.outputs(log) != "  " || !strings.Contains(log, why) {
			t.Errorf("%s: it runs, or the log lacks %q:\n%s", name, why, log)
		}
	}
	if found("cosign") || found("gh") {
		s.verify = "false" // the real ones would ask the real forge
		runs("pinned by its checksum")
	} else {
		s.verify = "true"
		refuses("nobody can tell who built it", "neither cosign nor gh on this runner")
		s.verify = "auto"
		runs("pinned by its checksum", "Who built spillgate_1.2.3_")
	}
	good := s.archive
	s.archive = nil
	runs("from the runner's cache")
	kept := s.kept()
	if err := os.WriteFile(kept, []byte("poisoned"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.archive = append(bytes.Clone(good), 0)
	refuses("neither the cache nor the forge has it", "not the pinned one")
	s.archive = good
	runs("a poisoned cache")

	const program = "#!/bin/sh\ncase $* in *--help) exit ;; esac\necho \"$(basename \"$0\") asked: $*\"\n"
	s.verify = "auto"
	if !found("cosign") {
		s.write("bin/gh", program+"[ \"$GH_TOKEN\" = made-up ]\n", 0o755)
		runs("attested", "gh asked: attestation verify", "--repo spillgate/spillgate --cert-identity https://github.com/spillgate/spillgate/.github/workflows/release.yml@refs/tags/v1.2.3")
		s.write("bin/gh", program+"exit 1\n", 0o755)
		refuses("not attested", "no attestation that the release workflow of v1.2.3 built")
	}
	s.write("bin/cosign", program, 0o755)
	s.sums = s.sha256 + "  " + filepath.Base(kept) + "\n"
	runs("signed", "cosign asked: verify-blob --bundle", "--certificate-oidc-issuer https://token.actions.githubusercontent.com")
	s.sums = strings.Repeat("0", 64) + "  " + filepath.Base(kept) + "\n"
	refuses("signed for another archive", "name another")
	s.write("bin/cosign", program+"exit 1\n", 0o755)
	refuses("not signed", "are not signed by its release workflow")
	s.verify = "false"
	runs("left at the checksum")
	s.sha256 = ""
	refuses("without a checksum", "pinned by sha256")
}

// kept returns the path of the archive in the runner's tool cache, wherever act
// puts that.
func (s *stage) kept() string {
	s.t.Helper()
	path := ""
	err := filepath.WalkDir(filepath.Join(s.dir, "home"), func(name string, d fs.DirEntry, err error) error {
		if strings.Contains(filepath.ToSlash(name), "/spillgate/v1.2.3/spillgate_1.2.3_") {
			path = name
		}
		return err
	})
	if err != nil || path == "" {
		s.t.Fatalf("the runner does not keep the archive: %v", err)
	}
	return path
}

func found(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// release returns an archive as a release has it, with the program under test.
func release(t *testing.T) []byte {
	t.Helper()
	exe, err := exec.LookPath("spillgate")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "spillgate", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
