package gitrepo

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A config holds the settings of git configuration files, in file order. It is
// read only to learn the repository's format, the upstream of a branch and the
// name of the default branch; no setting changes what is scanned.
// Included files are not followed, as git does not for the format either.
type config struct{ settings []setting }

// A setting is "section.subsection.name" with section and name in lower case.
type setting struct{ key, value string }

// get returns the last value of key.
func (c *config) get(key string) (string, bool) {
	for i := len(c.settings) - 1; i >= 0; i-- {
		if c.settings[i].key == key {
			return c.settings[i].value, true
		}
	}
	return "", false
}

// all returns every value of key in order.
func (c *config) all(key string) []string {
	var values []string
	for _, s := range c.settings {
		if s.key == key {
			values = append(values, s.value)
		}
	}
	return values
}

// truth reads a boolean as git does; a key without a value is true.
func (c *config) truth(key string) bool {
	v, ok := c.get(key)
	if !ok {
		return false
	}
	switch strings.ToLower(v) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// load adds the settings of a file. One that is not there adds nothing.
func (c *config) load(file string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c.parse(string(data))
	return nil
}

// parse adds the settings of text. Lines that make no sense are passed over:
// git itself refuses them, and the scan does not depend on them.
func (c *config) parse(text string) {
	text = strings.TrimPrefix(text, "\ufeff")
	section := ""
	for text != "" {
		var line string
		line, text = logicalLine(text)
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name, rest, ok := sectionName(line[1:])
			if !ok {
				continue
			}
			section, line = name, strings.TrimSpace(rest)
		}
		if line == "" || line[0] == '#' || line[0] == ';' || section == "" {
			continue
		}
		key, value, given := strings.Cut(line, "=")
		key, _, _ = strings.Cut(key, "#")
		key = strings.ToLower(strings.TrimSpace(key))
		if given {
			value = configValue(value)
		} else {
			value = "true"
		}
		c.settings = append(c.settings, setting{section + "." + key, value})
	}
}

// logicalLine cuts the first line from text, joining lines that end in an
// odd number of backslashes.
func logicalLine(text string) (line, rest string) {
	for {
		one, more, _ := strings.Cut(text, "\n")
		one = strings.TrimSuffix(one, "\r")
		text = more
		if n := len(one) - len(strings.TrimRight(one, `\`)); n%2 == 1 && more != "" {
			line += one[:len(one)-1]
			continue
		}
		return line + one, text
	}
}

// sectionName reads `core]`, `remote "origin"]` or the old `branch.main]`.
func sectionName(s string) (name, rest string, ok bool) {
	i := strings.IndexAny(s, "]\"")
	if i < 0 {
		return "", "", false
	}
	base := strings.ToLower(strings.TrimSpace(s[:i]))
	if s[i] == ']' {
		return base, s[i+1:], true
	}
	var sub strings.Builder
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		sub.WriteByte(s[i])
	}
	if i >= len(s) {
		return "", "", false
	}
	_, rest, ok = strings.Cut(s[i:], "]")
	return base + "." + sub.String(), rest, ok
}

// configValue takes quotes, escapes and comments out of a raw value.
func configValue(s string) string {
	var b strings.Builder
	quoted, keep := false, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			quoted = !quoted
			keep = b.Len()
			continue
		case c == '\\' && i+1 < len(s):
			i++
			c = s[i]
			switch c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			}
			b.WriteByte(c)
			keep = b.Len()
			continue
		case !quoted && (c == '#' || c == ';'):
			i = len(s)
			continue
		case !quoted && (c == ' ' || c == '\t') && b.Len() == 0:
			continue
		}
		b.WriteByte(c)
		if quoted {
			keep = b.Len()
		}
	}
	return b.String()[:keep] + strings.TrimRight(b.String()[keep:], " \t")
}

// upstream returns the full name of the ref that branch follows, as
// branch.NAME.remote and .merge say, or "".
func (c *config) upstream(branch string) string {
	remote, ok1 := c.get("branch." + branch + ".remote")
	merge, ok2 := c.get("branch." + branch + ".merge")
	if !ok1 || !ok2 {
		return ""
	}
	if remote == "." {
		return merge
	}
	for _, spec := range c.all("remote." + remote + ".fetch") {
		from, to, ok := strings.Cut(strings.TrimPrefix(spec, "+"), ":")
		if !ok {
			continue
		}
		if from == merge {
			return to
		}
		head, tail, star := strings.Cut(from, "*")
		if star && len(merge) >= len(head)+len(tail) &&
			strings.HasPrefix(merge, head) && strings.HasSuffix(merge, tail) {
			return strings.Replace(to, "*", merge[len(head):len(merge)-len(tail)], 1)
		}
	}
	return ""
}

// userConfigFiles returns the configuration files of the system and the user,
// the weakest first (https://git-scm.com/docs/git-config#FILES).
func userConfigFiles(env func(string) string) []string {
	var files []string
	if env("GIT_CONFIG_NOSYSTEM") == "" {
		files = append(files, first(env("GIT_CONFIG_SYSTEM"), "/etc/gitconfig"))
	}
	if f := env("GIT_CONFIG_GLOBAL"); f != "" {
		return append(files, f)
	}
	home := first(env("HOME"), env("USERPROFILE"))
	xdg := env("XDG_CONFIG_HOME")
	if xdg == "" && home != "" {
		xdg = path.Join(filepath.ToSlash(home), ".config")
	}
	if xdg != "" {
		files = append(files, filepath.Join(xdg, "git", "config"))
	}
	if home != "" {
		files = append(files, filepath.Join(home, ".gitconfig"))
	}
	return files
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
