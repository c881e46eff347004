package live

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNoClient keeps the package what its comment says: it plans and keeps
// books, and has nothing to talk to AWS with.
func TestNoClient(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if len(all) < 50 {
		t.Fatalf("only %d packages listed", len(all))
	}
	for _, d := range all {
		if d == "net/http" || d == "crypto/tls" || strings.HasPrefix(d, "github.com/aws/") {
			t.Errorf("scanner/live links %s", d)
		}
	}
}
