package zktest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func watchEvent(kind int32, path string) jute.WatcherEvent {
	return jute.WatcherEvent{Type: kind, State: 3, Path: path}
}

// quiet requires that no event is on its way: the reply to a ping is the next frame.
func (w *wire) quiet() {
	w.t.Helper()
	w.call(jute.OpPing, nil, nil)
}

func (w *wire) getData(path string, watch bool) jute.Code {
	w.t.Helper()
	return w.call(jute.OpGetData, &jute.PathWatchRequest{Path: path, Watch: watch}, &jute.DataReply{}).Err
}

func (w *wire) children(path string, watch bool) jute.Code {
	w.t.Helper()
	return w.call(jute.OpGetChildren2, &jute.PathWatchRequest{Path: path, Watch: watch}, &jute.Children2Reply{}).Err
}

func TestWatchesFireOnce(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a", nil))
	w.getData("/a", true)
	w.getData("/a", true) // the same watch
	w.exists("/a", true)  // the same watch
	require.Equal(t, 1, s.Watches())
	require.NoError(t, s.Set("/a", []byte("1")))
	require.NoError(t, s.Set("/a", []byte("2")))
	require.Equal(t, watchEvent(jute.EventNodeDataChanged, "/a"), w.event())
	w.quiet()
	require.Zero(t, s.Watches())
}

func TestExistsWatchOnMissingNode(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	_, code := w.exists("/a", true)
	require.Equal(t, jute.NoNode, code)
	require.Equal(t, jute.NoNode, w.getData("/a", true))
	require.Equal(t, jute.NoNode, w.children("/a", true))
	require.Equal(t, 1, s.Watches(), "only exists leaves a watch on a node that is not there")
	require.NoError(t, s.Create("/a", nil))
	require.Equal(t, watchEvent(jute.EventNodeCreated, "/a"), w.event())
	w.quiet()
}

func TestChildWatches(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a/b", nil))
	w.children("/a", true)
	require.NoError(t, s.Set("/a/b", nil))
	require.NoError(t, s.Set("/a", nil))
	w.quiet()
	require.NoError(t, s.Create("/a/c", nil))
	require.Equal(t, watchEvent(jute.EventNodeChildrenChanged, "/a"), w.event())
	w.children("/a", true)
	require.NoError(t, s.Delete("/a/c"))
	require.Equal(t, watchEvent(jute.EventNodeChildrenChanged, "/a"), w.event())
	w.quiet()
}

// On deletion a client with both kinds of watches hears of the node once; then comes the parent.
func TestDeletionEvents(t *testing.T) {
	s := zktest.Start(t)
	both, child := open(t, s.Addr()), open(t, s.Addr())
	require.NoError(t, s.Create("/a/b", nil))
	both.getData("/a/b", true)
	both.children("/a/b", true)
	both.children("/a", true)
	child.children("/a/b", true)
	require.NoError(t, s.Delete("/a/b"))
	require.Equal(t, watchEvent(jute.EventNodeDeleted, "/a/b"), both.event())
	require.Equal(t, watchEvent(jute.EventNodeChildrenChanged, "/a"), both.event())
	both.quiet()
	require.Equal(t, watchEvent(jute.EventNodeDeleted, "/a/b"), child.event())
	child.quiet()
	require.Zero(t, s.Watches())
}

// The event of a change reaches a connection before anything that was answered after
// it, also when the connection itself makes the change.
func TestEventsComeBeforeLaterReplies(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.mustCreate("/a", 0)
	w.getData("/a", true)
	xid := w.send(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Version: -1})
	require.Equal(t, jute.EventNodeDataChanged, w.event().Type)
	require.Equal(t, xid, w.recv(&jute.Stat{}).Xid)

	for range 50 {
		w.getData("/a", true)
		// Sent together, answered in order; the change is somewhere in between.
		const reads = 20
		for range reads {
			w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
		}
		var st jute.Stat
		other.call(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Version: -1}, &st)
		seen := false
		for got := 0; got < reads || !seen; {
			var out jute.DataReply
			d := jute.NewDecoder(w.read())
			var h jute.ReplyHeader
			h.Decode(d)
			if h.Xid == jute.XidNotification {
				seen = true
				continue
			}
			out.Decode(d)
			got++
			require.Equal(t, seen, out.Stat.Version == st.Version, "new data before its event, or old data after it")
		}
	}
}

func TestRemoveWatches(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a", nil))
	ask := func(op jute.Op, kind int32) jute.Code {
		return w.call(op, &jute.PathTypeRequest{Path: "/a", Type: kind}, nil).Err
	}
	require.Equal(t, jute.NoWatcher, ask(jute.OpRemoveWatches, jute.WatchAny))
	w.getData("/a", true)
	require.Equal(t, jute.OK, ask(jute.OpCheckWatches, jute.WatchData))
	require.Equal(t, jute.NoWatcher, ask(jute.OpCheckWatches, jute.WatchChildren))
	require.Equal(t, jute.NoWatcher, ask(jute.OpRemoveWatches, jute.WatchChildren))
	require.Equal(t, jute.OK, ask(jute.OpRemoveWatches, jute.WatchData))
	require.Equal(t, jute.NoWatcher, ask(jute.OpRemoveWatches, jute.WatchData))
	w.getData("/a", true)
	w.children("/a", true)
	require.Equal(t, jute.OK, ask(jute.OpRemoveWatches, jute.WatchAny))
	require.Zero(t, s.Watches())
	require.NoError(t, s.Set("/a", nil))
	w.quiet()
	require.Equal(t, jute.MarshallingError, ask(jute.OpRemoveWatches, 9))
}

func TestWatchesGoWithTheirConnection(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.exists("/a", true)
	require.Equal(t, 1, s.Watches())
	s.DropConnections()
	require.Zero(t, s.Watches())
	again := dial(t, s.Addr())
	again.connect(&jute.ConnectRequest{TimeoutMillis: 5000, SessionID: w.sess.SessionID, Password: w.sess.Password})
	require.NoError(t, s.Create("/a", nil))
	again.quiet()
}

func TestSetWatches(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, p := range []string{"/same", "/changed", "/kids/x"} {
		require.NoError(t, s.Create(p, nil))
	}
	seen := s.Zxid()
	require.NoError(t, s.Set("/changed", nil))
	require.NoError(t, s.Create("/kids/y", nil))
	require.NoError(t, s.Create("/appeared", nil))
	xid := w.send(jute.OpSetWatches, &jute.SetWatchesRequest{
		RelativeZxid: seen,
		Data:         []string{"/same", "/changed", "/gone"},
		Exist:        []string{"/appeared", "/never"},
		Child:        []string{"/same", "/kids", "/gone2"},
	})
	for _, want := range []jute.WatcherEvent{
		watchEvent(jute.EventNodeDataChanged, "/changed"),
		watchEvent(jute.EventNodeDeleted, "/gone"),
		watchEvent(jute.EventNodeCreated, "/appeared"),
		watchEvent(jute.EventNodeChildrenChanged, "/kids"),
		watchEvent(jute.EventNodeDeleted, "/gone2"),
	} {
		require.Equal(t, want, w.event())
	}
	require.Equal(t, xid, w.recv(nil).Xid)
	require.Equal(t, 3, s.Watches())
	require.NoError(t, s.Create("/never", nil))
	require.Equal(t, watchEvent(jute.EventNodeCreated, "/never"), w.event())
}

// Who may not read a node is not told of what becomes of it.
func TestEventsNeedPermission(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(30)}, &jute.PathReply{})
	_, code := other.exists("/a", true)
	require.Equal(t, jute.OK, code, "exists needs no permission")
	require.NoError(t, s.Set("/a", nil))
	other.quiet()
	require.Zero(t, s.Watches())
}
