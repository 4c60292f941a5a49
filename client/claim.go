package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// claim says which process holds a session whose password has left the process that
// opened it. It is an ephemeral node of the session: its version counts the processes,
// its data is a random id of the holder. Who takes the session over sets the node, if it
// has the version of the handle; everybody else's confirmations check the version that
// they have set or found. The claim makes two promises to who has taken it, at the
// transaction z, at the time t by the clock of the quorum:
//
// Nothing that the former holder sends is executed after z. Its connections are gone
// or have been moved, since the handshake came before z, and over a new one the first
// thing that it sends is a check of the claim, which fails; only behind that check
// requests are let through ([claim.check]). Ending the session is a request that servers
// carry out for connections that have been moved, too: so who ends a claimed session
// deletes the claim first, with its version ([Session.mayEnd]).
//
// The former holder's holds have ended at t plus the timeout. From the first handle on
// only those commits move its bound on that have checked the claim ([wire.Link.Guard]).
// They were sent before t, and the bound is counted from then, by the timeout that the
// handle tells at most. A new holder counts from the answer, which came after t
// ([Session.Exclusive]); until then it does not end the session either.
type claim struct {
	s    *Session
	turn chan struct{} // cap 1: full while somebody makes or takes the claim
	left atomic.Bool   // the session is not to be ended on the servers

	mu        sync.Mutex
	held      bool
	path      string // the servers'
	version   int32
	exclusive time.Time     // when the former holder's bound is over
	lifetime  time.Duration // of one's own, at most
}

func newClaim(s *Session) *claim { return &claim{s: s, turn: make(chan struct{}, 1)} }

// newOwner makes the id by which a client knows its own claims again.
func newOwner() []byte {
	var id [16]byte
	rand.Read(id[:]) // never fails: it would end the program instead
	return fmt.Appendf(nil, "%x", id)
}

// nodePath is the claim's path, or empty if there is none.
func (c *claim) nodePath() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path
}

// hold notes that the claim is this client's.
func (c *claim) hold(path string, version int32, former SessionHandle) {
	c.mu.Lock()
	c.held, c.path, c.version = true, path, version
	c.lifetime = max(c.s.timeout, former.timeout)
	if former.id != 0 && !former.detached {
		c.exclusive = time.Now().Add(c.lifetime + c.lifetime/50) // for clocks that differ, as at the other end of it
	}
	lifetime := c.lifetime
	c.mu.Unlock()
	c.s.link.Guard(lifetime)
	c.s.keeper.guard(path, version)
}

// check is the first request of a new connection: it asks whether the claim is still
// this client's, and calls open if it is. It is nil if there is no claim.
func (c *claim) check(open func()) *wire.Call {
	call := c.s.keeper.guarded()
	if !call.Guards {
		return nil
	}
	call.OnEnd = func(call *wire.Call) {
		if call.Err != nil { // and the next connection begins anew
			return
		}
		_, err := c.s.failedCheck(call, 0)
		switch {
		case err == nil:
			open()
		case errors.Is(err, ErrSessionTaken):
		case retryable(call.Code):
			c.s.link.Drop(fmt.Errorf("the server answered %w", err))
		default:
			c.s.finish(fmt.Errorf("the claim %s cannot be checked: %w", c.nodePath(), err))
		}
	}
	return call
}

// taken ends the session, since its claim is not as this client left it.
func (s *Session) taken(found error) error {
	err := fmt.Errorf("%w: session %s: its claim %s: %w", ErrSessionTaken, sessionName(s.id), s.claim.nodePath(), found)
	s.finish(err)
	return err
}

// lock waits for one's turn to make or take the claim.
func (c *claim) lock(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctxError(ctx)
	}
}

func (c *claim) unlock() { <-c.turn }

// ops are the session's, on the servers' paths.
func (c *claim) ops() Ops { return Ops{c: c.s.c, s: c.s, bare: true} }

// ensure makes the claim if there is none yet; former is who had the session before, if
// it was somebody without a claim.
func (c *claim) ensure(ctx context.Context, former SessionHandle) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held {
		return nil
	}
	path := c.s.c.root.outward(Join(c.s.c.set.claims, sessionName(c.s.id)))
	for {
		_, err := c.ops().Create(ctx, path, c.s.c.owner, WithMode(Ephemeral), WithContainerParents())
		if err != nil && !errors.Is(err, ErrNodeExists) && (Outcome(err) != Unknown || ctx.Err() != nil) {
			return err
		}
		version, err := c.own(ctx, path)
		switch {
		case errors.Is(err, ErrNoNode): // the outcome was unknown, and now is not
			continue
		case err != nil:
			return err
		}
		c.hold(path, version, former)
		return nil
	}
}

// own returns the version of the claim if it is this client's.
func (c *claim) own(ctx context.Context, path string) (int32, error) {
	ops := c.ops()
	if err := ops.barrier(ctx); err != nil { // behind which nothing sent before is executed
		return 0, err
	}
	data, stat, err := ops.Get(ctx, path)
	if err != nil {
		return 0, err
	}
	if stat.EphemeralOwner != c.s.id || !bytes.Equal(data, c.s.c.owner) {
		return stat.Version, fmt.Errorf("%w: session %s: the claim %s is another's", ErrSessionTaken, sessionName(c.s.id), path)
	}
	return stat.Version, nil
}

// take makes a claim that is the handle's this client's.
func (c *claim) take(ctx context.Context, h SessionHandle) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	// A holder that is well takes the session back whenever it is thrown off, and then no
	// write of this client is executed. Reads are answered all the same.
	data, stat, err := c.ops().Get(ctx, h.claim)
	if err == nil && stat.Version > h.version && !bytes.Equal(data, c.s.c.owner) {
		return fmt.Errorf("%w: session %s: the claim %s is another's", ErrSessionTaken, sessionName(c.s.id), h.claim)
	}
	for {
		_, err := c.ops().Set(ctx, h.claim, c.s.c.owner, h.version)
		unknown := err != nil && !errors.Is(err, ErrBadVersion)
		switch {
		case errors.Is(err, ErrNoNode):
			return fmt.Errorf("%w: session %s lives, but its claim %s has been deleted", ErrSessionTaken, sessionName(c.s.id), h.claim)
		case unknown && (Outcome(err) != Unknown || ctx.Err() != nil):
			return err
		}
		version, err := c.own(ctx, h.claim) // also to know whose node it is
		switch {
		case unknown && errors.Is(err, ErrSessionTaken) && version == h.version: // not executed
			continue
		case errors.Is(err, ErrNoNode):
			return fmt.Errorf("%w: session %s lives, but its claim %s has been deleted", ErrSessionTaken, sessionName(c.s.id), h.claim)
		case err != nil:
			return err
		}
		c.hold(h.claim, version, h)
		return nil
	}
}

// takeUp makes the session of [WithSession] this client's, unless it has expired.
func (c *Client) takeUp(ctx context.Context, h SessionHandle) error {
	for {
		s, err := c.Session(ctx)
		if err != nil || s.epoch > 1 {
			return err
		}
		if h.claim == "" {
			err = s.claim.ensure(ctx, h)
		} else {
			err = s.claim.take(ctx, h)
		}
		if err == nil || !errors.Is(err, ErrSessionLost) || errors.Is(err, ErrSessionTaken) {
			return err
		}
	}
}

// leave keeps a client that could not be opened from ending the session that it was to
// take up.
func (c *Client) leave() {
	c.gate.Lock()
	s := c.gate.session
	c.gate.Unlock()
	if s != nil && s.epoch == 1 && c.set.session.id != 0 {
		s.claim.left.Store(true)
	}
}

// farewellTime bounds the wait for the end of the claim before that of the session.
const farewellTime = time.Second

// mayEnd tells whether the session may be ended on the servers, which they would do
// even if it is another process's by now. After it nobody can take it over.
func (s *Session) mayEnd() bool {
	c := s.claim
	c.mu.Lock()
	held, path, version, exclusive := c.held, c.path, c.version, c.exclusive
	c.mu.Unlock()
	switch {
	case c.left.Load():
		return false
	case !held:
		return true
	case time.Now().Before(exclusive): // the former holder may believe in it yet
		return false
	}
	call := wire.NewCall(jute.OpDelete, &jute.PathVersionRequest{Path: path, Version: version})
	s.send(call)
	timer := time.NewTimer(farewellTime)
	defer timer.Stop()
	select {
	case <-call.Done():
		return call.Err == nil && call.Code == jute.OK
	case <-timer.C:
		return false
	}
}
