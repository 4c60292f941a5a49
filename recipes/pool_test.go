package recipes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`

// What the libraries read and write, byte for byte. K19: identifiers are stored as they are.
func TestPoolNodes(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		p := at.pool(t, cl, 3)
		require.Equal(t, pool, p.Path())
		standing := srv.HoldReply(zktest.On(at.permits+"*", zktest.OpMulti)) // while it stands in line
		got := takeLater(t.Context(), p, 2)
		wait(t, "the transaction", standing.Fired())
		place, permit := `^_c_`+uuid+`-lock-0000000000$`, `^_c_`+uuid+`-lease-000000000[01]$`
		if at.layout == recipes.Kazoo {
			place, permit = `^[0-9a-f]{32}__lock__0000000000$`, `^[0-9a-f]{32}$`
		}
		line := at.inLine(srv)
		require.Len(t, line, 1)
		require.Regexp(t, place, line[0])
		n, _ := srv.Node(at.line + "/" + line[0])
		require.Equal(t, "holder", string(n.Data))
		standing.Release()
		g := wait(t, "permits", got).grant
		require.NotNil(t, g)

		n, ok := srv.Node(pool)
		require.True(t, ok)
		require.Equal(t, "3", string(n.Data))
		require.Zero(t, n.Stat.EphemeralOwner)
		names := at.held(srv)
		require.Len(t, names, 2)
		for _, name := range names {
			require.Regexp(t, permit, name)
			n, _ := srv.Node(at.permits + "/" + name)
			require.Equal(t, "holder", string(n.Data))
			require.Equal(t, g.Session().ID(), n.Stat.EphemeralOwner)
			require.Equal(t, g.Token(), n.Stat.Czxid)
			require.Contains(t, g.Paths(), at.permits+"/"+name)
		}
		require.Equal(t, g.Paths()[0], g.Path())
		at.requireLeft(t, srv, 2, 0)
		release(t, g)
		at.requireLeft(t, srv, 0, 0)
	})
}

// First come, first served, whatever the weights; tokens grow.
func TestPoolServesInOrder(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		a, b := at.pool(t, connect(t, srv), 4), at.pool(t, connect(t, srv), 4)
		one, two := take(t, a, 1), take(t, b, 2)
		require.Greater(t, two.Token(), one.Token())
		many := takeWaiting(t.Context(), t, srv, a, 4)
		few := at.takeQueued(t.Context(), t, srv, b, 1) // there is one, and it is not next
		last := at.takeQueued(t.Context(), t, srv, a, 3)
		again := after(srv, watchesPool)
		release(t, one)
		wait(t, "the next look", again)
		require.Len(t, at.held(srv), 2)
		release(t, two)
		o := wait(t, "four permits", many)
		require.NoError(t, o.err)
		require.Greater(t, o.grant.Token(), two.Token())
		require.Empty(t, few)
		release(t, o.grant)
		f, l := wait(t, "one permit", few), wait(t, "three permits", last)
		require.NoError(t, f.err)
		require.NoError(t, l.err)
		require.Greater(t, f.grant.Token(), o.grant.Token())
		require.Greater(t, l.grant.Token(), f.grant.Token())
		require.Len(t, at.held(srv), 4)
		release(t, f.grant)
		release(t, l.grant)
		at.requireLeft(t, srv, 0, 0)
	})
}

func TestPoolTry(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 3)
		var got []*recipes.Grant
		for range 3 { // its own place in line, which lingers, is not in the way
			g, err := p.TryAcquire(t.Context(), 1)
			require.NoError(t, err)
			got = append(got, g)
		}
		srv.ResetRequests()
		_, err := p.TryAcquire(t.Context(), 1)
		require.ErrorIs(t, err, recipes.ErrBusy)
		require.ErrorContains(t, err, "3 of 3 permits")
		require.Empty(t, srv.Requests(zktest.Match{Ops: append(zktest.Creates(), zktest.OpMulti)}), "nothing was made")
		release(t, got[0])
		waiter := takeWaiting(t.Context(), t, srv, at.pool(t, connect(t, srv), 3), 2)
		_, err = p.TryAcquire(t.Context(), 1)
		require.ErrorIs(t, err, recipes.ErrBusy, "somebody stands in line")
		release(t, got[1])
		o := wait(t, "two permits", waiter)
		require.NoError(t, o.err)
		release(t, got[2])
		release(t, o.grant)
		at.requireLeft(t, srv, 0, 0) // the waiter's place, too, which lingered
		g, err := p.TryAcquire(t.Context(), 3)
		require.NoError(t, err)
		release(t, g)
		at.requireLeft(t, srv, 0, 0)
	})
}

// The place in line of a call that has its permits lingers, because the server is busy: the next
// try of the same Pool is not told that somebody is ahead.
func TestPoolTryAfterPlaceLingers(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 2)
		var refused *zktest.Fault
		for range 4 {
			refused = srv.FailNext(zktest.On(at.line+"/*", zktest.OpDelete), zktest.ThrottledOp)
		}
		a := take(t, p, 1)
		b, err := p.TryAcquire(t.Context(), 1)
		require.NoError(t, err)
		wait(t, "the last refusal", refused.Fired())
		release(t, a)
		release(t, b)
	})
}

func TestPoolHolders(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		p := at.pool(t, connect(t, srv), 4)
		none, err := p.Holders(t.Context())
		require.NoError(t, err)
		require.Empty(t, none)
		two := take(t, p, 2)
		at.hold(t, srv)
		one := take(t, p, 1)
		all, err := p.Holders(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 4)
		require.ElementsMatch(t, two.Paths(), []string{all[0].Path, all[1].Path})
		require.Equal(t, []int64{two.Token(), two.Token(), one.Token()}, []int64{all[0].Token, all[1].Token, all[3].Token})
		require.Zero(t, all[2].Session)
		require.Equal(t, one.Path(), all[3].Path)
		require.Equal(t, "holder", string(all[3].Data))
		require.Equal(t, one.Session().ID(), all[3].Session)
		release(t, one)
		release(t, two)
	})
}

func TestPoolArguments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		cl   *client.Client
		path string
		cfg  recipes.PoolConfig
		want error
	}{
		"no client":      {nil, pool, recipes.PoolConfig{Limit: 1}, client.ErrBadArgument},
		"no limit":       {cl, pool, recipes.PoolConfig{}, client.ErrBadArgument},
		"large limit":    {cl, pool, recipes.PoolConfig{Limit: 1 << 31}, client.ErrBadArgument},
		"unknown layout": {cl, pool, recipes.PoolConfig{Limit: 1, Layout: 7}, client.ErrBadArgument},
		"relative path":  {cl, "pools", recipes.PoolConfig{Limit: 1}, client.ErrBadPath},
		"root":           {cl, "/", recipes.PoolConfig{Limit: 1}, client.ErrBadPath},
	} {
		_, err := recipes.NewPool(c.cl, c.path, c.cfg)
		require.ErrorIs(t, err, c.want, name)
	}
	p := poolSites[0].pool(t, cl, 2)
	for _, n := range []int{-1, 0, recipes.MaxWeight + 1} {
		_, err := p.Acquire(t.Context(), n)
		require.ErrorIs(t, err, client.ErrBadArgument)
		_, err = p.TryAcquire(t.Context(), n)
		require.ErrorIs(t, err, client.ErrBadArgument)
	}
	_, err := p.Acquire(t.Context(), 3)
	require.ErrorIs(t, err, recipes.ErrOverLimit)
	require.ErrorContains(t, err, "3 permits were asked for, and there are 2")
	require.ErrorIs(t, p.SetLimit(t.Context(), 0), client.ErrBadArgument)
	require.Empty(t, srv.Requests(), "nothing was sent")
}
