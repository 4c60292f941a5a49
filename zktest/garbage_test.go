package zktest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestGarbageEndsOnlyItsConnection(t *testing.T) {
	var log lines
	s := zktest.Start(t, zktest.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	good := open(t, s.Addr())
	for _, garbage := range []string{
		"GET / HTTP/1.1\r\n\r\n",
		"\x00\x00\x00\x00",
		"\xff\xff\xff\xff",
		"\x7f\xff\xff\xff",
		"\x00\x00\x00\x05hello",
	} {
		w := dial(t, s.Addr())
		_, err := w.nc.Write([]byte(garbage))
		require.NoError(t, err)
		w.closed()
	}
	w := open(t, s.Addr())
	_, err := w.nc.Write([]byte{0, 0, 0, 2, 1, 2}) // half a header
	require.NoError(t, err)
	w.closed()
	good.mustCreate("/a", 0)
	require.Contains(t, log.String(), "connection ended")
}

// A body that cannot be read is answered, as a real server does; the connection stays.
func TestUnreadableBody(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, op := range []jute.Op{jute.OpCreate, jute.OpDelete, jute.OpGetData, jute.OpMulti, jute.OpSetWatches, jute.OpSync} {
		before := s.Zxid()
		h := w.call(op, &jute.RequestHeader{Xid: 1 << 30}, nil)
		require.Equal(t, jute.MarshallingError, h.Err, "%v", op)
		spent := s.Zxid() - before
		require.Equal(t, op.Commits(), spent == 1, "%v", op)
	}
	w.mustCreate("/a", 0)
}

func TestUnknownOperation(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	h := w.call(jute.Op(77), nil, nil)
	require.Equal(t, jute.Unimplemented, h.Err)
	w.closed()
}

func TestMaxBuffer(t *testing.T) {
	s := zktest.Start(t, zktest.WithMaxBuffer(1000))
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	const overhead = 8 + 4 + 2 + 4 + 4 // header, path, length of the data, version
	body := &jute.SetDataRequest{Path: "/a", Data: make([]byte, 1000-overhead), Version: -1}
	require.Equal(t, jute.OK, w.call(jute.OpSetData, body, &jute.Stat{}).Err)
	body.Data = append(body.Data, 0)
	w.send(jute.OpSetData, body)
	w.closed()
	n, _ := s.Node("/a")
	require.EqualValues(t, 1, n.Stat.Version)
}

// FuzzServer sends any bytes as the frames of a client with a session, and any bytes
// as a connection's first. The server must live, and answer others.
func FuzzServer(f *testing.F) {
	frame := func(records ...jute.Record) []byte {
		var e jute.Encoder
		for _, r := range records {
			r.Encode(&e)
		}
		return e.B
	}
	head := func(op jute.Op) *jute.RequestHeader { return &jute.RequestHeader{Xid: 1, Op: op} }
	f.Add(frame(head(jute.OpCreate), &jute.CreateRequest{Path: "/a", ACL: anyone(31)}))
	f.Add(frame(head(jute.OpMulti), &jute.MultiRequest{Ops: []jute.MultiOp{
		step(jute.OpCreateTTL, &jute.CreateTTLRequest{CreateRequest: jute.CreateRequest{Path: "/a", ACL: anyone(31), Flags: 5}, TTLMillis: 1}),
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: -1}),
	}}))
	f.Add(frame(head(jute.OpSetWatches), &jute.SetWatchesRequest{Data: []string{"/a"}}))
	f.Add(frame(head(jute.OpAuth), &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")}))
	f.Add(frame(head(jute.OpReconfig)))
	f.Add([]byte("ruok"))
	s, err := zktest.NewServer()
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, shake := range []bool{true, false} {
			nc, err := net.Dial("tcp", s.Addr())
			require.NoError(t, err)
			defer nc.Close()
			require.NoError(t, nc.SetDeadline(time.Now().Add(deadline)))
			if shake {
				(&wire{t: t, nc: nc}).connect(&jute.ConnectRequest{TimeoutMillis: 1000})
			}
			buf := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
			_, _ = nc.Write(append(buf, data...))
			require.NoError(t, nc.(*net.TCPConn).CloseWrite())
			_, err = io.Copy(io.Discard, nc)
			ne, ok := errors.AsType[net.Error](err)
			require.False(t, ok && ne.Timeout(), "the server neither answers nor hangs up")
		}
		w := dial(t, s.Addr())
		w.connect(&jute.ConnectRequest{TimeoutMillis: 1000})
		w.call(jute.OpExists, &jute.PathWatchRequest{Path: "/"}, &jute.Stat{})
		w.call(jute.OpCloseSession, nil, nil)
		require.NoError(t, w.nc.Close())
	})
}
