package client_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

var watchModes = []client.AddWatchMode{client.WatchPersistent, client.WatchPersistentRecursive}

// oneShots sets a one-shot watch of each kind.
func oneShots(t testing.TB, cl *client.Client, path string) (data, exists, list *client.Watch) {
	t.Helper()
	_, _, data, err := cl.GetW(t.Context(), path)
	require.NoError(t, err)
	_, _, exists, err = cl.ExistsW(t.Context(), path)
	require.NoError(t, err)
	_, _, list, err = cl.ChildrenW(t.Context(), path)
	require.NoError(t, err)
	return data, exists, list
}

// ZOOKEEPER-4466: on servers before 3.9 a one-shot watch takes the place of a persistent
// one, which is lost when it fires. Here both go on, in whichever order they were set.
func TestOneShotsBesideWatcher(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		for _, mode := range watchModes {
			for _, before := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %v, one-shots first: %t", era, mode, before), func(t *testing.T) {
					srv := newTree(t, opts...)
					cl := primed(t, srv)
					var data, exists, list *client.Watch
					if before {
						data, exists, list = oneShots(t, cl, "/tree")
					}
					w := addWatch(t, cl, "/tree", mode)
					if !before {
						data, exists, list = oneShots(t, cl, "/tree")
					}
					for range 3 {
						require.NoError(t, srv.Set("/tree", nil))
						heard(t, w, evSet("/tree"))
						require.Equal(t, evSet("/tree"), event(t, data))
						require.Equal(t, evSet("/tree"), event(t, exists))
						idle(t, list)
						require.NoError(t, srv.Create("/tree/b", nil))
						require.Equal(t, evChildren("/tree"), event(t, list))
						require.NoError(t, srv.Delete("/tree/b"))
						if mode == client.WatchPersistent {
							heard(t, w, evChildren("/tree"), evChildren("/tree"))
						} else {
							heard(t, w, evCreated("/tree/b"), evDeleted("/tree/b"))
						}
						data, exists, list = oneShots(t, cl, "/tree")
					}
					silent(t, cl, w)
					for _, w := range []*client.Watch{data, exists, list} {
						w.Remove()
					}
					require.NoError(t, srv.Set("/tree", nil))
					heard(t, w, evSet("/tree"))
					silent(t, cl, w)
				})
			}
		}
	}
}

// The watch on the server goes with the last that needs it, be it a one-shot that has
// borrowed it.
func TestWatchStaysForOneShots(t *testing.T) {
	t.Parallel()
	for _, fires := range []bool{true, false} {
		for _, mode := range watchModes {
			srv := newTree(t)
			cl := primed(t, srv)
			w := addWatch(t, cl, "/n", mode)
			data, exists, list := oneShots(t, cl, "/n")
			list.Remove()
			w.Close()
			require.NoError(t, cl.Sync(t.Context(), "/"))
			require.Zero(t, sent(srv, "/n", zktest.OpRemoveWatches))
			if fires {
				require.NoError(t, srv.Set("/n", nil))
				require.Equal(t, evSet("/n"), event(t, data))
				require.Equal(t, evSet("/n"), event(t, exists))
			} else {
				data.Remove()
				exists.Remove()
			}
			require.NoError(t, cl.Sync(t.Context(), "/"))
			require.Equal(t, 1, sent(srv, "/n", zktest.OpRemoveWatches))
			require.Zero(t, srv.Watches())
		}
	}
}

// A read that is under way when the last Watcher goes keeps the watch that it has
// borrowed, until it has its answer.
func TestWatchStaysForReadUnderWay(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	w := addWatch(t, cl, "/n", client.WatchPersistent)
	for _, abandon := range []bool{false, true} {
		held := srv.HoldReply(zktest.On("/n", zktest.OpGetData))
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan *client.Watch, 1)
		go func() {
			_, _, w, err := cl.GetW(ctx, "/n")
			assert.Equal(t, abandon, err != nil)
			got <- w
		}()
		wait(t, held.Fired(), "the read is under way")
		w.Close()
		if abandon {
			cancel()
			receive(t, got)
		}
		require.Equal(t, 1, srv.Watches())
		held.Release()
		if !abandon {
			data, _ := receive(t, got)
			require.NoError(t, srv.Set("/n", nil))
			require.Equal(t, evSet("/n"), event(t, data))
		}
		cancel()
		for range 2 {
			require.NoError(t, cl.Sync(t.Context(), "/"))
		}
		require.Zero(t, srv.Watches())
		w = addWatch(t, cl, "/n", client.WatchPersistent)
	}
}

// A one-shot watch that relies on a persistent one which the server then refuses says so.
func TestOneShotBehindRefusedWatch(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	_, _, own, err := cl.GetW(t.Context(), "/n") // which does not rely on it
	require.NoError(t, err)
	held := srv.HoldReply(zktest.On("/tree", zktest.OpGetData)) // those behind it wait, too
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _, _, _ = cl.Get(t.Context(), "/tree") })
	wait(t, held.Fired(), "replies are held up")
	srv.FailNext(zktest.On("/n", zktest.OpAddWatch), zktest.Unimplemented)
	refused := make(chan error, 1)
	wg.Go(func() {
		_, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
		refused <- err
	})
	require.Eventually(t, func() bool { return sent(srv, "/n", zktest.OpAddWatch) == 1 }, patience, time.Millisecond)
	got := make(chan *client.Watch, 1)
	wg.Go(func() {
		_, _, w, err := cl.GetW(t.Context(), "/n")
		assert.NoError(t, err)
		got <- w
	})
	require.Eventually(t, func() bool { return sent(srv, "/n", zktest.OpGetData) == 3 }, patience, time.Millisecond)
	held.Release()
	err, _ = receive(t, refused)
	require.ErrorIs(t, err, client.ErrUnimplemented)
	w, _ := receive(t, got)
	require.Equal(t, client.EventConnectionLost, event(t, w).Type)
	idle(t, own)
	require.NoError(t, srv.Set("/n", nil))
	require.Equal(t, evSet("/n"), event(t, own))
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
}

// Below a recursive watch the server sends one event for it and for a one-shot watch on
// the node: both hear of it.
func TestOneShotBelowRecursiveWatch(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		t.Run(era, func(t *testing.T) {
			srv := newTree(t, opts...)
			cl := primed(t, srv)
			w := addWatch(t, cl, "/", client.WatchPersistentRecursive)
			for range 2 {
				_, _, exists, err := cl.ExistsW(t.Context(), "/tree/b")
				require.NoError(t, err)
				_, _, list, err := cl.ChildrenW(t.Context(), "/tree")
				require.NoError(t, err)
				require.NoError(t, srv.Create("/tree/b", nil))
				require.Equal(t, evCreated("/tree/b"), event(t, exists))
				require.Equal(t, evChildren("/tree"), event(t, list))
				data, exists, list := oneShots(t, cl, "/tree/b")
				require.NoError(t, srv.Delete("/tree/b"))
				for _, w := range []*client.Watch{data, exists, list} {
					require.Equal(t, evDeleted("/tree/b"), event(t, w))
				}
				heard(t, w, evCreated("/tree/b"), evDeleted("/tree/b"))
			}
			silent(t, cl, w)
		})
	}
}

// Servers keep back what a recursive watch would say of children that the client may
// not read. That the set of children has changed is heard all the same.
func TestUnreadableChildrenUnderRecursiveWatch(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		for _, recursiveFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, recursive first: %t", era, recursiveFirst), func(t *testing.T) {
				srv := newTree(t, opts...)
				owner := primed(t, srv, client.WithAuth("digest", "u:p"), client.WithDefaultACL(client.DigestACL(client.PermAll, "u", "p")))
				cl := primed(t, srv)
				if recursiveFirst {
					addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
				}
				w := addWatch(t, cl, "/tree", client.WatchPersistent)
				_, _, list, err := cl.ChildrenW(t.Context(), "/tree")
				require.NoError(t, err)
				if !recursiveFirst {
					addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
				}
				for i := range 10 {
					require.NoError(t, cl.Sync(t.Context(), "/"))
					drain(w)
					_, err = owner.Create(t.Context(), fmt.Sprint("/tree/secret", i), nil)
					require.NoError(t, err)
					require.Equal(t, evChildren("/tree"), event(t, list))
					heard(t, w, evChildren("/tree"))
					_, _, list, err = cl.ChildrenW(t.Context(), "/tree")
					require.NoError(t, err)
				}
			})
		}
	}
}

// A list of children that shows a change comes behind the change's event, also when the
// change before it has been told of by the same watch a moment ago.
func TestChildrenEventBeforeNewerList(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		t.Run(era, func(t *testing.T) {
			srv := newTree(t, opts...)
			cl := primed(t, srv)
			addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
			w := addWatch(t, cl, "/tree", client.WatchPersistent)
			require.NoError(t, cl.Sync(t.Context(), "/"))
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			srv.OnRequest(func(r zktest.Request) {
				switch r.Op {
				case zktest.OpGetChildren2:
					assert.NoError(t, srv.Create("/tree/b", nil))
					assert.Equal(t, evChildren("/tree"), <-w.C)
					assert.NoError(t, srv.Create("/tree/c", nil))
				case zktest.OpSetWatches2: // by which the watch on the children is set again
					<-release
				}
			})
			names, _, err := cl.Children(t.Context(), "/tree")
			require.NoError(t, err)
			require.Equal(t, []string{"a", "b", "c"}, names)
			require.Len(t, w.C, 1, "one event for each change")
		})
	}
}
