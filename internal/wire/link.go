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
// on goroutines of the connection: they must not block and not call the link.
type Config struct {
	// Dial opens a socket to some server. It may take as long as it needs, back-off
	// included, but ends with ctx. Its errors other than ctx's are reported to
	// Rejected, and it is called again.
	Dial func(ctx context.Context) (net.Conn, error)
	// Timeout is the session timeout to ask for.
	Timeout time.Duration
	// SASL, when set, is whom to log in as at every server, before anything else.
	SASL *sasl.Login
	// Credentials are presented in this order, after the SASL login.
	Credentials []Credential
	// HandshakeTimeout bounds a handshake; resuming tells whether a session is at stake.
	HandshakeTimeout func(resuming bool) time.Duration
	// HalfTick gives, for a negotiated timeout, half of the servers' tickTime or an upper bound of it.
	HalfTick func(timeout time.Duration) time.Duration
	// MaxReply is the largest reply accepted, in bytes.
	MaxReply int

	// Connected is called when a connection is established and before any frame is sent over it.
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

// Session is what the handshake says about the session.
type Session struct {
	ID       int64
	Password []byte
	// Timeout is the negotiated one.
	Timeout time.Duration
	// Server is the address at the other end.
	Server string
}

// Link carries one ZooKeeper session over one connection after the other. It is
// safe for concurrent use.
type Link struct {
	cfg    Config
	ctx    context.Context // ends with Close; dials live on it
	cancel context.CancelCauseFunc

	lastZxid atomic.Int64
	farewell atomic.Bool // a server has confirmed the end of the session
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
	return &Link{cfg: cfg, ctx: ctx, cancel: cancel}
}

// LibraryDial is go-zookeeper's dialer: Dial, and once the link is over a
// connection that leads nowhere and lets the library end at once, see epilogue.
func (l *Link) LibraryDial(network, address string, timeout time.Duration) (net.Conn, error) {
	c, err := l.Dial(network, address, timeout)
	if err != nil {
		return newEpilogue(), nil //nolint:nilerr // the owner knows; the library would only dial again
	}
	return c, nil
}

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
	l.proof.connected(g.sentAt, timeout, l.cfg.HalfTick(timeout), g.fresh)
	l.cur = c
	l.mu.Unlock()

	l.cfg.Connected(Session{ID: g.response.SessionID, Password: g.response.Password, Timeout: timeout, Server: raw.RemoteAddr().String()})
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
	l.mu.Lock()
	c := l.cur
	l.mu.Unlock()
	if c == nil || !c.send(calls) {
		for _, call := range calls {
			call.end(ErrNotSent)
		}
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

// HeardUntil is the send time of the newest answered frame plus the session timeout.
func (l *Link) HeardUntil() time.Time { return l.proof.heardUntil() }

// ConfirmedUntil is the time until which a quorum has certainly kept the session;
// see proof for the derivation.
func (l *Link) ConfirmedUntil() time.Time { return l.proof.confirmedUntil() }

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
