package client_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// manyChanges is how many of the nodes change while nobody listens.
const manyChanges = 400

// manyNodes makes the nodes to watch.
func manyNodes(t testing.TB) (srv *zktest.Server, paths []string) {
	t.Helper()
	srv = newTree(t)
	for i := range manyWatches {
		paths = append(paths, fmt.Sprintf("/tree/n%05d", i))
		require.NoError(t, srv.Create(paths[i], nil))
	}
	return srv, paths
}

// each runs f for all indexes, many at a time.
func each(t testing.TB, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.False(t, t.Failed())
}

// eventFirst reads a node that was new when it was watched: if it has changed since, the watch has
// something to say by now, which nobody has taken yet.
func eventFirst(t testing.TB, cl *client.Client, path string, events <-chan client.Event) error {
	t.Helper()
	_, stat, err := cl.Get(t.Context(), path)
	if err == nil && stat.Version > 0 && len(events) == 0 {
		err = fmt.Errorf("%s: newer data came before the event", path)
	}
	return err
}

// Of 40,000 one-shot watches all fire when their connection is lost, and who then reads
// knows of every change.
func TestManyWatchesAcrossReconnect(t *testing.T) {
	t.Parallel()
	srv, paths := manyNodes(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	ctx := t.Context()
	watches := make([]*client.Watch, manyWatches)
	each(t, manyWatches, func(i int) (err error) {
		_, _, watches[i], err = cl.GetW(ctx, paths[i])
		return err
	})
	require.Equal(t, manyWatches, srv.Watches())
	step := manyWatches / manyChanges
	change := func(from int) {
		for i := from; i < manyWatches; i += step {
			require.NoError(t, srv.Set(paths[i], nil))
		}
	}
	change(0)
	srv.Refuse()
	cut(t, srv, st)
	change(1)
	srv.Accept()
	each(t, manyWatches, func(i int) error { return eventFirst(t, cl, paths[i], watches[i].C) })
	var lost, seen, known atomic.Int64
	each(t, manyWatches, func(i int) error {
		switch ev := event(t, watches[i]); ev.Type {
		case client.EventConnectionLost:
			lost.Add(1)
		case client.EventNodeDataChanged:
			seen.Add(1)
		default:
			return fmt.Errorf("%v", ev)
		}
		_, stat, w, err := cl.GetW(ctx, paths[i])
		watches[i] = w
		known.Add(int64(stat.Version))
		return err
	})
	require.EqualValues(t, manyWatches, lost.Load()+seen.Load())
	require.LessOrEqual(t, seen.Load(), int64(manyChanges))
	require.EqualValues(t, 2*manyChanges, known.Load(), "every change was read")
	require.Equal(t, manyWatches, srv.Watches())
	each(t, manyWatches, func(i int) error { return srv.Set(paths[i], nil) })
	each(t, manyWatches, func(i int) error {
		if ev := event(t, watches[i]); ev != evSet(paths[i]) {
			return fmt.Errorf("%v", ev)
		}
		return nil
	})
	require.NoError(t, cl.Sync(ctx, "/"))
	require.Zero(t, srv.Watches())
}

// 40,000 Watchers all stand again after a reconnect, set by a few requests, and none has
// lost a change: neither one from while they were away nor a later one.
func TestManyWatchersAcrossReconnect(t *testing.T) {
	t.Parallel()
	srv, paths := manyNodes(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	ctx := t.Context()
	watchers := make([]*client.Watcher, manyWatches)
	hear := func(i int, want client.Event) error {
		if ev, _ := receive(t, watchers[i].C); ev != want {
			return fmt.Errorf("%v where %v was expected", ev, want)
		}
		return nil
	}
	resync := func(i int) error { return hear(i, client.Event{Type: client.EventResynced, Path: paths[i]}) }
	each(t, manyWatches, func(i int) (err error) {
		if watchers[i], err = cl.AddWatch(ctx, paths[i], client.WatchPersistent); err != nil {
			return err
		}
		return resync(i)
	})
	require.Equal(t, manyWatches, srv.Watches())
	srv.ResetRequests() // the server keeps the latest only
	srv.Refuse()
	cut(t, srv, st)
	for i := 0; i < manyWatches; i += manyWatches / manyChanges {
		require.NoError(t, srv.Set(paths[i], nil))
	}
	srv.Accept()
	each(t, manyWatches, func(i int) error { return eventFirst(t, cl, paths[i], watchers[i].C) })
	require.Equal(t, 1, sent(srv, "", zktest.OpSetWatches2))
	var known atomic.Int64
	each(t, manyWatches, func(i int) error {
		if err := resync(i); err != nil {
			return err
		}
		_, stat, err := cl.Get(ctx, paths[i])
		known.Add(int64(stat.Version))
		return err
	})
	require.EqualValues(t, manyChanges, known.Load(), "every change was read")
	require.Equal(t, manyWatches, srv.Watches())
	each(t, manyWatches, func(i int) error { return srv.Set(paths[i], nil) })
	each(t, manyWatches, func(i int) error { return hear(i, evSet(paths[i])) })
	silent(t, cl, watchers...)
	each(t, manyWatches, func(i int) error { watchers[i].Close(); return nil })
	require.NoError(t, cl.Sync(ctx, "/"))
	require.Zero(t, srv.Watches())
}
