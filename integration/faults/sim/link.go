package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// dialFunc opens a connection, as client.WithDialer wants it.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// link is the network of one process: all its connections go through it, and take time.
type link struct {
	dial dialFunc

	mu      sync.Mutex
	rand    *rand.Rand
	slow    time.Duration // what is added, at most, to the time that a frame takes
	out, in bool          // black-holed: what goes to the servers, what comes from them
	dead    bool
	changed chan struct{} // closed when one of them changes
	conns   map[*tap]struct{}
	wg      sync.WaitGroup
}

const (
	// usual is how long a frame takes at most.
	usual = 2 * time.Millisecond
	// chunk is how much goes through at once.
	chunk = 2 << 10
	// socket is how many chunks wait before a client that sends has to wait.
	socket = 1 << 8
)

func newLink(dial dialFunc, r *rand.Rand) *link {
	return &link{dial: dial, rand: r, changed: make(chan struct{}), conns: map[*tap]struct{}{}}
}

// set changes the link's state.
func (l *link) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) setSlow(most time.Duration) { l.set(func() { l.slow = most }) }
func (l *link) setHole(out, in bool)       { l.set(func() { l.out, l.in = out, in }) }

// kill ends the link for good: the servers see that the process is gone.
func (l *link) kill() {
	l.set(func() { l.dead = true })
	l.cut(true)
}

// cut ends all connections, by reset or in good order.
func (l *link) cut(reset bool) {
	l.mu.Lock()
	var all []*tap
	for t := range l.conns {
		all = append(all, t)
	}
	l.mu.Unlock()
	for _, t := range all {
		t.reset.Store(reset)
		t.close()
	}
}

// delay is how long the next frame takes.
func (l *link) delay() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := time.Duration(l.rand.Int64N(int64(usual)))
	if l.slow > 0 {
		d += time.Duration(l.rand.Int64N(int64(l.slow)))
	}
	return d
}

// pass waits until something can go through in a direction. It is false when done is closed before.
func (l *link) pass(done <-chan struct{}, outward bool) bool {
	for {
		l.mu.Lock()
		open, changed := !(outward && l.out || !outward && l.in), l.changed
		l.mu.Unlock()
		if open {
			return true
		}
		select {
		case <-changed:
		case <-done:
			return false
		}
	}
}

// Dial opens a connection. In a black hole it waits for ctx.
func (l *link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !sleep(ctx.Done(), l.delay()) || !l.pass(ctx.Done(), true) || !l.pass(ctx.Done(), false) {
		return nil, fmt.Errorf("dial %s: %w", address, context.Cause(ctx))
	}
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	if dead {
		return nil, fmt.Errorf("dial %s: %w", address, syscall.ENETUNREACH)
	}
	far, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	near, inner := net.Pipe()
	t := &tap{Conn: near, l: l, inner: inner, far: far, done: make(chan struct{}), queue: make(chan []byte, socket)}
	l.mu.Lock()
	l.conns[t] = struct{}{}
	l.mu.Unlock()
	l.wg.Go(t.read)
	l.wg.Go(t.forward)
	l.wg.Go(t.back)
	return t, nil
}

// wait returns when nothing of the link is left, all connections being closed.
func (l *link) wait() { l.wg.Wait() }

// sleep is false when done is closed first.
func sleep(done <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

// tap is one connection; what the client has is the Conn.
type tap struct {
	net.Conn
	l     *link
	inner net.Conn    // the other end of Conn
	far   net.Conn    // to the server
	queue chan []byte // what the client has sent: a socket's buffer
	done  chan struct{}
	once  sync.Once
	reset atomic.Bool
}

// close ends the connection. What is under way is lost.
func (t *tap) close() {
	t.once.Do(func() {
		close(t.done)
		_ = t.inner.Close()
		_ = t.far.Close()
		t.l.mu.Lock()
		delete(t.l.conns, t)
		t.l.mu.Unlock()
	})
}

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if err != nil && t.reset.Load() {
		err = syscall.ECONNRESET
	}
	return n, err
}

// RemoteAddr is the server's.
func (t *tap) RemoteAddr() net.Addr { return t.far.RemoteAddr() }

// read takes what the client sends.
func (t *tap) read() {
	defer close(t.queue)
	buf := make([]byte, chunk)
	for {
		n, err := t.inner.Read(buf)
		if n > 0 {
			select {
			case t.queue <- bytes.Clone(buf[:n]):
			case <-t.done:
				return
			}
		}
		if err != nil { // the client has closed
			return
		}
	}
}

// forward brings it to the server. A client that closes is seen to do so when all that it sent has arrived.
func (t *tap) forward() {
	defer t.close()
	for buf := range t.queue {
		if !sleep(t.done, t.l.delay()) || !t.l.pass(t.done, true) {
			return
		}
		if _, err := t.far.Write(buf); err != nil {
			return
		}
	}
	t.l.pass(t.done, true)
}

// back brings what the server sends.
func (t *tap) back() {
	defer t.close()
	buf := make([]byte, chunk)
	for {
		n, err := t.far.Read(buf)
		if n > 0 {
			if !sleep(t.done, t.l.delay()) || !t.l.pass(t.done, false) {
				return
			}
			if _, err := t.inner.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF { //nolint:errorlint // as the interface has it
				t.reset.Store(true)
			}
			t.l.pass(t.done, false)
			return
		}
	}
}
