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

// comeIn opens a session at a door in memory.
func comeIn(t *testing.T, s *zktest.Server, d *zktest.Door) *wire {
	t.Helper()
	nc, err := s.Dial(t.Context(), "tcp", d.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	w := &wire{t: t, nc: nc}
	require.NotZero(t, w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000}).SessionID)
	return w
}

// A door that is cut off answers pings and reads while the leader expires the sessions that are there,
// by what it had been told of them; not those that have gone elsewhere. When it rejoins, what has
// waited is executed, and whose session is over is cut off.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork(), zktest.WithTick(2*time.Second))
		require.NoError(t, s.Create("/a", []byte("old")))
		w, other := comeIn(t, s, doors[0]), comeIn(t, s, doors[1])
		w.mustCreate("/e", jute.FlagEphemeral)
		writer := comeIn(t, s, doors[0])
		time.Sleep(4 * time.Second)
		w.call(jute.OpPing, nil, nil)
		other.call(jute.OpPing, nil, nil)
		time.Sleep(1500 * time.Millisecond)
		w.call(jute.OpPing, nil, nil) // this one has not been reported yet
		cut := time.Now()
		doors[0].CutOff()
		doors[0].CutOff()
		doors[0].CatchUp()
		require.NoError(t, s.Set("/a", []byte("new")))
		writer.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)})
		writer.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
		for i, alive := 0, true; alive; i++ {
			require.Less(t, i, 1000, "the session expires")
			time.Sleep(100 * time.Millisecond)
			w.call(jute.OpPing, nil, nil)
			other.call(jute.OpPing, nil, nil)
			text, _ := w.data("/a")
			require.Equal(t, "old", text)
			_, code := w.exists("/e", false)
			require.Equal(t, jute.OK, code)
			_, alive = s.Node("/e")
		}
		// The ping at 4 s was reported at 5 s, and the end of the timeout of 10 s is rounded up to a tick.
		require.Equal(t, 16*time.Second, time.Since(cut)+5500*time.Millisecond)
		_, code := other.exists("/e", false)
		require.Equal(t, jute.NoNode, code)
		require.NotNil(t, s.Password(other.sess.SessionID))
		_, there := s.Node("/late")
		require.False(t, there)

		require.Nil(t, s.Password(writer.sess.SessionID), "a write that has not arrived keeps no session")
		doors[0].Rejoin()
		doors[0].Rejoin()
		w.closed()
		writer.closed()
		again := comeIn(t, s, doors[0])
		text, _ := again.data("/a")
		require.Equal(t, "new", text)
		_, there = s.Node("/late")
		require.False(t, there)
	})
}

// A link that comes back in time loses nothing: what waited is executed in order, and the session lives.
func TestCutOffForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork())
		require.NoError(t, s.Create("/a", []byte("old")))
		w := comeIn(t, s, doors[0])
		w.addWatch("/a", jute.AddWatchPersistent)
		doors[0].CutOff()
		require.NoError(t, s.Set("/a", []byte("new")))
		created := w.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)})
		read := w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
		late := make(chan int64, 1)
		go func() { late <- comeIn(t, s, doors[0]).sess.SessionID }()
		time.Sleep(8 * time.Second)
		require.Empty(t, late, "a new session waits")
		_, there := s.Node("/late")
		require.False(t, there)
		doors[0].Rejoin()
		require.Equal(t, watchEvent(jute.EventNodeDataChanged, "/a"), w.event())
		require.Equal(t, created, w.recv(&jute.PathReply{}).Xid)
		var data jute.DataReply
		require.Equal(t, read, w.recv(&data).Xid)
		require.Equal(t, "new", string(data.Data))
		require.NotZero(t, <-late)
		time.Sleep(8 * time.Second)
		require.NotNil(t, s.Password(w.sess.SessionID), "heard of when the door rejoined")
	})
}

// When the link comes back, the pings of the leader that waited on it are answered before any write: what the door has heard
// is reported, though the link goes again at once. (A schedule of the laboratory had two holders when it was not.)
func TestCutOffAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork(), zktest.WithTick(2*time.Second))
		w := comeIn(t, s, doors[0])
		doors[0].CutOff()
		time.Sleep(9 * time.Second)
		doors[0].Rejoin()
		doors[0].CutOff()
		time.Sleep(10*time.Second - time.Millisecond)
		require.NotNil(t, s.Password(w.sess.SessionID), "lives for its timeout from when the door rejoined")
		time.Sleep(2*time.Second + 2*time.Millisecond)
		require.Nil(t, s.Password(w.sess.SessionID), "and for no more than a tick beyond")
	})
}

// A session that is taken up at another door lives on. A server that gives up cuts its clients off, and
// what they have sent is lost; one that is wiped or becomes read-only lets nobody wait for ever either.
func TestCutOffEndsOtherwise(t *testing.T) {
	s, doors := ensemble(t)
	for _, end := range []func(){
		func() { doors[0].Kill(); doors[0].Rejoin(); require.NoError(t, doors[0].Restart()) },
		func() { doors[0].SetReadOnly(true); doors[0].SetReadOnly(false); doors[0].Rejoin() },
		s.Wipe,
	} {
		w := open(t, doors[0].Addr())
		doors[0].CutOff()
		w.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)})
		end()
		w.closed()
		open(t, doors[0].Addr()).mustCreate("/x", jute.FlagEphemeralSequential)
		_, there := s.Node("/late")
		require.False(t, there)
	}
	w := open(t, doors[0].Addr())
	doors[0].CutOff()
	moved := w.move(doors[1])
	moved.mustCreate("/moved", jute.FlagEphemeral)
	w.send(jute.OpCreate, &jute.CreateRequest{Path: "/late", ACL: anyone(31)})
	doors[0].Rejoin()
	w.closed()
	moved.mustCreate("/more", jute.FlagEphemeral)
	doors[1].Kill()
	doors[1].CutOff()
	require.NoError(t, doors[1].Restart())
	doors[2].CutOff() // and the server is closed by and by
	silent := dial(t, doors[2].Addr())
	silent.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16)})
}

// Our own client notices, when it has something to hold, and goes to a server that can confirm it.
func TestCutOffServerIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, doors := ensemble(t, zktest.WithInMemoryNetwork())
		doors[1].Kill()
		doors[2].Kill()
		cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithDialer(s.Dial), client.WithSessionTimeout(10*time.Second))
		require.NoError(t, err)
		defer func() { _ = cl.Close() }()
		session, err := cl.Session(t.Context())
		require.NoError(t, err)
		_, err = session.Create(t.Context(), "/e", nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		hold, err := session.Hold("/e")
		require.NoError(t, err)
		require.NoError(t, doors[1].Restart())
		doors[0].CutOff()
		time.Sleep(time.Minute)
		require.NoError(t, hold.Context().Err())
		require.Equal(t, doors[1].Addr(), cl.State().Server)
		require.True(t, hold.ValidUntil().After(time.Now()))
	})
}
