package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// tape is a socket that plays what a server sends and takes whatever it is sent.
type tape struct {
	net.Conn // nil: only the methods below are called
	server   *bytes.Reader
	closed   chan struct{}
}

func newTape(b []byte) *tape { return &tape{server: bytes.NewReader(b), closed: make(chan struct{})} }

func (t *tape) Read(p []byte) (int, error)       { return t.server.Read(p) }
func (t *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (t *tape) Close() error                     { close(t.closed); return nil }
func (t *tape) SetDeadline(time.Time) error      { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }
func (t *tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (t *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

const fuzzReply = 4 << 10

// fuzzLink is a link over one tape and no other connection.
func fuzzLink(tb testing.TB, played *tape) (*Link, *int) {
	events := new(int)
	dials := 0
	return NewLink(tb.Context(), Config{
		Dial: func(ctx context.Context) (net.Conn, error) {
			if dials++; dials == 1 {
				return played, nil
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
		Timeout:          sessionTimeout,
		Credentials:      []Credential{{"digest", []byte("user:secret")}},
		HandshakeTimeout: func(bool) time.Duration { return patience },
		HalfTick:         func(t time.Duration) time.Duration { return t / 4 },
		MaxReply:         fuzzReply,
		Connected:        func(Session) {},
		Disconnected:     func(error) {},
		Rejected:         func(error) {},
		Ended:            func(error) {},
		Event:            func(jute.WatcherEvent) { *events++ },
	}), events
}

// allocated is the number of bytes that this process has allocated so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// bounded checks that reading n bytes has not allocated out of proportion. The
// slack is for the connection itself and for what else runs in the process.
func bounded(t *testing.T, before uint64, n int) {
	t.Helper()
	if got := allocated() - before; got > 1<<20+uint64(200*n) {
		t.Fatalf("%d bytes from the server made the client allocate %d", n, got)
	}
}

func frames(bodies ...[]byte) []byte {
	var b []byte
	for _, f := range bodies {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

// Whatever a server answers in the handshake: no panic, no hang, and no more memory
// than the answer deserves.
func FuzzHandshake(f *testing.F) {
	ok := frameOf(welcomeOf(sessionID, sessionTimeout))
	verdict := frameOf(&jute.ReplyHeader{Xid: jute.XidAuth})
	f.Add(slices.Concat(ok, verdict))
	f.Add(ok)
	f.Add(ok[:20])
	f.Add(slices.Concat(ok, frameOf(&jute.ReplyHeader{Xid: jute.XidAuth, Err: jute.AuthFailed})))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add(frameOf(&jute.ConnectResponse{Password: make([]byte, passwordLen)}))
	f.Fuzz(func(t *testing.T, server []byte) {
		before := allocated()
		played := newTape(server)
		link, _ := fuzzLink(t, played)
		ended := make(chan error, 1)
		link.cfg.Rejected = func(err error) { ended <- err }
		link.cfg.Ended = func(err error) { ended <- err }
		link.cfg.Connected = func(s Session) {
			if s.ID == 0 || s.Timeout <= 0 || len(s.Password) != passwordLen {
				t.Errorf("accepted an impossible session: %v, %d bytes of password", s.Timeout, len(s.Password))
			}
			ended <- nil
		}
		dial := make(chan struct{})
		go func() {
			defer close(dial)
			_, _ = link.Dial("", "", 0)
		}()
		t.Log("ended by:", <-ended)
		link.Close()
		<-dial
		select {
		case <-played.closed:
		default:
			t.Error("the socket is still open")
		}
		bounded(t, before, len(server))
	})
}

// Whatever a server sends once the session stands: no panic, every call ends, and
// no more memory than was sent or one reply may take.
func FuzzFrames(f *testing.F) {
	event := func(path string) []byte {
		return frameOf(&jute.ReplyHeader{Xid: jute.XidNotification, Zxid: -1}, &jute.WatcherEvent{Type: 3, State: 3, Path: path})
	}
	reply := func(xid int32) []byte {
		return frameOf(&jute.ReplyHeader{Xid: xid, Zxid: 1}, &jute.DataReply{Data: []byte("x")})
	}
	f.Add(slices.Concat(event("/a"), reply(firstXid), reply(firstXid-1), event("/b"), reply(firstXid-2)))
	f.Add(slices.Concat(frameOf(&jute.ReplyHeader{Xid: jute.XidPing}), reply(firstXid-1)))
	f.Add(frames(make([]byte, 15)))
	f.Add(frames(make([]byte, 16), make([]byte, fuzzReply+1)))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add(event("/a")[:30])
	f.Fuzz(func(t *testing.T, server []byte) {
		before := allocated()
		hello := slices.Concat(frameOf(welcomeOf(sessionID, sessionTimeout)), frameOf(&jute.ReplyHeader{Xid: jute.XidAuth}))
		link, events := fuzzLink(t, newTape(slices.Concat(hello, server)))
		c, err := link.Dial("", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		calls := []*Call{
			NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"}),
			NewCall(jute.OpMulti, &jute.MultiRequest{}),
			NewCall(jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/"}),
		}
		link.Send(calls...)
		n, err := io.Copy(io.Discard, c)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
			!errors.Is(err, errFrame) && !errors.Is(err, jute.ErrMalformed) {
			t.Fatalf("ended for no good reason: %v", err)
		}
		for i, call := range calls {
			<-call.Done()
			if call.Err == nil {
				_ = call.Decode([]jute.Record{&jute.DataReply{}, &jute.MultiReply{}, &jute.Children2Reply{}}[i])
			}
		}
		link.Close()
		if *events > len(server)/32 || n > int64(len(server)+64) {
			t.Errorf("%d bytes from the server became %d events and %d bytes for the library", len(server), *events, n)
		}
		bounded(t, before, len(server))
	})
}
