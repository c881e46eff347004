package compare

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spillgate/spillgate/bench/measure"
)

// Results is everything that one comparison found out.
type Results struct {
	Started time.Time
	Facts   []Fact
	Budgets []Budget
	Tables  []Table
	Failed  []string
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

func (r *Results) fail(section string, err error) {
	r.Failed = append(r.Failed, fmt.Sprintf("%s: %v", section, err))
}

func (r *Results) budget(b Budget) { r.Budgets = append(r.Budgets, b) }

// begin notes the machine and the versions.
func (l *lab) begin() *Results {
	r := &Results{Started: time.Now()}
	add := func(name, value string) {
		if value != "" {
			r.Facts = append(r.Facts, Fact{name, value})
		}
	}
	add("date", r.Started.UTC().Format("2006-01-02 15:04 UTC"))
	add("processor", fmt.Sprintf("%s, %d threads", procField("/proc/cpuinfo", "model name"), runtime.NumCPU()))
	add("memory", procField("/proc/meminfo", "MemTotal"))
	add("system", firstLine("uname", "-srm"))
	add("load before", loadAverage())
	add("spillgate", l.revision())
	add("go", runtime.Version())
	add("git", firstLine(l.git, "--version"))
	if l.ripgrep != "" {
		add("ripgrep", firstLine(l.ripgrep, "--version"))
	}
	add("gitleaks", moduleVersion(l.gitleaks))
	add("runs", fmt.Sprintf("%d of each program unless a table says otherwise, in turn, after one that does not count; figures are medians", l.Runs))
	add("command", "compare "+strings.Join(os.Args[1:], " "))
	return r
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
	r.Tables = append(r.Tables, t)
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
		"process tree, peak memory that of its largest process, mapped files included.\n\n")
	facts := Table{Header: []string{"", ""}}
	for _, f := range r.Facts {
		facts.Rows = append(facts.Rows, []string{f.Name, f.Value})
	}
	facts.write(&b)
	b.WriteString("\n## Budgets\n\n")
	budgets := Table{Header: []string{"work", "measured", "to reach", ""}}
	for _, x := range r.Budgets {
		verdict, bound := "met", "at most"
		if x.AtLeast {
			bound = "at least"
		}
		if !x.Met() {
			verdict = "**missed**"
		}
		budgets.Rows = append(budgets.Rows, []string{
			x.Work, fmt.Sprintf("%.2f%s", x.Measured, x.Unit), fmt.Sprintf("%s %g%s", bound, x.Limit, x.Unit), verdict,
		})
	}
	budgets.write(&b)
	for _, f := range r.Failed {
		fmt.Fprintf(&b, "\nNot measured: %s\n", f)
	}
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n## %s\n\n", t.Title)
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "%s\n\n", n)
		}
		t.write(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
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
