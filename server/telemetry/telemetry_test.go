package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spillgate/spillgate/server/incident"
	"github.com/spillgate/spillgate/server/notify"
	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/telemetry"
	"github.com/spillgate/spillgate/server/telemetry/span"
	"github.com/spillgate/spillgate/server/webhook"
	"github.com/spillgate/spillgate/server/worker"
)

// What metrics and queue are used as.
var (
	_ webhook.Counter  = (*telemetry.Metrics)(nil)
	_ worker.Meter     = (*telemetry.Metrics)(nil)
	_ notify.Meter     = (*telemetry.Metrics)(nil)
	_ telemetry.Queue  = (*queue.Queue)(nil)
	_ telemetry.Outbox = (*notify.Outbox)(nil)
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// asked fakes what metrics ask.
type asked struct{ err error }

func (a asked) State(context.Context) (queue.State, error) {
	return queue.State{Waiting: 7, InWork: 2, Dead: 1}, a.err
}
func (a asked) Oldest(context.Context) (time.Time, bool, error) {
	return time.Now().Add(-90 * time.Second), true, a.err
}
func (a asked) Waiting(context.Context) (map[string]uint64, error) {
	return map[string]uint64{"slack": 3}, a.err
}
func (a asked) Each(_ context.Context, f func(*incident.Incident) error) error {
	open := []incident.Entry{{Stage: incident.Found}}
	for _, i := range []*incident.Incident{
		{Severity: "high", Timeline: open},
		{Severity: "low", Timeline: open, Verdict: []byte(`{"severity":"critical"}`)},
		{Severity: "odd\nname 1", Timeline: open},
		{Severity: "high", Timeline: append(open, incident.Entry{Stage: incident.Closed})},
	} {
		if err := f(i); err != nil {
			return err
		}
	}
	return a.err
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := telemetry.NewMetrics(telemetry.Options{Queue: asked{}, Outbox: asked{}, Incidents: asked{}, Log: quiet})
	m.Delivered("github", "accepted", 20*time.Millisecond)
	m.Delivered("github", "accepted", 70*time.Millisecond)
	m.Delivered("github", "unsigned", time.Millisecond)
	m.Scanned("github", 3, 4*time.Second)
	m.Told("slack", "told", 6*time.Second)
	m.Told("slack", "retried", 0)
	code, text := get(t, m.Handler(), "/metrics")
	if code != http.StatusOK {
		t.Fatalf("code %d", code)
	}
	for _, want := range []string{
		`spillgate_webhook_deliveries_total{outcome="accepted",source="github"} 2`,
		`spillgate_webhook_deliveries_total{outcome="unsigned",source="github"} 1`,
		`spillgate_webhook_answer_seconds_bucket{source="github",le="0.05"} 2`,
		`spillgate_scans_total{source="github"} 1`,
		`spillgate_findings_total{source="github"} 3`,
		`spillgate_push_to_scanned_seconds_bucket{source="github",le="5"} 1`,
		`spillgate_notifications_total{channel="slack",outcome="retried"} 1`,
		`spillgate_push_to_alert_seconds_count{channel="slack"} 1`,
		`spillgate_push_to_alert_seconds_bucket{channel="slack",le="5"} 0`,
		`spillgate_push_to_alert_seconds_bucket{channel="slack",le="10"} 1`,
		"spillgate_queue_waiting 7", "spillgate_queue_in_work 2", "spillgate_queue_dead 1",
		"spillgate_queue_oldest_age_seconds 90", `spillgate_outbox_waiting{channel="slack"} 3`,
		`spillgate_incidents_open{severity="high"} 1`, `spillgate_incidents_open{severity="critical"} 1`,
		`spillgate_incidents_open{severity="medium"} 1`, `spillgate_incidents_open{severity="low"} 0`, "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
}

// TestMetricsWithoutQueue shows that counters can be read while the queue
// cannot be reached, and that its gauges are missing then, not zero.
func TestMetricsWithoutQueue(t *testing.T) {
	down := asked{errors.New("no route")}
	var log bytes.Buffer
	m := telemetry.NewMetrics(telemetry.Options{Queue: down, Outbox: down, Incidents: down, Log: slog.New(slog.NewTextHandler(&log, nil))})
	m.Scanned("github", 0, time.Second)
	code, text := get(t, m.Handler(), "/metrics")
	if code != http.StatusOK || !strings.Contains(text, "spillgate_scans_total") {
		t.Errorf("code %d, counters are missing", code)
	}
	if strings.Contains(text, "spillgate_queue_waiting ") || !strings.Contains(log.String(), "no route") {
		t.Error("a gauge without an answer is there, or the log does not say why it is not")
	}
}

func TestHealth(t *testing.T) {
	dir := t.TempDir()
	h := &telemetry.Health{Queue: asked{}, Dirs: []string{dir}}
	if code, _ := get(t, http.HandlerFunc(h.Live), "/healthz"); code != http.StatusOK {
		t.Errorf("alive: %d", code)
	}
	if code, text := get(t, http.HandlerFunc(h.Ready), "/readyz"); code != http.StatusOK {
		t.Errorf("ready: %d %s", code, text)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("the probe left %d files", len(left))
	}
	h.Queue = asked{errors.New("no route to 10.0.0.1")}
	if code, text := get(t, http.HandlerFunc(h.Ready), "/readyz"); code != http.StatusServiceUnavailable || text != "the queue cannot be reached\n" {
		t.Errorf("without a queue: %d %q", code, text)
	}
	if code, _ := get(t, http.HandlerFunc(h.Live), "/healthz"); code != http.StatusOK {
		t.Error("without a queue the process is alive all the same")
	}
	h = &telemetry.Health{Dirs: []string{filepath.Join(dir, "gone")}}
	if code, text := get(t, http.HandlerFunc(h.Ready), "/readyz"); code != http.StatusServiceUnavailable || text != "data folder 1 cannot be written to: no such file or directory\n" {
		t.Errorf("without its folder: %d %q", code, text)
	}
}

// spans is a collector of traces.
type spans struct {
	mu  sync.Mutex
	all []*tracepb.Span
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range in.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			s.all = append(s.all, scope.Spans...)
		}
	}
	out, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

// stored keeps the pushes that a webhook puts, as the queue does.
type stored struct{ pushes []push.Push }

func (s *stored) Put(_ context.Context, p push.Push) (bool, error) {
	s.pushes = append(s.pushes, p)
	return false, nil
}

// TestOneTrace follows a delivery from its webhook over the queue to the work:
// it is one trace.
func TestOneTrace(t *testing.T) {
	s := new(spans)
	server := httptest.NewServer(s)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	traces, err := telemetry.NewTraces(t.Context(), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	q := new(stored)
	secret := "a made-up secret"
	hook := traces.Webhook(&webhook.Handler{Source: webhook.Source{Name: "lab", Kind: webhook.GitLab, Secrets: []string{secret}}, Queue: q, Log: quiet})
	r := httptest.NewRequest(http.MethodPost, "/webhooks/lab", strings.NewReader(fmt.Sprintf(
		`{"object_kind":"push","ref":"refs/heads/main","after":"%040d","project":{"path_with_namespace":"team/app"}}`, 1)))
	r.Header.Set("X-Gitlab-Event", "Push Hook")
	r.Header.Set("X-Gitlab-Token", secret)
	foreign := "4bf92f3577b34da6a3ce929d0e0e4736"
	r.Header.Set("Traceparent", "00-"+foreign+"-00f067aa0ba902b7-01")
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, r)
	if w.Code != http.StatusAccepted || len(q.pushes) != 1 {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	work := traces.Work(func(ctx context.Context, _ push.Push, _ int) error {
		_, end := span.Start(ctx, "fetch")
		end(errors.New("the host is down"))
		return nil
	})
	if err := work(t.Context(), q.pushes[0], 1); err != nil {
		t.Fatal(err)
	}
	if err := traces.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	byName := map[string]*tracepb.Span{}
	for _, one := range s.all {
		byName[one.Name] = one
	}
	hooked, pushed, fetched := byName["webhook"], byName["push"], byName["fetch"]
	if hooked == nil || pushed == nil || fetched == nil || len(s.all) != 3 {
		t.Fatalf("spans %v", byName)
	}
	for _, one := range s.all {
		if !bytes.Equal(one.TraceId, hooked.TraceId) || fmt.Sprintf("%x", one.TraceId) == foreign {
			t.Errorf("%s is of another trace", one.Name)
		}
	}
	if len(hooked.ParentSpanId) != 0 || !bytes.Equal(pushed.ParentSpanId, hooked.SpanId) || !bytes.Equal(fetched.ParentSpanId, pushed.SpanId) {
		t.Error("the spans are not within one another")
	}
	if fetched.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR {
		t.Error("the failed step is not marked")
	}
}

// TestOff shows that without a collector nothing is recorded or carried.
func TestOff(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	traces, err := telemetry.NewTraces(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := span.Root(t.Context(), traces.Provider(), "x")
	if c := span.Carry(ctx); c != "" {
		t.Errorf("carried %q", c)
	}
	end(nil)
	ctx, end = span.Continue(t.Context(), nil, "nonsense", "x")
	if c := span.Carry(ctx); c != "" {
		t.Errorf("carried %q", c)
	}
	end(errors.New("x"))
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	if _, err := telemetry.NewTraces(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "http/protobuf") {
		t.Errorf("got %v, want an error that names what is spoken", err)
	}
}
