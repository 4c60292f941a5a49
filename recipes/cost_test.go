package recipes_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// What a line costs, counted on the wire.

func TestUncontendedCostsThreeRequestsInTwoRoundTrips(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(dir, nil))
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	srv.ResetRequests()

	// Neither answer is given before both requests are there: they came in one flight.
	create := srv.HoldReply(zktest.On(dir+"/*", zktest.OpCreate2))
	list := srv.HoldReply(zktest.On(dir, zktest.OpGetChildren2))
	got := acquireLater(t.Context(), l)
	wait(t, "create", create.Fired())
	wait(t, "list behind it", list.Fired())
	list.Release()
	create.Release()
	o := wait(t, "the grant", got)
	require.NoError(t, o.err)
	release(t, o.grant)
	require.Equal(t, []string{"create2", "getChildren2", "delete"}, requests(srv))
	requireClean(t, srv, 0)
}

// A release wakes the one behind and nobody else: that lists a short line, and is told in a long one.
func TestReleaseWakesOneOfFifty(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg         recipes.LineConfig
		first, rest []string
	}{
		"short": {recipes.LineConfig{}, []string{"delete", "exists"}, []string{"delete", "getChildren2"}},
		"long":  {long, []string{"delete", "exists"}, []string{"multi", "exists"}}, // the first has not waited
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			holder := newLine(t, connect(t, srv), c.cfg)
			others := newLine(t, connect(t, srv), c.cfg)
			g := acquire(t, holder)
			var queue []<-chan outcome
			for range 50 {
				queue = append(queue, waiting(t.Context(), t, srv, others))
			}
			require.Equal(t, 50, srv.Watches(), "each watches one node")
			for i, next := range queue {
				want := c.rest
				if i == 0 {
					want = c.first
				}
				srv.ResetRequests()
				release(t, g)
				o := wait(t, "the next grant", next)
				require.NoError(t, o.err)
				g = o.grant
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					assert.Equal(c, 49-i, srv.Watches(), "nobody else was woken")
				}, cleanTime, time.Millisecond)
				require.Equal(t, want, handOver(srv), "a hand-over is one read")
			}
			release(t, g)
		})
	}
}

// A line that was short when its first contenders joined, and has become long: while they wait they find out, so that nobody
// lists it. Who has not waited for so long lists it once.
func TestLineBecomesLong(t *testing.T) {
	for name, waited := range map[string]time.Duration{"at once": 0, "after a while": 3 * time.Second / 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := zktest.Start(t, inMemory)
				l := newLine(t, connect(t, srv), recipes.LineConfig{ShortLine: 10})
				g := acquire(t, l)
				var queue []<-chan outcome
				for range 20 {
					queue = append(queue, waiting(t.Context(), t, srv, l))
				}
				time.Sleep(waited)
				for i, next := range queue {
					synctest.Wait()
					srv.ResetRequests()
					release(t, g)
					o := wait(t, "the next grant", next)
					require.NoError(t, o.err)
					require.Greater(t, o.grant.Token(), g.Token())
					g = o.grant
					read := "exists"
					if waited == 0 && i > 0 && i < 9 { // the tenth has found eleven, itself and the holder among them
						read = "getChildren2"
					}
					require.Equal(t, read, handOver(srv)[1], "%d", i)
				}
				release(t, g)
				requireClean(t, srv, 0)
			})
		})
	}
}

// A line is listed by those who join it, and by nobody afterwards while it is served in order.
func TestLineDrainsWithoutListing(t *testing.T) {
	t.Parallel()
	r := newRow(t, 100)
	r.srv.ResetRequests()
	g := r.holder
	for i := range r.waiters {
		release(t, g)
		g = r.next(t, i)
	}
	release(t, g)
	require.Empty(t, r.srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpGetChildren, zktest.OpGetChildren2}}))
	require.Len(t, r.srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpExists}}), 100, "one read for the one that is woken")
	requireClean(t, r.srv, 0)
}

// Giving up a wait takes its watch and its node away, and disturbs the one behind only: that looks who
// is ahead of it now.
func TestCancelCostsTwoRequests(t *testing.T) {
	t.Parallel()
	for i, what := range []string{"behind the holder", "behind a waiter"} {
		r := newRow(t, 2)
		r.srv.ResetRequests()
		r.leave[i]()
		require.ErrorIs(t, wait(t, "the end of the wait", r.waiters[i]).err, context.Canceled)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Len(c, nodes(r.srv), 2)
			assert.Equal(c, 1, r.srv.Watches())
		}, patience, time.Millisecond)
		var own []string
		deleted := r.srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpDelete}})
		require.Len(t, deleted, 1)
		for _, q := range r.srv.Requests(zktest.Match{Session: deleted[0].Session}) {
			own = append(own, q.Op.String())
		}
		require.ElementsMatch(t, []string{"removeWatches", "delete"}, own, what)
		release(t, r.holder)
		release(t, r.next(t, 1-i))
		requireClean(t, r.srv, 0)
	}
}
