package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A Graph is what git keeps of the history in its commit-graph files
// (gitformat-commit-graph(5)): for each commit its tree, parents, time and
// generation, found without inflating anything. Commits are numbered from 0.
// Not every commit need be in it. It does not know of grafts, replacements and
// the edge of a shallow clone: a repository that has such is not to be walked
// with it.
type Graph struct {
	layers []graphLayer // the oldest first; each may refer to those before it
	n      uint32
	hash   int
}

type graphLayer struct {
	path        string
	first       uint32 // number of its first commit
	lookup      index
	data, edges []byte
}

// A GraphCommit is a commit of a Graph.
type GraphCommit struct {
	ID, Tree ID
	// Parents are the numbers of the parents.
	Parents []uint32
	// Generation is one more than the largest of the parents', and 1 without
	// any: so parents always have less. It is 0 when git did not compute it.
	Generation uint32
	// Time is the committer's, in seconds since 1970.
	Time int64
}

var errGraph = errors.New("not a commit-graph, or one that is damaged")

func graphError(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errGraph, fmt.Sprintf(format, a...))
}

// OpenGraph reads the commit-graph of the first object directory that has one.
// It returns nil when none has.
func (s *Store) OpenGraph() (*Graph, error) {
	for _, dir := range s.Dirs() {
		files, err := graphFiles(dir)
		if err != nil {
			return nil, err
		}
		g := &Graph{hash: s.opts.HashSize}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			if err := g.add(f, data, len(files)); err != nil {
				return nil, at(f, -1, err)
			}
		}
		if g.n > 0 {
			return g, nil
		}
	}
	return nil, nil
}

// graphFiles returns the files of dir's commit-graph: one, or a chain.
func graphFiles(dir string) (files []string, err error) {
	single := filepath.Join(dir, "info", "commit-graph")
	if _, err := os.Stat(single); err == nil {
		return []string{single}, nil
	}
	folder := filepath.Join(dir, "info", "commit-graphs")
	chain, err := os.ReadFile(filepath.Join(folder, "commit-graph-chain"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(chain)); lines.Scan(); {
		if _, err := hex.DecodeString(lines.Text()); err != nil || lines.Text() == "" {
			return nil, at(folder, -1, graphError("its chain has a line that is no checksum"))
		}
		files = append(files, filepath.Join(folder, "graph-"+lines.Text()+".graph"))
	}
	return files, nil
}

// add appends the file data as the next of layers layers.
func (g *Graph) add(path string, data []byte, layers int) error {
	if len(data) < 8+12+g.hash || string(data[:4]) != "CGPH" {
		return graphError("it has no header")
	}
	if data[4] != 1 || int(data[5]) != g.hash/12 {
		return graphError("version %d or its hash %d is not known", data[4], data[5])
	}
	chunks := int(data[6])
	if int(data[7]) != len(g.layers) && layers > 1 || data[7] != 0 && layers == 1 {
		return graphError("it is layer %d of its chain, not %d", data[7], len(g.layers))
	}
	if len(data) < 8+12*(chunks+1)+g.hash {
		return graphError("the table of chunks is cut short")
	}
	chunk := func(name string) []byte {
		for i := range chunks {
			row := data[8+12*i:]
			from, to := binary.BigEndian.Uint64(row[4:]), binary.BigEndian.Uint64(row[16:])
			if string(row[:4]) == name && from <= to && to <= uint64(len(data)-g.hash) {
				return data[from:to]
			}
		}
		return nil
	}
	fan, n, err := parseFan(chunk("OIDF"))
	if err != nil {
		return err
	}
	l := graphLayer{path: path, first: g.n, data: chunk("CDAT"), edges: chunk("EDGE"),
		lookup: index{n: n, hash: g.hash, fan: fan, ids: chunk("OIDL"), stride: g.hash}}
	if len(l.lookup.ids)/g.hash < n || len(l.data)/(g.hash+16) < n || int64(g.n)+int64(n) >= noParent {
		return graphError("the tables do not fit %d commits", n)
	}
	g.layers = append(g.layers, l)
	g.n += uint32(n)
	return nil
}

// Len returns the number of commits.
func (g *Graph) Len() int { return int(g.n) }

// Find returns the number of the commit id.
func (g *Graph) Find(id ID) (number uint32, ok bool) {
	for k := range g.layers {
		l := &g.layers[k]
		if i, ok := l.lookup.find(id.sum[:id.size]); ok {
			return l.first + uint32(i), true
		}
	}
	return 0, false
}

const (
	noParent   = 0x70000000
	moreEdges  = 1 << 31
	maxParents = 1 << 16
)

// Commit returns the commit of that number. Its parents are put into the
// memory of parents, which may be nil.
func (g *Graph) Commit(number uint32, parents []uint32) (c GraphCommit, err error) {
	if number >= g.n {
		return c, graphError("there is no commit %d", number)
	}
	k := len(g.layers) - 1
	for g.layers[k].first > number {
		k--
	}
	l := &g.layers[k]
	i := int(number - l.first)
	row := l.data[i*(g.hash+16):]
	c.ID, c.Tree, c.Parents = MakeID(l.lookup.id(i)), MakeID(row[:g.hash]), parents[:0]
	row = row[g.hash:]
	last := binary.BigEndian.Uint64(row[8:])
	c.Generation, c.Time = uint32(last>>34), int64(last&(1<<34-1))
	for p := range 2 {
		v := binary.BigEndian.Uint32(row[4*p:])
		switch {
		case v == noParent:
		case p == 1 && v&moreEdges != 0:
			if err := l.more(&c, v&^moreEdges, g.n); err != nil {
				return c, at(l.path, -1, err)
			}
		case v >= g.n:
			return c, at(l.path, -1, graphError("commit %s has a parent %d that is not listed", c.ID, v))
		default:
			c.Parents = append(c.Parents, v)
		}
	}
	return c, nil
}

// more appends to c its second and further parents from the list of edges.
func (l *graphLayer) more(c *GraphCommit, at, n uint32) error {
	for ; len(c.Parents) < maxParents; at++ {
		if int64(at) >= int64(len(l.edges)/4) {
			return graphError("commit %s has parents outside the table", c.ID)
		}
		v := binary.BigEndian.Uint32(l.edges[4*at:])
		if v&^moreEdges >= n {
			return graphError("commit %s has a parent %d that is not listed", c.ID, v&^moreEdges)
		}
		c.Parents = append(c.Parents, v&^moreEdges)
		if v&moreEdges != 0 {
			return nil
		}
	}
	return graphError("commit %s has too many parents", c.ID)
}
