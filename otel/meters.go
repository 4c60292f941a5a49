package otel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"

	"github.com/zookit/zookit/client"
)

// meters are the instruments that hooks write to.
type meters struct {
	operation, wait, held metric.Float64Histogram
	retries, attempts     metric.Int64Counter
	grants                metric.Int64UpDownCounter
}

// make makes the instruments.
func (m *meters) make(meter metric.Meter) error {
	var all [6]error
	// The bounds are those that the conventions name.
	operation, err := dbconv.NewClientOperationDuration(meter,
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	m.operation, all[0] = operation.Inst(), err
	bounds := metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600)
	m.wait, all[1] = meter.Float64Histogram("zookit.grant.wait.duration", metric.WithUnit("s"), bounds,
		metric.WithDescription("Time that calls waited until they held or missed."))
	m.held, all[2] = meter.Float64Histogram("zookit.grant.held.duration", metric.WithUnit("s"), bounds,
		metric.WithDescription("Time that was held until it was released or lost."))
	m.retries, all[3] = meter.Int64Counter("zookit.operation.retries", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts of operations that failed and were to be repeated."))
	m.attempts, all[4] = meter.Int64Counter("zookit.connection.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts to reach a server."))
	m.grants, all[5] = meter.Int64UpDownCounter("zookit.grants", metric.WithUnit("{grant}"),
		metric.WithDescription("Locks and the like that are held."))
	return errors.Join(all[:]...)
}

// OnConnect implements client.HookConnect.
func (h *Hooks) OnConnect(e client.ConnectEnd) {
	attrs := append([]attribute.KeyValue{system}, server(e.Address)...)
	if e.Err != nil {
		attrs = append(attrs, errorType(e.Err))
	}
	h.meter.attempts.Add(context.Background(), 1, metric.WithAttributes(attrs...)) //nolint:forbidigo // nobody called
}

// number is read from clients' Stats whenever metrics are collected.
type number struct {
	name, unit, help string
	attrs            []attribute.KeyValue
	of               func(*client.Stats) int64
}

// counts are sums over all clients, those that are closed included.
var counts = []number{
	{"zookit.session.losses", "{session}", "Sessions that were lost.", nil, func(s *client.Stats) int64 { return int64(s.SessionsLost) }},
	{"zookit.connection.losses", "{connection}", "Connections that ended.", nil, func(s *client.Stats) int64 { return int64(s.Disconnections) }},
	{"zookit.io", "By", "Bytes of frames.", []attribute.KeyValue{semconv.NetworkIODirectionTransmit}, func(s *client.Stats) int64 { return int64(s.BytesSent) }},
	{"zookit.io", "By", "Bytes of frames.", []attribute.KeyValue{semconv.NetworkIODirectionReceive}, func(s *client.Stats) int64 { return int64(s.BytesReceived) }},
}

// gauges are sums over the clients that are open.
var gauges = append([]number{
	{"zookit.requests.in_flight", "{request}", "Requests that wait for their answer.", nil, func(s *client.Stats) int64 { return int64(s.InFlight) }},
	{"zookit.watches", "{watch}", "Watches on the servers.", nil, func(s *client.Stats) int64 { return int64(s.Watches) }},
	{"zookit.holds", "{node}", "Nodes that are kept confirmed.", nil, func(s *client.Stats) int64 { return int64(s.Holds) }},
}, inStates()...)

// inStates has one gauge for each state.
func inStates() []number {
	var all []number
	for state := client.Connecting; state.String() != "unknown"; state++ {
		attrs := []attribute.KeyValue{attribute.String("zookit.state", state.String())}
		all = append(all, number{"zookit.session.state", "{client}", "Clients in the state.", attrs, func(s *client.Stats) int64 {
			if s.State == state {
				return 1
			}
			return 0
		}})
	}
	return all
}

// observe makes the instruments that are read from Stats.
func (h *Hooks) observe(meter metric.Meter) error {
	made := map[string]metric.Int64Observable{}
	for _, n := range counts {
		counter, err := meter.Int64ObservableCounter(n.name, metric.WithUnit(n.unit), metric.WithDescription(n.help))
		if err != nil {
			return err
		}
		made[n.name] = counter
	}
	for _, n := range gauges {
		gauge, err := meter.Int64ObservableUpDownCounter(n.name, metric.WithUnit(n.unit), metric.WithDescription(n.help))
		if err != nil {
			return err
		}
		made[n.name] = gauge
	}
	var all []metric.Observable
	for _, instrument := range made {
		all = append(all, instrument)
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		sums, now := h.sums()
		for i, n := range counts {
			o.ObserveInt64(made[n.name], sums[i], metric.WithAttributes(n.attrs...))
		}
		for i, n := range gauges {
			o.ObserveInt64(made[n.name], now[i], metric.WithAttributes(n.attrs...))
		}
		return nil
	}, all...)
	return err
}

// sums returns the values of counts and gauges.
func (h *Hooks) sums() (sums, now []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sums = append(sums, h.past...)
	now = make([]int64, len(gauges))
	for c := range h.clients {
		stats := c.Stats()
		for i, n := range counts {
			sums[i] += n.of(&stats)
		}
		for i, n := range gauges {
			now[i] += n.of(&stats)
		}
	}
	return sums, now
}
