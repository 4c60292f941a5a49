package zktest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// data reads a node, which has to be there.
func (w *wire) data(path string) (string, int64) {
	w.t.Helper()
	var out jute.DataReply
	h := w.call(jute.OpGetData, &jute.PathWatchRequest{Path: path}, &out)
	require.Equal(w.t, jute.OK, h.Err)
	return string(out.Data), h.Zxid
}

// A door that lags behind shows the tree as it was in every reply, and then as it is.
func TestLagShowsThePast(t *testing.T) {
	s, doors := ensemble(t)
	require.NoError(t, s.Create("/a", []byte("old")))
	require.NoError(t, s.Create("/gone/x", nil))
	w, other := open(t, doors[0].Addr()), open(t, doors[1].Addr())
	owner := open(t, doors[1].Addr())
	owner.mustCreate("/e", jute.FlagEphemeral)
	before := s.Zxid()
	doors[0].Lag()
	doors[0].Lag()
	require.NoError(t, s.Set("/a", []byte("new")))
	require.NoError(t, s.Delete("/gone"))
	owner.mustCreate("/a/b", jute.FlagPersistent)
	owner.call(jute.OpCloseSession, nil, nil)
	for range 2 {
		text, zxid := w.data("/a")
		require.Equal(t, "old", text)
		require.Equal(t, before, zxid)
		_, code := w.exists("/e", false)
		require.Equal(t, jute.OK, code)
		_, code = w.exists("/gone/x", false)
		require.Equal(t, jute.OK, code)
		st, _ := w.exists("/a", false)
		require.Zero(t, st.NumChildren)
	}
	text, _ := other.data("/a")
	require.Equal(t, "new", text)
	require.Contains(t, word(t, s, "srvr"), "\nNode count: 9\n")

	// Read while the door catches up: each change has reached its copy.
	w.send(jute.OpSync, &jute.PathRequest{Path: "/"})
	w.send(jute.OpExists, &jute.PathWatchRequest{Path: "/gone/x"})
	w.send(jute.OpExists, &jute.PathWatchRequest{Path: "/e"})
	require.Eventually(t, func() bool { return len(s.Requests(zktest.On("/e", zktest.OpExists))) == 3 }, deadline, time.Millisecond)
	doors[0].CatchUp()
	doors[0].CatchUp()
	require.Equal(t, jute.OK, w.recv(&jute.PathReply{}).Err)
	require.Equal(t, jute.NoNode, w.recv(nil).Err)
	require.Equal(t, jute.NoNode, w.recv(nil).Err)
	text, zxid := w.data("/a")
	require.Equal(t, "new", text)
	require.Equal(t, s.Zxid(), zxid)
	st, _ := w.exists("/a", false)
	require.EqualValues(t, 1, st.NumChildren)
	for _, path := range []string{"/gone", "/e"} {
		_, code := w.exists(path, false)
		require.Equal(t, jute.NoNode, code)
	}
}

// Events, replies to writes and what is read behind them come in the order of the
// transactions, and each read sees the tree of its place in it.
func TestLagKeepsTheOrder(t *testing.T) {
	s, doors := ensemble(t)
	require.NoError(t, s.Create("/a", []byte("0")))
	w := open(t, doors[0].Addr())
	w.addWatch("/a", jute.AddWatchPersistent)
	bystander := open(t, doors[0].Addr())
	doors[0].Lag()
	require.NoError(t, s.Set("/a", []byte("1")))
	first := w.send(jute.OpSetData, &jute.SetDataRequest{Path: "/a", Data: []byte("2"), Version: -1})
	read := w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
	after := zktest.On("/a", zktest.OpGetData)
	require.Eventually(t, func() bool { return len(s.Requests(after)) == 1 }, deadline, time.Millisecond)
	require.NoError(t, s.Set("/a", []byte("3")))
	second := w.send(jute.OpCreate, &jute.CreateRequest{Path: "/w", ACL: anyone(31)})
	require.Eventually(t, func() bool { _, there := s.Node("/w"); return there }, deadline, time.Millisecond, "executed at once")
	ping := w.send(jute.OpPing, nil)
	sync := w.send(jute.OpSync, &jute.PathRequest{Path: "/"})
	require.Eventually(t, func() bool { return len(s.Requests(zktest.On("", zktest.OpSync))) == 1 }, deadline, time.Millisecond)
	require.NoError(t, s.Set("/a", []byte("4")))
	text, _ := bystander.data("/a")
	require.Equal(t, "0", text, "other connections do not wait")
	require.NoError(t, w.nc.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := w.nc.Read(make([]byte, 1))
	require.Error(t, err, "nothing comes before CatchUp")
	require.NoError(t, w.nc.SetReadDeadline(time.Now().Add(deadline)))

	doors[0].CatchUp()
	changed := watchEvent(jute.EventNodeDataChanged, "/a")
	require.Equal(t, changed, w.event()) // 1
	require.Equal(t, changed, w.event()) // 2
	var st jute.Stat
	h := w.recv(&st)
	require.Equal(t, first, h.Xid)
	require.Equal(t, st.Mzxid, h.Zxid)
	var data jute.DataReply
	require.Equal(t, read, w.recv(&data).Xid)
	require.Equal(t, "2", string(data.Data), "the tree of that moment")
	require.Equal(t, changed, w.event()) // 3
	h = w.recv(&jute.PathReply{})
	require.Equal(t, second, h.Xid)
	require.Equal(t, ping, w.recv(nil).Xid)
	require.Equal(t, sync, w.recv(&jute.PathReply{}).Xid)
	require.Equal(t, changed, w.event()) // 4
	require.Greater(t, s.Zxid(), h.Zxid)
}

// Who comes to a door that lags: sessions from before, unless their client knows more than
// the door; new ones wait; one that has expired is cut off when the door hears of it.
func TestLagAndSessions(t *testing.T) {
	s, doors := ensemble(t)
	w := open(t, doors[1].Addr())
	expiring := open(t, doors[0].Addr())
	expiring.mustCreate("/e", jute.FlagEphemeral)
	silent := open(t, doors[0].Addr())
	doors[0].Lag()
	moved := w.move(doors[0])
	_, code := moved.exists("/e", true)
	require.Equal(t, jute.OK, code)
	require.NoError(t, s.Create("/n", nil))
	knowing := dial(t, doors[0].Addr())
	knowing.write(&jute.ConnectRequest{LastZxidSeen: s.Zxid(), SessionID: w.sess.SessionID, Password: w.sess.Password})
	knowing.closed()

	late := dial(t, doors[0].Addr())
	late.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16)})
	require.Eventually(t, func() bool { return len(s.Sessions()) == 4 }, deadline, time.Millisecond)
	require.True(t, s.ExpireSession(expiring.sess.SessionID))
	require.True(t, s.ExpireSession(silent.sess.SessionID))
	_, code = expiring.exists("/n", false)
	require.Equal(t, jute.NoNode, code, "it does not know yet")
	expiring.send(jute.OpCreate, &jute.CreateRequest{Path: "/posthumous", ACL: anyone(31)})
	require.Eventually(t, func() bool { return len(s.Requests(zktest.On("/posthumous"))) == 1 }, deadline, time.Millisecond)
	doors[0].CatchUp()
	expiring.closed()
	silent.closed()
	require.Equal(t, watchEvent(jute.EventNodeDeleted, "/e"), moved.event())
	var resp jute.ConnectResponse
	resp.Decode(jute.NewDecoder(late.read()))
	require.NotZero(t, resp.SessionID)
	_, there := s.Node("/posthumous")
	require.False(t, there)

	// A door that is started again, and one whose server is wiped, does not lag.
	doors[0].Lag()
	doors[0].Kill()
	doors[0].Lag()
	require.NoError(t, doors[0].Restart())
	require.NoError(t, s.Set("/n", []byte("x")))
	text, _ := open(t, doors[0].Addr()).data("/n")
	require.Equal(t, "x", text)
	doors[0].Lag()
	s.Wipe()
	open(t, doors[0].Addr()).mustCreate("/fresh", 0)
}

// The faults work on a door that lags: a reply can be held beyond CatchUp, or let go
// before, or be swallowed at once.
func TestLagAndFaults(t *testing.T) {
	s, doors := ensemble(t)
	w := open(t, doors[0].Addr())
	doors[0].Lag()
	kept, let := s.HoldReply(zktest.On("/kept")), s.HoldReply(zktest.On("/let"))
	swallowed, failed := s.SwallowReply(zktest.On("/swallowed")), s.FailNext(zktest.On("/failed"), zktest.NoAuth)
	for _, path := range []string{"/let", "/failed", "/kept"} {
		w.send(jute.OpCreate, &jute.CreateRequest{Path: path, ACL: anyone(31)})
	}
	for _, f := range []*zktest.Fault{let.Fault, failed, kept.Fault} {
		await(t, f.Fired(), "the fault")
	}
	let.Release()
	other := dial(t, doors[0].Addr())
	moved := other
	w2 := open(t, doors[1].Addr())
	moved.resume(w2.sess, false)
	moved.send(jute.OpCreate, &jute.CreateRequest{Path: "/swallowed", ACL: anyone(31)})
	await(t, swallowed.Fired(), "the fault")
	moved.closed()
	_, there := s.Node("/swallowed")
	require.True(t, there)

	doors[0].CatchUp()
	require.Equal(t, jute.OK, w.recv(&jute.PathReply{}).Err)
	require.Equal(t, jute.NoAuth, w.recv(nil).Err)
	kept.Release()
	require.Equal(t, jute.OK, w.recv(&jute.PathReply{}).Err)
	w.mustCreate("/more", 0)
}

// Our own client reads the past at a door that lags, and the present after Sync, which
// waits for it.
func TestStaleUntilSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork())
		require.NoError(t, s.Create("/a", []byte("old")))
		cl, err := client.Connect(t.Context(), doors[1].Addr(), client.WithDialer(s.Dial))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		_, _, err = cl.Get(t.Context(), "/a")
		require.NoError(t, err)
		doors[1].Lag()
		require.NoError(t, s.Set("/a", []byte("new")))
		got, _, err := cl.Get(t.Context(), "/a")
		require.NoError(t, err)
		require.Equal(t, "old", string(got))
		synced := make(chan error, 1)
		go func() { synced <- cl.Sync(t.Context(), "/a") }()
		synctest.Wait()
		require.Empty(t, synced)
		doors[1].CatchUp()
		require.NoError(t, <-synced)
		got, _, err = cl.Get(t.Context(), "/a")
		require.NoError(t, err)
		require.Equal(t, "new", string(got))
	})
}
