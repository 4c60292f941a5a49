package barrier_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// What barriers cost, counted on the wire.

// To wait is a sync, since the server asked may be one that lags behind, and a read; and nothing more when the barrier
// opens. To close or open it is one request, and one behind that for the marker that tells what became of it.
func TestBarrierCosts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl, other := connect(t, srv), connect(t, srv)
	require.NoError(t, srv.Create("/jobs", nil))
	b := barrier.New(cl, gate)
	srv.ResetRequests()
	require.NoError(t, barrier.New(other, gate).Wait(ctx))
	require.Len(t, counted(srv, sessionOf(t, other)), 2, "%s", steps(srv, sessionOf(t, other)))
	for _, call := range []func() (bool, error){
		func() (bool, error) { return b.Create(ctx) }, func() (bool, error) { return b.Remove(ctx) },
	} {
		srv.ResetRequests()
		done, err := call()
		require.NoError(t, err)
		require.True(t, done)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			n, _ := srv.Node("/jobs")
			for _, name := range n.Children {
				assert.Equal(c, base(gate), name, "the marker")
			}
		}, patience, time.Millisecond)
		require.LessOrEqual(t, len(counted(srv, sessionOf(t, cl))), 2, "%s", steps(srv, sessionOf(t, cl)))
	}
	_, err := b.Create(ctx)
	require.NoError(t, err)
	srv.ResetRequests()
	armed := after(srv, zktest.On(gate, zktest.OpGetData))
	waits := later(func() error { return barrier.New(other, gate).Wait(ctx) })
	wait(t, "the watch", armed)
	_, err = b.Remove(ctx)
	require.NoError(t, err)
	require.NoError(t, wait(t, "the end of Wait", waits))
	require.Len(t, counted(srv, sessionOf(t, other)), 2, "%s", steps(srv, sessionOf(t, other)))
}

// What an Enter and a Leave cost, but for watches that are taken away.
func TestDoubleCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, peers := connect(t, srv), connect(t, srv)
		peer(t, peers, "0")
		session := sessionOf(t, cl)
		enters := waiting(bounded(t), t, srv, cl, barrier.NewDouble(cl, dir, 3))
		require.Len(t, counted(srv, session), 4, "ready, the own node, it again with a watch, the directory: %s", steps(srv, session))
		srv.ResetRequests()
		peer(t, peers, "1")
		require.NoError(t, srv.Create(ready, nil))
		in := got(t, enters)
		require.Len(t, counted(srv, session), 1, "the confirmation: %s", steps(srv, session))
		srv.ResetRequests()
		require.NoError(t, peers.Delete(bounded(t), dir+"/0", client.AnyVersion))
		require.NoError(t, peers.Delete(bounded(t), dir+"/1", client.AnyVersion))
		require.NoError(t, in.Leave(bounded(t)))
		require.Len(t, counted(srv, session), 3, "a sync, the directory, the own node together with ready: %s", steps(srv, session))
		requireIdle(t)
	})
}

// Giving up takes away what was watched, and in a double barrier the own node.
func TestGivingUpCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		_, err := barrier.New(connect(t, srv), gate).Create(bounded(t))
		require.NoError(t, err)
		for _, c := range []struct {
			waits func(ctx context.Context) error
			want  []zktest.Op
		}{
			{barrier.New(cl, gate).Wait, []zktest.Op{zktest.OpRemoveWatches}},
			{func(ctx context.Context) error {
				_, err := barrier.NewDouble(cl, dir, 2).Enter(ctx)
				return err
			}, []zktest.Op{zktest.OpRemoveWatches, zktest.OpRemoveWatches, zktest.OpDelete}},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			done := later(func() error { return c.waits(ctx) })
			synctest.Wait()
			srv.ResetRequests()
			cancel()
			require.ErrorIs(t, wait(t, "the end of the wait", done), context.Canceled)
			synctest.Wait()
			var sent []zktest.Op
			for _, r := range srv.Requests(zktest.Match{Session: sessionOf(t, cl)}) {
				sent = append(sent, r.Op)
			}
			require.ElementsMatch(t, c.want, sent)
		}
		requireIdle(t)
	})
}
