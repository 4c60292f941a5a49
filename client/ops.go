package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// Ops are the operations on nodes. Those of a [Client] run in whichever session is
// current; those of a [Session] in that session only.
//
// They have in common: While not connected they wait, until ctx ends
// ([ErrNotConnected] and the context's error) or the client or session is over
// ([ErrClosed], [ErrSessionLost]). A malformed path is [ErrBadPath] and a request
// over the limit [ErrTooLarge], with nothing sent. Reads are repeated when the
// connection is lost. Writes are repeated when they were certainly not sent, or not executed;
// otherwise they end with [ErrConnectionLost] and [Outcome] Unknown, except where the
// method says that it finds out. How often and after which pauses, and whether they wait at
// all, says a [RetryPolicy]: by default for ever, which ends with ctx. When the policy is over the error
// is the last one, with its outcome, and [ErrRetriesExhausted].
//
// Where a server in read-only mode serves the session (only with [WithReadOnly]) writes and
// Sync fail at once with [ErrReadOnly].
//
// Errors are *[OpError]. Ops is a value: [Ops.WithRetry], [Ops.Idempotent] and [Breaker.Ops]
// return changed copies that run where the original does. Safe for concurrent use;
// calls made one after the other by one goroutine are executed in that order.
type Ops struct {
	c    *Client
	s    *Session
	bare bool // paths are the servers', without the chroot

	retry      RetryPolicy
	breaker    *Breaker // nil: none
	idempotent bool
}

// inside returns the operations bound to a session.
func (o Ops) inside(s *Session) Ops {
	o.s = s
	return o
}

// steady returns the operations for what goes on when the caller has left.
func (o Ops) steady(s *Session) Ops { return Ops{c: o.c, s: s, bare: o.bare} }

// request is one operation and how it may be treated.
type request struct {
	op     jute.Op
	path   string      // as the caller named it
	body   jute.Record // with the servers' path
	reply  jute.Record // nil if the reply has no body of interest
	repeat bool        // may be executed twice: a read
	wait   bool        // waits until it can be committed, although it is refused meanwhile

	// prepare, if set, is called with each attempt's call before it is sent.
	prepare func(s *Session, call *wire.Call)
	// behind, if set, gives a call to be sent in the same flight, behind each attempt.
	behind func() *wire.Call
	// abandon, if set, is called when the context ends while an attempt is under way.
	abandon func(call *wire.Call)
	// lost, if set, is called when an attempt's outcome is unknown; seen is the newest
	// transaction that the session had seen before the attempt was sent. It reports
	// whether the outcome could be found out: then err is the result, or errAgain.
	lost func(ctx context.Context, s *Session, seen int64) (err error, known bool)

	run run // here to spare an allocation; see newRun
}

// need tells which servers a request is for. One in read-only mode refuses sync as well.
func (r *request) need() need {
	switch {
	case !r.op.Commits() && r.op != jute.OpSync:
		return anyServer
	case r.wait:
		return quorum
	}
	return quorumNow
}

var (
	// errAgain, from request.lost, says that the operation was certainly not executed.
	errAgain = errors.New("not executed")
	// errRepeat says that it is to be repeated, executed or not.
	errRepeat = fmt.Errorf("perhaps %w", errAgain)
)

func (o Ops) out(path string) string {
	if o.bare {
		return path
	}
	return o.c.root.outward(path)
}

func (o Ops) in(path string) string {
	if o.bare {
		return path
	}
	return o.c.root.inward(path)
}

func refused(op jute.Op, path string, err error) error {
	return &OpError{Op: op.String(), Path: path, Outcome: NotSent, Err: err}
}

// exec runs a request until it has an answer, or none is to be had.
func (o Ops) exec(ctx context.Context, r *request) error {
	if err := checkPath(r.path, false); err != nil {
		return refused(r.op, r.path, err)
	}
	return o.attempt(ctx, r)
}

// attempt is exec for a path that has been checked.
func (o Ops) attempt(ctx context.Context, r *request) error {
	u := o.newRun(r)
	if o.retry.err != nil {
		return u.finish(ctx, u.fail(NotSent, o.retry.err))
	}
	bounded, cancel := o.retry.context(ctx)
	defer cancel()
	for {
		if err := u.encode(); err != nil {
			return u.finish(ctx, err)
		}
		s, err := o.enter(bounded, r.need())
		if err != nil {
			return u.finish(ctx, u.giveUp(err))
		}
		s.send(u.prepare(s)...)
		if err, done := u.settle(ctx, bounded); done {
			return u.finish(ctx, err)
		}
		if err := u.pause(bounded); err != nil {
			return u.finish(ctx, u.giveUp(err))
		}
	}
}
