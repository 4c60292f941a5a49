package counter_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx, cancel := context.WithCancel(bounded(t))
	cl := connect(t, srv)
	c := counter.New(cl, node, counter.WithInitial(-1))
	next, stop := iter.Pull2(c.Watch(ctx))
	defer stop()
	expect := func(want int64) {
		t.Helper()
		n, err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	expect(-1)
	_, err := counter.New(connect(t, srv), node).Add(ctx, 7)
	require.NoError(t, err)
	expect(7)
	srv.DropConnections()
	require.NoError(t, srv.Set(node, []byte{0, 0, 0, 0, 0, 0, 0, 8}))
	expect(8)
	srv.ExpireSession(sessionOf(t, cl))
	require.NoError(t, srv.Set(node, []byte{0, 0, 0, 0, 0, 0, 0, 9}))
	expect(9)
	require.NoError(t, srv.Set(node, []byte("what")))
	_, err, ok := next()
	require.True(t, ok)
	require.ErrorIs(t, err, counter.ErrLayoutConflict)
	require.NoError(t, srv.Delete(node))
	expect(-1)
	require.NoError(t, srv.Create(node, []byte{0, 0, 0, 0, 0, 0, 0, 1}))
	expect(1)
	cancel()
	_, err, ok = next()
	require.True(t, ok)
	require.ErrorIs(t, err, context.Canceled)
	_, _, ok = next()
	require.False(t, ok)
	requireNoReceipts(t, srv)
}

// A change is one read and one watch, however many listen; the last that leaves takes the watch along.
func TestManyListeners(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		require.NoError(t, srv.Create(node, make([]byte, 8)))
		cl := connect(t, srv)
		c := counter.New(cl, node)
		ctx, cancel := context.WithCancel(bounded(t))
		heard := make(chan int64, 1000)
		over := make(chan error, 1000)
		for range 1000 {
			go func() {
				for n, err := range c.Watch(ctx) {
					if err != nil {
						over <- err
						return
					}
					heard <- n
				}
			}()
		}
		for want := range int64(4) {
			for range 1000 {
				require.Equal(t, want, wait(t, "a listener", heard))
			}
			synctest.Wait()
			require.Equal(t, 1, srv.Watches())
			require.Len(t, counted(srv, sessionOf(t, cl)), 1, "%s", steps(counted(srv, sessionOf(t, cl))))
			srv.ResetRequests()
			require.NoError(t, srv.Set(node, []byte{0, 0, 0, 0, 0, 0, 0, byte(want + 1)}))
		}
		cancel()
		for range 1000 {
			require.ErrorIs(t, wait(t, "the end of a listener", over), context.Canceled)
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Zero(c, srv.Watches()) }, patience, patience/1000)
	})
}

// A server that lags behind does not make a listener go back, and what is refused ends it.
func TestListenerRefused(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(node, make([]byte, 8)))
	c := counter.New(connect(t, srv), node)
	srv.FailNext(zktest.On(node, zktest.OpGetData), zktest.NoAuth)
	n := 0
	for _, err := range c.Watch(bounded(t)) {
		require.ErrorIs(t, err, client.ErrNoAuth)
		n++
	}
	require.Equal(t, 1, n)
	for n, err := range c.Watch(bounded(t)) { // another range tries again
		require.NoError(t, err)
		require.Zero(t, n)
		break
	}
	requireNoReceipts(t, srv)
}

func TestSharedValue(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	v, other := counter.NewSharedValue(connect(t, srv), node), counter.NewSharedValue(connect(t, srv), node)
	require.Equal(t, node, v.Path())
	none, err := v.Value(ctx)
	require.NoError(t, err)
	require.False(t, none.Exists)
	first, swapped, err := v.CompareAndSet(ctx, none, []byte("a"))
	require.NoError(t, err)
	require.True(t, swapped)
	now, swapped, err := other.CompareAndSet(ctx, none, []byte("b"))
	require.NoError(t, err)
	require.False(t, swapped)
	require.Equal(t, "a", string(now.Data))
	_, swapped, err = other.CompareAndSet(ctx, now, []byte("c"))
	require.NoError(t, err)
	require.True(t, swapped)
	_, err = other.Set(ctx, []byte("a"))
	require.NoError(t, err)
	now, swapped, err = v.CompareAndSet(ctx, first, []byte("d"))
	require.NoError(t, err)
	require.False(t, swapped, "the bytes are the same, the value is not")
	require.Equal(t, int32(2), now.Version)
	got, err := v.Update(ctx, func(old []byte) ([]byte, error) { return append(append([]byte{}, old...), '!'), nil })
	require.NoError(t, err)
	require.Equal(t, "a!", string(got.Data))
	_, err = v.Update(ctx, func([]byte) ([]byte, error) { return nil, errors.New("no") })
	require.ErrorContains(t, err, "no")
	for now, err := range v.Watch(ctx) {
		require.NoError(t, err)
		require.Equal(t, "a!", string(now.Data))
		break
	}
	requireData(t, srv, []byte("a!"))
}

// Updates of several clients come one after the other, none is lost.
func TestUpdates(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	const clients, times = 5, 5
	over := make(chan error)
	for range clients {
		v := counter.NewSharedValue(connect(t, srv), node)
		go func() {
			var err error
			for range times {
				if _, uerr := v.Update(ctx, func(old []byte) ([]byte, error) { return append(append([]byte{}, old...), '.'), nil }); uerr != nil {
					err = uerr
				}
			}
			over <- err
		}()
	}
	for range clients {
		require.NoError(t, wait(t, "an updater", over))
	}
	n, _ := srv.Node(node)
	require.Len(t, n.Data, clients*times)
}
