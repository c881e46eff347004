// Package history makes git histories by script, for measurements on machines
// that have no network: thousands of commits over source text that every Go
// installation brings, written through git fast-import and packed as a clone
// would be.
//
// A history is worth measuring on if it has what real ones have and tests
// forget: merges whose content stands in no parent, octopus merges, several
// roots, renames, deletions, reverts, binary files, submodules, symbolic links,
// scripts, names and authors that are not ASCII, clocks that run backwards.
// What is made depends on the options, the Go installation and nothing else, so
// that two runs can be compared; the id of the last commit is in the Manifest.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Options say what Make makes. The zero value is a small library.
type Options struct {
	// Shape is one of ShapeNames; "" is the first.
	Shape string
	// Scale multiplies the number of commits; 0 is 1.
	Scale int
	// Seed makes another history of the same kind.
	Seed uint64
	// Plant puts made-up secrets in.
	Plant bool
	// GOROOT is the Go installation to take text from; "" is the one that
	// `go env GOROOT` names.
	GOROOT string
}

// A Manifest says what Make made.
type Manifest struct {
	Shape   string
	About   string
	Scale   int
	Seed    uint64
	Go      string // version of the toolchain whose source text was used
	Head    string // id of the last commit of main
	Commits int
	Merges  int
	Octopus int // merges of three parents or more
	Roots   int
	Tags    int
	Plants  []Plant
}

// manifestName is the file in the git directory that holds the Manifest; git
// does not read it.
const manifestName = "spillgate-bench.json"

// ReadManifest reads the manifest of the history in dir.
func ReadManifest(dir string) (*Manifest, error) {
	name := filepath.Join(dir, ".git", manifestName)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the manifest of a generated history: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return &m, nil
}

// Make writes a history into a new repository at dir, without a working tree,
// repacks it and returns its manifest. dir must not exist.
func Make(ctx context.Context, dir string, o Options) (*Manifest, error) {
	if o.Shape == "" {
		o.Shape = shapes[0].name
	}
	s, err := shapeNamed(o.Shape)
	if err != nil {
		return nil, err
	}
	goroot := o.GOROOT
	if goroot == "" {
		if goroot, err = findGOROOT(ctx); err != nil {
			return nil, err
		}
	}
	c, err := loadCorpus(goroot)
	if err != nil {
		return nil, err
	}
	m := newMaker(s, c, o)
	if err := fastImport(ctx, dir, m.write); err != nil {
		return nil, err
	}
	if m.manifest.Head, err = gitOutput(ctx, dir, "rev-parse", "refs/heads/main"); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(m.manifest, "", "\t")
	if err != nil {
		return nil, err
	}
	return &m.manifest, os.WriteFile(filepath.Join(dir, ".git", manifestName), b, 0o644)
}

// A maker writes one history.
type maker struct {
	shape    *shape
	corpus   *corpus
	r        *rand.Rand // decides everything but the plants
	out      *stream
	order    []int // of the seeds
	made     int   // files made so far
	clock    int64
	main     *branch
	topics   []*branch
	opened   int // topics so far
	gone     []change
	target   int // commits to make
	plants   *planter
	manifest Manifest
}

func newMaker(s *shape, c *corpus, o Options) *maker {
	scale := max(1, o.Scale)
	m := &maker{
		shape: s, corpus: c, r: rand.New(rand.NewPCG(o.Seed, 0)),
		clock:  1_400_000_000,
		main:   newBranch("refs/heads/main"),
		target: s.commits * scale,
		manifest: Manifest{
			Shape: s.name, About: s.about, Scale: scale, Seed: o.Seed, Go: runtime.Version(),
		},
	}
	m.order = slices.DeleteFunc(m.r.Perm(len(c.seeds)), func(i int) bool { return len(c.seeds[i].data) < s.least })
	// The files that change most are large ones, and the first ones are
	// changed most (see hot).
	first := m.order[:min(s.files, len(m.order))]
	slices.SortStableFunc(first, func(a, b int) int { return len(c.seeds[b].data) - len(c.seeds[a].data) })
	m.plants = newPlanter(o, m.target)
	return m
}

func newBranch(ref string) *branch { return &branch{ref: ref, files: map[string]*file{}} }

// write writes the whole history.
func (m *maker) write(out *stream) {
	m.out = out
	m.root(m.main, m.shape.files)
	m.attributes()
	nextRoot := 1
	for m.manifest.Commits < m.target {
		switch {
		case nextRoot <= m.shape.roots && m.manifest.Commits > nextRoot*m.target/(m.shape.roots+2):
			m.adopt(nextRoot)
			nextRoot++
		case m.manifest.Commits/50 > m.manifest.Tags:
			m.tag()
		default:
			m.step()
		}
	}
	m.manifest.Plants = m.plants.done
}

// step makes one commit: on main, on a topic, or a merge.
func (m *maker) step() {
	roll := m.r.IntN(100)
	switch {
	case roll < 12 && len(m.topics) < m.shape.topics:
		m.opened++
		t := m.main.fork(fmt.Sprintf("refs/heads/topic/%d", m.opened))
		m.topics = append(m.topics, t)
		m.work(t)
	case roll < 20 && len(m.topics) > 0:
		m.merge(1)
	case roll < 23 && len(m.topics) > 2:
		m.merge(2 + m.r.IntN(len(m.topics)-2))
	case roll < 60 && len(m.topics) > 0:
		m.work(m.topics[m.r.IntN(len(m.topics))])
	default:
		m.work(m.main)
	}
}

// merge merges the oldest n topics into main and repeats their changes there.
func (m *maker) merge(n int) {
	parents := []int{m.main.tip}
	for _, t := range m.topics[:n] {
		parents = append(parents, t.tip)
	}
	m.begin(m.main, fmt.Sprintf("Merge %d topics", n), parents)
	for _, t := range m.topics[:n] {
		for _, c := range t.done {
			m.apply(m.main, c)
		}
	}
	m.plants.intoMerge(m)
	for _, t := range m.topics[:n] {
		m.out.drop(t.ref)
	}
	m.topics = append([]*branch(nil), m.topics[n:]...)
	m.manifest.Merges++
	if n > 1 {
		m.manifest.Octopus++
	}
}

// root makes a commit without parents that holds n files.
func (m *maker) root(b *branch, n int) {
	m.begin(b, "Import", nil)
	m.manifest.Roots++
	for range n {
		m.do(b, m.create())
	}
}

// adopt makes another root with a few commits of its own and merges it, as
// when a project takes in another with its history.
func (m *maker) adopt(n int) {
	b := newBranch(fmt.Sprintf("refs/heads/import/%d", n))
	m.root(b, 20+m.r.IntN(40))
	for range 1 + m.r.IntN(5) {
		m.work(b)
	}
	m.topics = append([]*branch{b}, m.topics...)
	m.merge(1)
}

// begin begins a commit on b. The clock mostly goes forward.
func (m *maker) begin(b *branch, subject string, parents []int) {
	m.clock += int64(m.r.IntN(20_000))
	when := m.clock
	if m.r.IntN(20) == 0 {
		when -= 100_000
	}
	m.manifest.Commits++
	message := fmt.Sprintf("%s\n\n%s", subject, m.plants.message(m))
	b.tip = m.out.commit(header{
		ref: b.ref, author: m.person(), committer: m.person(), when: when,
		message: message, parents: parents,
	})
}

func (m *maker) person() person { return people[m.r.IntN(len(people))] }

// tag makes an annotated tag of main.
func (m *maker) tag() {
	m.manifest.Tags++
	name := fmt.Sprintf("v0.%d", m.manifest.Tags)
	m.out.tag(name, m.main.tip, m.person(), m.clock, "Release "+name+"\n\n"+m.plants.tagMessage(m))
}
