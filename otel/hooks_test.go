package otel_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	api "go.opentelemetry.io/otel/trace"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/otel"
	"github.com/zookit/zookit/zktest"
)

// rig is hooks whose exports can be read.
type rig struct {
	*otel.Hooks
	t      *testing.T
	spans  *tracetest.SpanRecorder
	tracer *trace.TracerProvider
	reader *metric.ManualReader
}

func newRig(t *testing.T, opts ...otel.Option) *rig {
	t.Helper()
	r := &rig{t: t, spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.tracer = trace.NewTracerProvider(trace.WithSpanProcessor(r.spans))
	meters := metric.NewMeterProvider(metric.WithReader(r.reader))
	hooks, err := otel.NewHooks(append(opts, otel.WithTracerProvider(r.tracer), otel.WithMeterProvider(meters))...)
	require.NoError(t, err)
	r.Hooks = hooks
	return r
}

func (r *rig) connect(srv *zktest.Server) *client.Client {
	r.t.Helper()
	cl, err := client.Connect(r.t.Context(), srv.Addr(), client.WithHooks(r.Hooks), client.WithSessionTimeout(time.Minute))
	require.NoError(r.t, err)
	r.t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// last returns the newest span of that name.
func (r *rig) last(name string) trace.ReadOnlySpan {
	r.t.Helper()
	for _, span := range slices.Backward(r.spans.Ended()) {
		if span.Name() == name {
			return span
		}
	}
	require.Fail(r.t, "no span "+name)
	return nil
}

// value reads a metric back: the sum, or the count of a histogram, of the points with
// these attributes. It is -1 if there is none.
func (r *rig) value(name string, attrs ...attribute.KeyValue) int64 {
	r.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(r.t, r.reader.Collect(context.WithoutCancel(r.t.Context()), &all))
	want := attribute.NewSet(slices.Clone(attrs)...) // which sorts in place
	for _, s := range all.ScopeMetrics {
		require.Equal(r.t, "github.com/zookit/zookit/otel", s.Scope.Name)
		for _, m := range s.Metrics {
			if m.Name != name {
				continue
			}
			require.NotEmpty(r.t, m.Unit, name)
			require.NotEmpty(r.t, m.Description, name)
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					if p.Attributes.Equals(&want) {
						return p.Value
					}
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if p.Attributes.Equals(&want) {
						return int64(p.Count)
					}
				}
			}
		}
	}
	return -1
}

func address(t *testing.T, srv *zktest.Server) []attribute.KeyValue {
	t.Helper()
	host, port, err := net.SplitHostPort(srv.Addr())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return []attribute.KeyValue{attribute.String("server.address", host), attribute.Int("server.port", n)}
}

var zookeeper = attribute.String("db.system.name", "zookeeper")

// An operation is a span under that of the caller, named and described after the
// conventions.
func TestSpansOfOperations(t *testing.T) {
	srv := zktest.Start(t)
	r := newRig(t)
	cl := r.connect(srv)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	ctx, parent := r.tracer.Tracer("test").Start(t.Context(), "request")

	_, err = cl.Create(ctx, "/a", []byte("t0p data"))
	require.NoError(t, err)
	span := r.last("create2")
	require.Equal(t, api.SpanKindClient, span.SpanKind())
	require.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
	require.Equal(t, parent.SpanContext().TraceID(), span.SpanContext().TraceID())
	require.Equal(t, codes.Unset, span.Status().Code)
	require.True(t, span.EndTime().After(span.StartTime()))
	require.ElementsMatch(t, append(address(t, srv), zookeeper,
		attribute.String("db.operation.name", "create2"),
		attribute.Int("zookit.attempts", 1),
		attribute.String("zookit.outcome", "definite"),
		attribute.String("zookit.session", "0x"+strconv.FormatUint(uint64(s.ID()), 16)),
	), span.Attributes())

	_, _, err = cl.Get(ctx, "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	span = r.last("getData")
	require.Equal(t, trace.Status{Code: codes.Error, Description: "no_node"}, span.Status(), "no path in it")
	require.Contains(t, span.Attributes(), attribute.String("error.type", "no_node"))

	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _, err = cl.Get(ctx, "/a")
	require.NoError(t, err)
	require.Contains(t, r.last("getData").Attributes(), attribute.Int("zookit.attempts", 2))
}

// Paths are exported only when that is asked for.
func TestPathsAreAnOption(t *testing.T) {
	srv := zktest.Start(t)
	r := newRig(t, otel.WithPaths())
	cl := r.connect(srv)
	_, _, err := cl.Get(t.Context(), "/none")
	span := r.last("getData")
	require.Contains(t, span.Attributes(), attribute.String("zookit.path", "/none"))
	require.Equal(t, err.Error(), span.Status().Description)
}

// The wait for a lock is a span, and the operations that it takes are spans beside it.
func TestSpansOfGrants(t *testing.T) {
	srv := zktest.Start(t)
	r := newRig(t)
	cl := r.connect(srv)
	ctx, parent := r.tracer.Tracer("test").Start(t.Context(), "request")
	stack := lock.NewMutex(cl, "/stacks/42")
	held, err := stack.Lock(ctx)
	require.NoError(t, err)
	_, err = stack.TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, cl.Close())

	var results []string
	for _, span := range r.spans.Ended() {
		for _, a := range span.Attributes() {
			require.NotContains(t, a.Value.String(), "/stacks", "paths are not asked for")
		}
		require.NotContains(t, span.Status().Description, "/stacks")
		if span.Name() != "acquire" {
			continue
		}
		require.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
		require.Equal(t, api.SpanKindInternal, span.SpanKind())
		set := attribute.NewSet(span.Attributes()...)
		result, _ := set.Value("zookit.grant.result")
		results = append(results, result.AsString())
		if result.AsString() == "held" {
			token, _ := set.Value("zookit.grant.token")
			require.Equal(t, held.Token(), token.AsInt64())
		} else {
			require.Equal(t, "busy", span.Status().Description)
		}
	}
	require.Equal(t, []string{"held", "missed"}, results)
	require.Equal(t, int64(0), r.value("zookit.grants"))
	require.Equal(t, int64(1), r.value("zookit.grant.wait.duration", attribute.String("zookit.grant.result", "held")))
	require.Equal(t, int64(1), r.value("zookit.grant.wait.duration", attribute.String("zookit.grant.result", "missed")))
	require.Equal(t, int64(1), r.value("zookit.grant.held.duration", attribute.String("zookit.grant.end", "released")))
}

// What a client has done is what a reader of the metrics gets.
func TestMetrics(t *testing.T) {
	srv := zktest.Start(t)
	r := newRig(t)
	cl := r.connect(srv)
	ctx := t.Context()
	_, err := cl.Create(ctx, "/a", nil)
	require.NoError(t, err)
	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _, w, err := cl.GetW(ctx, "/a")
	require.NoError(t, err)
	defer w.Remove()
	_, _, err = cl.Get(ctx, "/none")
	require.ErrorIs(t, err, client.ErrNoNode)

	get := attribute.String("db.operation.name", "getData")
	at := append(address(t, srv), zookeeper)
	require.Equal(t, int64(1), r.value("db.client.operation.duration", append(at, get)...))
	require.Equal(t, int64(1), r.value("db.client.operation.duration", append(at, get, attribute.String("error.type", "no_node"))...))
	require.Equal(t, int64(1), r.value("zookit.operation.retries", zookeeper, get))
	require.Equal(t, int64(1), r.value("zookit.session.state", attribute.String("zookit.state", "connected")))
	require.Equal(t, int64(0), r.value("zookit.session.state", attribute.String("zookit.state", "lost")))
	require.Equal(t, int64(1), r.value("zookit.watches"))
	require.Equal(t, int64(0), r.value("zookit.holds"))
	require.Equal(t, int64(0), r.value("zookit.requests.in_flight"))
	require.Equal(t, int64(1), r.value("zookit.connection.losses"))

	require.NoError(t, cl.Close())
	require.Equal(t, int64(2), r.value("zookit.connection.attempts", at...))
	require.Equal(t, int64(0), r.value("zookit.session.state", attribute.String("zookit.state", "connected")))
	require.Equal(t, int64(2), r.value("zookit.connection.losses"), "counts stay")
	require.Equal(t, int64(0), r.value("zookit.session.losses"))
	stats := cl.Stats()
	require.Equal(t, int64(stats.BytesSent), r.value("zookit.io", attribute.String("network.io.direction", "transmit")))
	require.Equal(t, int64(stats.BytesReceived), r.value("zookit.io", attribute.String("network.io.direction", "receive")))
}

// What cannot be reached shows with the reason's name.
func TestMetricsOfAFailingConnect(t *testing.T) {
	r := newRig(t)
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	_, err := client.Connect(t.Context(), "127.0.0.1:1", client.WithHooks(r.Hooks), client.WithDialer(refuse), client.WithConnectTimeout(100*time.Millisecond))
	require.ErrorIs(t, err, client.ErrNotConnected)
	require.Positive(t, r.value("zookit.connection.attempts", zookeeper,
		attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", 1), attribute.String("error.type", "_OTHER")))
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, opt := range []otel.Option{nil, otel.WithTracerProvider(nil), otel.WithMeterProvider(nil)} {
		_, err := otel.NewHooks(opt)
		require.ErrorIs(t, err, client.ErrBadArgument)
	}
	_, err := otel.NewHooks()
	require.NoError(t, err)
}
