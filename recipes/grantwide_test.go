package recipes_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// All nodes of a grant go in one transaction; if that cannot be, because one has gone already,
// each for itself.
func TestWideGrantIsReleased(t *testing.T) {
	t.Parallel()
	at := poolSites[0]
	for name, c := range map[string]struct {
		before func(t *testing.T, srv *zktest.Server, g *recipes.Grant)
		want   []string
	}{
		"as one": {func(*testing.T, *zktest.Server, *recipes.Grant) {}, []string{"multi"}},
		"one is gone": {func(t *testing.T, srv *zktest.Server, g *recipes.Grant) {
			require.NoError(t, srv.Delete(g.Paths()[1]))
		}, []string{"multi", "delete", "delete", "delete"}},
		"request lost": {func(_ *testing.T, srv *zktest.Server, g *recipes.Grant) {
			srv.DropRequest(zktest.On(g.Path(), zktest.OpMulti))
		}, nil},
		"reply lost": {func(_ *testing.T, srv *zktest.Server, g *recipes.Grant) {
			srv.SwallowReply(zktest.On(g.Path(), zktest.OpMulti))
		}, nil},
		"all are gone": {func(t *testing.T, srv *zktest.Server, _ *recipes.Grant) {
			require.NoError(t, srv.Delete("/pools"))
		}, []string{"multi", "delete", "delete", "delete"}},
	} {
		srv := zktest.Start(t)
		g := take(t, at.pool(t, connect(t, srv), 3), 3)
		at.requireLeft(t, srv, 3, 0)
		c.before(t, srv, g)
		srv.ResetRequests()
		release(t, g)
		require.Empty(t, at.held(srv), name)
		if c.want != nil {
			require.Equal(t, c.want, poolRequests(srv, g.Session().ID()), name)
		}
		release(t, g)
		require.Equal(t, recipes.ErrReleased, g.Err())
	}
}

func TestWideGrantReleaseRefused(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := take(t, poolSites[0].pool(t, connect(t, srv), 2), 2)
	srv.FailNext(zktest.On(g.Path(), zktest.OpMulti), zktest.NoAuth)
	require.ErrorIs(t, g.Release(t.Context()), client.ErrNoAuth)
	poolSites[0].requireLeft(t, srv, 0, 0) // it is tried again
}

// One of several nodes deleted by somebody ends the grant, and the others go with it.
func TestWideGrantIsLostByOneNode(t *testing.T) {
	t.Parallel()
	for i := range 3 {
		srv := zktest.Start(t, zktest.WithTick(100*time.Millisecond))
		at := poolSites[1]
		events := make(grantEvents, 100)
		cl := connect(t, srv, client.WithSessionTimeout(2*time.Second), client.WithHooks(events))
		g := take(t, at.pool(t, cl, 3), 3)
		require.NoError(t, srv.Delete(g.Paths()[i]))
		wait(t, "its end", g.Context().Done())
		require.ErrorIs(t, context.Cause(g.Context()), recipes.ErrGrantLost)
		require.ErrorIs(t, g.Err(), client.ErrHoldDeleted)
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Empty(c, at.held(srv)) }, patience, poll)
		release(t, g)
		require.NoError(t, cl.Close())
		lost := 0
		for range len(events) {
			if e := <-events; e.Kind == client.GrantLost {
				lost++
			}
		}
		require.Equal(t, 1, lost, "told once")
	}
}

func TestWideGrantIsLostWithItsSession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := take(t, poolSites[1].pool(t, connect(t, srv), 3), 2)
	require.True(t, srv.ExpireSession(g.Session().ID()))
	wait(t, "its end", g.Context().Done())
	require.ErrorIs(t, g.Err(), client.ErrSessionLost)
	release(t, g)
}

// A transaction under a grant is refused once any of its nodes has gone; indices and results
// are the caller's.
func TestWideGrantTxn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", []byte("0")))
	g := take(t, poolSites[0].pool(t, connect(t, srv), 3), 3)
	done, err := g.Txn().Set("/data", []byte("1"), client.AnyVersion).Create("/more", nil).Commit(t.Context())
	require.NoError(t, err)
	require.Len(t, done, 2)
	require.Equal(t, "/more", done[1].Path)
	_, err = g.Txn().Set("/data", []byte("2"), client.AnyVersion).Delete("/none", client.AnyVersion).Commit(t.Context())
	failed := new(client.TxnError)
	require.ErrorAs(t, err, &failed)
	require.Equal(t, 1, failed.Index)
	require.ErrorIs(t, err, client.ErrNoNode)
	require.NoError(t, g.Err())
	require.NoError(t, srv.Delete(g.Paths()[2]))
	_, err = g.Txn().Set("/data", []byte("3"), client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.ErrorIs(t, g.Err(), client.ErrHoldDeleted)
	n, _ := srv.Node("/data")
	require.Equal(t, "1", string(n.Data))
	release(t, g)
	poolSites[0].requireLeft(t, srv, 0, 0)
}

// Written down and taken up, with all of its nodes or not at all.
func TestWideGrantIsResumed(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		g := take(t, at.pool(t, cl, 3), 3)
		text, err := g.Handle().MarshalText()
		require.NoError(t, err)
		require.Contains(t, string(text), "zookit-grant-3 ")
		left := detach(t, cl)
		require.ErrorIs(t, g.Err(), client.ErrDetached)

		var h recipes.GrantHandle
		require.NoError(t, h.UnmarshalText(text))
		require.Equal(t, g.Handle(), h)
		require.Equal(t, g.Path(), h.Path())
		for i := range text {
			bad := append([]byte(nil), text...)
			bad[i] ^= 1
			require.ErrorIs(t, new(recipes.GrantHandle).UnmarshalText(bad), client.ErrBadArgument, string(bad))
		}
		cl = connect(t, srv, client.WithSession(left))
		again, err := recipes.Resume(t.Context(), cl, h)
		require.NoError(t, err)
		require.Equal(t, g.Paths(), again.Paths())
		require.Equal(t, g.Token(), again.Token())
		require.NoError(t, again.Err())
		_, err = recipes.Resume(t.Context(), cl, h)
		require.ErrorIs(t, err, client.ErrBadArgument, "not twice at once")
		require.NoError(t, srv.Delete(again.Paths()[2]))
		release(t, again)
		_, err = recipes.Resume(t.Context(), cl, h)
		require.ErrorIs(t, err, client.ErrHoldDeleted)
		at.requireLeft(t, srv, 0, anyWatches) // that on the session's claim is left
	})
}

// One node deleted before: it is lost as a whole.
func TestWideGrantIsNotResumedInPart(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	g := take(t, poolSites[0].pool(t, cl, 2), 2)
	left := detach(t, cl)
	require.NoError(t, srv.Delete(g.Paths()[1]))
	cl = connect(t, srv, client.WithSession(left))
	_, err := recipes.Resume(t.Context(), cl, g.Handle())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.ErrorIs(t, err, client.ErrHoldDeleted)
}

// The most that one grant can be for.
func TestWidestGrant(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	at := poolSites[0]
	g := take(t, at.pool(t, connect(t, srv), recipes.MaxWeight), recipes.MaxWeight)
	require.Len(t, at.held(srv), recipes.MaxWeight)
	require.NoError(t, g.Session().Confirm(t.Context(), g.Paths()...))
	h := g.Handle()
	text, err := h.MarshalText()
	require.NoError(t, err)
	var back recipes.GrantHandle
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, h, back)
	release(t, g)
	at.requireLeft(t, srv, 0, 0)
}
