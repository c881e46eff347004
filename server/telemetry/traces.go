package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/spillgate/spillgate/server/push"
	"github.com/spillgate/spillgate/server/queue"
	"github.com/spillgate/spillgate/server/telemetry/span"
)

// Traces record one trace per delivery: webhook, push, and in it fetch, scan,
// record, respond, tell and send. They are off unless the environment names a
// collector (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
// the other variables of OpenTelemetry are obeyed too.
// Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
type Traces struct {
	provider trace.TracerProvider
	shutdown func(context.Context) error
}

// NewTraces returns what the environment asks for. It connects to nothing yet.
func NewTraces(ctx context.Context, version string) (*Traces, error) {
	off := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == ""
	if off || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return &Traces{noop.NewTracerProvider(), func(context.Context) error { return nil }}, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := os.Getenv(name); p != "" && p != "http/protobuf" {
			return nil, fmt.Errorf("%s is %.40q; this program sends traces as http/protobuf only", name, p)
		}
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the exporter of traces: %w", err)
	}
	r, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "spillgate-server"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("naming this program to OpenTelemetry: %w", err)
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(r))
	return &Traces{p, p.Shutdown}, nil
}

// Provider is for who begins spans by itself.
func (t *Traces) Provider() trace.TracerProvider { return t.provider }

// Shutdown sends what is not sent yet.
func (t *Traces) Shutdown(ctx context.Context) error { return t.shutdown(ctx) }

// Webhook begins a delivery's trace. A trace that the sender claims to be part
// of is not continued: the header comes before any signature is checked.
func (t *Traces) Webhook(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := span.Root(r.Context(), t.provider, "webhook", "source", path.Base(r.URL.Path))
		s := &status{ResponseWriter: w, code: http.StatusOK}
		h.ServeHTTP(s, r.WithContext(ctx))
		if s.code >= 400 {
			end(fmt.Errorf("answered %d", s.code))
			return
		}
		end(nil)
	})
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Work continues a delivery's trace with the work on one of its pushes.
func (t *Traces) Work(h queue.Handler) queue.Handler {
	return func(ctx context.Context, p push.Push, attempt int) (err error) {
		ctx, end := span.Continue(ctx, t.provider, p.Trace, "push",
			"source", p.Source, "repository", p.Repository, "ref", p.Ref, "attempt", fmt.Sprint(attempt))
		defer func() { end(err) }()
		return h(ctx, p, attempt)
	}
}
