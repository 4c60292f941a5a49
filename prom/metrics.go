package prom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/zookit/zookit/client"
)

// Metrics is a hook of clients and a collector of a registry. One of it can serve several
// clients, and then tells of all of them together; to tell them apart give each one of
// its own and register it through prometheus.WrapRegistererWith. Counts stay
// when a client is closed. Safe for concurrent use.
type Metrics struct {
	operations  *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
	retries     *prometheus.CounterVec
	connections *prometheus.CounterVec
	held        prometheus.Gauge
	wait        *prometheus.HistogramVec
	holding     *prometheus.HistogramVec
	vectors     []prometheus.Collector // all of the above

	mu      sync.Mutex
	clients map[*client.Client]struct{}
	past    []float64 // of clients that are closed, by counter
}

var (
	_ client.HookOpen      = (*Metrics)(nil)
	_ client.HookClose     = (*Metrics)(nil)
	_ client.HookConnect   = (*Metrics)(nil)
	_ client.HookOp        = (*Metrics)(nil)
	_ client.HookRetry     = (*Metrics)(nil)
	_ client.HookGrant     = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// Option is a setting of [New].
type Option func(*settings)

type settings struct{ operation, grant []float64 }

// WithOperationBuckets sets the upper bounds of zookit_operation_seconds, in seconds,
// ascending. The default is 15 of them from 0.5 ms to about 8 s, each twice the one before.
func WithOperationBuckets(seconds ...float64) Option {
	return func(s *settings) { s.operation = seconds }
}

// WithGrantBuckets sets the upper bounds of both histograms of grants, in seconds,
// ascending. The default is 12 of them from 1 ms to about 70 min, each four times the one before.
func WithGrantBuckets(seconds ...float64) Option {
	return func(s *settings) { s.grant = seconds }
}

// New makes metrics that are registered nowhere as yet. It panics, as package
// prometheus does, if buckets do not ascend.
func New(opts ...Option) *Metrics {
	set := settings{operation: prometheus.ExponentialBuckets(0.0005, 2, 15), grant: prometheus.ExponentialBuckets(0.001, 4, 12)}
	for _, opt := range opts {
		opt(&set)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, label string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label})
	}
	m := &Metrics{
		operations:  counter("zookit_operations_total", "Operations that have ended.", "op", "outcome"),
		seconds:     histogram("zookit_operation_seconds", "Time that operations took, waits and repeats included.", set.operation, "op"),
		retries:     counter("zookit_retries_total", "Attempts of operations that failed and were to be repeated.", "op"),
		connections: counter("zookit_connections_total", "Attempts to reach a server.", "server", "result"),
		held:        prometheus.NewGauge(prometheus.GaugeOpts{Name: "zookit_grants_held", Help: "Locks and the like that are held."}),
		wait:        histogram("zookit_grant_wait_seconds", "Time that calls waited until they held or missed.", set.grant, "result"),
		holding:     histogram("zookit_grant_held_seconds", "Time that was held until it was released or lost.", set.grant, "end"),
		clients:     map[*client.Client]struct{}{},
		past:        make([]float64, len(counts)),
	}
	m.vectors = []prometheus.Collector{m.operations, m.seconds, m.retries, m.connections, m.held, m.wait, m.holding}
	return m
}

// OnOpen implements client.HookOpen.
func (m *Metrics) OnOpen(c *client.Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients[c] = struct{}{}
}

// OnClose implements client.HookClose.
func (m *Metrics) OnClose(c *client.Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clients, c)
	stats := c.Stats()
	for i, n := range counts {
		m.past[i] += n.of(&stats)
	}
}

// OnConnect implements client.HookConnect.
func (m *Metrics) OnConnect(e client.ConnectEnd) {
	result := "ok"
	if e.Err != nil {
		result = "failed"
	}
	m.connections.WithLabelValues(e.Server, result).Inc()
}

// OnOp implements client.HookOp.
func (m *Metrics) OnOp(e client.OpEnd) {
	m.operations.WithLabelValues(e.Op, outcome(&e)).Inc()
	m.seconds.WithLabelValues(e.Op).Observe(e.Duration.Seconds())
}

func outcome(e *client.OpEnd) string {
	switch {
	case e.Err == nil:
		return "ok"
	case e.Outcome == client.Definite:
		return "error"
	case e.Outcome == client.NotSent:
		return "not_sent"
	default:
		return "unknown"
	}
}

// OnRetry implements client.HookRetry.
func (m *Metrics) OnRetry(e client.Retry) { m.retries.WithLabelValues(e.Op).Inc() }

// OnGrant implements client.HookGrant.
func (m *Metrics) OnGrant(e client.GrantEvent) {
	switch e.Kind {
	case client.GrantHeld:
		m.held.Inc()
		m.wait.WithLabelValues(e.Kind.String()).Observe(e.Waited.Seconds())
	case client.GrantMissed:
		m.wait.WithLabelValues(e.Kind.String()).Observe(e.Waited.Seconds())
	case client.GrantReleased, client.GrantLost:
		m.held.Dec()
		m.holding.WithLabelValues(e.Kind.String()).Observe(e.HeldFor.Seconds())
	}
}
