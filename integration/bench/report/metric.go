package report

import (
	"math"
	"slices"

	"github.com/zookit/zookit/integration/bench/run"
)

// Metric is one figure of a sample. The figure of a sample that does not have it is no number.
type Metric struct {
	Name string
	// Unit is for one operation, unless it is that of a rate.
	Unit string
	// Counted figures come from the samples that were taken through proxies.
	Counted bool
	of      func(r run.Result) float64
}

func perOp(of func(r run.Result) float64) func(r run.Result) float64 {
	return func(r run.Result) float64 {
		v := of(r)
		if r.Sample.Ops == 0 {
			return math.NaN()
		}
		return v / float64(r.Sample.Ops)
	}
}

// known is for figures of which 0 says that nobody knows.
func known(of func(r run.Result) float64) func(r run.Result) float64 {
	return func(r run.Result) float64 {
		if v := of(r); v != 0 {
			return v
		}
		return math.NaN()
	}
}

// The metrics.
var (
	Rate       = Metric{Name: "rate", Unit: "/s", of: func(r run.Result) float64 { return float64(r.Sample.Ops) / r.Sample.Seconds }}
	CPU        = Metric{Name: "client CPU", Unit: "µs", of: perOp(func(r run.Result) float64 { return r.Sample.CPU * 1e6 })}
	Quiet      = Metric{Name: "10th percentile", Unit: "µs", of: quantile(0.1)}
	Latency    = Metric{Name: "median latency", Unit: "µs", of: quantile(0.5)}
	Tail       = Metric{Name: "99th percentile", Unit: "µs", of: quantile(0.99)}
	Allocs     = Metric{Name: "allocations", of: perOp(known(func(r run.Result) float64 { return float64(r.Sample.Allocs) }))}
	Syscalls   = Metric{Name: "reads and writes", of: perOp(known(func(r run.Result) float64 { return float64(r.Sample.Syscalls) }))}
	Heap       = Metric{Name: "heap", Unit: "kB", of: known(func(r run.Result) float64 { return r.Sample.Heap / 1000 })}
	Goroutines = Metric{Name: "goroutines", of: known(func(r run.Result) float64 { return r.Sample.Goroutines })}
	WaiterHeap = Metric{Name: "heap of a waiter", Unit: "kB", of: known(func(r run.Result) float64 { return r.Sample.WaiterHeap / 1000 })}
	WaiterGo   = Metric{Name: "goroutines of a waiter", of: known(func(r run.Result) float64 { return r.Sample.WaiterGoroutines })}

	Requests = Metric{Name: "requests", Counted: true, of: perOp(known(func(r run.Result) float64 { return float64(r.Counts.Requests) }))}
	Flights  = Metric{Name: "flights", Counted: true, of: perOp(func(r run.Result) float64 { return float64(r.Counts.Flights) })}
	Sent     = Metric{Name: "bytes sent", Unit: "B", Counted: true, of: perOp(func(r run.Result) float64 { return float64(r.Counts.Sent) })}
	Received = Metric{Name: "bytes received", Unit: "B", Counted: true, of: perOp(func(r run.Result) float64 { return float64(r.Counts.Received) })}
)

func quantile(q float64) func(r run.Result) float64 {
	return func(r run.Result) float64 {
		l := r.Sample.Latencies // sorted
		if len(l) == 0 {
			return math.NaN()
		}
		return l[int(q*float64(len(l)-1)+0.5)]
	}
}

// cell is a row of one peer.
type cell struct{ row, peer string }

// Results finds samples by row and peer.
type Results struct {
	all   []run.Result
	cells map[cell][]run.Result
}

// NewResults sorts results.
func NewResults(all []run.Result) Results {
	rs := Results{all: all, cells: map[cell][]run.Result{}}
	for _, r := range all {
		slices.Sort(r.Sample.Latencies) // a worker may have left that to us
		if r.Error == "" {
			rs.cells[cell{r.Row, r.Peer}] = append(rs.cells[cell{r.Row, r.Peer}], r)
		}
	}
	return rs
}

// values are the figures of one peer in one row, by round.
func (rs Results) values(row, peer string, m Metric) map[int]float64 {
	out := map[int]float64{}
	for _, r := range rs.cells[cell{row, peer}] {
		if m.Counted != (r.Counts != nil) {
			continue
		}
		if v := m.of(r); !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[r.Round] = v
		}
	}
	return out
}

// Of is the spread of a figure over the rounds.
func (rs Results) Of(row, peer string, m Metric) Spread {
	var values []float64
	for _, v := range rs.values(row, peer, m) {
		values = append(values, v)
	}
	return spreadOf(values)
}
