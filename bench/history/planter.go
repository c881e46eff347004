package history

import "fmt"

// plantsPerPlace is how many secrets go into each kind of place; files get
// filePlants times as many, because there all scanners look.
const (
	plantsPerPlace = 3
	filePlants     = 8
)

// A planter puts plants into a history as it is made. It decides by the number
// of commits alone, takes nothing from the history's own random numbers and adds
// no commit, so that a history with plants is the same as without but for them.
type planter struct {
	seed  uint64
	every map[string]int // commits between two plants of one place
	next  map[string]int
	left  map[string]int
	count int
	done  []Plant
}

func newPlanter(o Options, commits int) *planter {
	p := &planter{seed: o.Seed, every: map[string]int{}, next: map[string]int{}, left: map[string]int{}}
	if !o.Plant {
		return p
	}
	for _, place := range []string{"merge", "binary", "utf-16", "commit message", "tag message"} {
		p.left[place] = plantsPerPlace
	}
	p.left["file"] = plantsPerPlace * filePlants
	for place, n := range p.left { // spread over the whole history
		p.every[place] = commits / (n + 2)
		p.next[place] = p.every[place] / 2
	}
	return p
}

// take returns a plant for place if one is due at this commit.
func (p *planter) take(m *maker, place string) (Plant, bool) {
	n := m.manifest.Commits
	if p.left[place] == 0 || n < p.next[place] {
		return Plant{}, false
	}
	p.left[place]--
	p.next[place] = n + p.every[place]
	plant := NewPlant(p.seed, p.count)
	p.count++
	plant.Place, plant.Commit = place, n
	return plant, true
}

// keep records a plant that was put in.
func (p *planter) keep(plant Plant, path string) {
	plant.Path = path
	p.done = append(p.done, plant)
}

// message returns what goes into the body of a commit message.
func (p *planter) message(m *maker) string {
	plant, ok := p.take(m, "commit message")
	if !ok {
		return "Reviewed.\n"
	}
	p.keep(plant, "")
	return string(plant.Text())
}

func (p *planter) tagMessage(m *maker) string {
	plant, ok := p.take(m, "tag message")
	if !ok {
		return "Signed off.\n"
	}
	p.keep(plant, "")
	return string(plant.Text())
}

// intoMerge puts a secret into a merge commit that none of its parents has.
func (p *planter) intoMerge(m *maker) {
	plant, ok := p.take(m, "merge")
	if !ok {
		return
	}
	path := p.textFile(m.main, plant)
	if m.apply(m.main, change{op: opInsert, path: path, seed: uint64(plant.Number) * 7919, text: plant.Text()}) {
		p.keep(plant, path)
	}
}

// intoFile puts secrets into files of a commit on b: into ones that are there,
// and in turn into new ones that a later commit deletes.
func (p *planter) intoFile(m *maker, b *branch) {
	if plant, ok := p.take(m, "binary"); ok {
		path := fmt.Sprintf("assets/plant-%d.dat", plant.Number)
		data := []byte("\x00\x01\x02\x00 a table of numbers \x00\x03\x04\x00")
		m.do(b, change{op: opWrite, fixed: true, path: path, file: &file{modeFile, insertText(data, plant.Text(), 0)}})
		p.keep(plant, path)
	}
	if plant, ok := p.take(m, "utf-16"); ok {
		path := fmt.Sprintf("assets/plant-%d.utf16.txt", plant.Number)
		text := append([]byte("a line of text\r\n"), plant.Text()...)
		m.do(b, change{op: opWrite, fixed: true, path: path, file: &file{modeFile, utf16le(text)}})
		p.keep(plant, path)
	}
	plant, ok := p.take(m, "file")
	if !ok {
		return
	}
	if plant.Number%4 == 0 {
		path := fmt.Sprintf("config/größe/plant-%d.env", plant.Number)
		m.do(b, change{op: opWrite, fixed: true, path: path, file: &file{modeFile, plant.Text()}})
		p.keep(plant, path)
		b.later = append(b.later, change{op: opDelete, path: path})
		return
	}
	path := p.textFile(b, plant)
	m.do(b, change{op: opInsert, path: path, seed: uint64(plant.Number) * 7919, text: plant.Text()})
	p.keep(plant, path)
}

// textFile picks an old file with lines that no scanner passes over by its
// path, another one for each plant.
func (p *planter) textFile(b *branch, plant Plant) string {
	skip := plant.Number * 3
	for _, path := range b.paths {
		if plain(path) && b.files[path].text() && len(path) > 0 && path[0] != '.' {
			if skip--; skip < 0 {
				return path
			}
		}
	}
	return b.paths[0]
}
