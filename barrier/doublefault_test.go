package barrier_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// A loss of the connection lets nobody in (GH-1290), and a round that opens meanwhile is not missed (K8).
func TestDoubleConnectionLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, peers := connect(t, srv), connect(t, srv)
	enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 2))
	for range 3 {
		looked := after(srv, listed(sessionOf(t, cl)))
		srv.DropConnections()
		wait(t, "another look", looked)
		not(t, "one is there", enters)
	}
	session := sessionOf(t, cl)
	hello := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}, Session: session})
	require.True(t, srv.DropConnection(session))
	peer(t, peers, "~")
	require.NoError(t, srv.Create(ready, nil))
	hello.Release()
	in := got(t, enters)
	require.NoError(t, peers.Delete(bounded(t), dir+"/~", client.AnyVersion))
	require.NoError(t, in.Leave(bounded(t)))
	requireLeft(t, srv, 0)
}

// Kazoo's first leaver deletes ready before the others may have seen it: that it was made is enough.
func TestDoubleReadyIsGoneAgain(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		srv := zktest.Start(t)
		cl, peers := connect(t, srv), connect(t, srv)
		enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 2, barrier.WithLayout(layout)))
		other := peer(t, peers, "0123456789abcdef0123456789abcdef")
		require.NoError(t, srv.Create(ready, nil))
		require.NoError(t, srv.Delete(ready))
		require.NoError(t, peers.Delete(bounded(t), other, client.AnyVersion))
		require.NoError(t, got(t, enters).Leave(bounded(t)))
		requireLeft(t, srv, 0)
	}
}

// The same, while the connection is away: nobody can know.
func TestDoubleMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, peers := connect(t, srv), connect(t, srv)
		d := barrier.NewDouble(cl, dir, 2, barrier.WithLayout(recipes.Kazoo))
		enters := waiting(bounded(t), t, srv, cl, d)
		session := sessionOf(t, cl)
		// Before each loss Enter has taken in what it has read, and waits.
		synctest.Wait()
		away := func() { // one comes and goes, which opens nothing
			require.NoError(t, peers.Delete(bounded(t), peer(t, peers, "x"), client.AnyVersion))
		}
		for _, happens := range []func(){away, func() {
			require.NoError(t, srv.Create(ready, nil))
			require.NoError(t, srv.Delete(ready))
		}} {
			not(t, "nothing was missed", enters)
			looked := after(srv, listed(session))
			hello := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}, Session: session})
			require.True(t, srv.DropConnection(session))
			happens()
			hello.Release()
			wait(t, "another look", looked)
			synctest.Wait()
		}
		require.ErrorIs(t, wait(t, "the end of Enter", enters).err, barrier.ErrMissed)
		requireLeft(t, srv, 0)
		ctx, cancel := context.WithCancel(t.Context())
		enters = waiting(ctx, t, srv, cl, d)
		cancel()
		require.ErrorIs(t, wait(t, "the end of Enter", enters).err, context.Canceled)
		requireLeft(t, srv, 0)
	})
}

// Somebody deletes the own node, or the directory with it: it comes again.
func TestDoubleNodeDeletedWhileWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 2))
	for _, p := range []string{dir + "/" + nodes(srv)[0], dir} {
		looked := after(srv, listed(sessionOf(t, cl)))
		require.NoError(t, srv.Delete(p))
		wait(t, "another look", looked)
		not(t, "one is there", enters)
		require.Len(t, nodes(srv), 1)
	}
	peers := connect(t, srv)
	other, err := barrier.NewDouble(peers, dir, 2).Enter(bounded(t))
	require.NoError(t, err)
	in := got(t, enters)
	left := later(func() error { return other.Leave(bounded(t)) })
	require.NoError(t, in.Leave(bounded(t)))
	require.NoError(t, wait(t, "the end of Leave", left))
	requireLeft(t, srv, 0)
}

// A member that is lost before the round opens does not count; one that is lost inside is told, is not
// waited for, and may enter again.
func TestDoubleSessionLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a, b := connect(t, srv), connect(t, srv)
	first, second := barrier.NewDouble(a, dir, 2), barrier.NewDouble(b, dir, 2)

	// The session of who waits is lost: it waits in the next.
	enters := waiting(bounded(t), t, srv, a, first)
	old := sessionOf(t, a)
	looked := after(srv, zktest.Match{Path: dir, Ops: []zktest.Op{zktest.OpGetChildren2}, Where: func(r zktest.Request) bool { return r.Session != old }})
	require.True(t, srv.ExpireSession(old))
	wait(t, "another look", looked)
	require.Len(t, nodes(srv), 1)
	in, err := second.Enter(bounded(t))
	require.NoError(t, err)
	mine := got(t, enters)

	// Inside.
	require.True(t, srv.ExpireSession(sessionOf(t, a)))
	wait(t, "the end of the context", mine.Context().Done())
	require.ErrorIs(t, mine.Err(), barrier.ErrLost)
	require.ErrorIs(t, context.Cause(mine.Context()), client.ErrSessionLost)
	require.NoError(t, in.Leave(bounded(t)), "nobody else is inside")
	requireLeft(t, srv, 0)
	_, err = first.Enter(bounded(t))
	require.ErrorIs(t, err, barrier.ErrEntered, "until it has left")
	require.ErrorIs(t, mine.Leave(bounded(t)), barrier.ErrLost)
	require.ErrorIs(t, mine.Leave(bounded(t)), barrier.ErrLost)

	enters = waiting(bounded(t), t, srv, a, first)
	in, err = second.Enter(bounded(t))
	require.NoError(t, err)
	mine = got(t, enters)

	// The node is deleted by somebody: its watch comes with the first confirmation, which Leave need not await.
	require.NoError(t, srv.Delete(mine.Path()))
	require.ErrorIs(t, mine.Leave(bounded(t)), barrier.ErrLost)
	require.NoError(t, in.Leave(bounded(t)))
	requireLeft(t, srv, 0)
}

// Cancelled, Leave has left; called again it goes on waiting, also when the session is lost.
func TestDoubleLeaveAgain(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, peers := connect(t, srv), connect(t, srv)
	d := barrier.NewDouble(cl, dir, 2)
	other := peer(t, peers, "~")
	in, err := d.Enter(bounded(t))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	armed := after(srv, watching(sessionOf(t, cl)))
	leaves := later(func() error { return in.Leave(ctx) })
	wait(t, "the watch", armed)
	cancel()
	require.ErrorIs(t, wait(t, "the end of Leave", leaves), context.Canceled)
	require.Eventually(t, func() bool { _, ok := srv.Node(in.Path()); return !ok }, patience, time.Millisecond)

	armed = after(srv, watching(sessionOf(t, cl)))
	leaves = later(func() error { return in.Leave(bounded(t)) })
	wait(t, "the watch", armed)
	old := sessionOf(t, cl)
	armed = after(srv, zktest.Match{Path: dir + "/~", Ops: []zktest.Op{zktest.OpGetData}, Where: func(r zktest.Request) bool { return r.Session != old }})
	require.True(t, srv.ExpireSession(old))
	wait(t, "the watch in the next session", armed)
	not(t, "one is inside", leaves)
	require.NoError(t, peers.Delete(bounded(t), other, client.AnyVersion))
	require.NoError(t, wait(t, "the end of Leave", leaves))
	requireLeft(t, srv, 0, "ready") // nobody of the round was left to delete it
	enters := enterLater(bounded(t), d)
	require.Eventually(t, func() bool {
		all := nodes(srv)
		return len(all) == 1 && all[0] != "ready"
	}, patience, time.Millisecond, "the own node, and no ready")
	peer(t, peers, "~")
	_ = srv.Create(ready, nil) // unless the other has been quicker
	got(t, enters)
}

// Detach does not wait for who waits, and leaves no node of it.
func TestDoubleDetached(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 2))
	_, err := cl.Detach(bounded(t))
	require.NoError(t, err)
	require.ErrorIs(t, wait(t, "the end of Enter", enters).err, client.ErrDetached)
	require.Empty(t, nodes(srv))

	leaver, peers := connect(t, srv), connect(t, srv)
	peer(t, peers, "~")
	in, err := barrier.NewDouble(leaver, dir, 2).Enter(bounded(t))
	require.NoError(t, err)
	armed := after(srv, watching(sessionOf(t, leaver)))
	leaves := later(func() error { return in.Leave(bounded(t)) })
	wait(t, "the watch", armed)
	_, err = leaver.Detach(bounded(t))
	require.NoError(t, err)
	require.ErrorIs(t, wait(t, "the end of Leave", leaves), client.ErrDetached)
	require.ElementsMatch(t, []string{"ready", "~"}, nodes(srv))
}
