package client

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
	"github.com/zookit/zookit/zktest"
)

// empty checks that the table holds nothing for anybody.
func (t *watchTable) empty(tb testing.TB) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	require.Empty(tb, t.armed)
	require.Empty(tb, t.coming)
	require.Empty(tb, t.owed)
	require.Empty(tb, t.covers)
}

// The table does not grow, whatever becomes of the watches.
func TestWatchTableForgets(t *testing.T) {
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/n", nil))
	cl, err := Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer cl.Close()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 60 {
				ctx, cancel := context.WithCancel(t.Context())
				if n%5 == 0 {
					go cancel()
				}
				if n == 20 && i == 0 {
					srv.DropConnections()
				}
				path := []string{"/n", "/none", "/n/none"}[n%3]
				_, _, w, _ := s.ExistsW(ctx, path)
				_, _, g, _ := s.GetW(ctx, path)
				_, _, l, _ := s.ChildrenW(ctx, path)
				if n%7 == 0 {
					_, err := s.Set(t.Context(), "/n", nil, AnyVersion)
					assert.NotEqual(t, NotSent, Outcome(err), "%v", err)
				}
				for _, w := range []*Watch{w, g, l} {
					if w != nil {
						w.Remove()
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for range 2 {
		require.NoError(t, s.Sync(t.Context(), "/"))
	}
	require.Zero(t, srv.Watches())
	s.watches.empty(t)
}

// The connection is replaced between the announcement of a watch and the sending of
// its read: the watch belongs to the connection that has carried the read.
func TestWatchTableOfReadSentOverNextConnection(t *testing.T) {
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/n", nil))
	cl, err := Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer cl.Close()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)

	fired := make(chan Event, 1)
	w := &Watch{table: s.watches, key: watchKey{path: "/n", kind: jute.WatchData}, fire: func(ev Event) { fired <- ev }}
	r := s.read(jute.OpGetData, "/n", true, &jute.DataReply{})
	r.prepare = func(s *Session, call *wire.Call) {
		s.watches.announce(w, call, false)
		reconnected := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			seen := Connected
			for change := range cl.States(ctx) {
				if seen == Suspended && change.State == Connected {
					close(reconnected)
					return
				}
				if seen == Connected && change.State == Connected {
					srv.DropConnections()
				}
				seen = change.State
			}
		}()
		<-reconnected
	}
	require.NoError(t, s.exec(t.Context(), r))
	require.Equal(t, 1, srv.Watches())
	require.NoError(t, srv.Set("/n", nil))
	require.Equal(t, EventNodeDataChanged, (<-fired).Type)
	require.NoError(t, s.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
	s.watches.empty(t)
}
