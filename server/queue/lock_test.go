package queue

import (
	"strings"
	"testing"
)

// TestOneServer holds that a folder has one server at a time, and another once the
// first is closed.
func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another spillgate-server") {
		t.Errorf("a second server on the same folder: %v", err)
		if err == nil {
			second.Close()
		}
	}
	if _, err := first.State(t.Context()); err != nil {
		t.Errorf("the first one after that: %v", err)
	}
	first.Close()
	again, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
