package report

import (
	"fmt"
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
	args := []string{"validate"}
	for _, c := range cases {
		if c.name == "quiet" {
			continue // it is the text report's option
		}
		file := filepath.Join(dir, c.name+".sarif")
		if err := os.WriteFile(file, []byte(render(t, "sarif", c.options, c.result())), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	run := exec.Command(tool, append(args, "--rule-kind", "Sarif;Ghas", "--level", "Error")...)
	// It would ask whether the addresses in the report can be reached; a port of
	// this machine on which nobody listens says no to that.
	const nobody = "http://127.0.0.1:9"
	run.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", "http_proxy="+nobody, "https_proxy="+nobody, "all_proxy="+nobody, "no_proxy=")
	out, err := run.CombinedOutput()
	if err != nil || strings.Contains(string(out), ": error ") || !strings.Contains(string(out), fmt.Sprintf("%d files scanned", len(cases)-1)) {
		t.Errorf("%v\n%s", err, out)
	}
}
