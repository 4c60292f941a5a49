package zktest_test

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// ensemble starts a server with three doors.
func ensemble(t *testing.T, opts ...zktest.Option) (*zktest.Server, []*zktest.Door) {
	t.Helper()
	s := zktest.Start(t, append(opts, zktest.WithServers(3))...)
	return s, s.Doors()
}

// move takes w's session up at a door, over a connection of its own.
func (w *wire) move(d *zktest.Door) *wire {
	w.t.Helper()
	next := dial(w.t, d.Addr())
	require.Equal(w.t, w.sess.SessionID, next.resume(w.sess, false).SessionID)
	return next
}

// All doors lead to one tree, and what happens behind one is heard of behind the others.
func TestDoorsShareTheTree(t *testing.T) {
	s, doors := ensemble(t)
	require.Equal(t, s.Addr(), doors[0].Addr())
	require.Equal(t, s.ConnectString(), strings.Join([]string{doors[0].Addr(), doors[1].Addr(), doors[2].Addr()}, ","))
	a, b := open(t, doors[0].Addr()), open(t, doors[2].Addr())
	b.exists("/a", true)
	a.mustCreate("/a", 0)
	require.Equal(t, watchEvent(created, "/a"), b.event())
	_, code := b.exists("/a", true)
	require.Equal(t, jute.OK, code)

	require.Len(t, s.WatchList(), 1)
	for i, want := range []int{1, 0, 1} {
		require.Equal(t, i, doors[i].Index())
		require.Equal(t, want, doors[i].Connections())
		require.Equal(t, want, doors[i].Accepted())
	}
	require.Equal(t, 2, s.Connections())
	seen := s.Requests(zktest.On("/a"))
	require.Equal(t, []int{2, 0, 2}, []int{seen[0].Door, seen[1].Door, seen[2].Door})
	require.Equal(t, []int{0, 2}, []int{s.Sessions()[0].Door, s.Sessions()[1].Door})
	require.Contains(t, word(t, s, "srvr"), "\nMode: follower\n")
	for _, n := range []int{0, -1, 1000} {
		_, err := zktest.NewServer(zktest.WithServers(n))
		require.ErrorContains(t, err, "servers")
	}
}

// A session that has moved to another door leaves a connection behind that can read and
// hears of changes, and ends when it is written to.
func TestSessionMoved(t *testing.T) {
	for name, write := range map[string]func(w *wire){
		"create": func(w *wire) { w.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)}) },
		"check":  func(w *wire) { w.send(jute.OpCheck, &jute.PathVersionRequest{Path: "/", Version: -1}) },
		"multi":  func(w *wire) { w.send(jute.OpMulti, &jute.MultiRequest{}) },
	} {
		t.Run(name, func(t *testing.T) {
			s, doors := ensemble(t)
			old := open(t, doors[0].Addr())
			moved := old.move(doors[1])
			require.Equal(t, 1, s.Sessions()[0].Door)
			require.Equal(t, 2, s.Connections())
			old.exists("/e", true)
			require.Equal(t, jute.OK, old.call(jute.OpSync, &jute.PathRequest{Path: "/"}, &jute.PathReply{}).Err)
			moved.mustCreate("/e", jute.FlagEphemeral)
			require.Equal(t, watchEvent(created, "/e"), old.event())

			zxid := s.Zxid()
			xid := old.send(jute.OpExists, &jute.PathWatchRequest{Path: "/e"})
			write(old)
			require.Equal(t, xid, old.recv(&jute.Stat{}).Xid, "what came before is answered")
			old.closed()
			require.Equal(t, zxid+1, s.Zxid(), "a transaction that failed")
			_, there := s.Node("/late")
			require.False(t, there)
			moved.mustCreate("/more", 0)

			// Back at the first door: the connection at the second is the old one now.
			back := moved.move(doors[0])
			again := back.move(doors[0])
			back.closed()
			again.mustCreate("/back", 0)
			write(moved)
			moved.closed()
		})
	}
}

// A session that ends takes its connections at all doors with it.
func TestSessionEndsAtAllDoors(t *testing.T) {
	s, doors := ensemble(t)
	old := open(t, doors[0].Addr())
	old.move(doors[1]).move(doors[2])
	require.Equal(t, jute.OK, old.call(jute.OpCloseSession, nil, nil).Err, "any of them can end it")
	old.closed()
	require.Eventually(t, func() bool { return s.Connections() == 0 }, deadline, time.Millisecond)
	old = open(t, doors[0].Addr())
	moved := old.move(doors[1])
	require.True(t, s.ExpireSession(old.sess.SessionID))
	old.closed()
	moved.closed()
}

// A door that is dead refuses dials, and comes back at its address.
func TestKillAndRestart(t *testing.T) {
	for name, opts := range map[string][]zktest.Option{"loopback": nil, "memory": {zktest.WithInMemoryNetwork()}} {
		t.Run(name, func(t *testing.T) {
			s, doors := ensemble(t, opts...)
			at := func(d *zktest.Door) *wire {
				nc, err := s.Dial(t.Context(), "tcp", d.Addr())
				require.NoError(t, err)
				t.Cleanup(func() { _ = nc.Close() })
				return &wire{t: t, nc: nc}
			}
			w, other := at(doors[0]), at(doors[1])
			w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000})
			other.connect(&jute.ConnectRequest{TimeoutMillis: 10_000})
			w.mustCreate("/e", jute.FlagEphemeral)
			doors[0].Freeze()
			doors[0].Refuse()
			doors[0].Kill()
			doors[0].Kill()
			w.closed()
			other.mustCreate("/a", 0)
			_, err := s.Dial(t.Context(), "tcp", doors[0].Addr())
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			require.Len(t, s.Sessions(), 2)
			doors[0].Freeze() // nothing is left to freeze
			doors[0].Refuse()

			require.NoError(t, doors[0].Restart())
			require.NoError(t, doors[0].Restart())
			again := at(doors[0])
			require.Equal(t, w.sess.SessionID, again.resume(w.sess, false).SessionID)
			again.exists("/e", false)
			doors[2].Kill()
			require.NoError(t, s.Close())
			require.ErrorIs(t, doors[2].Restart(), net.ErrClosed)
		})
	}
}

// What is done to one door is not done to the others.
func TestFaultsOfOneDoor(t *testing.T) {
	s, doors := ensemble(t)
	a, b := open(t, doors[0].Addr()), open(t, doors[1].Addr())
	doors[0].Freeze()
	xid := a.send(jute.OpExists, &jute.PathWatchRequest{Path: "/b"})
	b.mustCreate("/b", 0)
	moved := a.move(doors[2])
	doors[0].Thaw()
	require.Equal(t, xid, a.recv(&jute.Stat{}).Xid)
	doors[0].DropConnections()
	a.closed()
	moved.mustCreate("/c", 0)

	doors[0].Refuse()
	open(t, doors[1].Addr())
	nc, err := net.Dial("tcp", doors[0].Addr())
	if err == nil {
		_, err = nc.Read(make([]byte, 1))
		require.NoError(t, nc.Close())
	}
	require.Error(t, err)
	doors[0].Accept()
	open(t, doors[0].Addr())

	local := doors[0]
	local.SetReadOnly(true)
	require.True(t, local.ReadOnly())
	require.False(t, s.ReadOnly())
	b.mustCreate("/d", 0)
	r := dial(t, local.Addr())
	r.connect(&jute.ConnectRequest{TimeoutMillis: 10_000, ReadOnly: true})
	require.True(t, r.sess.ReadOnly)
	_, code := r.create("/no", 0)
	require.Equal(t, jute.NotReadOnly, code)
	elsewhere := dial(t, doors[1].Addr())
	require.Zero(t, elsewhere.resume(r.sess, true).SessionID, "the read-only server's own session")
	local.Kill()
	r.closed()
	require.False(t, local.ReadOnly())
	s.SetReadOnly(true)
	require.False(t, local.ReadOnly())
	b.closed()
}

// Our own client fails over from door to door with its session, and keeps a lock.
func TestFailOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork())
		cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithDialer(zktest.Dialer(s)), client.WithSessionTimeout(10*time.Second))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		m := lock.NewMutex(cl, "/lock")
		held, err := m.Lock(t.Context())
		require.NoError(t, err)
		id := cl.State().SessionID

		for range 5 {
			at := doors[s.Sessions()[0].Door]
			at.Kill()
			_, _, err = cl.Children(t.Context(), "/lock") // a read is sent again
			require.NoError(t, err)
			_, err = cl.Create(t.Context(), "/n", nil, client.WithMode(client.PersistentSequential))
			require.NoError(t, err)
			require.NotEqual(t, at.Index(), s.Sessions()[0].Door)
			require.NoError(t, at.Restart())
			time.Sleep(time.Minute)
		}
		require.Equal(t, id, cl.State().SessionID)
		require.NoError(t, held.Context().Err())
		require.NoError(t, held.Unlock(t.Context()))
	})
}
