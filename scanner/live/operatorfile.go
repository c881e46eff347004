package live

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadOperator reads the operator's file. It refuses a file that others than
// the operator may have written: one in a git work tree (a scanned repository
// must not say what may be done to an account, and which ones are scanned is
// not known here), and, where the system tells, one that other users can
// write or that belongs to another user.
func LoadOperator(file string) (*Operator, error) {
	path, err := trustedPath(file, "the operator's file")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the operator's file: %w", err)
	}
	defer f.Close()
	// What is checked is what is read: the open file, not its name.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at the operator's file %s: %w", file, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the operator's file %s is no regular file", file)
	}
	if err := ownersOnly(info); err != nil {
		return nil, fmt.Errorf("the operator's file %s %w", file, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxOperator+1))
	if err != nil {
		return nil, fmt.Errorf("reading the operator's file %s: %w", file, err)
	}
	return ParseOperator(file, text)
}

// trustedPath returns the path that name really means, unless it lies in a git
// work tree or in a folder that other users can write. What names it in errors.
func trustedPath(name, what string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("finding %s %s: %w", what, name, err)
	}
	path, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", what, err)
	}
	for _, p := range []string{abs, path} {
		if tree := workTree(p); tree != "" {
			return "", fmt.Errorf("%s %s lies in the git work tree %s, where a commit could change it; keep it outside of every repository", what, name, tree)
		}
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("looking at the folder of %s: %w", what, err)
	}
	if info.Mode()&fs.ModeSticky == 0 {
		if err := ownersOnly(info); err != nil {
			return "", fmt.Errorf("the folder of %s %s %w", what, name, err)
		}
	}
	return path, nil
}

// workTree returns the git work tree around path, or the empty string.
func workTree(path string) string {
	for dir := path; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil || !errors.Is(err, fs.ErrNotExist) && !notFolder(dir) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// notFolder reports whether path is something else than a folder, which can
// hold no work tree.
func notFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
