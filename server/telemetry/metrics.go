// Package telemetry says how the server is: metrics for Prometheus, traces for
// OpenTelemetry, and whether it lives and is ready.
//
// The three questions that an operator has at night are answered by one series
// each: do deliveries come in (spillgate_webhook_deliveries_total), does the
// work keep up (spillgate_queue_oldest_age_seconds), and how long after a push
// do people know (spillgate_push_to_alert_seconds). Labels hold names from the
// configuration and words from this source code, never anything that a
// delivery says: whoever may push could make any number of series of it.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/queue"
)

// A Queue is asked how much waits, and for how long.
type Queue interface {
	State(ctx context.Context) (queue.State, error)
	Oldest(ctx context.Context) (time.Time, bool, error)
}

// An Outbox is asked how many messages wait for each channel.
type Outbox interface {
	Waiting(ctx context.Context) (map[string]uint64, error)
}

// Incidents are listed, to count the open ones.
type Incidents interface {
	Each(ctx context.Context, f func(*incident.Incident) error) error
}

// Options say what is asked when metrics are read. All may be nil, but not Log.
type Options struct {
	Queue     Queue
	Outbox    Outbox
	Incidents Incidents
	Log       *slog.Logger
}

// Metrics count what happens. It is the webhooks' Counter, the workers' Meter
// and the outbox's Meter.
type Metrics struct {
	options    Options
	registry   *prometheus.Registry
	deliveries *prometheus.CounterVec
	answered   *prometheus.HistogramVec
	scans      *prometheus.CounterVec
	findings   *prometheus.CounterVec
	scanned    *prometheus.HistogramVec
	told       *prometheus.CounterVec
	alerted    *prometheus.HistogramVec
}

// answers are bounds around the 50 ms within which a webhook is to be
// answered, waits those around the minutes in which a leaked key is found by
// others. In seconds.
func answers() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10}
}
func waits() []float64 {
	return []float64{.1, .25, .5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14400}
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics(o Options) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "spillgate", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "spillgate", Name: name, Help: help, Buckets: bounds}, labels)
	}
	m := &Metrics{
		options:    o,
		registry:   prometheus.NewRegistry(),
		deliveries: counter("webhook_deliveries_total", "Deliveries of webhooks by what became of them.", "source", "outcome"),
		answered:   histogram("webhook_answer_seconds", "How long the answer to a delivery took.", answers(), "source"),
		scans:      counter("scans_total", "Pushes that were scanned.", "source"),
		findings:   counter("findings_total", "Findings in pushes.", "source"),
		scanned:    histogram("push_to_scanned_seconds", "Time from the delivery to the end of its scan.", waits(), "source"),
		told:       counter("notifications_total", "Messages by what became of them.", "channel", "outcome"),
		alerted:    histogram("push_to_alert_seconds", "Time from the delivery to the arrival of a message about it.", waits(), "channel"),
	}
	m.registry.MustRegister(m.deliveries, m.answered, m.scans, m.findings, m.scanned, m.told, m.alerted,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newAsked(o))
	return m
}

// Delivered counts a delivery of a webhook.
func (m *Metrics) Delivered(source, outcome string, took time.Duration) {
	m.deliveries.WithLabelValues(source, outcome).Inc()
	m.answered.WithLabelValues(source).Observe(took.Seconds())
}

// Scanned counts a scanned push.
func (m *Metrics) Scanned(source string, findings int, since time.Duration) {
	m.scans.WithLabelValues(source).Inc()
	m.findings.WithLabelValues(source).Add(float64(findings))
	m.scanned.WithLabelValues(source).Observe(since.Seconds())
}

// Told counts a message.
func (m *Metrics) Told(channel, outcome string, since time.Duration) {
	m.told.WithLabelValues(channel, outcome).Inc()
	if since > 0 {
		m.alerted.WithLabelValues(channel).Observe(since.Seconds())
	}
}

// Handler answers with all metrics. Those that could not be asked for are left
// out, and the log says why.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(m.options.Log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 4, Timeout: 20 * time.Second,
	})
}

// Asked are the gauges that are asked for when metrics are read.
type asked struct {
	options                            Options
	waiting, inWork, dead, age, outbox *prometheus.Desc
	incidents, unanswered              *prometheus.Desc

	counts counts
}

func newAsked(o Options) *asked {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("spillgate_"+name, help, labels, nil)
	}
	return &asked{
		options: o,
		waiting: desc("queue_waiting", "Pushes that wait for a worker."),
		inWork:  desc("queue_in_work", "Pushes that are worked on, or wait for another attempt."),
		dead:    desc("queue_dead", "Pushes that were given up; see spillgate-server queue dead."),
		age:     desc("queue_oldest_age_seconds", "Age of the oldest push that is not done; 0 when there is none."),
		outbox:  desc("outbox_waiting", "Messages that are not sent yet.", "channel"),

		incidents:  desc("incidents_open", "Open incidents.", "severity"),
		unanswered: desc("incidents_waiting", "Open incidents about which AWS is asked again, since it gave no answer or a response could not be begun."),
	}
}

// Describe names the gauges.
func (a *asked) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{a.waiting, a.inWork, a.dead, a.age, a.outbox, a.incidents, a.unanswered} {
		out <- d
	}
}

// Collect asks for them, for at most five seconds.
func (a *asked) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if a.options.Queue != nil {
		if s, err := a.options.Queue.State(ctx); err != nil {
			out <- prometheus.NewInvalidMetric(a.waiting, err)
		} else {
			gauge(a.waiting, float64(s.Waiting))
			gauge(a.inWork, float64(s.InWork))
			gauge(a.dead, float64(s.Dead))
		}
		if at, some, err := a.options.Queue.Oldest(ctx); err != nil {
			out <- prometheus.NewInvalidMetric(a.age, err)
		} else if some {
			gauge(a.age, time.Since(at).Seconds())
		} else {
			gauge(a.age, 0)
		}
	}
	if a.options.Outbox != nil {
		waiting, err := a.options.Outbox.Waiting(ctx)
		if err != nil {
			out <- prometheus.NewInvalidMetric(a.outbox, err)
		}
		for channel, n := range waiting {
			gauge(a.outbox, float64(n), channel)
		}
	}
	if a.options.Incidents != nil {
		t, err := a.counts.get(ctx, a.options.Incidents)
		if err != nil {
			out <- prometheus.NewInvalidMetric(a.incidents, err)
			return
		}
		for severity, n := range t.open {
			gauge(a.incidents, float64(n), severity)
		}
		gauge(a.unanswered, float64(t.waiting))
	}
}
