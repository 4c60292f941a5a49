package zktest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

const (
	created  = jute.EventNodeCreated
	deleted  = jute.EventNodeDeleted
	changed  = jute.EventNodeDataChanged
	children = jute.EventNodeChildrenChanged
)

// addWatch sets a persistent watch. The reply has the body that real servers send.
func (w *wire) addWatch(path string, mode int32) {
	w.t.Helper()
	out := jute.CountReply{Count: 7}
	h := w.call(jute.OpAddWatch, &jute.PathTypeRequest{Path: path, Type: mode}, &out)
	require.Equal(w.t, jute.OK, h.Err)
	require.Zero(w.t, out.Count)
}

func (w *wire) removeWatch(path string, kind int32) jute.Code {
	w.t.Helper()
	return w.call(jute.OpRemoveWatches, &jute.PathTypeRequest{Path: path, Type: kind}, nil).Err
}

// hears requires exactly these events.
func (w *wire) hears(events ...jute.WatcherEvent) {
	w.t.Helper()
	for _, want := range events {
		require.Equal(w.t, want, w.event())
	}
	w.quiet()
}

// live takes /a through all that can happen to it and to a node below, twice.
func live(t *testing.T, s *zktest.Server, w *wire, each ...jute.WatcherEvent) {
	t.Helper()
	for range 2 {
		require.NoError(t, s.Create("/a", nil))
		require.NoError(t, s.Set("/a", nil))
		require.NoError(t, s.Create("/a/b", nil))
		require.NoError(t, s.Set("/a/b", nil))
		require.NoError(t, s.Delete("/a"))
		w.hears(each...)
	}
}

func TestPersistentWatch(t *testing.T) {
	for _, opts := range [][]zktest.Option{nil, {zktest.WithSeparateWatchModes()}} {
		s := zktest.Start(t, opts...)
		w := open(t, s.Addr())
		w.addWatch("/a", jute.AddWatchPersistent)
		live(t, s, w, watchEvent(created, "/a"), watchEvent(changed, "/a"), watchEvent(children, "/a"),
			watchEvent(children, "/a"), watchEvent(deleted, "/a"))
		require.Equal(t, []zktest.Watch{{Path: "/a", Mode: zktest.PersistentWatch, Session: w.sess.SessionID}}, s.WatchList())
		require.Equal(t, 1, s.Watches())
	}
}

func TestRecursiveWatch(t *testing.T) {
	for _, opts := range [][]zktest.Option{nil, {zktest.WithSeparateWatchModes()}} {
		for _, at := range []string{"/a", "/"} {
			s := zktest.Start(t, opts...)
			w := open(t, s.Addr())
			w.addWatch(at, jute.AddWatchPersistentRecursive)
			live(t, s, w, watchEvent(created, "/a"), watchEvent(changed, "/a"), watchEvent(created, "/a/b"),
				watchEvent(changed, "/a/b"), watchEvent(deleted, "/a/b"), watchEvent(deleted, "/a"))
			require.Equal(t, []zktest.Watch{{Path: at, Mode: zktest.RecursiveWatch, Session: w.sess.SessionID}}, s.WatchList())
		}
	}
}

// However many watches of a connection match, it hears of an event once.
func TestWatchesThatOverlap(t *testing.T) {
	for _, opts := range [][]zktest.Option{nil, {zktest.WithSeparateWatchModes()}} {
		s := zktest.Start(t, opts...)
		w := open(t, s.Addr())
		require.NoError(t, s.Create("/a/b", nil))
		w.addWatch("/", jute.AddWatchPersistentRecursive)
		w.addWatch("/a", jute.AddWatchPersistentRecursive)
		w.addWatch("/a/b", jute.AddWatchPersistent)
		w.children("/a", true)
		require.NoError(t, s.Set("/a/b", nil))
		w.hears(watchEvent(changed, "/a/b"))
		require.NoError(t, s.Create("/a/b/c", nil))
		w.hears(watchEvent(created, "/a/b/c"), watchEvent(children, "/a/b"))
		require.NoError(t, s.Delete("/a/b"))
		w.hears(watchEvent(deleted, "/a/b/c"), watchEvent(children, "/a/b"), watchEvent(deleted, "/a/b"), watchEvent(children, "/a"))
	}
}

// On 3.6 to 3.8 a read with a watch makes the persistent watch of the path one-shot: in
// the table for data or in the one for children, and only there.
func TestOneShotReplacesPersistent(t *testing.T) {
	for _, c := range []struct {
		mode     int32
		read     func(w *wire)
		old, new []jute.WatcherEvent // of two changes, a child that comes, and the end of both
	}{
		{jute.AddWatchPersistent, func(w *wire) { w.getData("/a", true) },
			[]jute.WatcherEvent{watchEvent(changed, "/a"), watchEvent(children, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a")},
			[]jute.WatcherEvent{
				watchEvent(changed, "/a"), watchEvent(changed, "/a"), watchEvent(children, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a"),
			}},
		{jute.AddWatchPersistent, func(w *wire) { w.children("/a", true) },
			[]jute.WatcherEvent{watchEvent(changed, "/a"), watchEvent(changed, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a")},
			[]jute.WatcherEvent{
				watchEvent(changed, "/a"), watchEvent(changed, "/a"), watchEvent(children, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a"),
			}},
		{jute.AddWatchPersistentRecursive, func(w *wire) { w.exists("/a", true) },
			[]jute.WatcherEvent{watchEvent(changed, "/a"), watchEvent(deleted, "/a/b"), watchEvent(deleted, "/a")},
			[]jute.WatcherEvent{
				watchEvent(changed, "/a"), watchEvent(changed, "/a"), watchEvent(created, "/a/b"), watchEvent(deleted, "/a/b"), watchEvent(deleted, "/a"),
			}},
	} {
		for _, separate := range []bool{false, true} {
			var opts []zktest.Option
			want := c.old
			if separate {
				opts, want = append(opts, zktest.WithSeparateWatchModes()), c.new
			}
			s := zktest.Start(t, opts...)
			w := open(t, s.Addr())
			require.NoError(t, s.Create("/a", nil))
			w.addWatch("/a", c.mode)
			c.read(w)
			require.NoError(t, s.Set("/a", nil))
			require.NoError(t, s.Set("/a", nil))
			require.NoError(t, s.Create("/a/b", nil))
			require.NoError(t, s.Delete("/a"))
			w.hears(want...)
		}
	}
}

func TestPersistentReplacesOneShot(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a", nil))
	w.getData("/a", true)
	w.children("/a", true)
	w.addWatch("/a", jute.AddWatchPersistentRecursive)
	w.addWatch("/a", jute.AddWatchPersistent)
	require.Equal(t, []zktest.Watch{{Path: "/a", Mode: zktest.PersistentWatch, Session: w.sess.SessionID}}, s.WatchList())
	require.NoError(t, s.Delete("/a"))
	w.hears(watchEvent(deleted, "/a"))
	live(t, s, w, watchEvent(created, "/a"), watchEvent(changed, "/a"), watchEvent(children, "/a"),
		watchEvent(children, "/a"), watchEvent(deleted, "/a"))
}

func TestAddWatchThatIsWrong(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, mode := range []int32{-1, 2, 77} {
		require.Equal(t, jute.MarshallingError, w.call(jute.OpAddWatch, &jute.PathTypeRequest{Path: "/a", Type: mode}, nil).Err)
	}
	require.Equal(t, jute.MarshallingError, w.call(jute.OpAddWatch, &jute.PathRequest{Path: "/a"}, nil).Err)
	require.Zero(t, s.Watches())
	w.addWatch("no path/", jute.AddWatchPersistent) // is not refused, and in vain
	require.Equal(t, 1, s.Watches())
}

// On 3.8 the types for children and for data take one half away.
func TestRemovePersistentWatches(t *testing.T) {
	for _, c := range []struct {
		mode, kind int32
		code       jute.Code
		want       []jute.WatcherEvent // of a change, a child's creation and the end of both
	}{
		{jute.AddWatchPersistent, jute.WatchChildren, jute.OK, []jute.WatcherEvent{watchEvent(changed, "/a"), watchEvent(deleted, "/a")}},
		{jute.AddWatchPersistent, jute.WatchData, jute.OK,
			[]jute.WatcherEvent{watchEvent(children, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a")}},
		{jute.AddWatchPersistent, jute.WatchAny, jute.OK, nil},
		{jute.AddWatchPersistent, jute.WatchPersistent, jute.MarshallingError, []jute.WatcherEvent{
			watchEvent(changed, "/a"), watchEvent(children, "/a"), watchEvent(children, "/a"), watchEvent(deleted, "/a"),
		}},
		{jute.AddWatchPersistentRecursive, jute.WatchChildren, jute.OK, []jute.WatcherEvent{
			watchEvent(changed, "/a"), watchEvent(created, "/a/b"), watchEvent(deleted, "/a/b"), watchEvent(deleted, "/a"),
		}},
		{jute.AddWatchPersistentRecursive, jute.WatchData, jute.OK, []jute.WatcherEvent{watchEvent(deleted, "/a/b"), watchEvent(deleted, "/a")}},
		{jute.AddWatchPersistentRecursive, jute.WatchAny, jute.OK, nil},
	} {
		s := zktest.Start(t)
		w := open(t, s.Addr())
		require.NoError(t, s.Create("/a", nil))
		w.addWatch("/a", c.mode)
		require.Equal(t, c.code, w.removeWatch("/a", c.kind))
		if c.code == jute.OK {
			require.Equal(t, jute.NoWatcher, w.removeWatch("/a", c.kind))
		}
		require.NoError(t, s.Set("/a", nil))
		require.NoError(t, s.Create("/a/b", nil))
		require.NoError(t, s.Delete("/a"))
		w.hears(c.want...)
	}
}

// From 3.9 on removeWatches names the mode.
func TestRemoveSeparateWatches(t *testing.T) {
	s := zktest.Start(t, zktest.WithSeparateWatchModes())
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a", nil))
	w.addWatch("/a", jute.AddWatchPersistent)
	w.addWatch("/a", jute.AddWatchPersistentRecursive)
	w.getData("/a", true)
	w.children("/a", true)
	for i, kind := range []int32{jute.WatchPersistent, jute.WatchChildren, jute.WatchPersistentRecursive, jute.WatchData} {
		require.Equal(t, 4-i, s.Watches())
		require.Equal(t, jute.OK, w.call(jute.OpCheckWatches, &jute.PathTypeRequest{Path: "/a", Type: kind}, nil).Err)
		require.Equal(t, jute.OK, w.removeWatch("/a", kind), "type %d", kind)
		require.Equal(t, jute.NoWatcher, w.removeWatch("/a", kind), "type %d", kind)
	}
	w.addWatch("/a", jute.AddWatchPersistent)
	w.addWatch("/a", jute.AddWatchPersistentRecursive)
	require.Equal(t, jute.OK, w.removeWatch("/a", jute.WatchAny))
	require.Zero(t, s.Watches())
}

// setWatches2 sets persistent watches anew; they do not tell what has been missed.
func TestSetWatches2(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	require.NoError(t, s.Create("/a", nil))
	require.NoError(t, s.Create("/r/x", nil))
	xid := w.send(jute.OpSetWatches2, &jute.SetWatches2Request{
		SetWatchesRequest: jute.SetWatchesRequest{Data: []string{"/a"}, Exist: []string{}, Child: []string{"/gone"}},
		Persistent:        []string{"/a", "/b"}, Recursive: []string{"/r"},
	})
	require.Equal(t, watchEvent(changed, "/a"), w.event())
	require.Equal(t, watchEvent(deleted, "/gone"), w.event())
	require.Equal(t, xid, w.recv(nil).Xid)
	w.quiet()
	for range 2 {
		require.NoError(t, s.Set("/a", nil))
		require.NoError(t, s.Create("/b", nil))
		require.NoError(t, s.Delete("/b"))
		require.NoError(t, s.Set("/r/x", nil))
		w.hears(watchEvent(changed, "/a"), watchEvent(created, "/b"), watchEvent(deleted, "/b"), watchEvent(changed, "/r/x"))
	}
	s.DropConnections()
	require.Zero(t, s.Watches())
}

// Who may not read a node is not told by a recursive watch either.
func TestRecursiveWatchNeedsPermission(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	other.addWatch("/", jute.AddWatchPersistentRecursive)
	w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(30)}, &jute.PathReply{})
	require.NoError(t, s.Set("/a", nil))
	other.quiet()
	require.NoError(t, s.Create("/a/b", nil))
	other.hears(watchEvent(created, "/a/b"))
}
