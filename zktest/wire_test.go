package zktest_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// deadline bounds every wait of these tests; none of them depends on its length.
const deadline = 10 * time.Second

// wire is a client that sees every frame.
type wire struct {
	t    testing.TB
	nc   net.Conn
	xid  int32
	sess *jute.ConnectResponse
}

func dial(t testing.TB, addr string) *wire {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	require.NoError(t, nc.SetDeadline(time.Now().Add(deadline)))
	return &wire{t: t, nc: nc}
}

// open dials and opens a session.
func open(t testing.TB, addr string) *wire {
	t.Helper()
	w := dial(t, addr)
	require.NotZero(t, w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000}).SessionID)
	return w
}

func (w *wire) connect(r *jute.ConnectRequest) *jute.ConnectResponse {
	w.t.Helper()
	if r.Password == nil {
		r.Password = make([]byte, 16)
	}
	w.write(r)
	d := jute.NewDecoder(w.read())
	w.sess = &jute.ConnectResponse{}
	w.sess.Decode(d)
	require.NoError(w.t, d.Err())
	return w.sess
}

func (w *wire) write(records ...jute.Record) {
	w.t.Helper()
	e := jute.Encoder{B: make([]byte, 4)}
	for _, r := range records {
		r.Encode(&e)
	}
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	_, err := w.nc.Write(e.B)
	require.NoError(w.t, err)
}

func (w *wire) read() []byte {
	w.t.Helper()
	buf, err := readFrame(w.nc)
	require.NoError(w.t, err)
	return buf
}

func readFrame(nc net.Conn) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(nc, buf)
	return buf, err
}

// closed waits for the server to end the connection.
func (w *wire) closed() {
	w.t.Helper()
	var b [1]byte
	n, err := w.nc.Read(b[:])
	require.Error(w.t, err, "the connection should end; a byte came instead")
	require.Zero(w.t, n)
	ne, ok := errors.AsType[net.Error](err)
	require.False(w.t, ok && ne.Timeout(), "the connection should end")
}

// send writes a request and returns its xid.
func (w *wire) send(op jute.Op, body jute.Record) int32 {
	w.t.Helper()
	w.xid++
	h := &jute.RequestHeader{Xid: w.xid, Op: op}
	switch op {
	case jute.OpPing:
		h.Xid = jute.XidPing
	case jute.OpAuth:
		h.Xid = jute.XidAuth
	}
	if body == nil {
		w.write(h)
	} else {
		w.write(h, body)
	}
	return h.Xid
}

// recv reads one reply, whose body is decoded into out if there is one.
func (w *wire) recv(out jute.Record) jute.ReplyHeader {
	w.t.Helper()
	buf := w.read()
	d := jute.NewDecoder(buf)
	var h jute.ReplyHeader
	h.Decode(d)
	require.NoError(w.t, d.Err())
	if out != nil && (h.Err == jute.OK || d.Rest() > 0) {
		out.Decode(d)
		require.NoError(w.t, d.Err())
	}
	require.Zero(w.t, d.Rest(), "the reply is longer than its record: %x", buf)
	return h
}

// call sends a request and reads its reply, which has to be the next frame.
func (w *wire) call(op jute.Op, body, out jute.Record) jute.ReplyHeader {
	w.t.Helper()
	xid := w.send(op, body)
	h := w.recv(out)
	require.Equal(w.t, xid, h.Xid, "the next frame is not the reply to %v", op)
	return h
}

// event reads one watch event, which has to be the next frame.
func (w *wire) event() jute.WatcherEvent {
	w.t.Helper()
	var ev jute.WatcherEvent
	h := w.recv(&ev)
	require.Equal(w.t, jute.XidNotification, h.Xid, "the next frame is not an event")
	require.EqualValues(w.t, 3, ev.State)
	return ev
}

func anyone(perms int32) []jute.ACL {
	return []jute.ACL{{Perms: perms, Scheme: "world", ID: "anyone"}}
}

func (w *wire) create(path string, flags int32) (string, jute.Code) {
	w.t.Helper()
	var out jute.PathReply
	h := w.call(jute.OpCreate, &jute.CreateRequest{Path: path, Data: []byte("x"), ACL: anyone(31), Flags: flags}, &out)
	return out.Path, h.Err
}

// mustCreate creates a node and returns its path.
func (w *wire) mustCreate(path string, flags int32) string {
	w.t.Helper()
	p, code := w.create(path, flags)
	require.Equal(w.t, jute.OK, code, "create %s", path)
	return p
}

func (w *wire) exists(path string, watch bool) (jute.Stat, jute.Code) {
	w.t.Helper()
	var st jute.Stat
	h := w.call(jute.OpExists, &jute.PathWatchRequest{Path: path, Watch: watch}, &st)
	return st, h.Err
}

func await(t *testing.T, ch <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(deadline):
		require.FailNow(t, "waited in vain for "+what)
	}
}
