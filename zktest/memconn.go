package zktest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memBuffer is how many bytes one side can write before the other has to read, as in the
// buffers of a socket.
const memBuffer = 256 << 10

// stream is one direction of a connection in memory. All waiting is on its condition,
// so that a goroutine that waits is durably blocked for testing/synctest.
type stream struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	ended   bool // the writer has closed: what is in buf can still be read
	broken  bool // the reader has closed, or the writer has reset the connection
	reset   bool
	read    memDeadline
	write   memDeadline
}

// memDeadline is a time after which a wait ends.
type memDeadline struct {
	at    time.Time
	timer *time.Timer
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// set replaces a deadline; the zero time is none.
func (s *stream) set(d *memDeadline, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
	}
	s.changed.Broadcast()
}

func (d *memDeadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (s *stream) get(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.reset:
			return 0, syscall.ECONNRESET
		case s.broken:
			return 0, net.ErrClosed
		case s.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) put(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return n, net.ErrClosed
		case s.broken:
			return n, syscall.EPIPE
		case s.write.passed():
			return n, os.ErrDeadlineExceeded
		case n == len(p):
			return n, nil
		}
		if room := min(memBuffer-len(s.buf), len(p)-n); room > 0 {
			s.buf = append(s.buf, p[n:n+room]...)
			n += room
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// end marks the stream as closed by one of its sides.
func (s *stream) end(change func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
	for _, d := range []*memDeadline{&s.read, &s.write} {
		if d.timer != nil && (s.broken || s.ended && d == &s.write) {
			d.timer.Stop()
			d.timer = nil
		}
	}
	s.changed.Broadcast()
}

// memConn is one end of a connection in memory. It behaves as a TCP connection does,
// half-closing and resetting included.
type memConn struct {
	in, out       *stream
	local, remote net.Addr

	mu     sync.Mutex
	linger bool // Close resets the connection
}

// memPipe returns both ends of a connection.
func memPipe(client, server net.Addr) (near, far *memConn) {
	up, down := newStream(), newStream()
	return &memConn{in: down, out: up, local: client, remote: server}, &memConn{in: up, out: down, local: server, remote: client}
}

func (c *memConn) fail(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // it is never wrapped
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Read implements net.Conn.
func (c *memConn) Read(p []byte) (int, error) {
	n, err := c.in.get(p)
	return n, c.fail("read", err)
}

// Write implements net.Conn.
func (c *memConn) Write(p []byte) (int, error) {
	n, err := c.out.put(p)
	return n, c.fail("write", err)
}

// SetLinger makes Close reset the connection if sec is 0, as a TCP connection's does.
func (c *memConn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linger = sec == 0
	return nil
}

// CloseWrite ends what is written: the other side reads the rest, and then the end.
func (c *memConn) CloseWrite() error {
	c.out.end(func(s *stream) { s.ended = true })
	return nil
}

// Close ends both directions. The other side still reads what was written before.
func (c *memConn) Close() error {
	c.mu.Lock()
	abort := c.linger
	c.mu.Unlock()
	c.out.end(func(s *stream) {
		s.ended = true
		if abort {
			s.reset = true
		}
	})
	c.in.end(func(s *stream) { s.broken, s.buf = true, nil })
	return nil
}

// LocalAddr returns the address of this side.
func (c *memConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other side.
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline bounds both reads and writes; the zero time is none.
func (c *memConn) SetDeadline(t time.Time) error {
	c.in.set(&c.in.read, t)
	c.out.set(&c.out.write, t)
	return nil
}

// SetReadDeadline bounds reads, also those that wait; the zero time is none.
func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.set(&c.in.read, t)
	return nil
}

// SetWriteDeadline bounds writes, also those that wait; the zero time is none.
func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.out.set(&c.out.write, t)
	return nil
}
