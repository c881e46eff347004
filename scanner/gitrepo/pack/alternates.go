package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxAlternates bounds how deep alternates may refer to alternates; git stops
// there too.
const maxAlternates = 5

// objectDirs returns dirs and, behind each, those that its info/alternates
// names, and so on, each once. What cannot be followed is returned as
// problems.
func objectDirs(dirs []string) (all []string, problems []error) {
	seen := map[string]bool{}
	var add func(dir, by string, depth int)
	add = func(dir, by string, depth int) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			var info fs.FileInfo
			if info, err = os.Stat(real); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s is not a directory", dir)
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("opening object directory %s%s: %w", dir, by, err))
			return
		}
		if abs, err := filepath.Abs(real); err == nil {
			real = abs
		}
		if seen[real] {
			return
		}
		seen[real] = true
		all = append(all, dir)
		file := filepath.Join(dir, "info", "alternates")
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("reading alternates: %w", err))
			return
		}
		paths := parseAlternates(string(text))
		if len(paths) > 0 && depth == maxAlternates {
			problems = append(problems, fmt.Errorf("%s: alternates are nested more than %d deep", file, maxAlternates))
			return
		}
		for _, p := range paths {
			if !filepath.IsAbs(p) {
				p = filepath.Join(dir, p)
			}
			add(p, ", which "+file+" names", depth+1)
		}
	}
	for _, d := range dirs {
		add(d, "", 0)
	}
	return all, problems
}

// parseAlternates returns the paths in a file info/alternates: one a line,
// quoted as in C if it begins with a quotation mark; a hash begins a comment.
func parseAlternates(text string) (paths []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		// Git's quoting is Go's, but for what Go has more.
		if line[0] == '"' {
			if p, err := strconv.Unquote(line); err == nil {
				line = p
			}
		}
		paths = append(paths, line)
	}
	return paths
}
