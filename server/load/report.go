package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/server/incident"
)

// times are how long it took until all was sent, scanned, and told and answered.
type times struct{ sent, scanned, settled time.Duration }

// report writes the tables, and returns an error where something was lost or
// done twice.
func (l *load) report(w io.Writer, all []incident.Incident, took times, busy string) error {
	total := len(l.commits[0]) * l.repos
	twice, kept := 0, 0
	var delays []time.Duration
	for _, i := range all {
		if pushed, _ := i.First(incident.Pushed); pushed.Before(l.began) {
			kept++
			continue
		}
		if i.Occurrences != 1 || i.Openings() != 1 {
			twice++
		}
		pushed, _ := i.First(incident.Pushed)
		found, _ := i.First(incident.Found)
		delays = append(delays, found.Sub(pushed))
	}
	row := func(what, format string, args ...any) { fmt.Fprintf(w, "| "+what+" | "+format+" |\n", args...) }
	fmt.Fprintf(w, "`go run ./load %s`, %s.\n\n| | |\n| --- | --- |\n", strings.Join(l.arguments(), " "), time.Now().UTC().Format(time.DateOnly))
	row("machine; load average before", "%d threads, %s/%s; %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, busy)
	row("deliveries, each of one commit with one key ARN", "%d in %d repositories, every tenth sent twice", total, l.repos)
	row("server killed (SIGKILL) and started again", "%d times", l.kills)
	row("deliveries sent again because no 202 came", "%d", l.resends)
	if kept > 0 {
		row("incidents of an earlier run, kept", "%d", kept)
	}
	found := len(all) - kept
	row("incidents; commits scanned", "%d of %d", found, total)
	row("incidents recorded or opened more than once", "%d", twice)
	row("sent within; scanned within; all told within", "%s; %s (%.0f deliveries a second); %s", took.sent.Round(time.Second),
		took.scanned.Round(time.Second), float64(total)/took.scanned.Seconds(), took.settled.Round(time.Second))
	row("answer to a webhook, p50, p99, slowest", "%s", quantiles(l.answers))
	row("answers that took over 50 ms; of them within two seconds of a start", "%d of %d; %d of %d",
		over(l.answers, 50*time.Millisecond), len(l.answers), over(l.early, 50*time.Millisecond), len(l.early))
	row("from the push to the incident, p50, p99, slowest", "%s", quantiles(delays))
	row("from the push to the message in Slack, p50, p99, slowest", "%s", quantiles(l.slack.delays()))
	row("messages in Slack: keys told of, more than once, answered", "%s", l.slack.counts())
	var failed error
	if l.aws != nil {
		row("keys rotated once, more than once, never", "%s", l.aws.counts())
		failed = errors.Join(l.aws.verdict(), l.ledger(row))
	}
	if l.nodes != nil {
		row("NATS nodes; one killed (SIGKILL)", "%d; when a third was sent", clusterSize)
	}
	row("peak memory of the server, first process, any", "%d MB, %d MB", l.memory.first>>10, l.memory.peak>>10)
	fmt.Fprintf(w, "\n%s", l.memory.table(l.aws != nil))
	if found != total || twice > 0 {
		failed = errors.Join(failed, fmt.Errorf("%d incidents of %d, %d recorded twice", found, total, twice))
	}
	return failed
}

// ledger reports what the ledger and the audit log of the run say.
func (l *load) ledger(row func(what, format string, args ...any)) error {
	folder := filepath.Join(l.dir, "data", "responses")
	entries, err := live.ReadLedger(folder)
	if err != nil {
		return err
	}
	states := map[live.EntryState]int{}
	for _, e := range entries {
		states[e.State]++
	}
	row("intents in the ledger: all; confirmed, unresolved, not done and begun again, without an outcome", "%d; %d, %d, %d, %d",
		len(entries), states[live.Effective], states[live.Abandoned], states[live.Refused], states[live.Intended]+states[live.Answered])
	check, err := live.VerifyAudit(folder, "")
	if err != nil {
		return err
	}
	row("lines of the audit log; the first that does not verify", "%d; %s", check.Lines, map[bool]string{true: "none"}[check.Bad == 0]+check.Why)
	if n := states[live.Intended] + states[live.Answered]; n > 0 || check.Bad > 0 {
		return fmt.Errorf("%d intents without an outcome; the audit log: %s", n, check.Why)
	}
	return nil
}

// arguments are those of this run without the ones that change nothing about it.
func (l *load) arguments() []string {
	var all []string
	flag.Visit(func(f *flag.Flag) {
		switch {
		case f.Name == "section" || f.Name == "keep":
		case f.Value.String() == "true":
			all = append(all, "-"+f.Name)
		default:
			all = append(all, "-"+f.Name+" "+f.Value.String())
		}
	})
	return all
}

// loadAverage returns how busy the machine was in the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}

// writeSection puts text under a heading of the file, in the place of what is
// there, or at the end.
func writeSection(file, heading, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), "\n## "+heading+"\n")
	if !found {
		before, rest = strings.TrimRight(before, "\n")+"\n", ""
	}
	if _, after, more := strings.Cut(rest, "\n## "); more {
		rest = "\n## " + after
	} else {
		rest = ""
	}
	return os.WriteFile(file, []byte(before+"\n## "+heading+"\n\n"+text+rest), 0o644)
}

// over counts what took longer than a limit.
func over(all []time.Duration, limit time.Duration) int {
	n := 0
	for _, d := range all {
		if d > limit {
			n++
		}
	}
	return n
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(int(q*float64(len(d))), len(d)-1)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%s, %s, %s", at(0.5), at(0.99), d[len(d)-1].Round(100*time.Microsecond))
}
