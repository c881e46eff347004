package cli

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
)

// watchCounts are the counters of a watch.
type watchCounts struct {
	checks, failures, notifyFailures int
	changes                          map[string]int // by kind
}

func (c *watchCounts) change(kind string) {
	if c.changes == nil {
		c.changes = map[string]int{}
	}
	c.changes[kind]++
}

// health answers 200 while rounds end in time, else 503.
func (w *watcher) health(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	round := w.round
	w.mu.Unlock()
	switch age := time.Since(round); {
	case round.IsZero():
		http.Error(out, "no round of checks has ended yet", http.StatusServiceUnavailable)
	case age > 3*w.interval:
		http.Error(out, fmt.Sprintf("the last round of checks ended %s ago", age.Round(time.Second)), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(out, "ok")
	}
}

// metrics writes the Prometheus text format.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
func (w *watcher) metrics(out http.ResponseWriter, _ *http.Request) {
	out.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keyMetrics(out)
	header(out, "spillgate_watch_checks_total", "counter", "Checks of keys.")
	fmt.Fprintf(out, "spillgate_watch_checks_total %d\n", w.counts.checks)
	header(out, "spillgate_watch_check_failures_total", "counter", "Checks that could not find out the state of the key.")
	fmt.Fprintf(out, "spillgate_watch_check_failures_total %d\n", w.counts.failures)
	header(out, "spillgate_watch_notify_failures_total", "counter", "Runs of --notify that failed.")
	fmt.Fprintf(out, "spillgate_watch_notify_failures_total %d\n", w.counts.notifyFailures)
	header(out, "spillgate_watch_changes_total", "counter", "Changes noticed, by kind.")
	for _, kind := range slices.Sorted(maps.Keys(w.counts.changes)) {
		fmt.Fprintf(out, "spillgate_watch_changes_total{kind=%q} %d\n", kind, w.counts.changes[kind])
	}
	header(out, "spillgate_watch_last_round_timestamp_seconds", "gauge", "When the last round of checks ended; 0 for none.")
	stamp := int64(0)
	if !w.round.IsZero() {
		stamp = w.round.Unix()
	}
	fmt.Fprintf(out, "spillgate_watch_last_round_timestamp_seconds %d\n", stamp)
}

// keyMetric is a gauge of every key; ok is false where it is unknown, and then
// the sample is left out: no number stands for "unknown".
type keyMetric struct {
	name, help string
	value      func(kms.State) (v float64, ok bool)
}

func keyMetricList() []keyMetric {
	return []keyMetric{
		{"spillgate_kms_key_state_known", "1 if the last check found out the key's state.", func(s kms.State) (float64, bool) {
			return number(s.Status != live.StatusUnknown && s.Status != live.NoAccess), true
		}},
		{"spillgate_kms_key_enabled", "1 if the key is enabled.", func(s kms.State) (float64, bool) {
			return number(s.Status == live.Enabled), s.Status != live.StatusUnknown && s.Status != live.NoAccess
		}},
		{"spillgate_kms_key_rotation_enabled", "1 if automatic rotation is on.", func(s kms.State) (float64, bool) {
			r, ok := s.Rotation.Get()
			return number(r.Enabled), ok && r.NotApplicable == ""
		}},
		{"spillgate_kms_key_next_rotation_timestamp_seconds", "When the key rotates next.", func(s kms.State) (float64, bool) {
			r, ok := s.Rotation.Get()
			return float64(r.Next.Unix()), ok && !r.Next.IsZero()
		}},
		{"spillgate_kms_key_deletion_timestamp_seconds", "When the key will be deleted, where that is scheduled.", func(s kms.State) (float64, bool) {
			d, ok := s.Deletion.Get()
			return float64(d.Unix()), ok && !d.IsZero()
		}},
		{"spillgate_kms_key_exposures", "Ways in which strangers can use the key.", func(s kms.State) (float64, bool) {
			e, ok := s.Exposures.Get()
			return float64(len(e)), ok
		}},
		{"spillgate_kms_key_grants", "Grants of the key.", func(s kms.State) (float64, bool) {
			g, ok := s.Grants.Get()
			return float64(len(g)), ok
		}},
		{"spillgate_kms_key_last_check_timestamp_seconds", "When the key was last checked.", func(s kms.State) (float64, bool) {
			return float64(s.At.Unix()), true
		}},
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (w *watcher) keyMetrics(out io.Writer) {
	for _, m := range keyMetricList() {
		header(out, m.name, "gauge", m.help)
		for _, key := range w.keys {
			s, ok := w.seen[key]
			if !ok {
				continue
			}
			if v, ok := m.value(s); ok {
				fmt.Fprintf(out, "%s{key=\"%s\",account=\"%s\",region=\"%s\"} %.0f\n", m.name, label(key.String()), key.Account, label(key.Region), v)
			}
		}
	}
}

func header(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// label escapes a label's value.
func label(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
