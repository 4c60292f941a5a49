package barrier

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Inside is a participant's place inside a double barrier, until Leave or until it is lost.
// It is safe for concurrent use.
type Inside struct {
	d       *Double
	session *client.Session
	path    string
	hold    *client.Hold
	ctx     context.Context
	cancel  context.CancelCauseFunc
	unhook  func() bool
	alone   atomic.Bool             // nobody else is inside: ready is deleted, too
	remove  func() *recipes.Removal // starts the deletion of the node, once

	turn   chan struct{} // cap 1: full while a Leave is under way
	exited bool          // the node has been, or is being, deleted, and the Double is free
	lost   error         // how the first Leave found it
	exit   exit
}

func newInside(d *Double, s *client.Session, path string, hold *client.Hold) *Inside {
	in := &Inside{d: d, session: s, path: path, hold: hold, turn: make(chan struct{}, 1)}
	in.ctx, in.cancel = context.WithCancelCause(context.WithoutCancel(hold.Context()))
	in.remove = sync.OnceValue(func() *recipes.Removal {
		return recipes.Remove(s, path, in.delete)
	})
	in.unhook = hold.AfterEnd(in.lose)
	return in
}

// lose ends the place because of what happened to it. The node, if it may still be there, is
// deleted: the others are not to wait for it.
func (in *Inside) lose(why error) {
	if in.ctx.Err() != nil {
		return
	}
	in.cancel(fmt.Errorf("%w: %s: %w", ErrLost, in.path, why))
	in.hold.Release()
	if !errors.Is(why, client.ErrHoldDeleted) && in.session.Context().Err() == nil {
		in.remove()
	}
}

// delete deletes the node. The last one deletes ready in the same transaction: no later round
// can have made it, since who comes next waits while a node of its round is there.
func (in *Inside) delete(ctx context.Context) error {
	if in.alone.Load() {
		_, err := in.session.Txn().Delete(in.path, client.AnyVersion).Delete(in.d.ready(), client.AnyVersion).Commit(ctx)
		if err == nil || client.Outcome(err) != client.Definite {
			return err // unknown: the next try finds out
		}
	}
	return deleteNode(ctx, in.session.Ops, in.path)
}

// Path returns the path of the participant's node.
func (in *Inside) Path() string { return in.path }

// Context returns a context that ends with Leave, with cause [ErrLeft], or the moment the participant
// is lost, with cause [ErrLost] and the reason: from then on the others may leave
// without it. What is done inside runs on it. It carries no values and no deadline.
func (in *Inside) Context() context.Context { return in.ctx }

// Err returns nil while the participant is inside, and then the cause of its Context. It
// looks at the clock too, so it also answers rightly in a process that has just been thawed.
func (in *Inside) Err() error {
	if in.ctx.Err() == nil && !time.Now().Before(in.hold.ValidUntil()) {
		in.lose(client.ErrUnconfirmed)
	}
	return context.Cause(in.ctx)
}

// Leave takes the participant out and returns nil once all have left: all that were inside
// when Leave was called. Its Context ends at once; what it did inside must be over.
//
// Errors: [ErrLost] if the participant had been lost, or is lost before its own node is
// deleted: others may have left before it, or be inside still. The error of ctx, client.ErrClosed or
// client.ErrDetached: the participant has left, its node is deleted, in the background if need be, and
// others may be inside still; Leave can be called again, and goes on waiting for them.
// Otherwise what the server refuses. Whatever it returns, the Double may then Enter again.
//
// Lost connections do not end the wait; lost sessions do not after the own node's deletion.
func (in *Inside) Leave(ctx context.Context) error {
	select {
	case in.turn <- struct{}{}:
	default:
		select {
		case in.turn <- struct{}{}:
		case <-ctx.Done(): // another call is at it
			return in.d.failed(fmt.Errorf("leave: %w", ended(ctx)))
		}
	}
	defer func() { <-in.turn }()
	if err := in.leave(ctx); err != nil {
		return in.d.failed(fmt.Errorf("leave: %w", err))
	}
	return nil
}

func (in *Inside) leave(ctx context.Context) error {
	if in.exited {
		if in.lost != nil {
			return in.lost
		}
		return in.exit.others(ctx)
	}
	lost := in.Err()
	in.unhook()
	in.cancel(ErrLeft)
	in.hold.Release()
	in.exit = exit{d: in.d, s: in.session, mine: in.path}
	err := lost
	if lost == nil {
		err = in.own(ctx)
	}
	if errors.Is(err, client.ErrSessionLost) && !errors.Is(err, ErrLost) {
		err = fmt.Errorf("%w: %s: %w", ErrLost, in.path, err)
	}
	if errors.Is(err, ErrLost) {
		in.lost = err
	}
	in.exited, in.d.prev = true, in.remove()
	if err == nil {
		err = in.exit.others(ctx)
	}
	in.d.busy.Store(false)
	return err
}

// own takes the own node out, or sees to it that it will be. Detach waits for that.
func (in *Inside) own(ctx context.Context) error {
	end, err := in.session.Begin()
	if err == nil {
		defer end()
		err = in.exit.own(ctx, func(alone bool) *recipes.Removal {
			in.alone.Store(alone)
			return in.remove()
		})
	}
	in.remove()
	return err
}
