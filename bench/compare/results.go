package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/bench/measure"
)

// Results is everything that comparisons in one folder found out.
type Results struct {
	Facts    []Fact
	Sections []*Section // in the order of SectionNames

	now *Section // the one that is measured
}

// A Section is what one part of the comparison found out, the last time it ran:
// parts can be measured again one by one, so that each says when, of what and
// under which load.
type Section struct {
	Name    string
	Started time.Time
	Of      string // revision of Spillgate
	Load    string // of the machine, before
	Runs    int
	Budgets []Budget
	Tables  []Table
	Failed  string // why it could not be measured to the end
}

// A Fact is a line about the machine or a program.
type Fact struct{ Name, Value string }

// A Budget is what a figure is and what it is to be at most.
type Budget struct {
	Work     string
	Measured float64
	Limit    float64
	Unit     string // " ms", " times", " %"
	AtLeast  bool   // the figure is to be Limit at least
}

// Met reports whether the budget is kept.
func (b Budget) Met() bool {
	if b.AtLeast {
		return b.Measured >= b.Limit
	}
	return b.Measured <= b.Limit
}

// A Table is what one section measured.
type Table struct {
	Title  string
	Notes  []string
	Header []string
	Rows   [][]string
}

func (r *Results) budget(b Budget) { r.now.Budgets = append(r.now.Budgets, b) }

func (r *Results) table(t Table) { r.now.Tables = append(r.now.Tables, t) }

// section begins to measure a section anew.
func (l *lab) section(name string) {
	l.results.now = &Section{Name: name, Started: time.Now(), Of: l.revision(), Load: loadAverage(), Runs: l.Runs}
	l.results.Sections = slices.DeleteFunc(l.results.Sections, func(s *Section) bool { return s.Name == name })
	l.results.Sections = append(l.results.Sections, l.results.now)
	order := SectionNames()
	slices.SortStableFunc(l.results.Sections, func(a, b *Section) int {
		return slices.Index(order, a.Name) - slices.Index(order, b.Name)
	})
}

// begin notes the machine and the versions, and takes over the sections that
// earlier runs in the same folder measured.
func (l *lab) begin() (*Results, error) {
	r := &Results{}
	if b, err := os.ReadFile(l.resultsFile()); err == nil {
		if err := json.Unmarshal(b, r); err != nil {
			return nil, fmt.Errorf("reading earlier results in %s: %w; remove the file to begin anew", l.resultsFile(), err)
		}
		r.Facts = nil
		known := SectionNames()
		r.Sections = slices.DeleteFunc(r.Sections, func(s *Section) bool { return !slices.Contains(known, s.Name) })
	}
	add := func(name, value string) {
		if value != "" {
			r.Facts = append(r.Facts, Fact{name, value})
		}
	}
	add("processor", fmt.Sprintf("%s, %d threads", procField("/proc/cpuinfo", "model name"), runtime.NumCPU()))
	add("memory", procField("/proc/meminfo", "MemTotal"))
	add("system", firstLine("uname", "-srm"))
	add("go", runtime.Version())
	add("git", firstLine(l.git, "--version"))
	if l.ripgrep != "" {
		add("ripgrep", firstLine(l.ripgrep, "--version"))
	}
	add("gitleaks", moduleVersion(l.gitleaks))
	add("command", "compare "+strings.Join(os.Args[1:], " "))
	return r, nil
}

func (l *lab) resultsFile() string { return filepath.Join(l.Dir, "results.json") }

// keep stores the results for later runs in the same folder.
func (l *lab) keep() error {
	b, err := json.MarshalIndent(l.results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(l.resultsFile(), b, 0o644)
}

// revision names the commit that was built, and whether files differ from it.
func (l *lab) revision() string {
	c := exec.Command(l.git, "describe", "--always", "--dirty", "--abbrev=12")
	c.Dir = l.Root
	out, err := c.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// loadAverage is how many processes want to run, on average over a minute: what
// else the machine does makes every program dearer, by the caches they share.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

// moduleVersion reads the version of the main module out of a Go binary.
func moduleVersion(binary string) string {
	out, _ := exec.Command("go", "version", "-m", binary).Output()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "mod" {
			return f[1] + " " + f[2]
		}
	}
	return ""
}

// procField returns the first value of a "name : value" file of Linux.
func procField(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// addSamples adds a table of samples; ratios are to the CPU time of the first.
func (r *Results) addSamples(title string, samples []measure.Sample, notes ...string) {
	t := Table{
		Title: title, Notes: notes,
		Header: []string{"program", "CPU", "least to most", "wall", "peak memory", "runs", "CPU to first row"},
	}
	for _, s := range samples {
		least, most := s.Spread()
		t.Rows = append(t.Rows, []string{
			s.Command.Name, seconds(s.CPU()), seconds(least) + " to " + seconds(most), seconds(s.Wall()),
			megabytes(s.Peak()), fmt.Sprint(len(s.Runs)), fmt.Sprintf("%.2f", ratio(s.CPU(), samples[0].CPU())),
		})
	}
	r.table(t)
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// Write writes the results as Markdown.
func (r *Results) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# Measurements\n\nWritten by `compare.sh`; nothing here is typed in. CPU is user and system time of the whole\n" +
		"process tree, peak memory that of its largest process, mapped files included, and not below the\n" +
		"7 MB of the process that starts it. Figures are medians; programs run in turn, after one run that\n" +
		"does not count.\n\n")
	facts := Table{Header: []string{"", ""}}
	for _, f := range r.Facts {
		facts.Rows = append(facts.Rows, []string{f.Name, f.Value})
	}
	facts.write(&b)
	b.WriteString("\n## Budgets\n\n")
	budgets := Table{Header: []string{"work", "measured", "to reach", ""}}
	for _, s := range r.Sections {
		for _, x := range s.Budgets {
			budgets.Rows = append(budgets.Rows, x.row())
		}
	}
	budgets.write(&b)
	for _, s := range r.Sections {
		s.write(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// row is the line of the table of budgets.
func (b Budget) row() []string {
	verdict, bound := "met", "at most"
	if b.AtLeast {
		bound = "at least"
	}
	if !b.Met() {
		verdict = "**missed**"
	}
	return []string{b.Work, fmt.Sprintf("%.2f%s", b.Measured, b.Unit), fmt.Sprintf("%s %g%s", bound, b.Limit, b.Unit), verdict}
}

func (s *Section) write(b *bytes.Buffer) {
	for i, t := range s.Tables {
		fmt.Fprintf(b, "\n## %s\n\n", t.Title)
		if i == 0 {
			fmt.Fprintf(b, "Spillgate %s, %s, load of the machine before: %s, runs: %d.\n\n",
				s.Of, s.Started.UTC().Format("2006-01-02 15:04 UTC"), s.Load, s.Runs)
		}
		for _, n := range t.Notes {
			fmt.Fprintf(b, "%s\n\n", n)
		}
		t.write(b)
	}
	if s.Failed != "" {
		fmt.Fprintf(b, "\n**Section %s was not measured to its end: %s**\n", s.Name, s.Failed)
	}
}

func (t *Table) write(b *bytes.Buffer) {
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(b, "| %s ", strings.ReplaceAll(c, "|", `\|`))
		}
		b.WriteString("|\n")
	}
	row(t.Header)
	rule := make([]string, len(t.Header))
	for i := range rule {
		rule[i] = "---"
	}
	row(rule)
	for _, r := range t.Rows {
		row(r)
	}
}
