package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/internal/wire"
)

// Session is one ZooKeeper session. Its operations run in this session or not at
// all: once it is over they fail with [ErrSessionLost]. A session that is over never
// comes back, not even if the servers would still take it. Safe for concurrent use.
type Session struct {
	Ops

	c      *Client
	epoch  uint64
	link   *wire.Link
	ctx    context.Context
	cancel context.CancelCauseFunc

	ended   chan error    // cap 1: the link has ended by itself
	awake   chan struct{} // cap 1: connected or disconnected
	watches *watchTable
	keeper  *keeper
	janitor *janitor

	// Guarded by the client's gate.
	connected bool
	over      bool
	since     time.Time // of this connection

	// Set when the session is first connected, then constant.
	id      int64
	timeout time.Duration
}

func newSession(c *Client, epoch uint64) *Session {
	s := &Session{c: c, epoch: epoch, ended: make(chan error, 1), awake: make(chan struct{}, 1)}
	s.Ops = Ops{c: c, s: s}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(c.ctx))
	s.watches = newWatchTable(s)
	s.keeper = newKeeper(s)
	s.janitor = newJanitor(s)
	s.link = wire.NewLink(context.WithoutCancel(c.ctx), wire.Config{
		Dial:             c.dialer.dial,
		Timeout:          c.set.sessionTimeout,
		SASL:             c.set.sasl,
		Credentials:      c.set.credentials,
		HandshakeTimeout: c.dialer.handshake,
		HalfTick:         c.halfTick,
		MaxReply:         c.set.maxReply,
		Connected:        s.onConnected,
		Disconnected:     s.onDisconnected,
		Rejected:         s.onRejected,
		Ended:            func(err error) { s.ended <- err },
		Event:            s.watches.fire,
	})
	return s
}

// halfTick is half of the servers' tickTime, or what it is at most.
func (c *Client) halfTick(timeout time.Duration) time.Duration {
	if c.set.tick > 0 {
		return c.set.tick / 2
	}
	return timeout / 4
}

// ID returns the id that the servers know the session by.
func (s *Session) ID() int64 { return s.id }

// Epoch returns the session's number in this client, from 1.
func (s *Session) Epoch() uint64 { return s.epoch }

// Timeout returns the negotiated session timeout.
func (s *Session) Timeout() time.Duration { return s.timeout }

// Context is cancelled when the session is over, with cause [ErrSessionLost] or [ErrClosed].
func (s *Session) Context() context.Context { return s.ctx }

// ValidUntil is when the session can be over at the earliest as far as the servers
// have answered: the send time of the newest answered frame plus [Session.Timeout]. If
// nothing is heard until then the client declares it lost. It is not a bound to hold
// a lock by, see [Session.ConfirmedUntil].
func (s *Session) ValidUntil() time.Time { return s.link.HeardUntil() }

// Client returns the client that the session belongs to.
func (s *Session) Client() *Client { return s.c }

// live opens the session and keeps it until it is over; it returns why that is.
func (s *Session) live() error {
	s.c.gate.Lock()
	s.c.gate.session = s // before it can be connected, which wakes those who wait for it
	s.c.gate.Unlock()
	conn, events, err := zk.Connect([]string{"ensemble"}, s.c.set.sessionTimeout,
		zk.WithDialer(s.link.LibraryDial),
		zk.WithHostProvider(oneHost{}),
		zk.WithLogger(log.New(io.Discard, "", 0)),
		zk.WithLogInfo(false),
		// It sends and receives nothing but pings and the end of the session.
		zk.WithMaxBufferSize(4096),
		zk.WithMaxConnBufferSize(4096),
	)
	if err != nil {
		return fmt.Errorf("go-zookeeper: %w", err)
	}
	cause := s.await()
	s.end(cause)
	// The next session need not wait for the end of this one.
	s.c.wg.Go(func() {
		if errors.Is(cause, ErrClosed) && s.wasConnected() {
			conn.Close() // ends the session on the server
			s.link.Close()
		} else {
			s.link.Close()
			conn.Close()
		}
		for range events { // until go-zookeeper's loop has ended
		}
		s.keeper.wait()
		s.janitor.wait()
	})
	return cause
}

// await returns when the session is over: the servers say so, nothing was heard
// until ValidUntil, or the client is closed.
func (s *Session) await() error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if until := s.link.HeardUntil(); !until.IsZero() {
			if wait = time.Until(until); wait <= 0 {
				return fmt.Errorf("%w: no answer from any server for %v", ErrSessionLost, s.timeout)
			}
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.awake:
		case err := <-s.ended:
			if errors.Is(err, wire.ErrAuthFailed) {
				return err
			}
			return fmt.Errorf("%w: %w", ErrSessionLost, err)
		case <-s.c.ctx.Done():
			return ErrClosed
		}
	}
}

// end makes the session's end known, first of all to what is done under its grants.
func (s *Session) end(cause error) {
	s.cancel(cause)
	s.c.change(func() *StateChange {
		s.over = true
		if !errors.Is(cause, ErrSessionLost) {
			return nil
		}
		return &StateChange{State: Lost, Epoch: s.epoch, SessionID: s.id, Err: cause}
	})
	s.watches.flush()
}

func (s *Session) wasConnected() bool {
	s.c.gate.Lock()
	defer s.c.gate.Unlock()
	return s.connected
}

func (s *Session) onConnected(info wire.Session) {
	s.c.dialer.connected()
	s.keeper.poke() // before anybody can hold something that is fresh
	s.c.change(func() *StateChange {
		if s.id == 0 {
			s.id, s.timeout = info.ID, info.Timeout
		}
		s.connected, s.since = true, time.Now()
		if s.over {
			return nil
		}
		return &StateChange{State: Connected, Epoch: s.epoch, SessionID: s.id, Server: info.Server}
	})
	s.poke()
}

func (s *Session) onDisconnected(err error) {
	var lasted time.Duration
	s.c.change(func() *StateChange {
		s.connected, lasted = false, time.Since(s.since)
		if s.over {
			return nil
		}
		return &StateChange{State: Suspended, Epoch: s.epoch, SessionID: s.id, Err: err}
	})
	s.c.dialer.ended(lasted)
	s.watches.flush()
	s.poke()
}

func (s *Session) onRejected(err error) {
	server := s.c.dialer.rejected(err)
	s.c.log.Debug("zookeeper server not usable", "epoch", s.epoch, "server", server, "err", err)
}

func (s *Session) poke() {
	select {
	case s.awake <- struct{}{}:
	default:
	}
}

// send hands a call to the connection.
func (s *Session) send(calls ...*wire.Call) { s.link.Send(calls...) }

// oneHost tells go-zookeeper that there is one server, which its dialer ignores.
type oneHost struct{}

// Init implements zk.HostProvider.
func (oneHost) Init([]string) error { return nil }

// Len implements zk.HostProvider.
func (oneHost) Len() int { return 1 }

// Next implements zk.HostProvider.
func (oneHost) Next() (string, bool) { return "ensemble", false }

// Connected implements zk.HostProvider.
func (oneHost) Connected() {}

// callError turns a call's end into its outcome and an error.
func callError(call *wire.Call) (OutcomeKind, error) {
	switch {
	case errors.Is(call.Err, wire.ErrNotSent):
		return NotSent, fmt.Errorf("%w: %w", ErrConnectionLost, call.Err)
	case errors.Is(call.Err, wire.ErrReplyTooLarge):
		return Definite, call.Err
	case call.Err != nil:
		return Unknown, fmt.Errorf("%w: %w", ErrConnectionLost, call.Err)
	}
	return Definite, codeError(call.Code)
}
