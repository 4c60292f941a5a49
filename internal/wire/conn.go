package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// errAssumption means that go-zookeeper did something that v1.0.4 does not do.
var errAssumption = errors.New("go-zookeeper does not behave as expected of v1.0.4")

const (
	firstXid   int32 = -16 // the protocol gives -1, -2, -4 and -8 a meaning of their own
	keptBuffer       = 64 << 10
)

// conn is one established connection. Towards go-zookeeper it is a net.Conn that
// carries pings and the end of the session; towards the link it carries calls.
type conn struct {
	link    *Link
	raw     net.Conn
	server  string // the address at the other end
	in      *bufio.Reader
	wake    chan struct{} // cap 1: there is something to write
	dead    chan struct{} // closed at the beginning of fail
	told    chan struct{} // closed at its end
	silence time.Duration

	// Used by go-zookeeper's goroutines only, one after the other.
	greeted bool
	toLib   []byte

	mu      sync.Mutex
	err     error
	out     []byte
	xid     int32
	queued  uint64  // number of calls put into out so far
	written uint64  // number of those whose bytes may have reached the socket
	pending []*Call // waiting for replies, oldest first
	pings   []ping
	known   bool    // Connected has been called for this connection
	opened  bool    // calls are taken from everybody
	unsent  []*Call // to be refused
}

// ping is one that has not been answered yet.
type ping struct {
	sent   time.Time
	behind uint64 // number of calls queued before it
}

func newConn(l *Link, raw net.Conn, response *jute.ConnectResponse, timeout time.Duration) *conn {
	silence := timeout * 2 / 3
	reader := &quietReader{raw: raw, lazyDeadline: lazyDeadline{limit: silence, set: raw.SetReadDeadline}}
	canned := *response
	canned.OldServer = true
	return &conn{
		link:    l,
		raw:     raw,
		server:  raw.RemoteAddr().String(),
		in:      bufio.NewReaderSize(reader, 16<<10),
		wake:    make(chan struct{}, 1),
		dead:    make(chan struct{}),
		told:    make(chan struct{}),
		silence: silence,
		toLib:   frameOf(&canned),
		xid:     firstXid,
	}
}

// send queues calls; it is false if the connection has ended, or is not open yet.
func (c *conn) send(calls []*Call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened && c.queue(calls)
}

// ask queues a call before the connection is open.
func (c *conn) ask(call *Call) { c.begin(false, call) }

// open lets everybody send, behind the calls that have to be first.
func (c *conn) open(first ...*Call) { c.begin(true, first...) }

func (c *conn) begin(opened bool, calls ...*Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = opened
	if !c.queue(calls) {
		c.unsent = append(c.unsent, calls...)
	}
}

// refuse ends the calls that came to ask and open too late. Not there: whoever calls
// these may hold a lock that OnEnd takes.
func (c *conn) refuse() {
	c.mu.Lock()
	calls := c.unsent
	c.unsent = nil
	c.mu.Unlock()
	Refuse(calls...)
}

// queue is send under the lock.
func (c *conn) queue(calls []*Call) bool {
	if c.err != nil {
		return false
	}
	now := time.Now()
	for _, call := range calls {
		call.sentAt, call.server = now, c.server
		if !call.lib {
			call.setXid(c.nextXid())
		}
		c.queued++
		call.seq = c.queued
		c.pending = append(c.pending, call)
		c.out = append(c.out, call.enc.B...)
		call.enc.B = nil
	}
	c.wakeWriter()
	return true
}

func (c *conn) nextXid() int32 {
	xid := c.xid
	c.xid--
	if c.xid > firstXid { // wrapped around
		c.xid = firstXid
	}
	return xid
}

func (c *conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// writeLoop writes whatever has been queued, many frames at once where many wait.
// It is owned by the link.
func (c *conn) writeLoop() {
	deadline := lazyDeadline{limit: c.silence, set: c.raw.SetWriteDeadline}
	counters := c.link.cfg.Counters
	var spare []byte
	for {
		select {
		case <-c.wake:
		case <-c.dead:
			return
		}
		c.mu.Lock()
		batch := c.out
		c.out = spare[:0]
		fresh := c.queued - c.written
		c.written = c.queued
		c.mu.Unlock()
		counters.Requests.Add(fresh) // before an answer can be counted
		counters.BytesSent.Add(uint64(len(batch)))
		if len(batch) == 0 {
			spare = batch
			continue
		}
		err := deadline.touch()
		if err == nil {
			_, err = c.raw.Write(batch)
		}
		if err != nil {
			c.fail(fmt.Errorf("write: %w", err))
			return
		}
		if spare = batch; cap(spare) > keptBuffer {
			spare = nil
		}
	}
}

// next reads and handles one frame; it returns what go-zookeeper has to see of it.
func (c *conn) next() ([]byte, error) {
	n, err := readLength(c.in)
	if err != nil {
		return nil, err
	}
	if n < jute.ReplyHeaderLen {
		return nil, fmt.Errorf("%w: length %d is less than a reply header", errFrame, n)
	}
	size, tooLarge := n, n > c.link.cfg.MaxReply
	if tooLarge {
		size = jute.ReplyHeaderLen
	}
	frame := make([]byte, size)
	if _, err := io.ReadFull(c.in, frame); err != nil {
		return nil, err
	}
	if tooLarge {
		if _, err := io.CopyN(io.Discard, c.in, int64(n-size)); err != nil {
			return nil, err
		}
	}
	c.link.cfg.Counters.BytesReceived.Add(uint64(4 + n))
	var h jute.ReplyHeader
	h.Decode(jute.NewDecoder(frame))
	body := frame[jute.ReplyHeaderLen:]
	if h.Err == jute.SessionClosedRequireSASL {
		return nil, c.turnedAway(h)
	}
	switch {
	case h.Xid == jute.XidNotification:
		return nil, c.event(h, body, tooLarge)
	case h.Xid == jute.XidPing:
		if err := c.pong(); err != nil {
			return nil, err
		}
		answer := h // a copy, so that h itself stays off the heap
		return frameOf(&answer), nil
	case h.Xid == jute.XidAuth:
		return nil, nil
	default:
		return c.reply(h, body, tooLarge, n)
	}
}

func (c *conn) event(h jute.ReplyHeader, body []byte, tooLarge bool) error {
	if tooLarge {
		return fmt.Errorf("%w: a watch event over the limit of %d bytes", errFrame, c.link.cfg.MaxReply)
	}
	var ev jute.WatcherEvent
	d := jute.NewDecoder(body)
	if ev.Decode(d); d.Err() != nil {
		return fmt.Errorf("watch event: %w", d.Err())
	}
	c.link.cfg.Counters.Events.Add(1)
	c.link.sawZxid(h.Zxid) // 3.9 sends the transaction that caused the event, older servers -1
	c.link.cfg.Event(ev)
	return nil
}

// pong takes the oldest ping as answered. The server answers pings in the order of all that a session sends: so a call
// whose answer such a one has overtaken will have none, and the frames of one or the other were lost. Without this, who waits
// for it without a limit would wait for as long as the connection lives.
func (c *conn) pong() error {
	c.mu.Lock()
	if len(c.pings) == 0 {
		c.mu.Unlock()
		return nil
	}
	p := c.pings[0]
	c.pings = c.pings[1:]
	overtaken := len(c.pending) > 0 && c.pending[0].seq <= p.behind
	c.mu.Unlock()
	if overtaken {
		return fmt.Errorf("%w: a ping was answered before a request that was sent before it", errFrame)
	}
	now := time.Now()
	c.link.proof.answered(p.sent, now, false)
	c.link.cfg.Counters.took(now.Sub(p.sent))
	return nil
}

// reply completes the oldest pending call. The server answers one session's
// requests in order; anything else means that frames were lost.
func (c *conn) reply(h jute.ReplyHeader, body []byte, tooLarge bool, size int) ([]byte, error) {
	c.mu.Lock()
	if len(c.pending) == 0 || c.pending[0].xid != h.Xid {
		c.mu.Unlock()
		return nil, fmt.Errorf("%w: xid %d out of order", errFrame, h.Xid)
	}
	call := c.pending[0]
	c.pending[0] = nil
	c.pending = c.pending[1:]
	c.mu.Unlock()

	if h.Zxid > 0 {
		c.link.sawZxid(h.Zxid)
	}
	now := time.Now()
	c.link.cfg.Counters.Replies.Add(1)
	c.link.cfg.Counters.took(now.Sub(call.sentAt))
	c.link.proof.answered(call.sentAt, now, h.Err == jute.OK && committed(call.Op, body) && (call.Guards || !c.link.guarded.Load()))
	if call.lib {
		c.link.farewell.Store(h.Err == jute.OK)
		call.end(nil)
		answer := h
		return frameOf(&answer), nil
	}
	if tooLarge {
		call.end(fmt.Errorf("%w: %d bytes, limit %d", ErrReplyTooLarge, size, c.link.cfg.MaxReply))
		return nil, nil
	}
	call.Code, call.Zxid, call.Body = h.Err, h.Zxid, body
	call.end(nil)
	c.refuse() // if that was the answer to a question, upon which it was to be opened
	return nil, nil
}

// committed tells whether a reply with code OK proves a commit on behalf of the
// session. A multi that failed, even because the session is no more, is answered with
// OK and a list of errors, and an empty one without a look at the session.
func committed(op jute.Op, body []byte) bool {
	if op != jute.OpMulti {
		return op.Commits()
	}
	d := jute.NewDecoder(body)
	first := jute.Op(d.Int32())
	return d.Err() == nil && first != jute.OpError
}

// fail ends the connection, once: the socket is closed, and every call under way
// learns whether its bytes may have left. Whoever comes second waits until that is
// done: so go-zookeeper cannot dial again before the end of this connection is known.
func (c *conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		<-c.told
		return
	}
	c.err = err
	pending, written, known := c.pending, c.written, c.known
	c.pending, c.out = nil, nil
	c.mu.Unlock()

	defer close(c.told)
	close(c.dead)
	closeSocket(c.raw)
	c.link.detach(c)
	if known { // otherwise announced tells
		c.link.cfg.Disconnected(err)
	}
	for _, call := range pending {
		if call.seq > written {
			call.end(fmt.Errorf("%w (%w)", ErrNotSent, err))
			continue
		}
		call.end(fmt.Errorf("%w (%w)", ErrLost, err))
	}
}

// announced notes that Connected has been called, and tells of a loss that came before it.
func (c *conn) announced() {
	c.mu.Lock()
	c.known = true
	err := c.err
	c.mu.Unlock()
	if err != nil {
		c.link.cfg.Disconnected(err)
	}
}
