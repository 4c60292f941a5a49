package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

var (
	// ErrUnconfirmed is the cause of a hold's end when no quorum has confirmed it in time.
	ErrUnconfirmed = errors.New("not confirmed by a quorum in time")
	// ErrHoldDeleted is the cause of a hold's end when somebody deleted its node.
	ErrHoldDeleted = errors.New("node was deleted")
	// ErrReleased is the cause of a hold's end by [Hold.Release].
	ErrReleased = errors.New("released")

	errSuspect = errors.New("the server answers but does not commit; it may be cut off from its quorum")
)

// Hold keeps proof that a node of the session exists, so that what it stands for (a
// lock, a leadership) can be relied on. While a session has holds it confirms itself:
// every fifth of its timeout one transaction that only checks the nodes of all its
// holds, which only a leader with a quorum can commit. Safe for concurrent use.
type Hold struct {
	s      *Session
	path   string
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Guarded by the keeper's mutex.
	watch *Watch
}

// Hold starts to keep proof of the ephemeral node at path, which this session has
// made. Errors: [ErrSessionLost], [ErrClosed]; [ErrUnconfirmed] if
// [Session.ConfirmedUntil] is past, see [Session.Confirm]; [ErrBadArgument] if the
// node is held already.
func (s *Session) Hold(path string) (*Hold, error) {
	if _, err := s.confirmation(path); err != nil {
		return nil, err
	}
	if s.ctx.Err() != nil {
		return nil, fmt.Errorf("hold %s: %w", path, context.Cause(s.ctx))
	}
	if until := s.ConfirmedUntil(); !time.Now().Before(until) {
		return nil, fmt.Errorf("hold %s: %w", path, ErrUnconfirmed)
	}
	h := &Hold{s: s, path: path}
	h.ctx, h.cancel = context.WithCancelCause(s.ctx)
	if !s.keeper.add(h) {
		h.cancel(ErrReleased)
		return nil, fmt.Errorf("hold %s: %w: it is held already", path, ErrBadArgument)
	}
	return h, nil
}

// Context ends at [Hold.ValidUntil], or as soon as the node is known to be gone or
// the session is over. Its cause is [ErrUnconfirmed], [ErrHoldDeleted],
// [ErrSessionLost], [ErrClosed] or [ErrReleased].
func (h *Hold) Context() context.Context { return h.ctx }

// ValidUntil is the time until which nobody else can have what the node stands for,
// as far as is known now; it moves on with every confirmation.
func (h *Hold) ValidUntil() time.Time { return h.s.ConfirmedUntil() }

// AfterEnd calls f once with the cause, in a goroutine of its own, when the hold's context
// has ended, unless stop, which tells whether it did, prevents that. [Client.Close] and
// [Client.Detach] return when f has.
func (h *Hold) AfterEnd(f func(cause error)) (stop func() bool) {
	counted := h.s.followers.add()
	done := func() {
		if counted {
			h.s.followers.done()
		}
	}
	stopped := context.AfterFunc(h.ctx, func() {
		defer done()
		f(context.Cause(h.ctx))
	})
	return func() bool {
		if !stopped() {
			return false
		}
		done()
		return true
	}
}

// Release stops the keeping of proof; the context ends with [ErrReleased]. The node
// stays. Idempotent.
func (h *Hold) Release() { h.s.keeper.remove(h, ErrReleased) }

// ConfirmedUntil is the time until which the servers certainly keep the session and
// its ephemeral nodes, as far as committed writes of the session prove it: whatever is cut
// off, killed or slow, as long as clocks here and there run at nearly the same rate.
// A fiftieth of the timeout is taken off for what clocks and timers differ. With
// [WithoutConfirmation] it is [Session.ValidUntil] less the same, and less what servers
// in read-only mode have answered.
func (s *Session) ConfirmedUntil() time.Time {
	until := s.link.ConfirmedUntil()
	if s.c.set.unconfirmed {
		until = s.link.VouchedUntil()
	}
	if until.IsZero() {
		return until
	}
	return until.Add(-s.timeout / 50)
}

// Confirm has a quorum commit a transaction that checks that the nodes exist, and
// so moves [Session.ConfirmedUntil] on. A server that leaves it unanswered for a fifth
// of the session timeout is left for another; while a server in read-only mode serves
// the session Confirm waits for one that is not. Errors: [ErrNoNode] if a node does not
// exist, and those common to all operations.
func (s *Session) Confirm(ctx context.Context, paths ...string) error {
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	out, err := s.confirmation(paths...)
	if err != nil {
		return err
	}
	fail := func(path string, kind OutcomeKind, err error) error {
		return &OpError{Op: jute.OpCheck.String(), Path: path, Outcome: kind, Err: err}
	}
	pause := newBackoff(5*time.Millisecond, time.Second)
	for sent := NotSent; ; sent = Unknown {
		if _, err := s.c.enter(ctx, s); err != nil {
			return fail(paths[0], sent, err)
		}
		call := s.keeper.guarded(out...)
		s.send(call)
		patience := time.NewTimer(s.timeout / 5)
		select {
		case <-call.Done():
			patience.Stop()
		case <-patience.C:
			s.link.Drop(errSuspect)
			<-call.Done() // ended by the drop at the latest
		case <-ctx.Done():
			patience.Stop()
			s.c.counters.confirmation(ctx.Err())
			return fail(paths[0], Unknown, ctxError(ctx))
		}
		if call.Err != nil || retryable(call.Code) {
			s.c.counters.confirmation(ErrUnconfirmed)
			if call.Err == nil && call.Code != jute.ThrottledOp {
				s.link.Drop(fmt.Errorf("the server answered %w", codeError(call.Code)))
			}
			if err := sleep(ctx, pause.NextBackOff()); err != nil {
				return fail(paths[0], Unknown, err)
			}
			continue
		}
		i, err := s.failedCheck(call, len(paths))
		s.c.counters.confirmation(err)
		if err == nil {
			return nil
		}
		return fail(paths[i], Definite, err)
	}
}

// confirmation gives the servers' paths of nodes that one transaction can check.
func (s *Session) confirmation(paths ...string) ([]string, error) {
	out := make([]string, len(paths))
	size := checkSize(s.claim.nodePath())
	for i, p := range paths {
		if err := checkPath(p, false); err != nil {
			return nil, refused(jute.OpCheck, p, err)
		}
		out[i] = s.out(p)
		if size += checkSize(out[i]); size > s.c.set.maxRequest {
			return nil, refused(jute.OpCheck, p, fmt.Errorf("%w: %d nodes in one confirmation, limit %d bytes", ErrTooLarge, len(paths), s.c.set.maxRequest))
		}
	}
	return out, nil
}

// checkSize is an upper bound of what the check of a node adds to a request.
func checkSize(path string) int { return len(path) + 32 }

// failedCheck reads the reply to [keeper.guarded] for n nodes: which one failed, and
// how. If it is the session's claim the session is over: [ErrSessionTaken].
func (s *Session) failedCheck(call *wire.Call, n int) (int, error) {
	if !call.Guards {
		return failedCheck(call, n)
	}
	i, err := failedCheck(call, n+1)
	switch {
	case err == nil || i > 0:
		return max(i-1, 0), err
	case errors.Is(err, ErrBadVersion), errors.Is(err, ErrNoNode):
		return 0, s.taken(err)
	}
	return 0, err
}

// failedCheck reads the reply to a transaction of n checks: which one failed, and how.
func failedCheck(call *wire.Call, n int) (int, error) {
	if call.Code != jute.OK && len(call.Body) == 0 {
		return 0, codeError(call.Code)
	}
	var reply jute.MultiReply
	if err := call.Decode(&reply); err != nil {
		return 0, err
	}
	return failedOp(reply.Results, n)
}
