package barrier_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// A server that has not heard yet that the barrier is closed lets nobody through.
func TestWaitOnServerThatLagsBehind(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithServers(2))
	ctx := bounded(t)
	slow := srv.Doors()[1]
	cl, err := client.Connect(ctx, slow.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	slow.Lag()
	created, err := barrier.New(connect(t, srv), gate).Create(ctx)
	require.NoError(t, err)
	require.True(t, created)

	asked := srv.HoldReply(zktest.On(gate, zktest.OpSync))
	waits := later(func() error { return barrier.New(cl, gate).Wait(ctx) })
	select {
	case <-asked.Fired():
	case err := <-waits:
		require.FailNow(t, "let through a barrier that is closed", "%v", err)
	}
	asked.Release()
	armed := after(srv, zktest.On(gate, zktest.OpGetData))
	slow.CatchUp()
	wait(t, "the watch", armed)
	not(t, "the barrier is closed", waits)
	_, err = barrier.New(connect(t, srv), gate).Remove(ctx)
	require.NoError(t, err)
	require.NoError(t, wait(t, "the end of Wait", waits))
}

// What a server that lags behind hears late is the past: that a barrier was opened before the wait began lets
// nobody through one that is closed by now.
func TestWaitIsNotEndedByThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithServers(2))
		ctx := bounded(t)
		slow := srv.Doors()[1]
		cl, err := client.Connect(ctx, slow.Addr(), client.WithDialer(srv.Dial))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		b := barrier.New(connect(t, srv), gate)
		_, err = b.Create(ctx)
		require.NoError(t, err)
		slow.Lag()
		for _, call := range []func(context.Context) (bool, error){b.Remove, b.Create} {
			done, err := call(ctx)
			require.NoError(t, err)
			require.True(t, done)
		}
		waits := later(func() error { return barrier.New(cl, gate).Wait(ctx) })
		synctest.Wait()
		slow.CatchUp()
		synctest.Wait()
		not(t, "the barrier is closed", waits)
		_, err = b.Remove(ctx)
		require.NoError(t, err)
		require.NoError(t, wait(t, "the end of Wait", waits))
	})
}

// The client of a server that is read-only waits for one that is not, in each call.
func TestBarrierAndReadOnlyServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		ctx := t.Context()
		srv.SetReadOnly(true)
		cl := connect(t, srv, client.WithReadOnly(), client.WithSessionTimeout(4*time.Second))
		b := barrier.New(cl, gate)
		calls := []func() error{
			func() error { return b.Wait(ctx) },
			func() error { _, err := b.Create(ctx); return err },
			func() error { _, err := b.Remove(ctx); return err },
		}
		for _, call := range calls {
			srv.SetReadOnly(true)
			for cl.State().State != client.ReadOnly {
				<-time.After(time.Second) // of the bubble
			}
			done := later(call)
			<-time.After(5 * time.Second) // of the bubble
			not(t, "nothing can be known or done", done)
			srv.SetReadOnly(false)
			require.NoError(t, wait(t, "the end of the call", done))
		}
	})
}

// Leave waits also for one whose coming the own server has not heard of yet.
func TestLeaveOnServerThatLagsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithServers(2))
		ctx := bounded(t)
		slow := srv.Doors()[1]
		cl, err := client.Connect(ctx, slow.Addr(), client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		first := got(t, enterLater(ctx, barrier.NewDouble(cl, dir, 1)))
		slow.Lag()
		second := got(t, enterLater(ctx, barrier.NewDouble(connect(t, srv), dir, 1)))
		left := later(func() error { return first.Leave(ctx) })
		synctest.Wait()
		slow.CatchUp()
		synctest.Wait()
		not(t, "another is inside", left)
		require.NoError(t, second.Err())
		done := later(func() error { return second.Leave(ctx) })
		require.NoError(t, wait(t, "the end of Leave", left))
		require.NoError(t, wait(t, "the end of the other's", done))
	})
}
