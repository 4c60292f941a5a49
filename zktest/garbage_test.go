package zktest_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"strings"
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

// garbage is something that no client sends.
type garbage struct {
	name  string
	bytes string
	open  bool   // it comes in a session
	more  bool   // the client waits for the server to hang up; else it hangs up in the middle
	stays bool   // the request is answered with an error, and the connection stays
	line  string // part of what the log says
}

// request is a frame of a header and of a body as it stands here.
func request(op jute.Op, body string) string {
	var e jute.Encoder
	e.Int32(int32(8 + len(body)))
	(&jute.RequestHeader{Xid: 7, Op: op}).Encode(&e)
	return string(e.B) + body
}

const secret = "hush-hush"

var garbageKinds = []garbage{
	{name: "another protocol", bytes: "GET / HTTP/1.1\r\n\r\n", more: true, line: "frame of 1195725856 bytes, the limit is 1048575"},
	{name: "empty handshake", bytes: "\x00\x00\x00\x00", more: true, line: "handshake: malformed"},
	{name: "negative length", bytes: "\xff\xff\xff\xff", more: true, line: "frame of -1 bytes"},
	{name: "least length", bytes: "\x80\x00\x00\x00", more: true, line: "frame of -2147483648 bytes"},
	{name: "greatest length", bytes: "\x7f\xff\xff\xff", more: true, line: "frame of 2147483647 bytes"},
	{name: "handshake of letters", bytes: "\x00\x00\x00\x05hello", more: true, line: "handshake: malformed"},
	{name: "half a length", bytes: "\x00\x00", line: "hung up after 2 of 4 bytes"},
	{name: "length alone", bytes: "\x00\x00\x00\x2c", line: "hung up before a frame of 44 bytes"},
	{name: "half a handshake", bytes: "\x00\x00\x00\x2c\x00\x00\x00\x00" + secret, line: "hung up after 13 of 44 bytes"},
	{name: "long frame cut short", bytes: "\x00\x01\x00\x00" + secret, line: "hung up after 9 of 65536 bytes"},
	{name: "request before the handshake", bytes: request(jute.OpGetData, "\x00\x00\x00\x01/\x00"), more: true, line: "handshake: malformed"},
	{name: "handshake with a password of any length", bytes: "\x00\x00\x00\x1c" + strings.Repeat("\x00", 24) + "\x7f\xff\xff\xff", more: true, line: "buffer needs 2147483647 bytes"},
	{name: "negative length in a session", bytes: "\xff\xff\xff\xfe", open: true, more: true, line: "frame of -2 bytes"},
	{name: "half a header", bytes: "\x00\x00\x00\x02\x01\x02", open: true, more: true, line: "request header: malformed"},
	{name: "half a request", bytes: request(jute.OpAuth, secret)[:18], open: true, line: "hung up after 14 of 17 bytes"},
	{name: "unknown operation", bytes: request(77, secret), open: true, more: true, line: "operation is not implemented"},
	{name: "negative operation", bytes: request(-100, ""), open: true, more: true, line: "operation is not implemented"},
	{name: "second handshake", bytes: "\x00\x00\x00\x2c" + strings.Repeat("\x00", 27) + "\x10" + secret + secret[:7], open: true, more: true, line: "operation is not implemented"},
	{name: "authentication in an unknown scheme", bytes: request(jute.OpAuth, "\x00\x00\x00\x00\x00\x00\x00\x04what\x00\x00\x00\x09"+secret), open: true, more: true, line: "scheme=what"},
	{name: "body cut short", bytes: request(jute.OpSetData, "\x00\x00\x00\x02/a\x00\x00\x00\xff"+secret), open: true, stays: true, line: "buffer needs 255 bytes"},
	{name: "string of negative length", bytes: request(jute.OpGetData, "\xff\xff\xff\xfb/\x00"), open: true, stays: true, line: "buffer of length -5"},
	{name: "list of any length", bytes: request(jute.OpSetWatches, strings.Repeat("\x00", 8)+"\x7f\xff\xff\xff"), open: true, stays: true, line: "vector of 2147483647 elements"},
	{name: "list of negative length", bytes: request(jute.OpSetACL, "\x00\x00\x00\x02/a\x80\x00\x00\x00\x00\x00\x00\x00"), open: true, stays: true, line: "vector of length -2147483648"},
	{name: "multi without an end", bytes: request(jute.OpMulti, "\x00\x00\x00\x02\x00\xff\xff\xff\xff\x00\x00\x00\x02/b\xff\xff\xff\xff"), open: true, stays: true, line: "int needs 4 bytes"},
	{name: "multi of what cannot be in it", bytes: request(jute.OpMulti, "\x00\x00\x00\x64\x00\xff\xff\xff\xff"), open: true, stays: true, line: "in a multi"},
	{name: "multi in a multi", bytes: request(jute.OpMulti, "\x00\x00\x00\x0e\x00\xff\xff\xff\xff"), open: true, stays: true, line: "in a multi"},
}

// Garbage ends its connection, or is answered with an error as a real server does. Either way the log
// has one line about it, which tells who sent it and what is wrong, and no secret; and nothing else
// becomes of it.
func TestGarbageEndsOnlyItsConnection(t *testing.T) {
	for _, network := range networks {
		for _, g := range garbageKinds {
			t.Run(network.name+"/"+g.name, func(t *testing.T) {
				var log lines
				s := zktest.Start(t, append(network.opts, zktest.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
				good := enter(t, s)
				zxid := s.Zxid()
				w := &wire{t: t, nc: reach(t, s)}
				require.NoError(t, w.nc.SetDeadline(time.Now().Add(deadline)))
				if g.open {
					w.connect(&jute.ConnectRequest{TimeoutMillis: 10_000})
					zxid++
				}
				_, err := w.nc.Write([]byte(g.bytes))
				require.NoError(t, err)
				switch {
				case g.stays:
					require.Equal(t, jute.MarshallingError, w.recv(nil).Err)
					w.call(jute.OpPing, nil, nil)
				case g.more:
					_, err = io.Copy(io.Discard, w.nc)
				default:
					require.NoError(t, w.nc.(interface{ CloseWrite() error }).CloseWrite())
					_, err = io.Copy(io.Discard, w.nc)
				}
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server does not hang up")
				require.Equal(t, 1, strings.Count(log.String(), "\n"), "one line: %s", log.String())
				require.Contains(t, log.String(), g.line)
				require.Contains(t, log.String(), "remote="+w.nc.LocalAddr().String())
				require.NotContains(t, log.String(), secret)
				require.LessOrEqual(t, s.Zxid(), zxid+1, "nothing but the zxid of what could not be read is spent")
				good.mustCreate("/a", 0)
				require.NoError(t, good.nc.Close())
			})
		}
	}
}

// A client that is slow to send the rest of its frame keeps the server neither from answering others
// nor from closing, and closing is nothing to log.
func TestHalfAFrameHoldsNobodyUp(t *testing.T) {
	for _, network := range networks {
		t.Run(network.name, func(t *testing.T) {
			var log lines
			s := zktest.Start(t, append(network.opts, zktest.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
			for _, half := range []string{"", "\x00", "\x00\x00\x00\x2c", "\x00\x00\x00\x2c\x00", "\x00\x0f\x00\x00\x00"} {
				_, err := reach(t, s).Write([]byte(half))
				require.NoError(t, err)
				w := enter(t, s)
				_, err = w.nc.Write([]byte(half))
				require.NoError(t, err)
			}
			enter(t, s).mustCreate("/a", 0)
			require.NoError(t, s.Close())
			require.Empty(t, log.String())
		})
	}
}

// A body that cannot be read is answered, as a real server does; the connection stays.
func TestUnreadableBody(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	for _, op := range []jute.Op{jute.OpCreate, jute.OpDelete, jute.OpGetData, jute.OpMulti, jute.OpSetWatches, jute.OpSync,
		jute.OpSetWatches2, jute.OpAddWatch, jute.OpReconfig} {
		before := s.Zxid()
		h := w.call(op, &jute.RequestHeader{Xid: 1 << 30}, nil)
		require.Equal(t, jute.MarshallingError, h.Err, "%v", op)
		spent := s.Zxid() - before
		require.Equal(t, op.Commits() && op != jute.OpReconfig, spent == 1, "%v", op)
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
