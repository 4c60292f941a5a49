package zktest_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestRefuseAndAccept(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	s.Refuse()
	accepted := s.Accepted()
	nc, err := net.Dial("tcp", s.Addr())
	if err == nil {
		_, err = nc.Read(make([]byte, 1))
		require.NoError(t, nc.Close())
	}
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
	require.Equal(t, accepted, s.Accepted())
	w.mustCreate("/a", 0) // who is connected stays so
	s.Accept()
	open(t, s.Addr())
	require.Equal(t, accepted+1, s.Accepted())
	require.Equal(t, 2, s.Connections())
}

func TestFreezeAndThaw(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.exists("/a", true)
	s.Freeze()
	s.Freeze()
	xid := w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
	late := dial(t, s.Addr())
	late.write(&jute.ConnectRequest{TimeoutMillis: 5000, Password: make([]byte, 16)})
	// The test gets in first, since nothing is executed.
	require.NoError(t, s.Create("/a", nil))
	require.Len(t, s.Sessions(), 1)
	s.Thaw()
	s.Thaw()
	require.Equal(t, watchEvent(jute.EventNodeCreated, "/a"), w.event())
	h := w.recv(nil)
	require.Equal(t, xid, h.Xid)
	require.Equal(t, jute.NodeExists, h.Err)
	var resp jute.ConnectResponse
	resp.Decode(jute.NewDecoder(late.read()))
	require.NotZero(t, resp.SessionID)
}

func TestExpiryWhileFrozen(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/e", 1)
	s.Freeze()
	require.True(t, s.ExpireSession(w.sess.SessionID))
	_, ok := s.Node("/e")
	require.False(t, ok)
	w.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)})
	require.Zero(t, s.Connections())
	s.Thaw()
	w.closed()
	_, ok = s.Node("/late")
	require.False(t, ok, "a dead session's request was executed")
}

func TestCloseWhileFrozen(t *testing.T) {
	s, err := zktest.NewServer()
	require.NoError(t, err)
	w := open(t, s.Addr())
	s.Freeze()
	w.send(jute.OpPing, nil)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	w.closed()
	_, err = net.Dial("tcp", s.Addr())
	require.Error(t, err)
	require.Empty(t, s.Dump(), "a closed server can still be asked")
}

func TestDropConnection(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	require.True(t, s.DropConnection(w.sess.SessionID))
	w.closed()
	require.False(t, s.DropConnection(w.sess.SessionID))
	require.False(t, s.DropConnection(77))
	other.quiet()
	require.Equal(t, 1, s.Connections())
}

func TestWipe(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	zxid := s.Zxid()
	s.Wipe()
	w.closed()
	require.Empty(t, s.Dump())
	require.Empty(t, s.Sessions())
	require.Zero(t, s.Zxid())
	again := dial(t, s.Addr())
	again.write(&jute.ConnectRequest{LastZxidSeen: zxid, SessionID: w.sess.SessionID, Password: w.sess.Password})
	again.closed()
	again = dial(t, s.Addr())
	require.Zero(t, again.connect(&jute.ConnectRequest{SessionID: w.sess.SessionID, Password: w.sess.Password}).SessionID)
}

func TestOnRequest(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	var mu sync.Mutex
	var seen []zktest.Request
	s.OnRequest(func(r zktest.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
		if r.Op == zktest.OpCreate && r.Flags == 0 {
			// Before the request is executed, with the server open to everybody.
			if err := s.Create("/first", nil); err != nil {
				panic(err)
			}
		}
	})
	_, code := w.create("/first", 3)
	require.Equal(t, jute.OK, code)
	_, code = w.create("/first", 0)
	require.Equal(t, jute.NodeExists, code)
	s.OnRequest(nil)
	w.quiet()
	require.Len(t, seen, 2)
	require.Equal(t, "x", string(seen[0].Data))
	require.EqualValues(t, 3, seen[0].Flags)
	require.Equal(t, w.sess.SessionID, seen[0].Session)
}

// A hook may end the session whose request it was called for: the request is not executed.
func TestOnRequestEndsItsOwnSession(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	s.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpCreate && r.Flags == 0 {
			s.ExpireSession(r.Session)
		}
	})
	w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
	w.closed()
	_, ok := s.Node("/a")
	require.False(t, ok)
}

func TestFixtures(t *testing.T) {
	s := zktest.Start(t)
	require.NoError(t, s.Create("/a/b/c", []byte("x")))
	require.ErrorContains(t, s.Create("/a/b/c", nil), "/a/b/c")
	for _, bad := range []string{"", "a", "/a/", "//", "/a//b"} {
		require.Error(t, s.Create(bad, nil), "%q", bad)
	}
	data := []byte("y")
	require.NoError(t, s.Set("/a/b", data))
	data[0] = 'z' // the server has its own copy
	require.ErrorContains(t, s.Set("/no", nil), "/no")
	n, ok := s.Node("/a/b")
	require.True(t, ok)
	require.Equal(t, "y", string(n.Data))
	require.Equal(t, []string{"c"}, n.Children)
	require.EqualValues(t, 1, n.Stat.Version)
	require.NoError(t, s.Delete("/a"))
	require.Empty(t, s.Dump())
	require.ErrorContains(t, s.Delete("/a"), "/a")
	require.NoError(t, s.Create("/x", nil))
	require.NoError(t, s.Delete("/"), "everything but the server's own nodes")
	require.Empty(t, s.Dump())
	w := open(t, s.Addr())
	w.mustCreate("/e", 1)
	require.ErrorContains(t, s.Create("/e/x", nil), "ephemeral")
}

func TestOptions(t *testing.T) {
	for _, bad := range []zktest.Option{
		nil,
		zktest.WithTick(0),
		zktest.WithMaxBuffer(1),
		zktest.WithLogger(nil),
		zktest.WithSessionTimeouts(0, time.Second),
		zktest.WithSessionTimeouts(2*time.Second, time.Second),
	} {
		_, err := zktest.NewServer(bad)
		require.ErrorContains(t, err, "zktest: ")
	}
	s := zktest.Start(t, zktest.WithSessionTimeouts(3*time.Second, 4*time.Second))
	require.EqualValues(t, 3000, dial(t, s.Addr()).connect(&jute.ConnectRequest{TimeoutMillis: 1}).TimeoutMillis)
	require.EqualValues(t, 4000, dial(t, s.Addr()).connect(&jute.ConnectRequest{TimeoutMillis: 9999}).TimeoutMillis)
}
