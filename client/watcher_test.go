package client_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// eras are the servers that differ in what they make of several watches on a path.
var eras = map[string][]zktest.Option{"3.8": nil, "3.9": {zktest.WithSeparateWatchModes()}}

// addWatch adds a Watcher that is closed when the test ends, and takes its first event.
func addWatch(t testing.TB, cl *client.Client, path string, mode client.AddWatchMode, opts ...client.WatchOption) *client.Watcher {
	t.Helper()
	w, err := cl.AddWatch(t.Context(), path, mode, opts...)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	resynced(t, w)
	return w
}

// resynced takes the next event, which says that the watch stands.
func resynced(t testing.TB, w *client.Watcher) {
	t.Helper()
	heard(t, w, client.Event{Type: client.EventResynced, Path: w.Path()})
}

// heard takes the next events, which have to be these.
func heard(t testing.TB, w *client.Watcher, want ...client.Event) {
	t.Helper()
	for _, want := range want {
		ev, ok := receive(t, w.C)
		require.True(t, ok, "%v", w.Err())
		require.Equal(t, want.Type.String()+" "+want.Path, ev.Type.String()+" "+ev.Path)
	}
}

// silent checks that there is no event, once the client has heard of everything.
func silent(t testing.TB, cl *client.Client, ws ...*client.Watcher) {
	t.Helper()
	require.NoError(t, cl.Sync(t.Context(), "/"))
	for _, w := range ws {
		require.Empty(t, w.C)
	}
}

// ended takes the end of a Watcher, with nothing before it.
func ended(t testing.TB, w *client.Watcher) {
	t.Helper()
	ev, ok := receive(t, w.C)
	require.False(t, ok, "%v", ev)
}

func evCreated(path string) client.Event {
	return client.Event{Type: client.EventNodeCreated, Path: path}
}

func evDeleted(path string) client.Event {
	return client.Event{Type: client.EventNodeDeleted, Path: path}
}

func evSet(path string) client.Event {
	return client.Event{Type: client.EventNodeDataChanged, Path: path}
}

func evChildren(path string) client.Event {
	return client.Event{Type: client.EventNodeChildrenChanged, Path: path}
}

// walk changes the tree below /tree in every way.
func walk(t testing.TB, srv *zktest.Server) {
	t.Helper()
	require.NoError(t, srv.Set("/tree", nil))
	require.NoError(t, srv.Create("/tree/b", nil))
	require.NoError(t, srv.Set("/tree/b", nil))
	require.NoError(t, srv.Create("/tree/b/c", nil))
	require.NoError(t, srv.Delete("/tree/b/c"))
	require.NoError(t, srv.Delete("/tree/b"))
	require.NoError(t, srv.Set("/n", nil))
}

func TestWatcherEvents(t *testing.T) {
	t.Parallel()
	node := []client.Event{evSet("/tree"), evChildren("/tree"), evChildren("/tree")}
	subtree := []client.Event{evSet("/tree"), evCreated("/tree/b"), evSet("/tree/b"), evCreated("/tree/b/c"), evDeleted("/tree/b/c"), evDeleted("/tree/b")}
	for era, opts := range eras {
		srv := newTree(t, opts...)
		cl := primed(t, srv)
		t.Run(era, func(t *testing.T) {
			w := addWatch(t, cl, "/tree", client.WatchPersistent)
			for range 2 { // it is not spent
				walk(t, srv)
				heard(t, w, node...)
			}
			silent(t, cl, w)
			r := addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
			root := addWatch(t, cl, "/", client.WatchPersistentRecursive)
			for range 2 {
				walk(t, srv)
				heard(t, r, subtree...)
				heard(t, root, append(subtree, evSet("/n"))...)
			}
			silent(t, cl, r, root)
			for _, w := range []*client.Watcher{w, r, root} {
				w.Close()
				w.Close()
			}
			require.NoError(t, cl.Sync(t.Context(), "/"))
			require.Zero(t, srv.Watches())
		})
	}
}

// A Watcher may wait for a node that does not exist, and outlives it.
func TestWatcherOfMissingNode(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	w := addWatch(t, cl, "/tree/b", client.WatchPersistent)
	for range 2 {
		require.NoError(t, srv.Create("/tree/b/c", nil))
		require.NoError(t, srv.Delete("/tree/b/c"))
		require.NoError(t, srv.Delete("/tree/b"))
		heard(t, w, evCreated("/tree/b"), evChildren("/tree/b"), evChildren("/tree/b"), evDeleted("/tree/b"))
	}
}

// Both modes on one path are one watch on the server, and each hears its own.
func TestWatchersOfBothModes(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		for _, first := range []client.AddWatchMode{client.WatchPersistent, client.WatchPersistentRecursive} {
			t.Run(fmt.Sprint(era, " ", first, " first"), func(t *testing.T) {
				srv := newTree(t, opts...)
				cl := primed(t, srv)
				p := addWatch(t, cl, "/tree", first)
				r := addWatch(t, cl, "/tree", 1-first)
				if first == client.WatchPersistentRecursive {
					p, r = r, p
				}
				for range 2 {
					require.NoError(t, srv.Create("/tree/b", nil))
					heard(t, r, evCreated("/tree/b"))
					heard(t, p, evChildren("/tree"))
					require.NoError(t, srv.Set("/tree", nil))
					heard(t, r, evSet("/tree"))
					skipTo(t, p, evSet("/tree"))
					require.NoError(t, srv.Delete("/tree/b"))
					heard(t, r, evDeleted("/tree/b"))
					skipTo(t, p, evChildren("/tree"))
				}
				r.Close() // what is left for p is the recursive one, and hears nothing else of it
				require.NoError(t, cl.Sync(t.Context(), "/"))
				drain(p)
				require.NoError(t, srv.Set("/tree/a", nil))
				silent(t, cl, p)
				require.NoError(t, srv.Set("/tree", nil))
				heard(t, p, evSet("/tree"))
				p.Close()
				require.NoError(t, cl.Sync(t.Context(), "/"))
				require.Zero(t, srv.Watches())
			})
		}
	}
}

// drain takes what is there.
func drain(w *client.Watcher) {
	for len(w.C) > 0 {
		<-w.C
	}
}

// skipTo takes events up to one; those before may only be of children, which may be
// told of twice.
func skipTo(t testing.TB, w *client.Watcher, want client.Event) {
	t.Helper()
	for {
		ev, ok := receive(t, w.C)
		require.True(t, ok)
		if ev == want {
			return
		}
		require.Equal(t, client.EventNodeChildrenChanged, ev.Type)
	}
}

// However many Watchers a path has, the server has one, and they come and go without it
// as long as one is left.
func TestWatchersShareOne(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	var ws []*client.Watcher
	for range 20 {
		ws = append(ws, addWatch(t, cl, "/n", client.WatchPersistent))
	}
	require.Equal(t, 1, srv.Watches())
	require.Equal(t, 1, sent(srv, "/n", zktest.OpAddWatch))
	require.NoError(t, srv.Set("/n", nil))
	for _, w := range ws {
		heard(t, w, evSet("/n"))
	}
	for _, w := range ws[1:] {
		w.Close()
		ended(t, w)
		require.NoError(t, w.Err())
	}
	silent(t, cl, ws[0])
	require.Equal(t, 1, srv.Watches())
	require.NoError(t, srv.Set("/n", nil))
	heard(t, ws[0], evSet("/n"))
	ws[0].Close()
	again := addWatch(t, cl, "/n", client.WatchPersistent) // behind the removal
	require.NoError(t, srv.Set("/n", nil))
	heard(t, again, evSet("/n"))
	again.Close()
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
	require.Equal(t, 2, sent(srv, "/n", zktest.OpRemoveWatches))
}

// Paths are the caller's, inside a chroot too.
func TestWatcherInChroot(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := connectTo(t, srv.Addr()+"/tree")
	root := addWatch(t, cl, "/", client.WatchPersistentRecursive)
	w := addWatch(t, cl, "/a", client.WatchPersistent)
	require.NoError(t, srv.Set("/tree", nil))
	require.NoError(t, srv.Set("/tree/a", nil))
	require.NoError(t, srv.Set("/n", nil))
	heard(t, root, evSet("/"), evSet("/a"))
	heard(t, w, evSet("/a"))
	silent(t, cl, root, w)
}

func TestWatcherArguments(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := connect(t, srv, client.WithMaxRequest(1024))
	for _, tc := range []struct {
		path string
		mode client.AddWatchMode
		opt  client.WatchOption
		want error
	}{
		{"n", client.WatchPersistent, client.WithWatchBuffer(1), client.ErrBadPath},
		{"/n", -1, client.WithWatchBuffer(1), client.ErrBadArgument},
		{"/n", 2, client.WithWatchBuffer(1), client.ErrBadArgument},
		{"/n", client.WatchPersistent, nil, client.ErrBadArgument},
		{"/n", client.WatchPersistent, client.WithWatchBuffer(0), client.ErrBadArgument},
		{"/n", client.WatchPersistent, client.WithWatchBuffer(1<<20 + 1), client.ErrBadArgument},
		{"/" + string(large(984)), client.WatchPersistent, client.WithWatchBuffer(1), client.ErrTooLarge},
	} {
		w, err := cl.AddWatch(t.Context(), tc.path, tc.mode, tc.opt)
		require.ErrorIs(t, err, tc.want)
		require.Equal(t, client.NotSent, client.Outcome(err))
		require.Nil(t, w)
	}
	require.Zero(t, sent(srv, "", zktest.OpAddWatch))
	w := addWatch(t, cl, "/"+string(large(983)), client.WatchPersistent) // just fits, also when it is set again
	st := follow(t, cl)
	cut(t, srv, st)
	resynced(t, w)
	require.Equal(t, "persistent", w.Mode().String())
	require.Equal(t, "persistent recursive", client.WatchPersistentRecursive.String())
	require.Equal(t, "unknown", client.AddWatchMode(7).String())
}

// All yields events until its context or the Watcher ends, and then why.
func TestWatcherAll(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	w, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
	require.NoError(t, err)
	for ev, err := range w.All(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, client.EventResynced, ev.Type)
		break // which does not close it
	}
	require.NoError(t, srv.Set("/n", nil))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []error
	for ev, err := range w.All(ctx) {
		if got = append(got, err); err == nil {
			require.Equal(t, evSet("/n"), ev)
			cancel()
		}
	}
	require.Equal(t, []error{nil, context.Canceled}, got)
	w.Close()
	for ev, err := range w.All(t.Context()) {
		require.Fail(t, "nothing comes from a Watcher that was closed", "%v %v", ev, err)
	}
	w, err = cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
	require.NoError(t, err)
	require.NoError(t, cl.Close())
	got = nil
	for _, err := range w.All(t.Context()) {
		got = append(got, err)
	}
	require.Len(t, got, 2, "the event that was there, and the end")
	require.ErrorIs(t, got[1], client.ErrClosed)
}
