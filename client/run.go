package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// run is a request on its way through one attempt after the other: encode, prepare
// and send, settle; and, where that left it open, pause and again.
type run struct {
	o Ops
	r *request

	attempts int
	given    OutcomeKind // when no further attempt is made
	last     error       // of the attempt before
	start    time.Time   // if a hook wants to know
	backoff  backoff.BackOff

	// Of the attempt under way.
	s    *Session
	call *wire.Call
	size int        // of the request
	sent *wire.Call // call, once it has been handed to s
	seen int64      // the newest transaction that the session had seen before

	flight [2]*wire.Call // what prepare returns
}

// newRun begins to run a request, which has one run at a time.
func (o Ops) newRun(r *request) *run {
	u := &r.run
	*u = run{o: o, r: r, given: NotSent}
	if len(o.c.hooks.op) > 0 {
		u.start = time.Now()
	}
	return u
}

func (u *run) fail(kind OutcomeKind, err error) error {
	return &OpError{Op: u.r.op.String(), Path: u.r.path, Outcome: kind, Err: err}
}

// giveUp is the error when no further attempt is made.
func (u *run) giveUp(err error) error {
	if u.last != nil {
		err = fmt.Errorf("%w (after: %w)", err, u.last)
	}
	return u.fail(u.given, err)
}

// encode makes the next attempt's call.
func (u *run) encode() error {
	u.call = wire.NewCall(u.r.op, u.r.body)
	u.size = u.call.Size()
	if limit := u.o.c.set.maxRequest; u.size > limit {
		return u.fail(NotSent, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, u.size, limit))
	}
	return nil
}

// prepare readies the call for a session and returns what has to be sent.
func (u *run) prepare(s *Session) []*wire.Call {
	u.s, u.sent = s, u.call
	u.attempts++
	if u.r.prepare != nil {
		u.r.prepare(s, u.call)
	}
	u.seen = s.link.LastZxid()
	u.flight[0] = u.call
	if u.r.behind != nil {
		u.flight[1] = u.r.behind()
		return u.flight[:]
	}
	return u.flight[:1]
}

// settle waits for the attempt's end. It is done if the request has its result,
// good or bad; otherwise it is safe to try again. bounded is what ctx is within the
// bounds of the policy.
func (u *run) settle(ctx, bounded context.Context) (err error, done bool) {
	r := u.r
	select {
	case <-u.call.Done():
	case <-ctx.Done():
		select {
		case <-u.call.Done(): // an answer that is there counts
		default:
			if r.abandon != nil {
				r.abandon(u.call)
			}
			return u.fail(Unknown, ctxError(ctx)), true
		}
	}
	kind, err := callError(u.call)
	switch {
	case kind == Definite && err == nil:
		if r.reply == nil {
			return nil, true
		}
		if err := u.call.Decode(r.reply); err != nil {
			return u.fail(Definite, err), true
		}
		if !expiredWithin(r.reply) {
			return nil, true
		}
		err = codeError(jute.SessionExpired)
		u.s.link.Drop(fmt.Errorf("the server answered %w", err))
	case u.call.Err == nil && retryable(u.call.Code): // refused by the server, not executed
		if u.call.Code != jute.ThrottledOp {
			u.s.link.Drop(fmt.Errorf("the server answered %w", err))
		}
	case kind == Definite:
		return u.fail(Definite, err), true
	case kind == Unknown && r.lost != nil:
		found, known := r.lost(bounded, u.s, u.seen)
		if !known {
			if found != nil {
				err = fmt.Errorf("%w (and not resolved: %w)", err, found)
			}
			return u.fail(Unknown, u.because(err)), true
		}
		if !errors.Is(found, errAgain) {
			return found, true
		}
		if errors.Is(found, errRepeat) {
			u.given = Unknown
		}
	case kind == Unknown && !r.repeat:
		return u.fail(Unknown, u.because(err)), true
	case kind == Unknown:
		u.given = Unknown // to be repeated, but it may have been executed
	}
	u.last = err
	return nil, false
}

// finish is called once, with the request's result, on the caller's goroutine.
func (u *run) finish(ctx context.Context, err error) error {
	u.ended(ctx, err)
	return err
}

// retryable tells of an answer that says: not executed, try again, perhaps elsewhere.
func retryable(code jute.Code) bool {
	return code == jute.SessionMoved || code == jute.SessionExpired || code == jute.ThrottledOp
}

// expiredWithin tells whether a transaction was refused because the leader has expired the session, of which the server
// of the connection has not heard yet. Servers say that in the place of an operation's result, and for
// no other request.
func expiredWithin(reply jute.Record) bool {
	multi, ok := reply.(*jute.MultiReply)
	return ok && slices.ContainsFunc(multi.Results, func(r jute.MultiResult) bool { return r.Err == jute.SessionExpired })
}

// because adds the reason if the connection was lost with its session.
func (u *run) because(err error) error {
	if cause := context.Cause(u.s.ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
