package wire

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"sync"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// epilogue is the connection that go-zookeeper gets when nothing will be dialled
// any more. There is no server behind it: it accepts the handshake, swallows pings,
// and answers the closing of the session, upon which go-zookeeper's loop ends. Without
// it zk.Conn.Close would wait a second for that answer, and the loop would dial on. It ends
// when the link is dismissed, also if go-zookeeper has said goodbye elsewhere.
type epilogue struct {
	toLib   chan []byte     // cap 2: the greeting, and the farewell
	over    <-chan struct{} // see Link.Dismiss
	rest    []byte
	greeted bool
	closed  chan struct{}
	once    sync.Once
}

func newEpilogue(over <-chan struct{}) *epilogue {
	return &epilogue{toLib: make(chan []byte, 2), over: over, closed: make(chan struct{})}
}

// Write takes a frame from go-zookeeper, see [conn.Write].
func (e *epilogue) Write(p []byte) (int, error) {
	switch {
	case !e.greeted:
		e.greeted = true
		e.toLib <- frameOf(&jute.ConnectResponse{SessionID: 1, TimeoutMillis: math.MaxInt32, Password: make([]byte, passwordLen), OldServer: true})
	case len(p) >= headerLen && jute.Op(binary.BigEndian.Uint32(p[8:])) == jute.OpCloseSession:
		e.toLib <- frameOf(&jute.ReplyHeader{Xid: int32(binary.BigEndian.Uint32(p[4:]))})
	}
	return len(p), nil
}

// Read waits for the next answer.
func (e *epilogue) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		select {
		case e.rest = <-e.toLib:
		case <-e.closed:
			return 0, io.EOF
		case <-e.over:
			return 0, io.EOF
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Close implements net.Conn.
func (e *epilogue) Close() error {
	e.once.Do(func() { close(e.closed) })
	return nil
}

// LocalAddr implements net.Conn.
func (e *epilogue) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn.
func (e *epilogue) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline implements net.Conn; like the two below it does nothing.
func (e *epilogue) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (e *epilogue) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (e *epilogue) SetWriteDeadline(time.Time) error { return nil }
