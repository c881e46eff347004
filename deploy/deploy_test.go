// Package deploy holds no code: its tests hold the Terraform modules and the
// Kubernetes manifests to what Spillgate asks of others.
package deploy

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"go.yaml.in/yaml/v3"
)

// modules returns the files of each module.
func modules(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("terraform/*/*.tf")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	byModule := map[string][]string{}
	for _, f := range files {
		byModule[filepath.Dir(f)] = append(byModule[filepath.Dir(f)], f)
	}
	return byModule
}

func TestTerraformIsFormatted(t *testing.T) {
	for _, files := range modules(t) {
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if formatted := hclwrite.Format(text); !bytes.Equal(formatted, text) {
				t.Errorf("%s is not formatted; terraform fmt would write\n%s", name, formatted)
			}
		}
	}
}

// A module is what the files of a folder declare and use.
type module struct {
	declared, used map[string]bool
	described      map[string]bool
}

// readModule parses the files and follows every reference in them.
func readModule(t *testing.T, files []string) *module {
	t.Helper()
	m := &module{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
		if problems.HasErrors() {
			t.Fatalf("%s: %v", name, problems)
		}
		body := file.Body.(*hclsyntax.Body)
		for _, b := range body.Blocks {
			id := b.Type + "." + strings.Join(b.Labels, ".")
			switch b.Type {
			case "resource":
				id = strings.Join(b.Labels, ".")
			case "variable":
				id = "var." + b.Labels[0]
			case "locals":
				for local := range b.Body.Attributes {
					m.declared["local."+local] = true
				}
				continue
			}
			m.declared[id] = true
			if _, ok := b.Body.Attributes["description"]; ok {
				m.described[id] = true
			}
		}
		problems = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			if e, ok := n.(*hclsyntax.ScopeTraversalExpr); ok {
				m.use(e.Traversal)
			}
			return nil
		})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
	}
	return m
}

// use notes what a traversal such as aws_kms_key.this.arn refers to.
func (m *module) use(traversal hcl.Traversal) {
	root := traversal.RootName()
	parts := []string{root}
	for _, step := range traversal[1:] {
		if attr, ok := step.(hcl.TraverseAttr); ok {
			parts = append(parts, attr.Name)
		} else {
			break
		}
	}
	switch {
	case root == "var" || root == "local":
		m.used[strings.Join(parts[:min(2, len(parts))], ".")] = true
	case root == "data":
		m.used[strings.Join(parts[:min(3, len(parts))], ".")] = true
	case strings.HasPrefix(root, "aws_"):
		m.used[strings.Join(parts[:min(2, len(parts))], ".")] = true
	}
}

// TestTerraformRefersToWhatIsThere holds that each reference has its
// declaration, each variable its use, and each variable and output its
// description.
func TestTerraformRefersToWhatIsThere(t *testing.T) {
	for dir, files := range modules(t) {
		m := readModule(t, files)
		for _, name := range slices.Sorted(maps.Keys(m.used)) {
			if !m.declared[name] {
				t.Errorf("%s: %s is used and not declared", dir, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.declared)) {
			kind, _, _ := strings.Cut(name, ".")
			if (kind == "var" || kind == "local" || kind == "data") && !m.used[name] {
				t.Errorf("%s: %s is declared and not used", dir, name)
			}
			if (kind == "var" || kind == "output") && !m.described[name] {
				t.Errorf("%s: %s has no description", dir, name)
			}
		}
	}
}

// build makes spillgate.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "spillgate")
	cmd := exec.Command("go", "build", "-o", program, "../cmd/spillgate")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building spillgate: %v\n%s", err, out)
	}
	return program
}

// TestOwnScanner has Spillgate judge its own modules, and shows that it would
// see a fault: rotation switched off in a copy.
func TestOwnScanner(t *testing.T) {
	program := build(t)
	scan := func(dir string) (string, int) {
		cmd := exec.Command(program, "dir", "--no-ignore", "--fail-on", "low", "--min-confidence", "low", dir)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := scan("."); code != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	text, err := os.ReadFile("terraform/key/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	rotating := regexp.MustCompile(`(enable_key_rotation\s*= )true`)
	if !rotating.Match(text) {
		t.Fatal("the module has no key with rotation")
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "main.tf"), rotating.ReplaceAll(text, []byte("${1}false")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := scan(broken); code != 1 || !strings.Contains(out, "iac-kms-rotation") {
		t.Errorf("a key without rotation: exit code %d:\n%s", code, out)
	}
}

// documents returns the YAML documents of the manifests.
func documents(t *testing.T) []map[string]any {
	t.Helper()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all []map[string]any
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var doc map[string]any
			err := d.Decode(&doc)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, doc)
		}
	}
	return all
}

// at returns what a path of keys leads to, as text; empty where it ends.
func at(v any, path ...string) string {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[key]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// TestPodsAreConfined holds every pod to what the restricted profile of
// Kubernetes asks, and more: no token, no writable root, probes and limits.
func TestPodsAreConfined(t *testing.T) {
	pods := 0
	for _, doc := range documents(t) {
		spec, ok := doc["spec"].(map[string]any)
		if !ok || spec["template"] == nil {
			continue
		}
		pods++
		name := at(doc, "metadata", "name")
		pod := spec["template"].(map[string]any)["spec"].(map[string]any)
		want := func(got, want, what string) {
			if got != want {
				t.Errorf("%s: %s is %q, want %q", name, what, got, want)
			}
		}
		want(at(pod, "automountServiceAccountToken"), "false", "automountServiceAccountToken")
		want(at(pod, "securityContext", "runAsNonRoot"), "true", "runAsNonRoot")
		want(at(pod, "securityContext", "seccompProfile", "type"), "RuntimeDefault", "seccompProfile")
		all := pod["containers"].([]any)
		if first, ok := pod["initContainers"].([]any); ok {
			all = append(first, all...)
		}
		for _, c := range all {
			want(at(c, "securityContext", "allowPrivilegeEscalation"), "false", "allowPrivilegeEscalation")
			want(at(c, "securityContext", "readOnlyRootFilesystem"), "true", "readOnlyRootFilesystem")
			want(at(c, "securityContext", "capabilities", "drop"), "[ALL]", "capabilities.drop")
			for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
				if at(c, probe, "httpGet", "path") == "" && doc["kind"] != "Job" {
					t.Errorf("%s has no %s", name, probe)
				}
			}
			if at(c, "resources", "limits", "memory") == "" {
				t.Errorf("%s has no limit of memory", name)
			}
		}
	}
	if pods < 2 {
		t.Fatalf("%d pods", pods)
	}
}

// TestNothingIsAllowedByDefault holds that a policy without exceptions covers
// all pods, and that each workload has one of its own.
func TestNothingIsAllowedByDefault(t *testing.T) {
	policies, workloads := map[string]bool{}, map[string]bool{}
	closed := false
	for _, doc := range documents(t) {
		spec, _ := doc["spec"].(map[string]any)
		switch doc["kind"] {
		case "NetworkPolicy":
			policies[at(doc, "metadata", "name")] = true
			closed = closed || at(spec, "podSelector") == "map[]" && at(spec, "policyTypes") == "[Ingress Egress]" &&
				spec["ingress"] == nil && spec["egress"] == nil
		case "StatefulSet", "Deployment":
			workloads[at(doc, "metadata", "name")] = true
		}
	}
	if !closed {
		t.Error("no policy closes everything")
	}
	for name := range workloads {
		if !policies[name] {
			t.Errorf("%s has no network policy", name)
		}
	}
}
