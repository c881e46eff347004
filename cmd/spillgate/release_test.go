package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// releaseFiles say how a release is built.
var releaseFiles = []string{".goreleaser.yaml", "Dockerfile", ".github/homebrew/spillgate.rb.tmpl"}

var linkedVersion = regexp.MustCompile(`-X github\.com/spillgate/spillgate/(\S+)\.(\w+)=`)

// TestReleaseNamesItself: every way to build a release sets the version, in a
// variable that there is; a linker that is given another name says nothing.
func TestReleaseNamesItself(t *testing.T) {
	for _, name := range releaseFiles {
		programs := map[string]bool{}
		for _, m := range linkedVersion.FindAllStringSubmatch(read(t, name), -1) {
			programs[m[1]] = true
			sources, err := filepath.Glob(filepath.Join(moduleRoot, filepath.FromSlash(m[1]), "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, file := range sources {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || regexp.MustCompile(`(?m)^var `+m[2]+` `).Match(text)
			}
			if !found {
				t.Errorf("%s sets %s.%s, and there is no such variable", name, m[1], m[2])
			}
		}
		if want := 1 + strings.Count(read(t, name), "./cmd/spillgate-live"); len(programs) < min(want, 2) {
			t.Errorf("%s sets the version of %d programs, and builds %d", name, len(programs), want)
		}
	}
}

// TestReleaseIsFound: the Action builds the name of a release's archive as
// goreleaser does, and the program in it is called as goreleaser calls it.
func TestReleaseIsFound(t *testing.T) {
	config, action := read(t, ".goreleaser.yaml"), read(t, "action.yml")
	for _, want := range []string{`name_template: "{{ .ProjectName }}_{{ .Version }}_{{ .Os }}_{{ .Arch }}"`, "formats: [tar.gz]", "project_name: spillgate\n", "binary: spillgate\n", "ids: [spillgate, spillgate-live]\n",
		"name_template: checksums.txt\n", `signature: "${artifact}.sigstore.json"`} {
		if !strings.Contains(config, want) {
			t.Errorf(".goreleaser.yaml lacks %q; the Action relies on it", want)
		}
	}
	for _, want := range []string{"archive=spillgate_${VERSION#v}_${os}_${arch}.tar.gz", `"$dir/spillgate$exe" version`, "$dir/spillgate-live$exe",
		"checksums.txt checksums.txt.sigstore.json", "/.github/workflows/release.yml@refs/tags/$VERSION"} {
		if !strings.Contains(action, want) {
			t.Errorf("action.yml lacks %q; it does not find what goreleaser makes", want)
		}
	}
}

// TestReleaseTools has the tools of a release read what is written for them, as
// far as they are here.
func TestReleaseTools(t *testing.T) {
	dir := t.TempDir()
	formula := filepath.Join(dir, "spillgate.rb")
	text := strings.NewReplacer("@VERSION@", "1.2.3", "@SHA256@", strings.Repeat("a", 64)).Replace(read(t, releaseFiles[2]))
	if strings.Contains(text, "@V") || strings.Contains(text, "@S") {
		t.Error("the formula has a place that the release workflow does not fill")
	}
	if err := os.WriteFile(formula, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs(filepath.Join(moduleRoot, releaseFiles[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{
		{"ruby", "-c", formula},
		{"git", "init", "-q"}, {"git", "remote", "add", "origin", "https://github.com/spillgate/spillgate.git"}, // goreleaser asks for both
		{"goreleaser", "check", config},
	} {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Logf("%s is not installed", c[0])
			continue
		}
		run := exec.Command(c[0], c[1:]...)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(c, " "), err, out)
		}
	}
}

// read returns the text of a file of the module.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
