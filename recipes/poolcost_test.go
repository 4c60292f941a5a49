package recipes_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// What a pool costs, counted on the wire.

// Three round trips: place and look; transaction; last look. Behind that the place is given up.
func TestPoolCosts(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, n := range []int{1, 3} {
			srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour)) // as good as never
			cl := connect(t, srv)
			p := at.pool(t, cl, 3)
			for range 2 { // makes the nodes, and has a look at what was made
				release(t, take(t, p, 1))
				at.requireLeft(t, srv, 0, 0)
			}
			srv.ResetRequests()
			// No answer is given before all are there: they came in one flight.
			var first []*zktest.Hold
			flight := []zktest.Match{
				zktest.On(at.line+"/*", zktest.OpCreate2), zktest.On(at.line, zktest.OpGetChildren2),
				zktest.On(pool, zktest.OpGetData), zktest.On(at.permits, zktest.OpGetChildren2),
			}
			for _, m := range flight {
				first = append(first, srv.HoldReply(m))
			}
			got := takeLater(t.Context(), p, n)
			for i, h := range first {
				wait(t, flight[i].Path, h.Fired())
			}
			last := []*zktest.Hold{srv.HoldReply(zktest.On(at.permits, zktest.OpGetChildren2))}
			for range n {
				last = append(last, srv.HoldReply(zktest.On(at.permits+"/*", zktest.OpExists)))
			}
			for _, h := range first {
				h.Release()
			}
			for _, h := range last {
				wait(t, "the last look", h.Fired())
			}
			require.Len(t, at.inLine(srv), 1, "the place is kept until the permits have been counted")
			for _, h := range last {
				h.Release()
			}
			o := wait(t, "permits", got)
			require.NoError(t, o.err)
			at.requireLeft(t, srv, n, 0)
			release(t, o.grant)
			at.requireLeft(t, srv, 0, 0)
			requests := poolRequests(srv, o.grant.Session().ID())
			slices.Sort(requests[:4])
			want := []string{"create2", "getChildren2", "getChildren2", "getData", "multi"}
			want = append(want, slices.Repeat([]string{"exists"}, n)...)
			want = append(want, "getChildren2", "delete", map[bool]string{true: "delete", false: "multi"}[n == 1])
			require.Equal(t, want, requests)
		}
	})
}

// A release is told to the first in line only: the others watch the one ahead.
func TestPoolReleaseWakesOne(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 2)
		a, b := take(t, p, 1), take(t, p, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		first := takeWaiting(ctx, t, srv, at.pool(t, connect(t, srv), 2), 2)
		var others []<-chan outcome
		sessions := map[int64]bool{}
		for range 4 {
			cl := connect(t, srv)
			s, err := cl.Session(t.Context())
			require.NoError(t, err)
			sessions[s.ID()] = true
			others = append(others, at.takeQueued(ctx, t, srv, at.pool(t, cl, 2), 1))
		}
		require.Equal(t, 2+4, srv.Watches())
		srv.ResetRequests()
		again := after(srv, watchesPool)
		release(t, a)
		wait(t, "the next look", again)
		for _, r := range srv.Requests() {
			require.False(t, sessions[r.Session], "%+v", r)
		}
		release(t, b)
		o := wait(t, "two permits", first)
		require.NoError(t, o.err)
		cancel()
		for _, other := range others {
			require.ErrorIs(t, wait(t, "the end", other).err, context.Canceled)
		}
		at.requireLeft(t, srv, 2, 0)
		release(t, o.grant)
	})
}

// Giving up takes a watch and the place away; the first in line has two watches, on the permits and on the
// limit.
func TestPoolCancelCosts(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t, zktest.WithContainerInterval(time.Hour))
		g := take(t, at.pool(t, connect(t, srv), 1), 1)
		at.requireLeft(t, srv, 1, 0)
		clients := []*client.Client{connect(t, srv), connect(t, srv)}
		var (
			waits []<-chan outcome
			leave []context.CancelFunc
		)
		for i, cl := range clients {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			leave = append(leave, cancel)
			begin := takeWaiting
			if i > 0 {
				begin = at.takeQueued
			}
			waits = append(waits, begin(ctx, t, srv, at.pool(t, cl, 1), 1))
		}
		for i, want := range slices.Backward([][]string{{"removeWatches", "removeWatches", "delete"}, {"removeWatches", "delete"}}) {
			s, err := clients[i].Session(t.Context())
			require.NoError(t, err)
			srv.ResetRequests()
			leave[i]()
			require.ErrorIs(t, wait(t, "the end of the wait", waits[i]).err, context.Canceled)
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.ElementsMatch(c, want, poolRequests(srv, s.ID()))
			}, patience, time.Millisecond)
		}
		release(t, g)
		at.requireLeft(t, srv, 0, 0)
	})
}
