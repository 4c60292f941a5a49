package client_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// event takes the one event of a watch, whose channel is closed behind it.
func event(t testing.TB, w *client.Watch) client.Event {
	t.Helper()
	ev, ok := receive(t, w.C)
	require.True(t, ok)
	_, more := receive(t, w.C)
	require.False(t, more)
	return ev
}

// idle checks that a watch has not fired.
func idle(t testing.TB, w *client.Watch) {
	t.Helper()
	select {
	case ev := <-w.C:
		require.Fail(t, "a watch has fired", "%v", ev)
	default:
	}
}

func TestWatchEvents(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	ctx := t.Context()
	get := func(path string) *client.Watch {
		_, _, w, err := cl.GetW(ctx, path)
		require.NoError(t, err)
		return w
	}
	exist := func(path string) *client.Watch {
		_, _, w, err := cl.ExistsW(ctx, path)
		require.NoError(t, err)
		return w
	}
	list := func(path string) *client.Watch {
		_, _, w, err := cl.ChildrenW(ctx, path)
		require.NoError(t, err)
		return w
	}
	for _, tc := range []struct {
		watch *client.Watch
		do    func() error
		want  client.Event
	}{
		{get("/n"), func() error { return srv.Set("/n", nil) }, client.Event{Type: client.EventNodeDataChanged, Path: "/n"}},
		{exist("/new"), func() error { return srv.Create("/new", nil) }, client.Event{Type: client.EventNodeCreated, Path: "/new"}},
		{list("/tree"), func() error { return srv.Create("/tree/b", nil) }, client.Event{Type: client.EventNodeChildrenChanged, Path: "/tree"}},
		{get("/tree/a"), func() error { return srv.Delete("/tree/a") }, client.Event{Type: client.EventNodeDeleted, Path: "/tree/a"}},
	} {
		idle(t, tc.watch)
		require.NoError(t, tc.do())
		require.Equal(t, tc.want, event(t, tc.watch))
		tc.watch.Remove()
	}
	e, l := exist("/new"), list("/new")
	require.NoError(t, srv.Set("/new", nil))
	require.Equal(t, client.EventNodeDataChanged, event(t, e).Type)
	idle(t, l)
	e = exist("/new")
	require.NoError(t, srv.Delete("/new"))
	require.Equal(t, client.EventNodeDeleted, event(t, e).Type)
	require.Equal(t, client.EventNodeDeleted, event(t, l).Type)
	require.Zero(t, srv.Watches())
}

// A read that fails sets no watch, except that of existence.
func TestWatchOfMissingNode(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	_, _, w, err := cl.GetW(t.Context(), "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	require.Nil(t, w)
	_, _, w, err = cl.ChildrenW(t.Context(), "/none")
	require.ErrorIs(t, err, client.ErrNoNode)
	require.Nil(t, w)
	require.Zero(t, srv.Watches())
	_, ok, w, err := cl.ExistsW(t.Context(), "/none")
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, 1, srv.Watches())
	w.Remove()
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
}

// Whoever sees newer data has been told of the change before: the event is in the
// channel when the read returns.
func TestWatchFiresBeforeNewerData(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		a, b := primed(t, srv), primed(t, srv)
		for range 200 {
			_, was, w, err := a.GetW(t.Context(), "/n")
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Go(func() { assert.NoError(t, setAny(t.Context(), b, "/n")) })
			for {
				_, is, err := a.Get(t.Context(), "/n")
				require.NoError(t, err)
				if is.Version > was.Version {
					break
				}
			}
			require.Len(t, w.C, 1, "the event is there")
			wg.Wait()
		}
	})
}

// Many local watches are one on the server; it goes with the last of them.
func TestWatchIsShared(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	ctx := t.Context()
	var watches []*client.Watch
	for range 10 {
		_, _, w, err := cl.GetW(ctx, "/n")
		require.NoError(t, err)
		_, _, e, err := cl.ExistsW(ctx, "/n")
		require.NoError(t, err)
		watches = append(watches, w, e)
	}
	_, _, l, err := cl.ChildrenW(ctx, "/n")
	require.NoError(t, err)
	require.Equal(t, 2, srv.Watches())
	for _, w := range watches[1:] {
		w.Remove()
		w.Remove()
	}
	require.NoError(t, cl.Sync(ctx, "/"))
	require.Equal(t, 2, srv.Watches())
	require.Zero(t, sent(srv, "", zktest.OpRemoveWatches))
	require.NoError(t, srv.Set("/n", nil))
	require.Equal(t, client.EventNodeDataChanged, event(t, watches[0]).Type)
	for _, w := range watches[1:] {
		idle(t, w)
	}
	idle(t, l)
	l.Remove()
	require.NoError(t, cl.Sync(ctx, "/"))
	require.Zero(t, srv.Watches())
	require.Equal(t, 1, sent(srv, "", zktest.OpRemoveWatches))
	for _, w := range append(watches, l) {
		w.Remove() // whatever its state
	}
	require.NoError(t, cl.Sync(ctx, "/"))
	require.Equal(t, 1, sent(srv, "", zktest.OpRemoveWatches), "what is not there is not removed")
}

// All local watches of one on the server fire.
func TestWatchFiresForAll(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	var watches []*client.Watch
	for range 50 {
		_, _, w, err := cl.GetW(t.Context(), "/n")
		require.NoError(t, err)
		watches = append(watches, w)
	}
	require.NoError(t, srv.Delete("/n"))
	for _, w := range watches {
		require.Equal(t, client.EventNodeDeleted, event(t, w).Type)
	}
}

// Removing a watch while somebody sets it again never takes away the other's.
func TestWatchRemovalRacesWithRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv)
		ctx := t.Context()
		for range 300 {
			_, _, first, err := cl.GetW(ctx, "/n")
			require.NoError(t, err)
			var wg sync.WaitGroup
			var second *client.Watch
			wg.Go(first.Remove)
			wg.Go(func() {
				var err error
				_, _, second, err = cl.GetW(ctx, "/n")
				assert.NoError(t, err)
			})
			wg.Wait()
			require.NoError(t, cl.Sync(ctx, "/"))
			require.Equal(t, 1, srv.Watches())
			require.NoError(t, srv.Set("/n", nil))
			require.Equal(t, client.EventNodeDataChanged, event(t, second).Type)
		}
	})
}

// The same with many goroutines, cancelled contexts among them: in the end there is
// no watch left, and none that was set has been silent.
func TestWatchStress(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				if (n+i)%3 == 0 {
					go cancel()
				}
				_, _, w, err := cl.GetW(ctx, "/n")
				cancel()
				if err != nil {
					assert.ErrorIs(t, err, context.Canceled)
					continue
				}
				switch (n + i) % 4 {
				case 0:
					assert.NoError(t, setAny(t.Context(), cl, "/n"))
					_, ok := receive(t, w.C)
					assert.True(t, ok)
				default:
					w.Remove()
				}
			}
		})
	}
	wg.Wait()
	for range 2 {
		require.NoError(t, cl.Sync(t.Context(), "/"))
	}
	require.Zero(t, srv.Watches())
}

// A watch whose read was given up is removed when its reply comes, unless somebody
// else needs it.
func TestWatchOfAbandonedRead(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	held := srv.HoldReply(zktest.On("/n", zktest.OpGetData))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, _, err := cl.GetW(ctx, "/n")
		done <- err
	}()
	wait(t, held.Fired(), "the read is under way")
	cancel()
	err, _ := receive(t, done)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, srv.Watches())
	held.Release()
	for range 2 {
		require.NoError(t, cl.Sync(t.Context(), "/"))
	}
	require.Zero(t, srv.Watches())
	require.Equal(t, 1, sent(srv, "/n", zktest.OpRemoveWatches))
}

// A watch is also removed if the read for whose sake it was kept fails: an exists
// watch was set and given up while a get was under way, which finds no node.
func TestWatchKeptForReadThatFails(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	_, _, w, err := cl.ExistsW(t.Context(), "/none")
	require.NoError(t, err)
	held := srv.HoldReply(zktest.On("/none", zktest.OpGetData))
	done := make(chan error, 1)
	go func() {
		_, _, _, err := cl.GetW(t.Context(), "/none")
		done <- err
	}()
	wait(t, held.Fired(), "the get is under way")
	w.Remove()
	held.Release()
	err, _ = receive(t, done)
	require.ErrorIs(t, err, client.ErrNoNode)
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
}
