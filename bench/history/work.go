package history

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// work makes an ordinary commit on b.
func (m *maker) work(b *branch) {
	m.begin(b, m.subject(), []int{b.tip})
	for _, c := range b.later {
		m.do(b, c)
	}
	b.later = nil
	for range 1 + m.r.IntN(m.shape.touched) {
		m.do(b, m.update(b))
	}
	share := func(perMille int) bool { return m.r.IntN(1000) < perMille }
	if share(m.shape.added) {
		m.do(b, m.create())
	}
	if share(m.shape.moved) {
		from := m.hot(b)
		dir := fmt.Sprintf("moved/%d/", m.r.IntN(50))
		m.do(b, change{op: opRename, path: from, to: dir + path.Base(from)})
	}
	if share(m.shape.moved) && len(b.paths) > 50 {
		p := m.hot(b)
		m.gone = append(m.gone, change{op: opWrite, path: p, file: b.files[p]})
		m.do(b, change{op: opDelete, path: p})
	}
	if share(15) && len(m.gone) > 0 { // what was deleted comes back as it was
		m.do(b, m.gone[m.r.IntN(len(m.gone))])
	}
	if share(10) {
		m.do(b, change{op: opMode, path: m.hotText(b)})
	}
	if share(20) {
		m.do(b, m.submodule())
	}
	m.plants.intoFile(m, b)
}

// do makes a change and remembers it for the merge of b.
func (m *maker) do(b *branch, c change) {
	if m.apply(b, c) && b != m.main {
		b.done = append(b.done, c)
	}
}

func (m *maker) create() change {
	p, f := m.newFile()
	return change{op: opWrite, path: p, file: f}
}

// update makes a new version of a file.
func (m *maker) update(b *branch) change {
	p := m.hot(b)
	f := b.files[p]
	switch {
	case f.mode == modeSymlink:
		return change{op: opWrite, path: p, file: &file{f.mode, fmt.Appendf(nil, "../to/%d.txt", m.r.IntN(1000))}}
	case f.mode == modeGitlink:
		return m.submodule()
	case f.text():
		return change{op: opEdit, path: p, seed: m.r.Uint64()}
	}
	return change{op: opWrite, path: p, file: &file{f.mode, patch(f.data, m.r)}}
}

// hot picks a file, an old one rather than a new one: in real projects, few
// files take most of the changes.
func (m *maker) hot(b *branch) string {
	x := m.r.Float64()
	return b.paths[int(x*x*x*float64(len(b.paths)))]
}

// hotText picks a file with lines that no scanner passes over by its path.
func (m *maker) hotText(b *branch) string {
	for range 100 {
		if p := m.hot(b); plain(p) && b.files[p].text() {
			return p
		}
	}
	for _, p := range b.paths {
		if plain(p) && b.files[p].text() {
			return p
		}
	}
	return b.paths[0]
}

func plain(p string) bool {
	return !strings.Contains(p, "vendor/") && !strings.Contains(p, ".min.")
}

// submodule points one of a few submodules at another commit, one that this
// repository does not hold.
func (m *maker) submodule() change {
	id := fmt.Appendf(nil, "%016x%016x%08x", m.r.Uint64(), m.r.Uint64(), m.r.Uint32())
	return change{op: opWrite, path: fmt.Sprintf("third_party/module-%d.d", m.r.IntN(3)), file: &file{modeGitlink, id}}
}

// attributes commits a .gitattributes that hides files from git diff, and a
// .gitmodules: neither is to change what a scanner sees.
func (m *maker) attributes() {
	m.begin(m.main, "Add attributes", []int{m.main.tip})
	m.do(m.main, change{op: opWrite, fixed: true, path: ".gitattributes", file: &file{modeFile, []byte("*.dat binary\n*.min.js -diff\n")}})
	var b bytes.Buffer
	for i := range 3 {
		fmt.Fprintf(&b, "[submodule \"module-%d\"]\n\tpath = third_party/module-%d.d\n\turl = ../module-%d\n", i, i, i)
	}
	m.do(m.main, change{op: opWrite, fixed: true, path: ".gitmodules", file: &file{modeFile, b.Bytes()}})
}

// subject makes a commit subject out of a line of text.
func (m *maker) subject() string {
	for range 20 {
		line := bytes.TrimSpace(m.corpus.passage(m.r, 1)[0])
		if text, ok := bytes.CutPrefix(line, []byte("// ")); ok && len(text) > 10 && len(text) < 72 {
			return string(text)
		}
	}
	return "Update"
}
