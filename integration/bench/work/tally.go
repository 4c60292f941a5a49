package work

import (
	"slices"
	"time"
)

// tally keeps durations up to a number, evenly chosen: when it is full every other one is dropped, and
// from then on every other one is passed over.
type tally struct {
	stride, seen int
	values       []time.Duration
}

func newTally(most int) tally { return tally{stride: 1, values: make([]time.Duration, 0, most)} }

func (t *tally) add(d time.Duration) {
	t.seen++
	if t.seen%t.stride != 0 {
		return
	}
	if len(t.values) == cap(t.values) {
		for i := range len(t.values) / 2 {
			t.values[i] = t.values[2*i+1]
		}
		t.values = t.values[:len(t.values)/2]
		t.stride *= 2
	}
	t.values = append(t.values, d)
}

// micros are at most MaxLatencies of the values, sorted, with the extremes among them.
func (t *tally) micros() []float64 {
	sorted := slices.Sorted(slices.Values(t.values))
	n := min(len(sorted), MaxLatencies)
	out := make([]float64, n)
	for i := range n {
		at := i
		if n > 1 {
			at = i * (len(sorted) - 1) / (n - 1)
		}
		out[i] = float64(sorted[at]) / float64(time.Microsecond)
	}
	return out
}
