package zktest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// lingerTime bounds how long a connection that the server ends in good order waits
// for its client to have read the last answer and hung up.
const lingerTime = time.Second

// conn is one connection. serve reads and executes, flush writes; both end when the
// connection is cut. The fields below the blank line are guarded by the server's mutex.
type conn struct {
	s    *Server
	nc   net.Conn
	id   int
	wake chan struct{} // something to write, or leave to write; capacity 1
	done chan struct{} // closed when the connection is cut
	sent chan struct{} // closed when the last answer has been written

	who     caller
	session *session
	out     []outgoing
	dead    bool
	last    bool // an answer has been queued after which the server hangs up
}

// outgoing is one frame to be written. While it is held, what comes after it waits too.
type outgoing struct {
	frame []byte
	held  *Fault
	last  bool
}

func newConn(s *Server, nc net.Conn, id int) *conn {
	c := &conn{s: s, nc: nc, id: id, wake: make(chan struct{}, 1), done: make(chan struct{}), sent: make(chan struct{})}
	if host, _, err := net.SplitHostPort(nc.RemoteAddr().String()); err == nil {
		c.who.ids = []identity{{scheme: "ip", id: host}}
	}
	return c
}

// nudge wakes flush.
func (c *conn) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// frame encodes records as one frame.
func frame(records ...jute.Record) []byte {
	e := jute.Encoder{B: make([]byte, 4, 128)}
	for _, r := range records {
		if r != nil {
			r.Encode(&e)
		}
	}
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	return e.B
}

// push queues a frame. The mutex is held.
func (c *conn) push(o outgoing) {
	if c.dead || c.last {
		return
	}
	c.last = o.last
	c.out = append(c.out, o)
	c.nudge()
}

// notify queues a watch event. The mutex is held.
func (c *conn) notify(ev event) {
	const connected = 3 // KeeperState.SyncConnected
	c.push(outgoing{frame: frame(
		&jute.ReplyHeader{Xid: jute.XidNotification, Zxid: -1},
		&jute.WatcherEvent{Type: ev.kind, State: connected, Path: ev.path},
	)})
}

// flush writes what is queued, as much as there is at once.
func (c *conn) flush() {
	for {
		buf, last := c.take()
		if len(buf) > 0 {
			if _, err := c.nc.Write(buf); err != nil {
				break
			}
			if last {
				if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
					close(c.sent)
					return
				}
				break
			}
			continue
		}
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
	}
	c.s.mu.Lock()
	c.s.cut(c)
	c.s.mu.Unlock()
}

// take removes what may be written now from the queue.
func (c *conn) take() (buf []byte, last bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.thawed != nil {
		return nil, false
	}
	n := 0
	for _, o := range c.out {
		if o.held != nil {
			break
		}
		buf = append(buf, o.frame...)
		last = o.last
		n++
	}
	c.out = c.out[n:]
	return buf, last
}

// serve reads the connection until it ends.
func (c *conn) serve() {
	err := c.read()
	if err == nil {
		// In good order: let the client read its last answer before the socket goes,
		// since data left unread would turn the end into a reset.
		select {
		case <-c.sent:
			_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.Copy(io.Discard, c.nc)
		case <-c.done:
		}
	} else if errors.Is(err, jute.ErrMalformed) {
		c.s.log.Warn("zktest: connection ended", "conn", c.id, "err", err)
	}
	c.s.mu.Lock()
	c.s.cut(c)
	c.s.mu.Unlock()
}

// errCut ends a connection's read without a word.
var errCut = errors.New("connection is cut")

// read executes requests until the connection fails (an error) or the server has
// queued its last answer (nil).
func (c *conn) read() error {
	r := bufio.NewReader(c.nc)
	var head [4]byte
	for first := true; ; first = false {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		if first {
			if text, ok := c.s.fourLetter(c, string(head[:])); ok {
				return c.say(text)
			}
		}
		n := int(int32(binary.BigEndian.Uint32(head[:])))
		if n < 0 || n > c.s.opts.maxBuffer {
			return fmt.Errorf("%w: frame of %d bytes, the limit is %d", jute.ErrMalformed, n, c.s.opts.maxBuffer)
		}
		buf := make([]byte, n)
		if _, err := io.ReadFull(r, buf); err != nil {
			return err
		}
		var last bool
		var err error
		if first {
			last, err = c.connect(buf)
		} else {
			last, err = c.request(buf)
		}
		if last || err != nil {
			return err
		}
	}
}

// say answers a four-letter word and hangs up.
func (c *conn) say(text string) error {
	if !c.s.lockThawed(c) {
		return errCut
	}
	c.push(outgoing{frame: []byte(text), last: true})
	c.s.mu.Unlock()
	return nil
}
