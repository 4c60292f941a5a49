package otel

import (
	"errors"
	"fmt"
	"sync"

	global "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/zookit/zookit/client"
)

const scope = "github.com/zookit/zookit/otel"

var system = semconv.DBSystemNameKey.String("zookeeper")

// Hooks is a hook of clients that makes spans and metrics. One of it can serve several
// clients. Safe for concurrent use.
type Hooks struct {
	tracer trace.Tracer
	meter  meters
	paths  bool

	mu      sync.Mutex
	clients map[*client.Client]struct{}
	past    []int64 // of clients that are closed, by count
}

var (
	_ client.HookOpen    = (*Hooks)(nil)
	_ client.HookClose   = (*Hooks)(nil)
	_ client.HookConnect = (*Hooks)(nil)
	_ client.HookOp      = (*Hooks)(nil)
	_ client.HookRetry   = (*Hooks)(nil)
	_ client.HookGrant   = (*Hooks)(nil)
)

// Option is a setting of [NewHooks].
type Option func(*settings) error

type settings struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
	paths   bool
}

// WithTracerProvider sets where spans go. The default is the global provider at the
// time of NewHooks; go.opentelemetry.io/otel/trace/noop switches spans off.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(s *settings) error {
		if p == nil {
			return fmt.Errorf("%w: WithTracerProvider: the provider is nil", client.ErrBadArgument)
		}
		s.tracers = p
		return nil
	}
}

// WithMeterProvider sets where metrics go. The default is the global provider at the
// time of NewHooks; go.opentelemetry.io/otel/metric/noop switches metrics off.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(s *settings) error {
		if p == nil {
			return fmt.Errorf("%w: WithMeterProvider: the provider is nil", client.ErrBadArgument)
		}
		s.meters = p
		return nil
	}
}

// WithPaths puts nodes' paths and errors' texts, which have paths in them, into spans.
// They are never in metrics.
func WithPaths() Option {
	return func(s *settings) error {
		s.paths = true
		return nil
	}
}

// NewHooks makes hooks for client.WithHooks. Metrics are read for as long as the meter
// provider is. Errors: client.ErrBadArgument for an option that cannot work, and what the
// provider says against an instrument.
func NewHooks(opts ...Option) (*Hooks, error) {
	set := settings{tracers: global.GetTracerProvider(), meters: global.GetMeterProvider()}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&set); err != nil {
			return nil, err
		}
	}
	h := &Hooks{
		tracer:  set.tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		paths:   set.paths,
		clients: map[*client.Client]struct{}{},
		past:    make([]int64, len(counts)),
	}
	m := set.meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	if err := errors.Join(h.meter.make(m), h.observe(m)); err != nil {
		return nil, fmt.Errorf("instruments of OpenTelemetry: %w", err)
	}
	return h, nil
}

// OnOpen implements client.HookOpen.
func (h *Hooks) OnOpen(c *client.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[c] = struct{}{}
}

// OnClose implements client.HookClose.
func (h *Hooks) OnClose(c *client.Client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	stats := c.Stats()
	for i, n := range counts {
		h.past[i] += n.of(&stats)
	}
}

// OnOp implements client.HookOp.
func (h *Hooks) OnOp(e client.OpEnd) {
	attrs := []attribute.KeyValue{system, semconv.DBOperationName(e.Op)}
	attrs = append(attrs, server(e.Server)...)
	if e.Err != nil {
		attrs = append(attrs, errorType(e.Err))
	}
	h.meter.operation.Record(e.Ctx, e.Duration.Seconds(), metric.WithAttributes(attrs...))

	attrs = append(attrs, attribute.Int("zookit.attempts", e.Attempts), attribute.String("zookit.outcome", e.Outcome.String()))
	if e.SessionID != 0 {
		attrs = append(attrs, session(e.SessionID))
	}
	h.span(spanned{ctx: e.Ctx, name: e.Op, kind: trace.SpanKindClient, start: e.Start, took: e.Duration, path: e.Path, err: e.Err}, attrs)
}

// OnRetry implements client.HookRetry.
func (h *Hooks) OnRetry(e client.Retry) {
	h.meter.retries.Add(e.Ctx, 1, metric.WithAttributes(system, semconv.DBOperationName(e.Op)))
}

// OnGrant implements client.HookGrant.
func (h *Hooks) OnGrant(e client.GrantEvent) {
	switch e.Kind {
	case client.GrantHeld, client.GrantMissed:
		result := attribute.String("zookit.grant.result", e.Kind.String())
		attrs := []attribute.KeyValue{system, result}
		if e.Kind == client.GrantHeld {
			h.meter.grants.Add(e.Ctx, 1)
			attrs = append(attrs, attribute.Int64("zookit.grant.token", e.Token), session(e.SessionID))
		}
		h.meter.wait.Record(e.Ctx, e.Waited.Seconds(), metric.WithAttributes(result))
		if e.Err != nil {
			attrs = append(attrs, errorType(e.Err))
		}
		h.span(spanned{ctx: e.Ctx, name: "acquire", kind: trace.SpanKindInternal, start: e.At.Add(-e.Waited), took: e.Waited, path: e.Path, err: e.Err}, attrs)
	case client.GrantReleased, client.GrantLost:
		h.meter.grants.Add(e.Ctx, -1)
		h.meter.held.Record(e.Ctx, e.HeldFor.Seconds(), metric.WithAttributes(attribute.String("zookit.grant.end", e.Kind.String())))
	}
}
