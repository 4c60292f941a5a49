package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/zookit/zookit/internal/wire"
)

// Client is a connection to a ZooKeeper ensemble that lives as long as the
// program: it goes from server to server, and from session to session. Its
// operations run in whichever session is current. Safe for concurrent use.
type Client struct {
	Ops

	set    settings
	root   chroot
	dialer *dialer
	states *transitions
	log    *slog.Logger
	hooks  observer

	counters counters
	wire     wire.Counters

	watchers *watchers
	owner    []byte // of claims: a random id

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup // run, and what sessions leave behind
	chores tally          // of Cleanup
	closed chan struct{}  // closed when Close is done

	// gate guards who may send: everybody waits here, never inside a queue.
	gate struct {
		sync.Mutex
		session *Session      // the newest
		changed chan struct{} // closed and replaced at every change
	}
	closing  atomic.Bool
	closeErr error
}

// Connect opens a client to the ensemble named by servers:
// "host:port,host:port/chroot". Names are resolved at each dial; ports default to
// 2181. With a chroot every path is relative to it.
//
// It returns when the first session stands, with [WithReadOnly] also one that a server
// in read-only mode serves. It fails with [ErrBadArgument] if
// servers or an option cannot work, with [ErrAuthFailed] if a server refused a
// credential, with [ErrTLS] if all servers fail at TLS for good,
// with [ErrNoNode] if the chroot does not exist, with
// [ErrSessionTaken] if another process has the session of [WithSession], and with
// [ErrNotConnected], the context's error and each server's failure if no session
// could be had before ctx ended or [WithConnectTimeout] had passed. ctx bounds the
// call only; the client lives until [Client.Close].
func Connect(ctx context.Context, servers string, opts ...Option) (*Client, error) {
	list, root, err := parseServers(servers)
	if err != nil {
		return nil, err
	}
	set := defaults()
	for i, opt := range opts {
		if opt == nil {
			return nil, badOption(fmt.Sprintf("option %d", i), "it is nil")
		}
		if err := opt(&set); err != nil {
			return nil, err
		}
	}
	c := &Client{set: set, root: root, states: newTransitions(), log: set.log, watchers: newWatchers(), owner: newOwner(), closed: make(chan struct{})}
	c.Ops.c, c.Ops.retry = c, set.retry
	c.hooks.hookLists = set.hooks
	c.gate.changed = make(chan struct{})
	c.dialer = newDialer(list, &c.set)
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	c.hooks.opened(c)
	c.wg.Go(c.run)
	if err := c.awaitFirst(ctx); err != nil {
		c.leave()
		_ = c.Close()
		return nil, fmt.Errorf("connect to %s: %w", quoted(servers), err)
	}
	if c.set.tracking {
		c.wg.Go(c.track)
	}
	return c, nil
}

// awaitFirst waits for the first session and looks at the chroot.
func (c *Client) awaitFirst(ctx context.Context) error {
	if c.set.connectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.set.connectTimeout)
		defer cancel()
	}
	if _, err := c.admit(ctx, nil, anyServer, nil); err != nil {
		if errors.Is(err, ErrNotConnected) {
			return fmt.Errorf("%w; servers: %w", err, c.dialer.report())
		}
		return err
	}
	if c.set.session.id != 0 {
		if err := c.takeUp(ctx, c.set.session); err != nil {
			return fmt.Errorf("take up session %s: %w", sessionName(c.set.session.id), err)
		}
	}
	if c.root == "" {
		return nil
	}
	_, ok, err := c.WithRetry(RetryForever()).Exists(ctx, "/")
	switch {
	case err != nil:
		return fmt.Errorf("chroot %s: %w", c.root, err)
	case ok:
		return nil
	case !c.set.makeChroot:
		return fmt.Errorf("chroot %s: %w: create it, or connect with WithCreateChroot", c.root, ErrNoNode)
	}
	if err := (Ops{c: c, bare: true}).makeParents(ctx, string(c.root)+"/x", Persistent, &creation{}); err != nil {
		return fmt.Errorf("chroot %s: %w", c.root, err)
	}
	return nil
}

// run opens one session after the other.
func (c *Client) run() {
	for epoch := uint64(1); ; epoch++ {
		s := newSession(c, epoch)
		err := s.live()
		if c.ctx.Err() == nil && errors.Is(err, ErrSessionLost) {
			c.change(func() *StateChange { return &StateChange{State: Connecting, Epoch: epoch + 1} })
			continue
		}
		c.cancel(err) // unless Close came first
		c.watchers.close(context.Cause(c.ctx))
		c.change(func() *StateChange { return &StateChange{State: Closed, Epoch: epoch, Err: context.Cause(c.ctx)} })
		return
	}
}

// Session returns the current session, waiting until one is connected, and not to a
// server in read-only mode. Errors: [ErrNotConnected] together with the context's
// error, [ErrClosed], [ErrAuthFailed], [ErrTLS].
func (c *Client) Session(ctx context.Context) (*Session, error) {
	return c.enter(ctx, nil)
}

// enter waits until a session is connected to a read-write server: only, or any if only is nil.
func (c *Client) enter(ctx context.Context, only *Session) (*Session, error) {
	return c.admit(ctx, only, quorum, nil)
}

// need is what somebody who enters wants of the server.
type need int

const (
	anyServer need = iota // one in read-only mode will do
	quorum                // waits for one that is not
	quorumNow             // fails with ErrReadOnly instead of waiting for it
)

// admit is enter for different needs. It asks may, if given, each time before it waits.
func (c *Client) admit(ctx context.Context, only *Session, want need, may func() error) (*Session, error) {
	for {
		c.gate.Lock()
		s, changed := c.gate.session, c.gate.changed
		if only != nil {
			s = only
		}
		connected := s != nil && s.connected && !s.over
		readOnly := s != nil && s.readOnly
		over := only != nil && only.over
		c.gate.Unlock()
		switch {
		case c.ctx.Err() != nil:
			return nil, context.Cause(c.ctx)
		case over:
			return nil, context.Cause(only.ctx)
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%w: %w", ErrNotConnected, ctxError(ctx))
		case connected && readOnly && want == quorumNow:
			return nil, ErrReadOnly
		case readOnly && want == quorum: // as if not connected
		case connected:
			return s, nil
		}
		if may != nil {
			if err := may(); err != nil {
				return nil, err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-c.ctx.Done():
		}
	}
}

// change alters what the gate guards, wakes everybody who waits there, and
// publishes the transition that fn returns, if any, in the order of the changes.
func (c *Client) change(fn func() *StateChange) {
	c.gate.Lock()
	now := fn()
	if now != nil {
		c.states.add(*now)
		c.hooks.changed(*now)
	}
	close(c.gate.changed)
	c.gate.changed = make(chan struct{})
	c.gate.Unlock()
	if now != nil {
		c.logState(now)
	}
}

func (c *Client) logState(change *StateChange) {
	args := []any{"state", change.State.String(), "epoch", change.Epoch}
	if change.SessionID != 0 {
		args = append(args, "session", sessionName(change.SessionID))
	}
	if change.Server != "" {
		args = append(args, "server", change.Server)
	}
	if change.Err != nil {
		args = append(args, "err", change.Err)
	}
	level := slog.LevelInfo
	if change.State == Lost || change.State == ReadOnly {
		level = slog.LevelWarn
	}
	c.log.Log(c.ctx, level, "zookeeper session", args...)
}

// Logger returns the logger set with [WithLogger], or one that discards everything. Recipes log to it.
func (c *Client) Logger() *slog.Logger { return c.log }

// Close ends the client: calls under way fail with [ErrClosed], the contexts of
// sessions and grants end with that cause, then the session is ended on the server,
// so that its ephemeral nodes are gone, and all goroutines of the client have
// ended, and all hooks have been told, when it returns. If the server could not be told, the error says how long the
// session lives on. Closing again returns the same. Takes at most about two seconds, and what hooks take.
func (c *Client) Close() error {
	if c.closing.CompareAndSwap(false, true) {
		c.cancel(ErrClosed)
		c.wg.Wait()
		<-c.chores.shut()
		c.gate.Lock()
		s := c.gate.session
		c.gate.Unlock()
		if s != nil && s.id != 0 && !s.claim.left.Load() && errors.Is(context.Cause(s.ctx), ErrClosed) && !s.link.SessionClosed() {
			c.closeErr = fmt.Errorf("session %s could not be ended on a server: its ephemeral nodes remain until the servers have heard nothing of it for %v",
				sessionName(s.id), s.timeout)
		}
		c.hooks.finish(c)
		close(c.closed)
	}
	<-c.closed
	return c.closeErr
}

// sessionName is an id as the servers' logs print it.
func sessionName(id int64) string { return fmt.Sprintf("0x%x", uint64(id)) }
