package zktest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func (w *wire) resume(sess *jute.ConnectResponse, readOnly bool) *jute.ConnectResponse {
	w.t.Helper()
	return w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000, SessionID: sess.SessionID, Password: sess.Password, ReadOnly: readOnly})
}

// A read-only server takes only clients that allow it, and no session from before.
func TestReadOnlyHandshake(t *testing.T) {
	s := zktest.Start(t)
	old := open(t, s.Addr())
	old.mustCreate("/e", jute.FlagEphemeral)
	before := s.Zxid()
	s.SetReadOnly(true)
	require.True(t, s.ReadOnly())
	old.closed()
	require.Equal(t, "ro", word(t, s, "isro"))

	for name, r := range map[string]*jute.ConnectRequest{
		"not read-only":  {TimeoutMillis: 10_000},
		"old client":     {TimeoutMillis: 10_000, OldClient: true},
		"global session": {TimeoutMillis: 10_000, SessionID: old.sess.SessionID, Password: old.sess.Password, ReadOnly: true},
		"wrong password": {TimeoutMillis: 10_000, SessionID: old.sess.SessionID, ReadOnly: true},
		"later zxid":     {TimeoutMillis: 10_000, LastZxidSeen: before + 1, ReadOnly: true},
	} {
		w := dial(t, s.Addr())
		if r.Password == nil {
			r.Password = make([]byte, 16)
		}
		w.write(r)
		w.closed()
		require.Len(t, s.Sessions(), 1, name)
	}
	w := dial(t, s.Addr())
	got := w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000, SessionID: 0x1234, ReadOnly: true})
	require.Equal(t, &jute.ConnectResponse{Password: make([]byte, 16), ReadOnly: true}, got, "a session that nobody knows")
	w.closed()

	w = dial(t, s.Addr())
	mine := *w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000, ReadOnly: true})
	require.True(t, mine.ReadOnly)
	require.NotZero(t, mine.SessionID)
	again := dial(t, s.Addr())
	require.Equal(t, mine.SessionID, again.resume(&mine, true).SessionID, "the server's own sessions can be taken up")
	w.closed()
	require.Equal(t, before, s.Zxid(), "none of this is a transaction")

	s.SetReadOnly(false)
	again.closed()
	w = dial(t, s.Addr())
	got = w.resume(&mine, true)
	require.Zero(t, got.SessionID, "the read-only session is gone")
	require.False(t, got.ReadOnly)
	w = dial(t, s.Addr())
	got = w.resume(old.sess, true)
	require.Equal(t, old.sess.SessionID, got.SessionID, "the one from before is not")
	require.False(t, got.ReadOnly)
	_, code := w.exists("/e", false)
	require.Equal(t, jute.OK, code)
}

func TestReadOnlyOperations(t *testing.T) {
	s := zktest.Start(t)
	require.NoError(t, s.Create("/a/b", []byte("x")))
	s.SetReadOnly(true)
	before := s.Zxid()
	w := dial(t, s.Addr())
	w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000, ReadOnly: true})
	for _, op := range []jute.Op{
		jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpSetData, jute.OpSetACL,
		jute.OpCheck, jute.OpMulti, jute.OpReconfig, jute.OpSync,
	} {
		h := w.call(op, nil, nil) // not read any further
		require.Equal(t, jute.NotReadOnly, h.Err, "%v", op)
		require.Equal(t, before, h.Zxid, "%v", op)
	}
	require.Equal(t, jute.OK, w.getData("/a", true))
	require.Equal(t, jute.OK, w.children("/a", true))
	w.addWatch("/a/b", jute.AddWatchPersistent)
	require.Equal(t, jute.OK, w.call(jute.OpMultiRead, &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpGetData, &jute.PathWatchRequest{Path: "/a/b"}),
	}}, &jute.MultiReply{}).Err)
	require.Equal(t, jute.OK, w.call(jute.OpGetEphemerals, &jute.PathRequest{}, &jute.ChildrenReply{}).Err)
	require.Equal(t, jute.OK, w.call(jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")}, nil).Err)
	require.Equal(t, jute.OK, w.call(jute.OpCloseSession, nil, nil).Err)
	w.closed()
	require.Empty(t, s.Sessions())
	require.Equal(t, before, s.Zxid())
	require.NoError(t, s.Set("/a", nil), "the test's own hand goes on")
}

// While the ensemble is away no session of its own expires, and nothing is deleted; then
// all have their whole timeout again.
func TestReadOnlyKeepsSessions(t *testing.T) {
	s := zktest.Start(t, zktest.WithTick(5*time.Millisecond))
	w := dial(t, s.Addr())
	id := w.connect(&jute.ConnectRequest{TimeoutMillis: 10}).SessionID
	w.createTTL("/ttl", time.Hour)
	s.SetReadOnly(true)
	s.AdvanceClock(2 * time.Hour)
	_, ok := s.Node("/ttl")
	require.True(t, ok)
	local := dial(t, s.Addr())
	local.connect(&jute.ConnectRequest{TimeoutMillis: 100, ReadOnly: true})
	require.Len(t, s.Sessions(), 2)
	local.closed() // the later deadline has passed: its own session has expired
	require.Len(t, s.Sessions(), 1)
	require.Equal(t, id, s.Sessions()[0].ID)
	s.SetReadOnly(false)
	s.AdvanceClock(0)
	_, ok = s.Node("/ttl")
	require.False(t, ok)
	require.Eventually(t, func() bool { return len(s.Sessions()) == 0 }, deadline, time.Millisecond)
}

// Without local sessions ZooKeeper 3.8.0 answers the handshake with what is none.
func TestReadOnlyWithoutLocalSessions(t *testing.T) {
	s := zktest.Start(t, zktest.WithoutLocalSessions())
	require.NoError(t, s.Create("/a", nil))
	s.SetReadOnly(true)
	w := dial(t, s.Addr())
	w.write(&jute.ConnectRequest{TimeoutMillis: 10_000, Password: make([]byte, 16), ReadOnly: true})
	require.Equal(t, jute.ReplyHeader{Xid: 0, Zxid: s.Zxid(), Err: jute.NotReadOnly}, w.recv(nil))
	w.send(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
	require.Empty(t, s.Requests())
	require.Empty(t, s.Sessions())
	s.SetReadOnly(false)
	w.closed()
}
