// Package span marks what a delivery's time is spent on, for OpenTelemetry,
// without anything to configure: the spans of a context go where its parent
// went, and nowhere when there is none. So the packages that do the work name
// their steps here and need not know whether anybody is looking.
//
// A delivery's trace survives the queue: Carry writes the context as the W3C
// trace context (https://www.w3.org/TR/trace-context/#traceparent-header) into
// a field of the queued message, and Continue takes it up again.
package span

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name under which this program's spans are recorded.
const scope = "github.com/spillgate/spillgate/server"

// Start begins a step of what ctx is part of. Call end with the step's error.
// Pairs are names and values of attributes: ids and counts, never the text of
// a finding.
func Start(ctx context.Context, name string, pairs ...string) (_ context.Context, end func(error)) {
	return start(ctx, trace.SpanFromContext(ctx).TracerProvider(), name, pairs)
}

// Root begins a trace, whatever ctx is part of.
func Root(ctx context.Context, p trace.TracerProvider, name string, pairs ...string) (_ context.Context, end func(error)) {
	return start(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), p, name, pairs)
}

// Continue begins a step of the trace that was carried, or a trace of its own
// where none was. A nil provider records nothing.
func Continue(ctx context.Context, p trace.TracerProvider, carried, name string, pairs ...string) (_ context.Context, end func(error)) {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": carried})
	return start(ctx, p, name, pairs)
}

// Carry returns what Continue takes, or the empty string where nothing is
// recorded.
func Carry(ctx context.Context) string {
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, c)
	return c["traceparent"]
}

func start(ctx context.Context, p trace.TracerProvider, name string, pairs []string) (context.Context, func(error)) {
	if p == nil {
		p = noop.NewTracerProvider()
	}
	var attributes []attribute.KeyValue
	for i := 0; i+1 < len(pairs); i += 2 {
		attributes = append(attributes, attribute.String(pairs[i], pairs[i+1]))
	}
	ctx, s := p.Tracer(scope).Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func(err error) {
		if err != nil {
			s.SetStatus(codes.Error, err.Error())
		}
		s.End()
	}
}
