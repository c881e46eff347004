package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSARIFValidates has the validator of SARIF's authors read the reports: its
// schema, and what GitHub's code scanning asks for
// (https://github.com/microsoft/sarif-sdk, the program Sarif.Multitool). Its
// notes, such as that a report without snippets shows no secret, are not asked.
func TestSARIFValidates(t *testing.T) {
	tool := os.Getenv("SPILLGATE_SARIF_MULTITOOL")
	if tool == "" {
		path, err := exec.LookPath("Sarif.Multitool")
		if err != nil {
			t.Skip("there is no Sarif.Multitool: npm install @microsoft/sarif-multitool, or set SPILLGATE_SARIF_MULTITOOL")
		}
		tool = path
	}
	dir := t.TempDir()
	for _, c := range cases {
		if c.name == "quiet" {
			continue // it is the text report's option
		}
		file := filepath.Join(dir, c.name+".sarif")
		if err := os.WriteFile(file, []byte(render(t, "sarif", c.options, c.result())), 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.Command(tool, "validate", file, "--rule-kind", "Sarif;Ghas", "--level", "Error")
		run.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
		out, err := run.CombinedOutput()
		if err != nil || strings.Contains(string(out), ": error ") || !strings.Contains(string(out), "Analysis completed successfully") {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
}
