package cli

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/spillgate/spillgate"

// deps lists what a package links, as the go command sees it.
func deps(t *testing.T, goos, pkg string) []string {
	t.Helper()
	c := exec.Command("go", "list", "-deps", pkg)
	c.Dir = "../../../.."
	c.Env = append(c.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// TestNoSocket holds the promise that the program in everybody's hook, which
// reads hostile text beside credentials, cannot open a socket.
func TestNoSocket(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		all := deps(t, goos, module+"/cmd/spillgate")
		if len(all) < 100 {
			t.Fatalf("only %d packages listed for %s", len(all), goos)
		}
		for _, d := range all {
			if d == "net" || d == "net/http" || d == "crypto/tls" || strings.HasPrefix(d, "github.com/aws/") {
				t.Errorf("%s: cmd/spillgate links %s", goos, d)
			}
		}
	}
}

// TestImportsPointDown enforces the drawing in ARCHITECTURE.md.
func TestImportsPointDown(t *testing.T) {
	c := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...")
	c.Dir = "../../../.."
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		imports[words[0]] = words[1:]
	}
	for _, rule := range importRules {
		from := module + "/" + rule.from
		seen := false
		for pkg, all := range imports {
			if pkg != from && !strings.HasPrefix(pkg, from+"/") {
				continue
			}
			seen = true
			for _, imp := range all {
				if rule.allowed(imp) {
					continue
				}
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(pkg, module+"/"), imp, rule.reason)
			}
		}
		if !seen {
			t.Errorf("no package %s: the rule checks nothing", rule.from)
		}
	}
	for pkg, all := range imports {
		for _, imp := range all {
			if strings.HasPrefix(imp, "github.com/go-git/") && !strings.HasPrefix(pkg, module+"/scanner/gitrepo") {
				t.Errorf("%s imports %s: scanner/gitrepo alone knows how git stores things", pkg, imp)
			}
			if strings.HasPrefix(imp, "github.com/aws/") && !strings.HasPrefix(pkg, module+"/scanner/live/kms") {
				t.Errorf("%s imports %s: scanner/live/kms alone talks to AWS", pkg, imp)
			}
			if imp == "github.com/go-git/go-git/v5" {
				t.Errorf("%s imports go-git's root package: it links net/http", pkg)
			}
		}
	}
}

type importRule struct {
	from   string
	may    []string // own packages, and outside ones by prefix
	reason string
}

var importRules = []importRule{
	{"rules", []string{"rules", "github.com/pelletier/go-toml/v2"},
		"rules map bytes to matches; they know neither files nor findings, and cost nothing to link"},
	{"scanner/gitrepo", []string{"scanner", "scanner/gitrepo", "rules", "github.com/go-git/", "github.com/klauspost/compress", "golang.org/x/sys"},
		"a source knows the core types and no sibling"},
	{"scanner/filetree", []string{"scanner", "scanner/filetree", "scanner/ignore", "rules", "golang.org/x/sys"},
		"a source knows the core types and no sibling, but for the leaf that reads ignore files"},
	{"scanner/ignore", []string{"github.com/sabhiram/go-gitignore"},
		"it answers for walks and for findings alike, and so knows neither"},
	{"scanner/suppress", []string{"scanner", "scanner/ignore", "rules"},
		"a stage judges findings, wherever they came from and wherever they go; it reads ignore files through the leaf that walks use"},
	{"scanner/decode", []string{"scanner", "rules"},
		"a detector around another one sees chunks and hits, and never where they come from"},
	{"scanner/iac", []string{"scanner", "rules", "github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty/cty", "go.yaml.in/yaml/v3"},
		"a detector sees chunks, and never where they come from; the languages of infrastructure code are its own business"},
	{"scanner/archive", []string{"scanner", "rules", "github.com/klauspost/compress"},
		"a source around another one, whichever that is"},
	{"scanner/live/kms", []string{"scanner/live", "scanner/live/rewrap", "scanner/live/kms", "rules", "github.com/aws/"},
		"it alone talks to AWS, and knows nothing of how findings come about"},
	{"hooks", []string{"hooks"},
		"what git and assistants tell a hook is parsed, and hooks are installed, without knowing what is scanned"},
	{"scanner/live/rewrap", []string{"scanner/live"},
		"what is under a key is planned and remembered without a client of AWS"},
	{"scanner/report", []string{"scanner", "scanner/report", "rules"},
		"a sink sees results and never where they came from"},
}

// allowed reports whether a package that the rule is about may import imp.
func (r importRule) allowed(imp string) bool {
	own, isOwn := strings.CutPrefix(imp, module+"/")
	if !isOwn && !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
		return true // the standard library
	}
	for _, m := range r.may {
		switch {
		case isOwn && own == m:
			return true
		case isOwn && m == r.from && strings.HasPrefix(own, m+"/"):
			return true
		case !isOwn && strings.HasPrefix(imp, m):
			return true
		}
	}
	return false
}

// TestCoreImportsNothing keeps package scanner free of everything but rules.
func TestCoreImportsNothing(t *testing.T) {
	c := exec.Command("go", "list", "-f", "{{join .Imports \" \"}}", "./scanner")
	c.Dir = "../../../.."
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, imp := range strings.Fields(string(out)) {
		if imp != module+"/rules" && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
			t.Errorf("scanner imports %s: the core types depend on the rules alone", imp)
		}
		if imp == "os" || imp == "os/exec" {
			t.Errorf("scanner imports %s: it opens no file", imp)
		}
	}
}
