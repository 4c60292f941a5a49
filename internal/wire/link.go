package wire

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/sasl"
)

// ErrClosed means that the link was closed by its owner.
var ErrClosed = errors.New("link closed")

// Credential is presented to every server before the first request.
type Credential struct {
	Scheme string
	Auth   []byte
}

// Config says how a link reaches its servers and whom it tells. The callbacks run
// on goroutines of the connection: they must not block and not close the link. From
// all of them calls may be sent.
type Config struct {
	// Dial opens a socket to some server. It may take as long as it needs, back-off
	// included, but ends with ctx. Its errors other than ctx's are reported to
	// Rejected, and it is called again.
	Dial func(ctx context.Context) (net.Conn, error)
	// Timeout is the session timeout to ask for.
	Timeout time.Duration
	// Resume, when set, is a session that exists already, which the first handshake takes up.
	Resume *Resume
	// SASL, when set, is whom to log in as at every server, before anything else.
	SASL *sasl.Login
	// Credentials are presented in this order, after the SASL login.
	Credentials []Credential
	// ReadOnly lets servers in read-only mode serve the session.
	ReadOnly bool
	// HandshakeTimeout bounds a handshake; resuming tells whether a session is at stake.
	HandshakeTimeout func(resuming bool) time.Duration
	// HalfTick gives, for a negotiated timeout, half of the servers' tickTime or an upper bound of it.
	HalfTick func(timeout time.Duration) time.Duration
	// MaxReply is the largest reply accepted, in bytes.
	MaxReply int
	// Counters, when set, are shared with other links.
	Counters *Counters

	// Opening, if set, is called when a connection is established, before Connected. Until
	// open is called, which may be later and has to happen once, calls that anybody
	// sends are refused. open is given what has to be sent over the connection before
	// them. What has to be answered before that even, is given to ask.
	Opening func(s Session, ask func(*Call), open func(first ...*Call))
	// Connected is called when a connection is established and before any frame leaves
	// over it. What is sent from here on, by whomever, is queued, unless Opening has
	// put that off.
	Connected func(Session)
	// Disconnected is called once for each Connected, when that connection has ended.
	Disconnected func(error)
	// Rejected is called for each server that accepted a connection but did not complete the handshake.
	Rejected func(error)
	// Ended is called at most once, when the link has ended for good by itself: [ErrExpired], [ErrAuthFailed].
	Ended func(error)
	// Event is called for each watch event, in order, before later replies are released.
	Event func(jute.WatcherEvent)
}

// Resume is a session that exists already.
type Resume struct {
	ID       int64
	Password []byte
	// Zxid is the newest transaction that the session has seen.
	Zxid int64
	// Timeout is how long to look for a server that knows the session, and what was
	// negotiated for it.
	Timeout time.Duration
}

// Session is what the handshake says about the session.
type Session struct {
	ID       int64
	Password []byte
	// Timeout is the negotiated one.
	Timeout time.Duration
	// Server is the address at the other end.
	Server string
	// ReadOnly tells that the server is in read-only mode: it has no quorum.
	ReadOnly bool
	// Resumed says that the session existed before this connection. One that a server in
	// read-only mode has made is known to no other server.
	Resumed bool
}

// Link carries one ZooKeeper session over one connection after the other. It is
// safe for concurrent use.
type Link struct {
	cfg    Config
	ctx    context.Context // ends with Close; dials live on it
	cancel context.CancelCauseFunc

	lastZxid atomic.Int64
	farewell atomic.Bool // a server has confirmed the end of the session
	parked   chan struct{}
	park     sync.Once // closes parked
	gone     chan struct{}
	dismiss  sync.Once   // closes gone
	guarded  atomic.Bool // see Guard
	proof    proof

	mu       sync.Mutex
	wg       sync.WaitGroup
	id       int64
	password []byte
	cur      *conn
	over     error // why nothing will be dialled any more
}

// NewLink makes a link that lives until Close. When ctx ends nothing is dialled any
// more; the connection of that moment lasts as long as it does.
func NewLink(ctx context.Context, cfg Config) *Link {
	ctx, cancel := context.WithCancelCause(ctx)
	if cfg.Counters == nil {
		cfg.Counters = &Counters{}
	}
	l := &Link{cfg: cfg, ctx: ctx, cancel: cancel, parked: make(chan struct{}), gone: make(chan struct{})}
	if r := cfg.Resume; r != nil {
		l.id, l.password = r.ID, r.Password
		l.lastZxid.Store(r.Zxid)
		l.proof.resumed(time.Now(), r.Timeout)
	}
	return l
}

// LibraryDial is go-zookeeper's dialer: Dial, and once the link is over a
// connection that leads nowhere and lets the library end at once, see epilogue.
func (l *Link) LibraryDial(network, address string, timeout time.Duration) (net.Conn, error) {
	c, err := l.Dial(network, address, timeout)
	if err != nil {
		l.park.Do(func() { close(l.parked) })
		return newEpilogue(l.gone), nil //nolint:nilerr // the owner knows; the library would only dial again
	}
	return c, nil
}

// Parked is closed once the link is over and go-zookeeper has noticed: from then on
// zk.Conn.Close returns at once. Called while its loop is still on the way from the lost
// connection to the next dial, it may wait a second for an answer that nobody gives.
func (l *Link) Parked() <-chan struct{} { return l.parked }

// Dismiss ends go-zookeeper's loop, once the link is over and zk.Conn.Close has returned. Mostly that has
// done so already; but a goodbye that is lost on its way from one connection to the next would leave the loop waiting for an
// answer to it for ever (seen once, in the fault laboratory, with links cut on a machine that was overloaded).
func (l *Link) Dismiss() { l.dismiss.Do(func() { close(l.gone) }) }

// Dial establishes the session's next connection, or says why there will be none.
// The arguments are ignored, since [Config.Dial] knows the servers.
func (l *Link) Dial(string, string, time.Duration) (net.Conn, error) {
	for {
		if l.ctx.Err() != nil {
			return nil, l.reason()
		}
		raw, err := l.cfg.Dial(l.ctx)
		if err != nil {
			if l.ctx.Err() != nil {
				return nil, l.reason()
			}
			l.cfg.Rejected(err)
			continue
		}
		g, err := l.greet(l.ctx, raw)
		switch {
		case err == nil:
			return l.establish(raw, g)
		case errors.Is(err, ErrExpired), errors.Is(err, ErrAuthFailed):
			closeSocket(raw)
			l.finish(err)
			return nil, err
		}
		closeSocket(raw)
		if l.ctx.Err() != nil {
			return nil, l.reason()
		}
		l.cfg.Rejected(err)
	}
}

func (l *Link) establish(raw net.Conn, g *greeting) (net.Conn, error) {
	timeout := time.Duration(g.response.TimeoutMillis) * time.Millisecond
	c := newConn(l, raw, &g.response, timeout)
	l.mu.Lock()
	if l.over != nil {
		l.mu.Unlock()
		closeSocket(raw)
		return nil, l.reason()
	}
	l.id, l.password = g.response.SessionID, g.response.Password
	if g.response.ReadOnly {
		l.proof.connectedReadOnly(g.sentAt, timeout)
	} else {
		l.proof.connected(g.sentAt, timeout, l.cfg.HalfTick(timeout), g.fresh)
	}
	l.cur = c
	l.mu.Unlock()
	info := Session{
		ID: g.response.SessionID, Password: g.response.Password, Timeout: timeout, Server: c.server,
		ReadOnly: g.response.ReadOnly, Resumed: !g.fresh,
	}
	if l.cfg.Opening == nil {
		c.open()
	} else {
		l.cfg.Opening(info, c.ask, c.open)
		c.refuse()
	}
	l.mu.Lock()
	over := l.over != nil
	l.mu.Unlock()
	if over {
		c.fail(l.reason())
		return nil, l.reason()
	}
	l.cfg.Connected(info)
	l.mu.Lock()
	if l.over == nil { // otherwise c has been ended, or is being
		l.wg.Go(c.writeLoop)
	}
	l.mu.Unlock()
	c.announced()
	return c, nil
}

// Send hands calls to the connection: they leave in this order, in one flight.
// Each of them ends through its Done channel, also if there is no connection.
func (l *Link) Send(calls ...*Call) {
	if !l.Post(calls...) {
		Refuse(calls...)
	}
}

// Post is Send, except that without a connection it returns false and leaves the
// calls as they are: so none ends before it returns for want of a connection, and who
// holds a lock that OnEnd takes may call it.
func (l *Link) Post(calls ...*Call) bool {
	l.mu.Lock()
	c := l.cur
	l.mu.Unlock()
	return c != nil && c.send(calls)
}

// Refuse ends calls that have not been sent.
func Refuse(calls ...*Call) {
	for _, call := range calls {
		call.end(ErrNotSent)
	}
}

// Drop ends the current connection, if there is one, so that another server is
// tried. Calls under way end as they do at any loss.
func (l *Link) Drop(reason error) {
	l.mu.Lock()
	c := l.cur
	l.mu.Unlock()
	if c != nil {
		c.fail(reason)
	}
}

// InFlight is the number of calls that wait for their answer.
func (l *Link) InFlight() int {
	l.mu.Lock()
	c := l.cur
	l.mu.Unlock()
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// HeardUntil is the send time of the newest answered frame plus the session timeout.
func (l *Link) HeardUntil() time.Time { return l.proof.heardUntil() }

// VouchedUntil is HeardUntil without what servers in read-only mode have answered.
func (l *Link) VouchedUntil() time.Time { return l.proof.vouchedUntil() }

// ConfirmedUntil is the time until which a quorum has certainly kept the session;
// see proof for the derivation.
func (l *Link) ConfirmedUntil() time.Time { return l.proof.confirmedUntil() }

// Guard makes only calls that are marked as [Call.Guards] move ConfirmedUntil on from
// now on, by lifetime at most.
func (l *Link) Guard(lifetime time.Duration) {
	l.guarded.Store(true)
	l.proof.limit(lifetime)
}

// LastZxid is the newest transaction that this session has seen the effect of.
func (l *Link) LastZxid() int64 { return l.lastZxid.Load() }

// SessionClosed tells whether a server has confirmed that the session is closed.
func (l *Link) SessionClosed() bool { return l.farewell.Load() }

// Close ends the connection and all dialling, and waits for the link's goroutines.
// The session on the servers is left as it is.
func (l *Link) Close() {
	l.stop(ErrClosed)
	l.wg.Wait()
}

// finish ends the link from within.
func (l *Link) finish(err error) {
	if l.stop(err) {
		l.cfg.Ended(err)
	}
}

func (l *Link) stop(err error) bool {
	l.mu.Lock()
	first := l.over == nil
	if first {
		l.over = err
	}
	c := l.cur
	l.mu.Unlock()
	l.cancel(err)
	if c != nil {
		c.fail(err)
	}
	return first
}

func (l *Link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over != nil {
		return l.over
	}
	return context.Cause(l.ctx)
}

// detach makes the link forget a connection that has ended.
func (l *Link) detach(c *conn) {
	l.mu.Lock()
	if l.cur == c {
		l.cur = nil
	}
	l.mu.Unlock()
}

func (l *Link) sawZxid(zxid int64) {
	for {
		old := l.lastZxid.Load()
		if zxid <= old || l.lastZxid.CompareAndSwap(old, zxid) {
			return
		}
	}
}
