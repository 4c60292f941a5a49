package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// watchers sets watches of all kinds.
func watchers(t *testing.T, o client.Ops) []*client.Watch {
	t.Helper()
	var out []*client.Watch
	for range 3 {
		_, _, w, err := o.GetW(t.Context(), "/n")
		require.NoError(t, err)
		_, _, l, err := o.ChildrenW(t.Context(), "/n")
		require.NoError(t, err)
		_, _, e, err := o.ExistsW(t.Context(), "/none")
		require.NoError(t, err)
		out = append(out, w, l, e)
	}
	return out
}

// TestB2_WatchesOfLostConnection: go-zookeeper sets its watches again after a
// reconnect, behind whatever is queued and from a zxid that may have moved on, so that
// changes are missed for ever. Here a watch ends with its connection and says so.
func TestB2_WatchesOfLostConnection(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	ws := watchers(t, cl.Ops)
	removed := ws[0]
	removed.Remove()
	srv.Refuse()
	cut(t, srv, st)
	for _, w := range ws[1:] {
		require.Equal(t, client.EventConnectionLost, event(t, w).Type)
		w.Remove()
	}
	idle(t, removed)
	require.NoError(t, srv.Set("/n", nil))
	srv.Accept()
	st.until(client.Connected)
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, sent(srv, "", zktest.OpSetWatches))
	require.Zero(t, srv.Watches())
	_, stat, w, err := cl.GetW(t.Context(), "/n")
	require.NoError(t, err)
	require.EqualValues(t, 1, stat.Version)
	w.Remove()
}

// A watch does not outlive its session, nor its client.
func TestWatchesOfSessionThatEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"expired", "closed"} {
		srv := newTree(t)
		cl := primed(t, srv)
		st := follow(t, cl)
		ws := append(watchers(t, cl.Ops), watchers(t, session(t, cl).Ops)...)
		if how == "expired" {
			require.True(t, srv.ExpireSession(session(t, cl).ID()))
			st.until(client.Lost)
		} else {
			require.NoError(t, cl.Close())
		}
		for _, w := range ws {
			require.Equal(t, client.EventConnectionLost, event(t, w).Type)
			w.Remove()
		}
		// The server notices the end of a connection by itself.
		require.Eventually(t, func() bool { return srv.Watches() == 0 }, patience, time.Millisecond)
	}
}

// What a watch has seen before its connection was lost is not overtaken by the loss.
func TestWatchKeepsItsEvent(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	_, _, w, err := cl.GetW(t.Context(), "/n")
	require.NoError(t, err)
	require.NoError(t, srv.Set("/n", nil))
	require.NoError(t, cl.Sync(t.Context(), "/"))
	cut(t, srv, st)
	require.Equal(t, client.EventNodeDataChanged, event(t, w).Type)
}

// A read that is repeated after a loss sets its watch once.
func TestWatchOfRepeatedRead(t *testing.T) {
	t.Parallel()
	for _, fault := range []func(*zktest.Server) *zktest.Fault{
		func(s *zktest.Server) *zktest.Fault { return s.DropRequest(zktest.On("/n", zktest.OpGetData)) },
		func(s *zktest.Server) *zktest.Fault { return s.SwallowReply(zktest.On("/n", zktest.OpGetData)) },
		func(s *zktest.Server) *zktest.Fault {
			return s.FailNext(zktest.On("/n", zktest.OpGetData), zktest.ThrottledOp)
		},
	} {
		srv := newTree(t)
		cl := primed(t, srv)
		f := fault(srv)
		_, _, w, err := cl.GetW(t.Context(), "/n")
		require.NoError(t, err)
		wait(t, f.Fired(), "the read was disturbed")
		require.Equal(t, 1, srv.Watches())
		idle(t, w)
		require.NoError(t, srv.Set("/n", nil))
		require.Equal(t, client.EventNodeDataChanged, event(t, w).Type)
	}
}

func TestEventTypeString(t *testing.T) {
	for typ, want := range map[client.EventType]string{
		client.EventNodeCreated: "created", client.EventNodeDeleted: "deleted", client.EventNodeDataChanged: "data changed",
		client.EventNodeChildrenChanged: "children changed", client.EventConnectionLost: "connection lost",
		client.EventResynced: "resynced", 0: "unknown",
	} {
		require.Equal(t, want, typ.String())
	}
}

// Whoever waits for a watch learns at once that the client is closed, though a silent
// server holds up the closing.
func TestWatchOfClosedClientFiresAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		_, _, w, err := cl.GetW(t.Context(), "/n")
		require.NoError(t, err)
		p.mute(true)
		start := time.Now()
		go cl.Close()
		require.Equal(t, client.EventConnectionLost, event(t, w).Type)
		require.Zero(t, time.Since(start))
	})
}
