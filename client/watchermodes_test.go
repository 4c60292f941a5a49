package client_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Watchers of both modes on a path share a cover on each new connection too, which is recursive.
func TestWatchersOfBothModesAfterReconnect(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := newTree(t, append([]zktest.Option{inMemory}, opts...)...)
				cl := primed(t, srv)
				st := follow(t, cl)
				p := addWatch(t, cl, "/tree", client.WatchPersistent)
				r := addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
				other := addWatch(t, cl, "/tree", client.WatchPersistent)
				for i := range 10 { // in whichever order they are looked at
					cut(t, srv, st)
					st.until(client.Connected)
					require.NoError(t, cl.Sync(t.Context(), "/"))
					synctest.Wait()
					resynced(t, p)
					resynced(t, r)
					resynced(t, other)
					drain(other)
					drain(p) // it may be told of children again
					child := fmt.Sprint("/tree/", i)
					require.NoError(t, srv.Create(child, nil))
					heard(t, r, evCreated(child))
					heard(t, p, evChildren("/tree"))
					heard(t, other, evChildren("/tree"))
					require.NoError(t, srv.Set(child, nil))
					heard(t, r, evSet(child))
					require.NoError(t, cl.Sync(t.Context(), "/"))
					drain(p)
					drain(other)
				}
			})
		})
	}
}

// The one-shot watch that tells of children beside a recursive watch may fire as soon as it is set,
// since they have changed before: then it is set again, and tells of the next change as well.
func TestUnreadableChildrenBeforeTheWatch(t *testing.T) {
	t.Parallel()
	for era, opts := range eras {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := newTree(t, append([]zktest.Option{inMemory}, opts...)...)
				owner := primed(t, srv, client.WithAuth("digest", "u:p"), client.WithDefaultACL(client.DigestACL(client.PermAll, "u", "p")))
				cl := primed(t, srv)
				addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
				_, err := owner.Create(t.Context(), "/tree/secret", nil) // of which cl hears nothing
				require.NoError(t, err)
				w := addWatch(t, cl, "/tree", client.WatchPersistent)
				for i := range 3 {
					require.NoError(t, cl.Sync(t.Context(), "/"))
					drain(w)
					_, err = owner.Create(t.Context(), fmt.Sprint("/tree/secret", i), nil)
					require.NoError(t, err)
					heard(t, w, evChildren("/tree"))
				}
			})
		})
	}
}

// Who takes a session up from a holder that may be alive waits for the whole of its timeout, and the
// fiftieth by which clocks may differ.
func TestExclusiveTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		_, h := leaver(t, srv)
		s := session(t, connect(t, srv, client.WithSession(h)))
		began := time.Now()
		require.NoError(t, s.Exclusive(t.Context()))
		require.Equal(t, h.Timeout()*51/50, time.Since(began))
		require.NoError(t, s.Exclusive(t.Context()))
		require.Equal(t, h.Timeout()*51/50, time.Since(began))
	})
}
