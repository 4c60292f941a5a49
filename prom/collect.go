package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/zookit/zookit/client"
)

// number is a metric that is read from a client's Stats.
type number struct {
	desc   *prometheus.Desc
	labels []string // values
	of     func(*client.Stats) float64
}

var (
	disconnections = desc("zookit_disconnections_total", "Connections that ended.")
	sessions       = desc("zookit_sessions_total", "Sessions that were opened or lost.", "event")
	confirmations  = desc("zookit_confirmations_total", "Transactions by which a quorum confirms a session.", "result")
	bytes          = desc("zookit_bytes_total", "Bytes of frames.", "direction")
	frames         = desc("zookit_frames_total", "Frames other than pings.", "kind")
	states         = desc("zookit_session_state", "Clients in the state.", "state")
	inFlight       = desc("zookit_requests_in_flight", "Requests that wait for their answer.")
	watches        = desc("zookit_watches", "Watches on the servers.")
	holds          = desc("zookit_holds", "Nodes that are kept confirmed.")
	cleanups       = desc("zookit_cleanups", "Nodes and the like that are still to be undone for callers that have gone.")
	roundTrip      = desc("zookit_round_trip_seconds", "Moving average of the time to an answer, of the slowest client.")
)

// counts are sums over all clients, those that are closed included.
var counts = []number{
	{disconnections, nil, func(s *client.Stats) float64 { return float64(s.Disconnections) }},
	{sessions, []string{"opened"}, func(s *client.Stats) float64 { return float64(s.SessionsOpened) }},
	{sessions, []string{"lost"}, func(s *client.Stats) float64 { return float64(s.SessionsLost) }},
	{confirmations, []string{"ok"}, func(s *client.Stats) float64 { return float64(s.Confirmations) }},
	{confirmations, []string{"failed"}, func(s *client.Stats) float64 { return float64(s.ConfirmationsFailed) }},
	{bytes, []string{"sent"}, func(s *client.Stats) float64 { return float64(s.BytesSent) }},
	{bytes, []string{"received"}, func(s *client.Stats) float64 { return float64(s.BytesReceived) }},
	{frames, []string{"request"}, func(s *client.Stats) float64 { return float64(s.Requests) }},
	{frames, []string{"reply"}, func(s *client.Stats) float64 { return float64(s.Replies) }},
	{frames, []string{"event"}, func(s *client.Stats) float64 { return float64(s.Events) }},
}

// gauges are sums over the clients that are open.
var gauges = append([]number{
	{inFlight, nil, func(s *client.Stats) float64 { return float64(s.InFlight) }},
	{watches, nil, func(s *client.Stats) float64 { return float64(s.Watches) }},
	{holds, nil, func(s *client.Stats) float64 { return float64(s.Holds) }},
	{cleanups, nil, func(s *client.Stats) float64 { return float64(s.Cleanups) }},
}, inStates()...)

// inStates has one gauge for each state.
func inStates() []number {
	var all []number
	for state := client.Connecting; state.String() != "unknown"; state++ {
		all = append(all, number{states, []string{state.String()}, func(s *client.Stats) float64 {
			if s.State == state {
				return 1
			}
			return 0
		}})
	}
	return all
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, v := range m.vectors {
		v.Describe(out)
	}
	for _, d := range []*prometheus.Desc{disconnections, sessions, confirmations, bytes, frames, states, inFlight, watches, holds, cleanups, roundTrip} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, v := range m.vectors {
		v.Collect(out)
	}
	sums, now, slowest := m.sums()
	for i, n := range counts {
		out <- prometheus.MustNewConstMetric(n.desc, prometheus.CounterValue, sums[i], n.labels...)
	}
	for i, n := range gauges {
		out <- prometheus.MustNewConstMetric(n.desc, prometheus.GaugeValue, now[i], n.labels...)
	}
	out <- prometheus.MustNewConstMetric(roundTrip, prometheus.GaugeValue, slowest)
}

// sums returns the values of counts and gauges, and the longest round trip.
func (m *Metrics) sums() (sums, now []float64, slowest float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sums = append(sums, m.past...)
	now = make([]float64, len(gauges))
	for c := range m.clients {
		stats := c.Stats()
		for i, n := range counts {
			sums[i] += n.of(&stats)
		}
		for i, n := range gauges {
			now[i] += n.of(&stats)
		}
		slowest = max(slowest, stats.RoundTrip.Seconds())
	}
	return sums, now, slowest
}
