package zktest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// lingerTime bounds how long a connection that the server ends in good order waits
// for its client to have read the last answer and hung up.
const lingerTime = time.Second

// inBuffer is how much is read at once. Most requests are a tenth of it; and there may be
// thousands of connections.
const inBuffer = 1 << 10

// conn is one connection. serve reads and executes, flush writes; both end when the
// connection is cut. The fields below the blank line are guarded by the server's mutex.
type conn struct {
	s        *Server
	door     *Door
	nc       net.Conn
	id       int
	wake     chan struct{} // something to write, or leave to write; capacity 1
	done     chan struct{} // closed when the connection is cut
	answered chan struct{} // closed when the last answer has been written
	in       jute.Decoder  // of the request that is being read; serve's own

	who      caller
	session  *session
	out      outbox
	pending  []*waiting    // replies put off because the door lags
	later    []*time.Timer // of replies that are delayed
	dead     bool
	ignored  bool // nothing that it sends is answered any more
	received int
	sent     int
	lastOp   string // of the last request, as cons names it
	lastXid  int32
	lastZxid int64
	since    time.Time
	last     bool // an answer has been queued after which the server hangs up
}

func newConn(d *Door, nc net.Conn, id int) *conn {
	c := &conn{s: d.s, door: d, nc: nc, id: id, wake: make(chan struct{}, 1), done: make(chan struct{}), answered: make(chan struct{}), since: time.Now()}
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

// push queues a copy of a frame. The mutex is held.
func (c *conn) push(o outgoing) {
	if c.dead || c.last {
		return
	}
	c.last = o.last
	c.out.add(o)
	if len(o.frames) > 0 {
		c.sent++
		c.door.sent++
	}
	c.nudge()
}

// notify queues a watch event. The mutex is held.
func (c *conn) notify(ev event) {
	const connected = 3 // KeeperState.SyncConnected
	c.push(outgoing{frames: c.s.framer.reply(
		jute.ReplyHeader{Xid: jute.XidNotification, Zxid: -1},
		&jute.WatcherEvent{Type: ev.kind, State: connected, Path: ev.path},
	)})
}

// flush writes what is queued, as much as there is at once.
func (c *conn) flush() {
	var frames []byte
	for {
		var last bool
		frames, last = c.take(frames)
		if len(frames) > 0 || last {
			if _, err := c.nc.Write(frames); err != nil {
				break
			}
			if last {
				if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
					close(c.answered)
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

// take is outbox.take, of a connection that is not frozen.
func (c *conn) take(written []byte) (frames []byte, last bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.door.thawed != nil {
		return nil, false
	}
	return c.out.take(written)
}

// serve reads the connection until it ends.
func (c *conn) serve() {
	err := c.read()
	if err == nil {
		// In good order: let the client read its last answer before the socket goes,
		// since data left unread would turn the end into a reset.
		select {
		case <-c.answered:
			_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime))
			_, _ = io.Copy(io.Discard, c.nc)
		case <-c.done:
		}
	} else if errors.Is(err, jute.ErrMalformed) {
		c.log().Warn("zktest: connection ended", "err", err)
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
	r := bufio.NewReaderSize(c.nc, inBuffer)
	for first := true; ; first = false {
		head, err := next(r, 4)
		if err != nil {
			return err
		}
		if first {
			if text, ok := c.door.fourLetter(c, string(head)); ok {
				return c.say(text)
			}
		}
		n := int(int32(binary.BigEndian.Uint32(head)))
		if n < 0 || n > c.s.opts.maxBuffer {
			return fmt.Errorf("%w: frame of %d bytes, the limit is %d", jute.ErrMalformed, n, c.s.opts.maxBuffer)
		}
		buf, err := next(r, n)
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: the client hung up before a frame of %d bytes", jute.ErrMalformed, n)
		}
		if err != nil {
			return err
		}
		var last bool
		switch {
		case first:
			last, err = c.connect(buf)
		case c.ignored:
		default:
			last, err = c.request(buf)
		}
		if last || err != nil {
			return err
		}
	}
}

// next reads n bytes, which are good until it is called again. The error is io.EOF when
// the client hung up before the first of them.
func next(r *bufio.Reader, n int) (buf []byte, err error) {
	got := 0
	if n <= inBuffer {
		buf, err = r.Peek(n)
		got, _ = r.Discard(len(buf))
	} else {
		buf = make([]byte, n)
		got, err = io.ReadFull(r, buf)
	}
	if got > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		err = fmt.Errorf("%w: the client hung up after %d of %d bytes", jute.ErrMalformed, got, n)
	}
	return buf, err
}

// log is the server's log, in lines that tell which client it is about.
func (c *conn) log() *slog.Logger { return c.s.log.With("conn", c.id, "remote", c.nc.RemoteAddr()) }

// say answers a four-letter word and hangs up.
func (c *conn) say(text string) error {
	if !c.s.lockThawed(c) {
		return errCut
	}
	c.push(outgoing{frames: []byte(text), last: true})
	c.s.mu.Unlock()
	return nil
}
