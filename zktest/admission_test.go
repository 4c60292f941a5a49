package zktest_test

import (
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// silentFor requires that nothing comes, and that the connection stays.
func (w *wire) silentFor(d time.Duration) {
	w.t.Helper()
	require.NoError(w.t, w.nc.SetReadDeadline(time.Now().Add(d)))
	_, err := w.nc.Read(make([]byte, 1))
	require.ErrorIs(w.t, err, os.ErrDeadlineExceeded)
	require.NoError(w.t, w.nc.SetReadDeadline(time.Time{}))
}

// knocks sends a handshake and does not wait for the answer.
func knocks(t *testing.T, s *zktest.Server) *wire {
	t.Helper()
	w := &wire{t: t, nc: reach(t, s)}
	w.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16)})
	return w
}

// Connections that hang are served at Accept; those that stand have gone on meanwhile.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		w := enter(t, s)
		s.Hang()
		late := knocks(t, s)
		late.silentFor(time.Minute)
		w.mustCreate("/a", 0)
		require.Equal(t, 1, s.Connections())
		require.Equal(t, 2, s.Accepted())
		require.Len(t, s.Sessions(), 1)

		s.Accept()
		require.NotEmpty(t, late.read())
		require.Equal(t, 2, s.Connections())
		require.Equal(t, 2, s.Requests(zktest.On("", zktest.OpConnect))[1].Conn)
		enter(t, s).exists("/a", false)
	})
}

func TestHangOverSockets(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	s.Hang()
	late := dial(t, s.Addr())
	late.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16)})
	w.mustCreate("/a", 0)
	require.Len(t, s.Sessions(), 1)
	s.Accept()
	require.NotEmpty(t, late.read())
	require.Len(t, s.Sessions(), 2)
}

// What hangs is cut like what is served, by whatever cuts; and refusing does not serve it.
func TestHangingConnectionsAreCut(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *zktest.Server){
		"all connections":    func(_ *testing.T, s *zktest.Server) { s.DropConnections() },
		"those of the door":  func(_ *testing.T, s *zktest.Server) { s.Doors()[0].DropConnections() },
		"the server is gone": func(_ *testing.T, s *zktest.Server) { s.Doors()[0].Kill() },
		"for good":           func(t *testing.T, s *zktest.Server) { require.NoError(t, s.Close()) },
		"without data":       func(_ *testing.T, s *zktest.Server) { s.Wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory(t)
				s.Doors()[0].Hang()
				w := knocks(t, s)
				w.silentFor(time.Minute)
				s.Refuse()
				w.silentFor(time.Minute)
				end(t, s)
				w.closed()
				s.Accept()
				require.Empty(t, s.Sessions())
				require.Empty(t, s.Requests(zktest.On("", zktest.OpConnect)))
			})
		})
	}
}

// A door that is started again takes connections as usual.
func TestHangEndsWithRestart(t *testing.T) {
	s := zktest.Start(t)
	d := s.Doors()[0]
	d.Hang()
	d.Kill()
	require.NoError(t, d.Restart())
	open(t, s.Addr())
}

// A reply comes when its time is over, and what comes later on the same connection is behind it.
func TestDelayReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		w, other := enter(t, s), enter(t, s)
		f := s.DelayReply(zktest.On("/a", zktest.OpCreate), time.Minute)
		began := time.Now()
		xid := w.send(jute.OpCreate, &jute.CreateRequest{Path: "/a", ACL: anyone(31)})
		ping := w.send(jute.OpPing, nil)
		await(t, f.Fired(), "the fault")
		_, code := other.exists("/a", false)
		require.Equal(t, jute.OK, code, "executed at once")
		require.Zero(t, time.Since(began))
		require.Equal(t, xid, w.recv(&jute.PathReply{}).Xid)
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, ping, w.recv(nil).Xid)

		s.DelayReply(zktest.Match{}, 0)
		w.exists("/a", false)
		require.Equal(t, time.Minute, time.Since(began), "no time is no delay")

		cancelled := s.DelayReply(zktest.Match{}, time.Minute)
		require.True(t, cancelled.Cancel())
		w.exists("/a", false)
		require.Equal(t, time.Minute, time.Since(began))
	})
}

// A delay is over with its connection, and the handshake can be delayed.
func TestDelayReplyOfCutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory(t)
		w := enter(t, s)
		f := s.DelayReply(zktest.On("/a"), time.Minute)
		w.send(jute.OpExists, &jute.PathWatchRequest{Path: "/a"})
		await(t, f.Fired(), "the fault")
		s.DropConnections()
		_, err := w.nc.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)

		s.DelayReply(zktest.On("", zktest.OpConnect), time.Minute)
		began := time.Now()
		enter(t, s)
		require.Equal(t, time.Minute, time.Since(began))
	})
}
