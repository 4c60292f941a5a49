package zktest_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestDropRequest(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	f := s.DropRequest(zktest.On("/a", zktest.OpCreate))
	w.mustCreate("/b", 0)
	w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
	w.closed()
	await(t, f.Fired(), "the fault")
	require.Equal(t, "/a", f.Request().Path)
	_, ok := s.Node("/a")
	require.False(t, ok, "the request was executed")
	require.Len(t, s.Sessions(), 1)
	open(t, s.Addr()).mustCreate("/a", 0) // once only
}

func TestSwallowReply(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	f := s.SwallowReply(zktest.On("/lock/*", zktest.Creates()...))
	require.NoError(t, s.Create("/lock", nil))
	w.send(jute.OpCreate2, &jute.CreateRequest{Path: "/lock/guid-", ACL: anyone(31), Flags: 3})
	w.closed()
	await(t, f.Fired(), "the fault")
	_, ok := s.Node("/lock/guid-0000000000")
	require.True(t, ok, "the request was not executed")
	require.False(t, s.Sessions()[0].Connected)
}

func TestHoldReply(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.exists("/b", true)
	h := s.HoldReply(zktest.On("/a", zktest.OpCreate))
	xid := w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
	w.send(jute.OpPing, nil)
	await(t, h.Fired(), "the fault")
	_, code := other.exists("/a", false)
	require.Equal(t, jute.OK, code, "the request was not executed")
	require.NoError(t, s.Create("/b", nil))

	// Whoever reads sees whether the reply has been released by then.
	type arrival struct {
		head  jute.ReplyHeader
		early bool
		err   error
	}
	var released atomic.Bool
	arrivals := make(chan arrival, 3)
	go func() {
		for range cap(arrivals) {
			buf, err := readFrame(w.nc)
			a := arrival{early: !released.Load(), err: err}
			a.head.Decode(jute.NewDecoder(buf))
			arrivals <- a
		}
	}()
	for range 20 {
		other.quiet() // the server goes on for others
	}
	released.Store(true)
	h.Release()
	h.Release()
	var order []int32
	for range cap(arrivals) {
		a := <-arrivals
		require.NoError(t, a.err)
		require.False(t, a.early, "a reply came before its release")
		order = append(order, a.head.Xid)
	}
	require.Equal(t, xid, order[0], "what came later overtook the reply that was held")
	require.ElementsMatch(t, []int32{jute.XidPing, jute.XidNotification}, order[1:])
}

func TestReleaseBeforeItHappens(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	h := s.HoldReply(zktest.Match{})
	h.Release()
	w.mustCreate("/a", 0)
	select {
	case <-h.Fired():
		require.Fail(t, "a fault that was taken back has happened")
	default:
	}
}

func TestHeldReplyOfCutConnection(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	h := s.HoldReply(zktest.Match{})
	w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
	await(t, h.Fired(), "the fault")
	s.DropConnections()
	w.closed()
	h.Release()
}

func TestFailNext(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	f := s.FailNext(zktest.On("/a", zktest.OpSetData, zktest.OpCreate), zktest.ThrottledOp)
	zxid := s.Zxid()
	h := w.call(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)}, nil)
	require.Equal(t, jute.ThrottledOp, h.Err)
	require.Equal(t, zxid+1, h.Zxid)
	await(t, f.Fired(), "the fault")
	_, ok := s.Node("/a")
	require.False(t, ok)
	w.mustCreate("/a", 0)
	s.FailNext(zktest.On("/a"), zktest.ConnectionLoss)
	require.Equal(t, jute.ConnectionLoss, w.getData("/a", false))
	require.Equal(t, jute.OK, w.getData("/a", false))
}

func TestFaultsInOrder(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	first := s.FailNext(zktest.Match{}, zktest.NoAuth)
	second := s.FailNext(zktest.On("/a"), zktest.BadVersion)
	third := s.FailNext(zktest.On("/a"), zktest.NotEmpty)
	require.True(t, third.Cancel())
	require.False(t, third.Cancel())
	require.Equal(t, jute.NoAuth, w.getData("/a", false))
	require.Equal(t, jute.BadVersion, w.getData("/a", false))
	require.Equal(t, jute.NoNode, w.getData("/a", false))
	await(t, first.Fired(), "the first")
	await(t, second.Fired(), "the second")
	require.False(t, second.Cancel())
}

func TestFaultsOfTheHandshake(t *testing.T) {
	s := zktest.Start(t)
	connect := &jute.ConnectRequest{TimeoutMillis: 5000, Password: make([]byte, 16)}

	s.DropRequest(zktest.On("", zktest.OpConnect))
	w := dial(t, s.Addr())
	w.write(connect)
	w.closed()
	require.Empty(t, s.Sessions())

	s.SwallowReply(zktest.On("", zktest.OpConnect))
	w = dial(t, s.Addr())
	w.write(connect)
	w.closed()
	require.Len(t, s.Sessions(), 1, "the session that nobody knows")

	s.FailNext(zktest.On("", zktest.OpConnect), zktest.SessionExpired)
	w = dial(t, s.Addr())
	require.Zero(t, w.connect(connect).SessionID)
	w.closed()

	// One that is not answered at all has had its fault as well.
	h := s.HoldReply(zktest.On("", zktest.OpConnect))
	w = dial(t, s.Addr())
	w.write(&jute.ConnectRequest{TimeoutMillis: 5000, Password: make([]byte, 16), LastZxidSeen: 1 << 40})
	w.closed()
	await(t, h.Fired(), "the fault of a client from the future")

	h = s.HoldReply(zktest.On("", zktest.OpConnect))
	w = dial(t, s.Addr())
	w.write(connect)
	await(t, h.Fired(), "the fault")
	h.Release()
	var resp jute.ConnectResponse
	resp.Decode(jute.NewDecoder(w.read()))
	require.NotZero(t, resp.SessionID)
}

func TestMatch(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	require.NoError(t, s.Create("/a/b", nil))

	f := s.FailNext(zktest.Match{Session: other.sess.SessionID}, zktest.NoAuth)
	w.getData("/a", false)
	require.Equal(t, jute.NoAuth, other.getData("/a", false))
	await(t, f.Fired(), "the session's fault")

	s.FailNext(zktest.Match{Where: func(r zktest.Request) bool { return r.Watch }}, zktest.NoAuth)
	require.Equal(t, jute.OK, w.getData("/a", false))
	require.Equal(t, jute.NoAuth, w.getData("/a", true))

	// A multi matches by the paths in it.
	s.FailNext(zktest.On("*/b", zktest.OpMulti), zktest.NoAuth)
	h, _ := w.multi(step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a", Version: -1}))
	require.Equal(t, jute.OK, h.Err)
	h, _ = w.multi(step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a", Version: -1}), step(jute.OpCheck, &jute.PathVersionRequest{Path: "/a/b", Version: -1}))
	require.Equal(t, jute.NoAuth, h.Err)

	// Pings have to be named.
	f = s.FailNext(zktest.Match{}, zktest.NoAuth)
	require.Equal(t, jute.OK, w.call(jute.OpPing, nil, nil).Err)
	require.True(t, f.Cancel())
	s.DropRequest(zktest.On("", zktest.OpPing))
	w.send(jute.OpPing, nil)
	w.closed()

	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a", "/a", true},
		{"/a", "/a/b", false},
		{"/a*", "/a/b/c", true},
		{"*", "/a", true},
		{"/l/*-lock-*", "/l/_c_1-lock-0000000001", true},
		{"/l/*-lock-*", "/l/x-read-1", false},
		{"/l/*/x", "/l/a/b/x", true},
		{"/l/*/x", "/l/a/b/y", false},
		{"a*a", "a", false},
	} {
		s.ResetRequests()
		other.exists(c.path, false)
		require.Equal(t, c.want, len(s.Requests(zktest.On(c.pattern))) == 1, "%s against %s", c.pattern, c.path)
	}
}
