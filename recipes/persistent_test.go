package recipes_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func acquirePersistent(t testing.TB, l *recipes.Line) *recipes.Persistent {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := l.AcquirePersistent(ctx)
	require.NoError(t, err)
	require.NoError(t, p.Check(ctx))
	return p
}

type persistentOutcome struct {
	p   *recipes.Persistent
	err error
}

func persistentLater(ctx context.Context, l *recipes.Line) <-chan persistentOutcome {
	out := make(chan persistentOutcome, 1)
	go func() {
		p, err := l.AcquirePersistent(ctx)
		out <- persistentOutcome{p, err}
	}()
	return out
}

// It stands in one line with the grants, outlives its session and its client, and is released by
// another process.
func TestPersistentOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		srv := zktest.Start(t)
		cfg := recipes.LineConfig{Layout: layout, Data: []byte("engine-7")}
		a, b := connect(t, srv), connect(t, srv)
		first := acquire(t, newLine(t, b, cfg))
		watched := after(srv, blocked)
		later := persistentLater(t.Context(), newLine(t, a, cfg))
		wait(t, "a watch on the grant", watched)
		release(t, first)
		o := wait(t, "the persistent holding", later)
		require.NoError(t, o.err)
		require.Greater(t, o.p.Token(), first.Token())
		require.Equal(t, []string{base(o.p.Path())}, nodes(srv), "the fence is gone")
		_, _, ok := layout.Parse(base(o.p.Path()), recipes.KindMutex)
		require.True(t, ok)
		n, _ := srv.Node(o.p.Path())
		require.Zero(t, n.Stat.EphemeralOwner)
		require.Equal(t, "engine-7", string(n.Data))
		require.Equal(t, o.p.Token(), n.Stat.Czxid)

		_, err := newLine(t, b, cfg).TryAcquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrBusy)
		_, err = newLine(t, b, cfg).TryAcquirePersistent(t.Context())
		require.ErrorIs(t, err, recipes.ErrBusy)
		require.Len(t, nodes(srv), 1)
		next := waiting(t.Context(), t, srv, newLine(t, b, cfg))
		require.NoError(t, a.Close())
		require.ErrorIs(t, o.p.Check(t.Context()), client.ErrClosed)
		require.NotErrorIs(t, o.p.Check(t.Context()), recipes.ErrGrantLost)
		require.Empty(t, next)

		c := connect(t, srv)
		again, err := recipes.OpenPersistent(t.Context(), c, o.p.Handle())
		require.NoError(t, err)
		require.Equal(t, o.p.Token(), again.Token())
		require.NoError(t, again.Release(t.Context()))
		require.NoError(t, again.Release(t.Context()), "again, and nothing happens")
		require.Equal(t, recipes.ErrReleased, again.Check(t.Context()))
		got := wait(t, "the next grant", next)
		require.NoError(t, got.err)
		require.Greater(t, got.grant.Token(), again.Token())
		_, err = recipes.OpenPersistent(t.Context(), c, o.p.Handle())
		require.ErrorIs(t, err, recipes.ErrGrantLost)
		require.ErrorIs(t, err, client.ErrHoldDeleted)
		release(t, got.grant)
	}
}

func TestPersistentRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	p := acquirePersistent(t, newLine(t, cl, recipes.LineConfig{}))
	_, err := recipes.OpenPersistent(t.Context(), nil, p.Handle())
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = recipes.OpenPersistent(t.Context(), cl, recipes.PersistentHandle{})
	require.ErrorIs(t, err, client.ErrBadArgument)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.Check(over), context.Canceled)
	require.NoError(t, p.Check(t.Context()), "what could not be found out changes nothing")
}

// A node of the same name that somebody else has made is not taken for it, nor deleted.
func TestPersistentIsThatVeryNode(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	l := newLine(t, cl, recipes.LineConfig{})
	p := acquirePersistent(t, l)
	require.NoError(t, srv.Delete(p.Path()))
	require.NoError(t, srv.Create(p.Path(), nil))
	_, err := recipes.OpenPersistent(t.Context(), cl, p.Handle())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.NoError(t, l.Break(t.Context(), recipes.Details{Path: p.Path(), Token: p.Token()}))
	require.ErrorIs(t, l.Revoke(t.Context(), recipes.Details{Path: p.Path(), Token: p.Token()}), recipes.ErrNoContender)
	require.NoError(t, p.Release(t.Context()))
	n, ok := srv.Node(p.Path())
	require.True(t, ok)
	require.Empty(t, n.Data)
}

func TestPersistentTxn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", []byte("0")))
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	p := acquirePersistent(t, l)
	results, err := p.Txn().Set("/data", []byte("1"), client.AnyVersion).Commit(t.Context())
	require.NoError(t, err)
	require.Len(t, results, 1)
	_, err = p.Txn().Set("/data", []byte("1"), client.AnyVersion).Set("/none", nil, 0).Commit(t.Context())
	require.ErrorIs(t, err, client.ErrNoNode)
	require.NotErrorIs(t, err, recipes.ErrGrantLost)
	require.NoError(t, p.Check(t.Context()))
	all, err := l.Details(t.Context())
	require.NoError(t, err)
	require.NoError(t, newLine(t, connect(t, srv), recipes.LineConfig{}).Break(t.Context(), all[0]))
	_, err = p.Txn().Set("/data", []byte("2"), client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrGrantLost)
	require.ErrorIs(t, err, client.ErrHoldDeleted)
	require.ErrorIs(t, p.Check(t.Context()), recipes.ErrGrantLost)
	require.NoError(t, p.Release(t.Context()))
	require.ErrorIs(t, p.Check(t.Context()), recipes.ErrGrantLost, "the first reason stands")

	q := acquirePersistent(t, l)
	require.NoError(t, q.Release(t.Context()))
	srv.ResetRequests()
	_, err = q.Txn().Set("/data", []byte("2"), client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, recipes.ErrReleased)
	require.Empty(t, srv.Requests())
	n, _ := srv.Node("/data")
	require.Equal(t, "1", string(n.Data))
}

// The session in which a transaction's answer was awaited is not what holds.
func TestPersistentIsNotLostWithASession(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", nil))
	cl := connect(t, srv)
	p := acquirePersistent(t, newLine(t, cl, recipes.LineConfig{}))
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	h := srv.HoldReply(zktest.On("/data", zktest.OpMulti))
	go func() {
		<-h.Fired()
		srv.ExpireSession(s.ID())
		h.Release()
	}()
	_, err = p.Txn().Set("/data", []byte("1"), client.AnyVersion).Commit(t.Context())
	require.Equal(t, client.Unknown, client.Outcome(err), err)
	require.NotErrorIs(t, err, recipes.ErrGrantLost)
	require.NoError(t, p.Check(t.Context()))
}

// Release goes on when its context has ended, over lost messages and sessions.
func TestPersistentRelease(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
		"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
	} {
		for _, expire := range []bool{false, true} {
			srv := zktest.Start(t)
			cl := connect(t, srv)
			p := acquirePersistent(t, newLine(t, cl, recipes.LineConfig{}))
			s, err := cl.Session(t.Context())
			require.NoError(t, err)
			lost := lose(srv, zktest.On(p.Path(), zktest.OpDelete))
			over, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, p.Release(over), context.Canceled)
			wait(t, "the loss of the "+name, lost.Fired())
			if expire {
				srv.ExpireSession(s.ID())
			}
			require.NoError(t, p.Release(t.Context()))
			require.Empty(t, nodes(srv))
		}
	}
	srv := zktest.Start(t)
	p := acquirePersistent(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	srv.FailNext(zktest.On(p.Path(), zktest.OpDelete), zktest.NoAuth)
	require.ErrorIs(t, p.Release(t.Context()), client.ErrNoAuth)
	requireLeft(t, srv) // it is tried again
	require.NoError(t, p.Release(t.Context()), "what is gone is gone")
}

func TestPersistentHandle(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	h := acquirePersistent(t, newLine(t, connect(t, srv), recipes.LineConfig{})).Handle()
	text, err := h.MarshalText()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "zookit-persistent-1 "), string(text))
	var read recipes.PersistentHandle
	require.NoError(t, read.UnmarshalText([]byte(" "+string(text)+"\n")))
	require.Equal(t, h, read)
	require.Equal(t, h.Path(), read.Path())
	require.Equal(t, h.Token(), read.Token())
	require.Contains(t, h.String(), h.Path())
	for i := range text {
		cut := read
		require.ErrorIs(t, cut.UnmarshalText(text[:i]), client.ErrBadArgument)
		bad := []byte(string(text))
		bad[i] ^= 1
		require.ErrorIs(t, cut.UnmarshalText(bad), client.ErrBadArgument, string(bad))
		require.Equal(t, h, cut)
	}
	_, err = recipes.PersistentHandle{}.MarshalText()
	require.ErrorIs(t, err, client.ErrBadArgument)
}
