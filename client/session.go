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

	ended   chan error    // cap 1: the link has ended by itself, or the session is somebody else's
	awake   chan struct{} // cap 1: connected or disconnected
	watches *watchTable
	keeper  *keeper
	janitor *janitor
	scout   *scout
	claim   *claim

	detaching *signal // the session is to be left to another process
	work      tally   // what that has to wait for
	followers tally   // of the ends of holds

	// Guarded by the client's gate.
	connected bool
	over      bool
	turns     uint64    // counts connections and their losses
	checking  bool      // the gate stays closed until the claim has been checked
	since     time.Time // of this connection
	at        target    // likewise
	readOnly  bool      // there is a connection, and its server is in read-only mode
	local     bool      // such a server has made the session

	// Set when the session is first connected, then constant.
	id       int64
	timeout  time.Duration
	password []byte
}

func newSession(c *Client, epoch uint64) *Session {
	s := &Session{c: c, epoch: epoch, ended: make(chan error, 1), awake: make(chan struct{}, 1)}
	s.Ops = c.Ops.inside(s)
	s.detaching = newSignal()
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(c.ctx))
	s.watches = newWatchTable(s)
	c.watchers.move(s.watches)
	s.keeper = newKeeper(s)
	s.janitor = newJanitor(s)
	s.scout = newScout(s)
	s.claim = newClaim(s)
	resume, timeout := c.resume(epoch)
	s.link = wire.NewLink(context.WithoutCancel(c.ctx), wire.Config{
		Dial:             c.dialer.dial,
		Timeout:          timeout,
		Resume:           resume,
		SASL:             c.set.sasl,
		Credentials:      c.set.credentials,
		ReadOnly:         c.set.readOnly,
		HandshakeTimeout: c.dialer.handshake,
		HalfTick:         c.halfTick,
		MaxReply:         c.set.maxReply,
		Counters:         &c.wire,
		Opening:          s.onOpening,
		Connected:        s.onConnected,
		Disconnected:     s.onDisconnected,
		Rejected:         s.onRejected,
		Ended:            s.onEnded,
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

// Context is cancelled when the session is over, with cause [ErrSessionLost], which
// [ErrSessionTaken] is as well, or [ErrClosed], which [ErrDetached] is as well.
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
		if errors.Is(cause, ErrClosed) && s.wasConnected() && s.mayEnd() {
			conn.Close() // ends the session on the server
			s.link.Close()
		} else {
			s.link.Close()
			<-s.link.Parked()
			conn.Close()
		}
		s.link.Dismiss()
		for range events { // until go-zookeeper's loop has ended
		}
		s.keeper.wait()
		s.janitor.wait()
		s.scout.wait()
		<-s.followers.shut()
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
			if errors.Is(err, ErrAuthFailed) || errors.Is(err, ErrTLS) || errors.Is(err, ErrSessionTaken) {
				return err
			}
			return fmt.Errorf("%w: %w", ErrSessionLost, err)
		case <-s.c.ctx.Done():
			return context.Cause(s.c.ctx)
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
		s.c.counters.lost.Add(1)
		return &StateChange{State: Lost, Epoch: s.epoch, SessionID: s.id, Err: cause}
	})
	s.watches.flush(true)
}

func (s *Session) wasConnected() bool {
	s.c.gate.Lock()
	defer s.c.gate.Unlock()
	return s.connected
}

// onOpening says what a connection hears of first: where there is a claim, a check of
// it, and only if that succeeds everything else; and then the watches that last.
func (s *Session) onOpening(info wire.Session, ask func(*wire.Call), open func(first ...*wire.Call)) {
	s.c.gate.Lock()
	if s.id == 0 {
		s.id, s.timeout, s.password = info.ID, info.Timeout, info.Password
	}
	s.turns++
	turn := s.turns
	s.c.gate.Unlock()
	losses := s.watches.lost()
	var check *wire.Call
	if !info.ReadOnly { // no write gets through there anyway
		check = s.claim.check(func() {
			s.openWatches(losses, open)
			s.admit(turn, info)
		})
	}
	s.c.gate.Lock()
	s.checking = check != nil
	s.c.gate.Unlock()
	if check == nil {
		s.openWatches(losses, open)
		return
	}
	ask(check)
	s.leaveUnless(check, info.Timeout/5)
}

func (s *Session) openWatches(losses uint64, open func(first ...*wire.Call)) {
	ws := s.c.watchers
	ws.mu.Lock() // so that nobody joins or leaves between the list and its use
	defer ws.mu.Unlock()
	s.watches.open(losses, ws.all, open)
}

// servedReadOnly tells whether the session is connected to a server in read-only mode.
func (s *Session) servedReadOnly() bool {
	s.c.gate.Lock()
	defer s.c.gate.Unlock()
	return s.readOnly
}

// madeReadOnly tells whether a server in read-only mode has made the session.
func (s *Session) madeReadOnly() bool {
	s.c.gate.Lock()
	defer s.c.gate.Unlock()
	return s.local
}

// finish ends the session from within, for the first reason given.
func (s *Session) finish(err error) {
	select {
	case s.ended <- err:
	default:
	}
}

// onConnected opens the gate, unless something has to be found out first.
func (s *Session) onConnected(info wire.Session) {
	s.c.dialer.connected()
	at := s.tried(info, nil)
	s.c.gate.Lock()
	s.since, s.at = time.Now(), at
	turn, checking := s.turns, s.checking
	s.c.gate.Unlock()
	s.poke()
	if !checking {
		s.admit(turn, info)
	}
}

// admit lets everybody through the gate, unless the connection has been lost meanwhile.
func (s *Session) admit(turn uint64, info wire.Session) {
	if !info.ReadOnly {
		s.keeper.poke() // before anybody can hold something that is fresh
	}
	s.c.change(func() *StateChange {
		if s.turns != turn {
			return nil
		}
		s.connected = true
		s.readOnly, s.local = info.ReadOnly, s.local || !info.Resumed && info.ReadOnly
		if s.over {
			return nil
		}
		state := Connected
		if info.ReadOnly {
			state = ReadOnly
		}
		return &StateChange{State: state, Epoch: s.epoch, SessionID: s.id, Server: info.Server}
	})
	if info.ReadOnly {
		s.scout.start(info.Server)
	}
}

func (s *Session) onDisconnected(err error) {
	var lasted time.Duration
	s.scout.stop()
	s.c.change(func() *StateChange {
		opened := s.connected
		s.connected, s.readOnly, lasted = false, false, time.Since(s.since)
		s.turns++
		s.parted(lasted, err)
		if s.over || !opened {
			return nil
		}
		return &StateChange{State: Suspended, Epoch: s.epoch, SessionID: s.id, Err: err}
	})
	s.c.dialer.ended(lasted)
	s.watches.flush(false)
	s.poke()
}

func (s *Session) onRejected(err error) {
	server := s.c.dialer.rejected(err)
	s.tried(wire.Session{}, err)
	s.c.log.Debug("zookeeper server not usable", "epoch", s.epoch, "server", server, "err", err)
	switch why, final := s.c.dialer.tlsVerdict(); {
	case why == nil:
	case final:
		s.finish(fmt.Errorf("%w: %w", ErrTLS, why))
	default:
		s.c.log.Warn("zookeeper servers not usable by TLS", "epoch", s.epoch, "err", why)
	}
}

func (s *Session) onEnded(err error) {
	s.tried(wire.Session{}, err) // unless the connection stood already
	if errors.Is(err, wire.ErrExpired) && s.madeReadOnly() {
		err = fmt.Errorf("%w: %w", err, errMadeHere)
	}
	s.finish(err)
}

func (s *Session) poke() {
	select {
	case s.awake <- struct{}{}:
	default:
	}
}

// send hands calls to the connection, in one flight.
func (s *Session) send(calls ...*wire.Call) { s.watches.send(calls) }

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
