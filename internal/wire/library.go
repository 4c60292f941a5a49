package wire

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// What a conn is towards go-zookeeper: a net.Conn.

// Write takes a frame from go-zookeeper. It never fails: go-zookeeper would be
// left in a deadlock; the connection is closed instead.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.fromLib(p); err != nil {
		c.fail(err)
	}
	return len(p), nil
}

func (c *conn) fromLib(p []byte) error {
	if len(p) < headerLen || int(binary.BigEndian.Uint32(p)) != len(p)-4 {
		return fmt.Errorf("%w: a write of %d bytes is not one frame", errAssumption, len(p))
	}
	d := jute.NewDecoder(p[4:])
	if !c.greeted {
		var r jute.ConnectRequest
		if r.Decode(d); d.Err() != nil || d.Rest() > 0 {
			return fmt.Errorf("%w: the first write of %d bytes is no connect request", errAssumption, len(p))
		}
		c.greeted = true // answered from memory: see newConn
		return nil
	}
	var h jute.RequestHeader
	h.Decode(d)
	switch h.Op {
	case jute.OpPing:
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err == nil {
			c.pings = append(c.pings, ping{sent: time.Now(), behind: c.queued})
			c.out = append(c.out, p...)
			c.wakeWriter()
		}
		return nil
	case jute.OpCloseSession:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.queue([]*Call{{Op: h.Op, lib: true, xid: h.Xid, enc: jute.Encoder{B: append([]byte(nil), p...)}, done: make(chan struct{})}})
		return nil
	default:
		return fmt.Errorf("%w: it sends %v", errAssumption, h.Op)
	}
}

// Read gives go-zookeeper the frames that are meant for it, and handles all
// others on the way. go-zookeeper's receiving goroutine is the one reader.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.toLib) == 0 {
		forward, err := c.next()
		if err != nil {
			c.fail(err)
			return 0, err
		}
		c.toLib = forward
	}
	n := copy(p, c.toLib)
	c.toLib = c.toLib[n:]
	return n, nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.fail(net.ErrClosed)
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline implements net.Conn. go-zookeeper's deadlines are ignored, here and
// below: the handshake is over when it gets the connection, and from then on a
// silence of two thirds of the session timeout ends it, as go-zookeeper would.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
