package client

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func bare(path string, buffer int) *Watcher {
	c := &Client{}
	c.Ops.c = c
	return newWatcher(c, path, WatchPersistentRecursive, buffer)
}

func event(i int) Event { return Event{Type: EventNodeDataChanged, Path: fmt.Sprint("/", i)} }

// What does not fit is replaced by one request to read again, and so is everything
// until that was received.
func TestWatcherOverflows(t *testing.T) {
	again := Event{Type: EventResynced, Path: "/w"}
	for _, buffer := range []int{1, 2, 5} {
		w := bare("/w", buffer)
		for range 3 {
			for i := range buffer + 10 {
				w.put(event(i))
			}
			w.resynced() // that of a new connection has no place either, and needs none
			require.Len(t, w.C, buffer+1)
			for i := range buffer {
				require.Equal(t, event(i), <-w.C)
				w.put(event(100)) // room alone does not help: there would be a gap
			}
			require.Equal(t, again, <-w.C)
			require.Empty(t, w.C)
		}
		w.put(event(7))
		require.Equal(t, event(7), <-w.C, "when it was received events come again")
		w.finish(nil)
		w.put(event(8))
		_, ok := <-w.C
		require.False(t, ok)
	}
}

// A consumer that reads whenever it is told to ends with the newest value, however far
// it lags behind and whenever it takes its events.
func TestWatcherOverflowLosesNothing(t *testing.T) {
	w := bare("/w", 2)
	var now atomic.Int64 // the node
	var wg sync.WaitGroup
	const last = 200_000
	wg.Go(func() {
		for i := range int64(last) {
			now.Store(i + 1)
			w.put(Event{Type: EventNodeDataChanged, Path: "/w"})
		}
		w.finish(nil)
	})
	seen := int64(0)
	for range w.C {
		seen = now.Load()
	}
	wg.Wait()
	require.EqualValues(t, last, seen)
}

// The same over a connection, whose event may be put while the answer to a read that
// was sent upon EventResynced is on its way.
func TestWatcherOverflowOverConnection(t *testing.T) {
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/w", nil))
	cl, err := Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer cl.Close()
	w, err := cl.AddWatch(t.Context(), "/w", WatchPersistent, WithWatchBuffer(1))
	require.NoError(t, err)
	const first, last = 5, 3000
	for range first {
		require.NoError(t, srv.Set("/w", nil))
	}
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Len(t, w.C, 2, "there was no place for them")
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for range last - first {
			_ = srv.Set("/w", nil)
		}
	})
	for range w.C {
		_, stat, err := cl.Get(t.Context(), "/w")
		require.NoError(t, err)
		if stat.Version == last {
			break
		}
	}
}

// Watchers come and go while events, losses and one-shot watches do: no event is sent
// on a closed channel, and nothing is left.
func TestWatcherStress(t *testing.T) {
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/n/m", nil))
	cl, err := Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer cl.Close()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	stop := make(chan struct{})
	var changes, wg sync.WaitGroup
	changes.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			path := []string{"/n", "/n/m"}[i%2]
			_ = srv.Set(path, nil)
			_ = srv.Create("/n/x", nil)
			_ = srv.Delete("/n/x")
		}
	})
	for i := range 8 {
		wg.Go(func() {
			for n := range 60 {
				if n == 30 && i == 0 {
					srv.DropConnections()
				}
				path := []string{"/n", "/n/m", "/"}[n%3]
				w, err := cl.AddWatch(t.Context(), path, AddWatchMode(n/3%2), WithWatchBuffer(1+n%3))
				if err != nil {
					t.Error(err)
					return
				}
				if ev := <-w.C; ev.Type != EventResynced {
					t.Error(ev)
				}
				_, _, g, _ := cl.GetW(t.Context(), path)
				_, _, l, _ := cl.ChildrenW(t.Context(), path)
				if n%4 == 0 && path != "/" && g != nil {
					<-g.C
				}
				both := sync.WaitGroup{}
				both.Go(w.Close)
				both.Go(w.Close)
				both.Wait()
				for _, w := range []*Watch{g, l} {
					if w != nil {
						w.Remove()
					}
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	changes.Wait()
	for range 2 {
		require.NoError(t, cl.Sync(t.Context(), "/"))
	}
	require.Empty(t, srv.WatchList())
	require.Empty(t, cl.watchers.all)
	s.watches.empty(t)
}

// Answers that come when nobody waits for them any more change nothing.
func TestLateAnswersToWatches(t *testing.T) {
	srv := zktest.Start(t)
	cl, err := Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer cl.Close()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Sync(t.Context(), "/"))
	table := s.watches
	c := &cover{path: "/gone", asked: WatchPersistent, stands: notWatched}
	table.mu.Lock()
	now := table.losses
	table.mu.Unlock()
	for _, connection := range []uint64{now, now - 1} {
		call := setWatches([]want{{c, WatchPersistent}})
		call.Code = jute.Unimplemented
		table.answered(call, []want{{c, WatchPersistent}}, connection)
		table.childrenKept(c, connection, 1)
		require.NoError(t, table.askAgain(t.Context(), []want{{c, WatchPersistent}}, connection))
		require.False(t, c.failed)
	}
	table.empty(t)
}
