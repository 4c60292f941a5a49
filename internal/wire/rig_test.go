package wire

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// note is one callback of a link.
type note struct {
	kind    string // connected, disconnected, rejected, ended, event
	session Session
	err     error
	event   jute.WatcherEvent
	at      time.Time
}

// rig is a link over a scripted network.
type rig struct {
	t     testing.TB
	net   *network
	cfg   Config
	link  *Link
	notes chan note

	lib    *zk.Conn
	events <-chan zk.Event
	over   atomic.Bool // tells the library to stop dialling
	wg     sync.WaitGroup
}

// newRig makes a link that is closed when the test ends. change may alter its configuration.
func newRig(t testing.TB, n *network, change ...func(*Config)) *rig {
	r := &rig{t: t, net: n, notes: make(chan note, 1<<12)}
	take := func(n note) {
		n.at = time.Now()
		r.notes <- n
	}
	r.cfg = Config{
		Dial:             n.dial,
		Timeout:          sessionTimeout,
		HandshakeTimeout: func(bool) time.Duration { return patience },
		HalfTick:         func(timeout time.Duration) time.Duration { return timeout / 4 },
		MaxReply:         1 << 20,
		Connected:        func(s Session) { take(note{kind: "connected", session: s}) },
		Disconnected:     func(err error) { take(note{kind: "disconnected", err: err}) },
		Rejected:         func(err error) { take(note{kind: "rejected", err: err}) },
		Ended:            func(err error) { take(note{kind: "ended", err: err}) },
		Event:            func(e jute.WatcherEvent) { take(note{kind: "event", event: e}) },
	}
	for _, f := range change {
		f(&r.cfg)
	}
	r.link = NewLink(t.Context(), r.cfg)
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	r.over.Store(true)
	r.link.Close()
	if r.lib != nil {
		r.lib.Close()
		for range r.events { // closed when the library's last goroutine ends
		}
	}
	r.wg.Wait()
}

// next waits for the next callback, which must be of this kind.
func (r *rig) next(kind string) note {
	r.t.Helper()
	select {
	case n := <-r.notes:
		require.Equal(r.t, kind, n.kind, "callback (error: %v)", n.err)
		return n
	case <-time.After(patience):
		r.t.Fatalf("no callback where %q was expected", kind)
		return note{}
	}
}

// skipTo is next, passing over events.
func (r *rig) skipTo(kind string) note {
	r.t.Helper()
	for {
		select {
		case n := <-r.notes:
			if n.kind == "event" {
				continue
			}
			require.Equal(r.t, kind, n.kind, "callback (error: %v)", n.err)
			return n
		case <-time.After(patience):
			r.t.Fatalf("no callback where %q was expected", kind)
			return note{}
		}
	}
}

// quiet checks that there is no further callback.
func (r *rig) quiet() {
	r.t.Helper()
	select {
	case n := <-r.notes:
		r.t.Fatalf("unexpected callback %q (error: %v)", n.kind, n.err)
	default:
	}
}

// dialling calls Dial on a goroutine, as go-zookeeper's loop does.
func (r *rig) dialling() <-chan dialled {
	done := make(chan dialled, 1)
	r.wg.Go(func() {
		c, err := r.link.Dial("", "", 0)
		done <- dialled{c, err}
	})
	return done
}

type dialled struct {
	net.Conn
	err error
}

// connect establishes a connection without a library: the server welcomes the
// client, and a goroutine stands in for the library's receiving one.
func (r *rig) connect() (*conn, *peer) {
	r.t.Helper()
	done := r.dialling()
	p := r.net.accept()
	p.hello()
	p.welcome(sessionID, sessionTimeout)
	return r.established(done), p
}

func (r *rig) established(done <-chan dialled) *conn {
	r.t.Helper()
	d := <-done
	require.NoError(r.t, d.err)
	r.next("connected")
	c := d.Conn.(*conn)
	r.wg.Go(func() { _, _ = io.Copy(io.Discard, c) })
	return c
}

// start puts the library on top of the link.
func (r *rig) start() {
	r.t.Helper()
	var err error
	r.lib, r.events, err = zk.Connect([]string{"none:1"}, r.cfg.Timeout,
		zk.WithDialer(r.link.Dial), zk.WithHostProvider((*hosts)(r)), zk.WithLogger(silent{}),
		zk.WithMaxBufferSize(1024), zk.WithMaxConnBufferSize(1024))
	require.NoError(r.t, err)
}

// welcomed accepts the library's next connection.
func (r *rig) welcomed() *peer {
	r.t.Helper()
	p := r.net.accept()
	p.hello()
	p.welcome(sessionID, sessionTimeout)
	r.next("connected")
	return p
}

// hosts is the library's host provider; the link's Dial knows the servers.
type hosts rig

func (*hosts) Init([]string) error    { return nil }
func (*hosts) Len() int               { return 1 }
func (h *hosts) Next() (string, bool) { return "none:1", h.over.Load() }
func (*hosts) Connected()             {}

type silent struct{}

func (silent) Printf(string, ...any) {}

func get(path string) *Call {
	return NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: path})
}

// ended waits until a call has ended and returns its error.
func (r *rig) ended(c *Call) error {
	r.t.Helper()
	select {
	case <-c.Done():
		return c.Err
	case <-time.After(patience):
		r.t.Fatalf("%v has not ended", c.Op)
		return nil
	}
}

// Over tells whether nothing will be dialled any more.
func (l *Link) Over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over != nil || l.ctx.Err() != nil
}
