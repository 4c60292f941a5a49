package client

import (
	"context"
	"errors"
	"fmt"
	"time"

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
// connection is lost. Writes are repeated when they were certainly not sent;
// otherwise they end with [ErrConnectionLost] and [Outcome] Unknown, except where the
// method says that it finds out. Errors are *[OpError]. Safe for concurrent use;
// calls made one after the other by one goroutine are executed in that order.
type Ops struct {
	c    *Client
	s    *Session
	bare bool // paths are the servers', without the chroot
}

// request is one operation and how it may be treated.
type request struct {
	op     jute.Op
	path   string      // as the caller named it
	body   jute.Record // with the servers' path
	reply  jute.Record // nil if the reply has no body of interest
	repeat bool        // may be executed twice: a read

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
}

// errAgain, from request.lost, says that the operation was certainly not executed.
var errAgain = errors.New("not executed")

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
	fail := func(kind OutcomeKind, err error) error {
		return &OpError{Op: r.op.String(), Path: r.path, Outcome: kind, Err: err}
	}
	var (
		pause = newBackoff(5*time.Millisecond, time.Second)
		last  error     // of the attempt before
		given = NotSent // the outcome when no further attempt is made
	)
	giveUp := func(err error) error {
		if last != nil {
			err = fmt.Errorf("%w (after: %w)", err, last)
		}
		return fail(given, err)
	}
	for n := 1; ; n++ {
		call := wire.NewCall(r.op, r.body)
		if call.Size() > o.c.set.maxRequest {
			return fail(NotSent, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, call.Size(), o.c.set.maxRequest))
		}
		s, err := o.c.enter(ctx, o.s)
		if err != nil {
			return giveUp(err)
		}
		if r.prepare != nil {
			r.prepare(s, call)
		}
		seen := s.link.LastZxid()
		if r.behind != nil {
			s.send(call, r.behind())
		} else {
			s.send(call)
		}
		select {
		case <-call.Done():
		case <-ctx.Done():
			if r.abandon != nil {
				r.abandon(call)
			}
			return fail(Unknown, ctxError(ctx))
		}
		kind, err := callError(call)
		switch {
		case kind == Definite && err == nil:
			if r.reply == nil {
				return nil
			}
			if err := call.Decode(r.reply); err != nil {
				return fail(Definite, err)
			}
			return nil
		case call.Err == nil && retryable(call.Code): // refused by the server, not executed
			if call.Code != jute.ThrottledOp {
				s.link.Drop(fmt.Errorf("the server answered %w", err))
			}
		case kind == Definite:
			return fail(Definite, err)
		case kind == Unknown && r.lost != nil:
			found, known := r.lost(ctx, s, seen)
			if !known {
				if found != nil {
					err = fmt.Errorf("%w (and could not be looked up: %w)", err, found)
				}
				return fail(Unknown, o.because(s, err))
			}
			if !errors.Is(found, errAgain) {
				return found
			}
		case kind == Unknown && !r.repeat:
			return fail(Unknown, o.because(s, err))
		case kind == Unknown:
			given = Unknown // to be repeated, but it may have been executed
		}
		last = err
		o.c.log.Debug("zookeeper operation repeated", "op", r.op.String(), "path", r.path, "attempt", n, "err", err)
		if err := sleep(ctx, pause.NextBackOff()); err != nil {
			return giveUp(err)
		}
	}
}

// retryable tells of an answer that says: not executed, try again, perhaps elsewhere.
func retryable(code jute.Code) bool {
	return code == jute.SessionMoved || code == jute.SessionExpired || code == jute.ThrottledOp
}

// because adds the reason if the connection was lost with its session.
func (o Ops) because(s *Session, err error) error {
	if cause := context.Cause(s.ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
