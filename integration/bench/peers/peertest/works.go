package peertest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/work"
	"github.com/zookit/zookit/integration/trial"
)

// specs are small ones, of every work.
func specs() []work.Spec {
	return []work.Spec{
		{Work: "get", Inflight: 1, Size: 100, Ops: 20},
		{Work: "get", Inflight: 16, Size: 100, Ops: 200},
		{Work: "get", Inflight: 16, Size: 100, Millis: 100},
		{Work: "set", Inflight: 1, Size: 100, Ops: 20},
		{Work: "set", Inflight: 16, Size: 100, Ops: 100},
		{Work: "create", Inflight: 1, Size: 100, Ops: 20},
		{Work: "create", Inflight: 16, Size: 10_000, Ops: 100},
		{Work: "connect", Ops: 3},
		{Work: "idle", Clients: 3, Millis: 10},
		{Work: "lock.floor", Ops: 20},
		{Work: "lock.uncontended", Ops: 20},
		{Work: "lock.uncontended", Millis: 100},
		{Work: "lock.handover", Clients: 5, Ops: 23},
		{Work: "lock.handover", Clients: 6, Sessions: 2, Millis: 200},
		{Work: "lock.drain", Clients: 6, Ops: 3},
		{Work: "lock.drain", Clients: 6},
		{Work: "semaphore", Clients: 5, Ops: 23},
		{Work: "election.resign", Clients: 3, Ops: 7},
		{Work: "election.crash", Ops: 2},
		{Work: "queue.single.put", Size: 100, Ops: 20},
		{Work: "queue.single.take", Size: 100, Ops: 20},
		{Work: "queue.batch.put", Size: 100, Inflight: 10, Ops: 40},
		{Work: "queue.batch.take", Size: 100, Inflight: 10, Ops: 40},
		{Work: "counter", Clients: 3, Ops: 30},
		{Work: "counter", Clients: 3, Millis: 200},
		{Work: "config.watch", Clients: 5, Size: 100, Ops: 5},
		{Work: "group.join", Clients: 8},
	}
}

// Works runs every work on servers, with and without marks. Those that the library lacks are named by their works.
func Works(t *testing.T, w *Worker, lacks ...string) {
	t.Helper()
	for i, s := range specs() {
		s.Path = Path(t, s.Work, i)
		// As many with marks as without, and each work in one of both ways at least.
		s.Marks = i%2 == 0
		t.Run(strings.TrimPrefix(s.Path, "/"), func(t *testing.T) {
			sample, marks := w.Measure(s)
			if slices.Contains(lacks, s.Work) {
				require.ErrorIs(t, sample.Err(), work.ErrAbsent)
				return
			}
			if sample.Err() == nil && sample.Ops == 0 && s.Work != "idle" { // on a busy machine the time may have been too short
				s.Path, s.Millis = s.Path+"-again", 20*s.Millis
				sample, marks = w.Measure(s)
			}
			require.NoError(t, sample.Err())
			require.Equal(t, marksOf(s), marks)
			check(t, s, sample)
			t.Logf("%s: %d in %.3f s, %.3f s of CPU", s.Work, sample.Ops, sample.Seconds, sample.CPU)
		})
	}
}

// Path is a fresh one.
func Path(t *testing.T, name string, number int) string {
	t.Helper()
	return "/" + trial.Sanitize(t.Name()) + "-" + name + "-" + strconv.Itoa(number)
}

func marksOf(s work.Spec) []string {
	if !s.Marks {
		return nil
	}
	return []string{"begin", "end"}
}

func check(t *testing.T, s work.Spec, sample work.Sample) {
	t.Helper()
	if s.Work == "idle" {
		require.NotZero(t, sample.Heap)
		require.NotZero(t, sample.WaiterHeap)
		require.Positive(t, sample.Goroutines)
		return
	}
	require.Greater(t, sample.Seconds, 0.0)
	require.GreaterOrEqual(t, sample.CPU, 0.0)
	require.LessOrEqual(t, len(sample.Latencies), work.MaxLatencies)
	for _, l := range sample.Latencies {
		require.Greater(t, l, 0.0)
		if s.Ops > 0 { // otherwise what is under way at the end may take longer than was measured
			require.LessOrEqual(t, l, sample.Seconds*1e6+1)
		}
	}
	switch {
	case s.Work == "group.join":
		require.Equal(t, s.Clients, sample.Ops)
		return
	case s.Work == "lock.drain" && s.Ops == 0:
		require.Equal(t, s.Clients-1, sample.Ops)
	case s.Ops > 0:
		require.Equal(t, s.Ops, sample.Ops)
	default:
		require.Positive(t, sample.Ops)
		require.Greater(t, sample.Seconds, float64(s.Millis)/2000, "it ended before its time")
	}
	require.NotEmpty(t, sample.Latencies)
}

// Protocol checks what a worker answers to what it cannot do, and that it goes on.
func Protocol(t *testing.T, w *Worker) {
	t.Helper()
	sample, marks := w.Measure(work.Spec{Work: "dance", Path: Path(t, "dance", 0), Ops: 1, Marks: true})
	require.ErrorIs(t, sample.Err(), work.ErrAbsent)
	require.Empty(t, marks)
	sample, _ = w.Measure(work.Spec{Work: "queue.single.take", Path: Path(t, "unfilled", 2), Millis: 5})
	require.ErrorContains(t, sample.Err(), "without ops")
	sample, _ = w.Measure(work.Spec{Work: "get", Path: Path(t, "after", 3), Inflight: 4, Ops: 1200})
	require.NoError(t, sample.Err())
	require.Equal(t, 1200, sample.Ops)
	require.Greater(t, len(sample.Latencies), 100) // a worker may time a part of them only
	require.LessOrEqual(t, len(sample.Latencies), work.MaxLatencies)
}

// Endless checks that a work that nothing bounds is refused.
func Endless(t *testing.T, w *Worker) {
	t.Helper()
	sample, _ := w.Measure(work.Spec{Work: "get", Path: Path(t, "endless", 1)})
	require.ErrorContains(t, sample.Err(), "neither ops nor millis")
}
