package recipes_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func requireLimit(t testing.TB, p *recipes.Pool, want int) {
	t.Helper()
	n, err := p.Limit(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, n)
}

func TestPoolLimitConflict(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		three, five := at.pool(t, cl, 3), at.pool(t, cl, 5)
		release(t, take(t, three, 1))
		at.requireLeft(t, srv, 0, 0)
		for _, ask := range []func(context.Context, int) (*recipes.Grant, error){five.Acquire, five.TryAcquire} {
			_, err := ask(t.Context(), 1)
			require.ErrorIs(t, err, recipes.ErrLimitConflict)
			require.ErrorContains(t, err, "5")
			require.ErrorContains(t, err, "3")
		}
		requireLimit(t, five, 3)
		at.requireLeft(t, srv, 0, 0)
		require.NoError(t, three.SetLimit(t.Context(), 5))
		release(t, take(t, five, 5))
		release(t, take(t, three, 5)) // K20: it follows
		n, _ := srv.Node(pool)
		require.Equal(t, "5", string(n.Data))
	})
}

// K20: who waits notices a change, and a lower limit takes nothing away.
func TestPoolLimitChangesWhileWaiting(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p, other := at.pool(t, connect(t, srv), 2), at.pool(t, connect(t, srv), 2)
		a, b := take(t, p, 1), take(t, other, 1)
		next := takeWaiting(t.Context(), t, srv, p, 2)
		require.NoError(t, other.SetLimit(t.Context(), 4))
		o := wait(t, "what was added", next)
		require.NoError(t, o.err)
		at.requireLeft(t, srv, 4, 0)

		require.NoError(t, p.SetLimit(t.Context(), 1))
		for _, g := range []*recipes.Grant{a, b, o.grant} {
			require.NoError(t, g.Err())
		}
		_, err := other.Acquire(t.Context(), 2)
		require.ErrorIs(t, err, recipes.ErrOverLimit)
		next = takeWaiting(t.Context(), t, srv, other, 1)
		for _, g := range []*recipes.Grant{o.grant, b} { // one is held yet, and there is one
			again := after(srv, watchesPool)
			release(t, g)
			wait(t, "the next look", again)
			require.Empty(t, next)
		}
		release(t, a)
		o = wait(t, "the permit", next)
		require.NoError(t, o.err)

		// What was asked for can no longer be had.
		require.NoError(t, p.SetLimit(t.Context(), 3))
		next = takeWaiting(t.Context(), t, srv, p, 3)
		require.NoError(t, other.SetLimit(t.Context(), 2))
		require.ErrorIs(t, wait(t, "the end", next).err, recipes.ErrOverLimit)
		at.requireLeft(t, srv, 1, 0)
		release(t, o.grant)
	})
}

// Between the look and the transaction the limit is lowered: the transaction is refused.
func TestPoolLimitLoweredUnderTheTransaction(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p, other := at.pool(t, connect(t, srv), 2), at.pool(t, connect(t, srv), 2)
		a := take(t, other, 1)
		at.requireLeft(t, srv, 1, 0)
		looked := srv.HoldReply(zktest.On(at.permits, zktest.OpGetChildren2))
		got := takeLater(t.Context(), p, 1)
		wait(t, "the look", looked.Fired())
		require.NoError(t, other.SetLimit(t.Context(), 1))
		watching := after(srv, watchesPool)
		looked.Release()
		wait(t, "its wait", watching)
		require.Len(t, at.held(srv), 1)
		require.Len(t, srv.Requests(zktest.Match{Path: at.permits + "/*", Ops: []zktest.Op{zktest.OpMulti}}), 2, "the second was refused")
		release(t, a)
		o := wait(t, "the permit", got)
		require.NoError(t, o.err)
		release(t, o.grant)
	})
}

// Data that is no limit is somebody's, and stays; none at all is filled in.
func TestPoolNodeOfSomebodyElse(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, data := range []string{"10.0.0.1", "\x00\x00\x00\x05", "5 or so"} {
			srv := zktest.Start(t)
			require.NoError(t, srv.Create(pool, []byte(data)))
			p := at.pool(t, connect(t, srv), 2)
			g := take(t, p, 2)
			requireLimit(t, p, 2)
			_, err := p.TryAcquire(t.Context(), 1)
			require.ErrorIs(t, err, recipes.ErrBusy)
			_, err = p.Acquire(t.Context(), 3)
			require.ErrorIs(t, err, recipes.ErrOverLimit)
			require.ErrorIs(t, p.SetLimit(t.Context(), 7), recipes.ErrLimitConflict)
			n, _ := srv.Node(pool)
			require.Equal(t, data, string(n.Data))
			release(t, g)
		}
		for _, data := range []string{"", " 2\n", "2"} {
			srv := zktest.Start(t)
			require.NoError(t, srv.Create(pool, []byte(data)))
			release(t, take(t, at.pool(t, connect(t, srv), 2), 2))
			_, err := at.pool(t, connect(t, srv), 3).Acquire(t.Context(), 1)
			require.ErrorIs(t, err, recipes.ErrLimitConflict)
			n, _ := srv.Node(pool)
			if data == "" {
				data = "2"
			}
			require.Equal(t, data, string(n.Data))
		}
	})
}

// Of two that come at once with different limits one is told so.
func TestPoolLimitOfTheFirst(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		for _, exists := range []bool{false, true} {
			srv := zktest.Start(t)
			if exists {
				require.NoError(t, srv.Create(pool, nil))
			}
			late := srv.HoldReply(zktest.On(pool, zktest.OpGetData))
			three := takeLater(t.Context(), at.pool(t, connect(t, srv), 3), 1)
			wait(t, "the look", late.Fired())
			release(t, take(t, at.pool(t, connect(t, srv), 5), 1))
			late.Release()
			o := wait(t, "the other's end", three)
			require.ErrorIs(t, o.err, recipes.ErrLimitConflict)
			at.requireLeft(t, srv, 0, 0)
		}
	})
}

// The limit is set once, whatever is lost on the way, and not over somebody else's.
func TestPoolSetLimitLost(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{false, true} {
		for name, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
			"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
		} {
			srv := zktest.Start(t)
			p := poolSites[0].pool(t, connect(t, srv), 2)
			if made {
				require.NoError(t, p.SetLimit(t.Context(), 3))
			} else {
				require.NoError(t, srv.Create("/pools", nil))
			}
			lost := lose(srv, zktest.On(pool, zktest.OpSetData, zktest.OpCreate2))
			require.NoError(t, p.SetLimit(t.Context(), 6), name)
			wait(t, "the loss", lost.Fired())
			n, _ := srv.Node(pool)
			require.Equal(t, "6", string(n.Data), name)
		}
	}
	srv := zktest.Start(t)
	p, other := poolSites[0].pool(t, connect(t, srv), 2), poolSites[0].pool(t, connect(t, srv), 2)
	require.NoError(t, p.SetLimit(t.Context(), 3))
	read := srv.HoldReply(zktest.On(pool, zktest.OpGetData))
	done := make(chan error, 1)
	go func() { done <- p.SetLimit(t.Context(), 4) }()
	wait(t, "the read", read.Fired())
	require.NoError(t, other.SetLimit(t.Context(), 9))
	read.Release()
	require.NoError(t, wait(t, "the end", done), "the later call counts")
	requireLimit(t, other, 4)
	srv.FailNext(zktest.On(pool, zktest.OpSetData), zktest.NoAuth)
	require.ErrorIs(t, p.SetLimit(t.Context(), 5), client.ErrNoAuth)
}
