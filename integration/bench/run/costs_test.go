package run_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/run"
	"github.com/zookit/zookit/integration/bench/stub"
	"github.com/zookit/zookit/zktest"
)

// cost is what one operation of zookit takes.
type cost struct{ requests, flights, sent, received float64 }

// costs are what is counted on the wire, each for one operation of a row of the plan. They are the same on every machine, so whoever makes
// something cheaper lowers them here, and whoever makes it dearer has to say so here. A hand-over in a line of 1,000 ("lock.drain") costs
// no more than in a shorter one, which is listed, or, if it has stood for a second (on a busy machine), is not; to join a line ("lock.handover", "election.resign") is to list it once, and in a short one, who is next lists it again.
var costs = map[string]cost{
	"get/1":                 {1, 1, 42, 192},
	"set/1":                 {1, 1, 149, 88},
	"create/1":              {1, 1, 182, 123},
	"lock.uncontended":      {3, 2, 275, 345},
	"lock.handover/10":      {5, 4.02, 413, 1737},
	"lock.handover/100":     {7, 5.03, 923, 7569},
	"lock.drain/100":        {3, 2.3, 545, 4610},
	"lock.drain/1000":       {3, 2.05, 547, 589},
	"election.resign/10":    {5, 4.02, 420, 1752},
	"queue.single.put/100":  {1, 1, 507, 302},
	"queue.single.take/100": {2.11, 2.11, 1030, 690},
	"queue.batch.put/100":   {0.011, 0.011, 242, 112},
	"queue.batch.take/100":  {0.044, 0.044, 721, 466},
	"counter/1":             {1, 1, 176, 183},
	"config.watch/1":        {2, 2, 193, 338},
	"config.watch/100":      {101, 101, 4450, 25_088},
	"connect":               {1, 3, 77, 145},
}

// Some bytes more or less are a path that is longer, a ping, or a confirmation where the machine is slow.
const (
	moreRequests = 1.05
	moreBytes    = 1.10
	moreObjects  = 1.10
)

func TestCosts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithContainerInterval(time.Minute)) // as a real server
	results, err := run.Run(t.Context(), run.Config{
		Groups: only(func(r run.Row) bool { return costs[r.Name] != cost{} }),
		Peers:  peers.All()[:1], Count: true, ZooKeeper: srv.Addr(), Dir: t.TempDir(),
	})
	require.NoError(t, err)
	require.Len(t, results, len(costs))
	for _, r := range results {
		n, want := float64(r.Sample.Ops), costs[r.Row]
		got := cost{
			float64(r.Counts.Requests) / n, float64(r.Counts.Flights) / n,
			float64(r.Counts.Sent) / n, float64(r.Counts.Received) / n,
		}
		assert.LessOrEqual(t, got.requests, want.requests*moreRequests, "requests of %s", r.Row)
		assert.LessOrEqual(t, got.flights, want.flights*moreRequests, "flights of %s", r.Row)
		assert.LessOrEqual(t, got.sent, want.sent*moreBytes, "bytes sent by %s", r.Row)
		assert.LessOrEqual(t, got.received, want.received*moreBytes, "bytes received by %s", r.Row)
		t.Logf("%s: %.3f requests, %.3f flights, %.0f bytes sent, %.0f received", r.Row, got.requests, got.flights, got.sent, got.received)
	}
}

// allocations are objects for one operation, at most, with what the worker's loop takes.
var allocations = map[string]float64{
	"stub get/1":            5,
	"stub get/128":          4.3,
	"set/1":                 9.1,
	"create/1":              15,
	"lock.uncontended":      99,
	"queue.single.put/100":  53,
	"queue.single.take/100": 140,
	"queue.batch.put/100":   14.8,
	"queue.batch.take/100":  60,
	"counter/1":             38,
}

func TestAllocations(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithContainerInterval(time.Minute))
	nothing, err := stub.New(100)
	require.NoError(t, err)
	defer nothing.Close()
	groups := only(func(r run.Row) bool { return allocations[r.Name] > 0 })
	for _, g := range groups {
		for i := range g.Rows {
			g.Rows[i].Millis, g.Rows[i].Ops = 0, 3000
		}
	}
	results, err := run.Run(t.Context(), run.Config{
		Groups: groups, Peers: peers.All()[:1], Rounds: 1, ZooKeeper: srv.Addr(), Stub: nothing.Addr(), Dir: t.TempDir(),
	})
	require.NoError(t, err)
	require.Len(t, results, len(allocations))
	for _, r := range results {
		require.Empty(t, r.Error)
		got := float64(r.Sample.Allocs) / float64(r.Sample.Ops)
		t.Logf("%s: %.2f allocations", r.Row, got)
		assert.LessOrEqual(t, got, allocations[r.Row]*moreObjects, "allocations of %s", r.Row)
	}
}

func TestIdleClientsAreSmall(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	results, err := run.Run(t.Context(), run.Config{
		Groups: only(func(r run.Row) bool { return r.Name == "idle" }), Peers: peers.All()[:1], Rounds: 1, ZooKeeper: srv.Addr(), Dir: t.TempDir(),
	})
	require.NoError(t, err)
	require.Len(t, results, 1)
	s := results[0].Sample
	require.NoError(t, s.Err())
	t.Logf("an idle client: %.0f bytes, %.1f goroutines; a waiter: %.0f bytes, %.1f goroutines", s.Heap, s.Goroutines, s.WaiterHeap, s.WaiterGoroutines)
	require.Positive(t, s.Heap)
	require.LessOrEqual(t, s.Heap, 100_000.0)
	require.LessOrEqual(t, s.Goroutines, 6.0)
	require.LessOrEqual(t, s.WaiterHeap, 10_000.0)
	require.LessOrEqual(t, s.WaiterGoroutines, 1.1)
}

// only is the plan without the rows that are not wanted.
func only(wanted func(run.Row) bool) (groups []run.Group) {
	for _, g := range run.Plan() {
		var rows []run.Row
		for _, r := range g.Rows {
			if wanted(r) {
				rows = append(rows, r)
			}
		}
		if len(rows) > 0 {
			groups = append(groups, run.Group{Name: g.Name, Rows: rows, Stub: g.Stub})
		}
	}
	return groups
}
