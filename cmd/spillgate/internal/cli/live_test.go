package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestFindCompanion: the working directory is never where a program is taken
// from, however PATH is written.
func TestFindCompanion(t *testing.T) {
	name := companion
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	dir := t.TempDir()
	put := func(rel string, mode os.FileMode) string {
		path := filepath.Join(dir, rel, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put(".", 0o755)
	put("sub", 0o755)
	put("notes", 0o644)
	good := put("bin", 0o755)
	if err := os.MkdirAll(filepath.Join(dir, "folder", name), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	list := string(filepath.ListSeparator)
	for _, path := range []string{"", ".", "sub", list + "." + list, filepath.Join(dir, "none"), filepath.Join(dir, "folder")} {
		t.Setenv("PATH", path)
		if got, err := findCompanion(); err == nil || !strings.Contains(err.Error(), "install it beside spillgate") {
			t.Errorf("PATH %q: got %s, %v", path, got, err)
		}
	}
	path := []string{".", "sub", filepath.Dir(good)}
	if runtime.GOOS != "windows" {
		path = append([]string{filepath.Join(dir, "notes")}, path...)
	}
	t.Setenv("PATH", strings.Join(path, list))
	if got, err := findCompanion(); err != nil || got != good {
		t.Errorf("got %s, %v", got, err)
	}
}
