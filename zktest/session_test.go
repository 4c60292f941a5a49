package zktest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestNegotiation(t *testing.T) {
	s := zktest.Start(t, zktest.WithTick(100*time.Millisecond))
	for _, c := range []struct{ ask, get int32 }{{1, 200}, {-5, 200}, {4321, 4321}, {1 << 30, 60_000}} {
		resp := dial(t, s.Addr()).connect(&jute.ConnectRequest{TimeoutMillis: c.ask})
		require.Equal(t, c.get, resp.TimeoutMillis)
		require.NotZero(t, resp.SessionID)
		require.Len(t, resp.Password, 16)
	}
	require.Len(t, s.Sessions(), 4)
}

func TestOldClientGetsNoReadOnlyByte(t *testing.T) {
	s := zktest.Start(t)
	w := dial(t, s.Addr())
	require.True(t, w.connect(&jute.ConnectRequest{TimeoutMillis: 5000, OldClient: true}).OldServer)
	w = dial(t, s.Addr())
	require.False(t, w.connect(&jute.ConnectRequest{TimeoutMillis: 5000}).OldServer)
}

func TestSessionMovesBetweenConnections(t *testing.T) {
	s := zktest.Start(t)
	first := open(t, s.Addr())
	first.mustCreate("/e", 1)
	id, pw := first.sess.SessionID, first.sess.Password

	second := dial(t, s.Addr())
	resp := second.connect(&jute.ConnectRequest{TimeoutMillis: 7000, SessionID: id, Password: pw})
	require.Equal(t, id, resp.SessionID)
	require.Equal(t, pw, resp.Password)
	require.EqualValues(t, 7000, resp.TimeoutMillis)
	first.closed()
	st, _ := second.exists("/e", false)
	require.Equal(t, id, st.EphemeralOwner)

	// A wrong password ends the attempt, and as on a real server the session's connection.
	third := dial(t, s.Addr())
	resp = third.connect(&jute.ConnectRequest{TimeoutMillis: 7000, SessionID: id, Password: make([]byte, 16)})
	require.Equal(t, &jute.ConnectResponse{Password: make([]byte, 16)}, resp)
	third.closed()
	second.closed()
	require.Len(t, s.Sessions(), 1)

	fourth := dial(t, s.Addr())
	require.Equal(t, id, fourth.connect(&jute.ConnectRequest{TimeoutMillis: 7000, SessionID: id, Password: pw}).SessionID)
}

func TestCloseSession(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.mustCreate("/e1", 1)
	w.mustCreate("/e2", 1)
	w.mustCreate("/p", 0)
	other.exists("/e1", true)
	w.send(jute.OpCloseSession, nil)
	w.send(jute.OpExists, &jute.PathWatchRequest{Path: "/p"}) // comes too late
	require.Equal(t, jute.OK, w.recv(nil).Err)
	w.closed()
	require.Equal(t, jute.WatcherEvent{Type: jute.EventNodeDeleted, State: 3, Path: "/e1"}, other.event())
	require.Len(t, s.Sessions(), 1)
	dump := s.Dump()
	require.Len(t, dump, 1)
	require.Contains(t, dump, "/p")

	again := dial(t, s.Addr())
	resp := again.connect(&jute.ConnectRequest{TimeoutMillis: 5000, SessionID: w.sess.SessionID, Password: w.sess.Password})
	require.Zero(t, resp.SessionID)
	require.Zero(t, resp.TimeoutMillis)
	again.closed()
}

func TestExpireSession(t *testing.T) {
	s := zktest.Start(t)
	w, other := open(t, s.Addr()), open(t, s.Addr())
	w.mustCreate("/e", 1)
	other.exists("/e", true)
	require.True(t, s.ExpireSession(w.sess.SessionID))
	require.False(t, s.ExpireSession(w.sess.SessionID))
	w.closed()
	require.Equal(t, jute.EventNodeDeleted, other.event().Type)
	resp := dial(t, s.Addr()).connect(&jute.ConnectRequest{SessionID: w.sess.SessionID, Password: w.sess.Password})
	require.Zero(t, resp.SessionID)
}

// A session without a sign of life ends after its timeout and at most a tick; one with
// pings lives on.
func TestSilentSessionExpires(t *testing.T) {
	const tick = 20 * time.Millisecond
	s := zktest.Start(t, zktest.WithTick(tick))
	silent, lively := dial(t, s.Addr()), dial(t, s.Addr())
	lively.connect(&jute.ConnectRequest{TimeoutMillis: 60_000})
	lively.exists("/e", true)
	start := time.Now()
	// Sent together, so that the session cannot end in between.
	silent.write(&jute.ConnectRequest{TimeoutMillis: 100, Password: make([]byte, 16)})
	silent.send(jute.OpCreate, &jute.CreateRequest{Path: "/e", ACL: anyone(31), Flags: 1})
	require.Equal(t, jute.EventNodeCreated, lively.event().Type)
	for {
		// The event may be too late to be waited for: then the node is gone already.
		if _, code := lively.exists("/e", true); code != jute.OK {
			break
		}
		require.Equal(t, jute.EventNodeDeleted, lively.event().Type)
	}
	require.GreaterOrEqual(t, time.Since(start), 100*time.Millisecond)
	silent.read()
	silent.read()
	silent.closed()
	sessions := s.Sessions()
	require.Len(t, sessions, 1)
	require.Equal(t, lively.sess.SessionID, sessions[0].ID)
}

// A session outlives its connection.
func TestSessionOutlivesConnection(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/e", 1)
	s.DropConnections()
	w.closed()
	require.False(t, s.Sessions()[0].Connected)
	_, ok := s.Node("/e")
	require.True(t, ok)
	again := dial(t, s.Addr())
	resp := again.connect(&jute.ConnectRequest{TimeoutMillis: 5000, SessionID: w.sess.SessionID, Password: w.sess.Password})
	require.Equal(t, w.sess.SessionID, resp.SessionID)
	require.True(t, s.Sessions()[0].Connected)
}

// A client that has seen a later transaction is sent away without an answer.
func TestClientFromTheFuture(t *testing.T) {
	s := zktest.Start(t)
	w := dial(t, s.Addr())
	w.write(&jute.ConnectRequest{LastZxidSeen: 5, TimeoutMillis: 5000, Password: make([]byte, 16)})
	w.closed()
	require.Empty(t, s.Sessions())
}
