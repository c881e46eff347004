package history

import (
	"fmt"
	"hash/fnv"
	"path"
	"slices"
	"strings"
)

// A shape is a kind of project. Shares are per mille of what a commit does.
type shape struct {
	name, about string
	commits     int // at scale 1
	files       int // in the first commit
	roots       int // further root commits, merged into main one after another
	touched     int // files that a commit changes, at most
	added       int // share of commits that add a file
	moved       int // share that rename or delete one, each
	binary      int // share of added files that are binary
	topics      int // topic branches open at the same time, at most
	place       func(s seed, n int) string
	docs        bool // files are prose
	least       int  // bytes of the smallest file
}

// shapes are the histories that the measurements run on. They differ in what
// stresses a scanner: long deltas of text, wide trees, and content that neither
// compresses nor splits into lines.
var shapes = []shape{
	{
		name: "library", about: "one project of source files, many small edits, topic branches",
		commits: 1500, files: 400, roots: 1, touched: 5, added: 150, moved: 20, binary: 20, topics: 4,
		place: func(s seed, n int) string { return copyOf("pkg/"+s.path, n) },
	},
	{
		name: "monorepo", about: "a wide tree of services, several roots, submodules, octopus merges",
		commits: 1200, files: 5000, roots: 5, touched: 12, added: 400, moved: 40, binary: 40, topics: 6,
		place: func(s seed, n int) string {
			h := hash(strings.Split(s.path, "/")[0]) // a folder stays together
			return copyOf(fmt.Sprintf("services/%s-%02d/%s", teams[h%uint32(len(teams))], h/8%40, s.path), n)
		},
	},
	{
		name: "docs", about: "prose, images, tables, minified scripts, UTF-16, names that are not ASCII",
		commits: 1200, files: 300, roots: 2, touched: 4, added: 500, moved: 30, binary: 350, topics: 3,
		place: func(s seed, n int) string {
			p := strings.TrimSuffix(s.path, path.Ext(s.path)) + ".md"
			return copyOf("content/"+languages[hash(p)%uint32(len(languages))]+"/"+p, n)
		},
		docs: true,
	},
	{
		// The history of git itself, the one that the budgets were set on: on average 3
		// blobs a commit, 31 KB a blob, and nearly all files in a handful of folders.
		name: "tools", about: "a program of large files in few folders, as git's own source is",
		commits: 1500, files: 500, roots: 1, touched: 5, added: 30, moved: 10, binary: 10, topics: 6,
		place: func(s seed, n int) string {
			return copyOf(folders[hash(s.path)%uint32(len(folders))]+strings.ReplaceAll(s.path, "/", "-"), n)
		},
		least: 6 << 10,
	},
}

var (
	teams     = []string{"billing", "search", "ingest", "mail", "auth", "métriques", "каталог", "web ui"}
	languages = []string{"en", "de", "日本語", "français", "ру́сский", "português do Brasil"}
	folders   = []string{"", "", "", "builtin/", "t/", "Documentation/", "compat/"}
	people    = []person{
		{"Ada Example", "ada@example.org"}, {"Jürgen Groß", "jg@example.net"},
		{"李小龍", "li@example.com"}, {"Zoë O'Brien", "zoe@example.org"},
		{"build bot", "bot@example.net"}, {"Łukasz Żak", "lz@example.com"},
	}
)

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

// copyOf names the n-th file that is made of one seed.
func copyOf(p string, n int) string {
	if n == 0 {
		return p
	}
	ext := path.Ext(p)
	return fmt.Sprintf("%s_%d%s", strings.TrimSuffix(p, ext), n, ext)
}

// ShapeNames lists the shapes that Make knows.
func ShapeNames() []string {
	var names []string
	for _, s := range shapes {
		names = append(names, s.name)
	}
	return names
}

func shapeNamed(name string) (*shape, error) {
	i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown shape %q: use %s", name, strings.Join(ShapeNames(), ", "))
	}
	return &shapes[i], nil
}

// newFile makes the next file of the project: of the next seed, or once all
// seeds are used, a variant of one.
func (m *maker) newFile() (string, *file) {
	n := m.made
	m.made++
	s := m.corpus.seeds[m.order[n%len(m.order)]]
	round := n / len(m.order)
	data := s.data
	if m.shape.docs {
		data = prose(s)
	}
	if round > 0 {
		data = m.corpus.variant(data, m.r)
	}
	where := m.shape.place(s, round)
	if m.r.IntN(1000) < m.shape.binary {
		return m.newBinary(where, data)
	}
	mode := modeFile
	if m.r.IntN(40) == 0 {
		mode = modeScript
	}
	return where, &file{mode, data}
}

// newBinary makes a file that is no plain text, at the place of the text it is
// derived from.
func (m *maker) newBinary(where string, text []byte) (string, *file) {
	base := strings.TrimSuffix(where, path.Ext(where))
	size := 2000 + m.r.IntN(80_000)
	switch m.r.IntN(6) {
	case 0, 1:
		return base + ".png", &file{modeFile, picture(m.r, size)}
	case 2:
		return base + ".dat", &file{modeFile, table(m.r, 4*size)}
	case 3:
		return base + ".min.js", &file{modeFile, minified(text)}
	case 4:
		return base + ".utf16.txt", &file{modeFile, utf16le(text)}
	}
	return base + ".link", &file{modeSymlink, []byte("../" + path.Base(where))}
}
