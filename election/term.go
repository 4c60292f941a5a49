package election

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/recipes"
)

// Term is a time of leading: from being elected until it is given up, or lost. It is safe for
// concurrent use.
type Term struct {
	election *Election
	grant    *recipes.Grant
	work     *work // what runs on it, if Run has started it

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	order *handOver // by which the term ends, if it does not by Resign
	gone  bool      // the order has been carried out, and the node is deleted
	ended time.Time // when the context did

	data     publishing
	withdraw func() // starts the deletion of what was published, once
}

// newTerm makes a term of a grant. Unless w works on it, it is nobody's business when it is over.
func newTerm(e *Election, g *recipes.Grant, w *work) *Term {
	t := &Term{election: e, grant: g, work: w, data: newPublishing()}
	t.ctx, t.cancel = context.WithCancelCause(g.Context())
	e.mu.Lock()
	e.terms[t] = struct{}{}
	e.mu.Unlock()
	context.AfterFunc(t.ctx, func() {
		t.mu.Lock()
		t.ended = time.Now()
		t.mu.Unlock()
		if w == nil {
			e.forget(t)
		}
	})
	t.withdraw = sync.OnceFunc(t.unpublish)
	context.AfterFunc(g.Context(), t.withdraw)
	return t
}

// forget takes a term out of what Healthy looks at.
func (e *Election) forget(t *Term) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.terms, t)
}

// Context returns a context that ends with the term: when it is resigned or handed over, or the
// moment it is lost, before anybody else can lead. Its cause is [ErrResigned], [ErrHandedOver] or
// [ErrLost]. Whatever only the leader may do runs on it. It carries no values and no deadline.
func (t *Term) Context() context.Context { return t.ctx }

// Err returns nil while the term lasts, and then the cause of its Context. It looks at the
// clock too, so it also answers rightly in a process that has just been thawed.
func (t *Term) Err() error {
	if err := context.Cause(t.ctx); err != nil {
		return err
	}
	if err := t.grant.Err(); err != nil { // which may have ended it just now
		return err
	}
	return context.Cause(t.ctx)
}

// Token returns the term's fencing token: greater than that of every term before it, for as long
// as the ensemble keeps its data.
func (t *Term) Token() int64 { return t.grant.Token() }

// ValidUntil returns the time until which nobody else can lead, as far as is known now. It moves
// on while all is well; for a term that is over it means nothing.
func (t *Term) ValidUntil() time.Time { return t.grant.ValidUntil() }

// Path returns the path of the leader's own node.
func (t *Term) Path() string { return t.grant.Path() }

// Txn starts a transaction that the servers carry out only while the leader's node is there: a
// write to ZooKeeper that needs no token. In a term of Run it can still be used when the context
// has ended by Resign or HandOver, until the function returns.
func (t *Term) Txn() *recipes.Txn { return t.grant.Txn() }

// Resign gives the leadership up; the context ends first, with [ErrResigned]. It returns nil once
// this term keeps nobody from leading: also when it had been lost, and when called again. It
// never touches a later leader's node. If ctx ends first its error is returned, and the client
// goes on resigning in the background; a ctx that has already ended is thus enough to resign
// without waiting. If the server refuses (client.ErrNoAuth) the error says so, and nobody leads
// until the node can be deleted, which is tried further. (A session that was left to another
// process keeps the node: client.ErrDetached.)
//
// Work under a term of Campaign must be over when Resign is called. Of a term of Run only the
// context ends: the leadership is given up when the function that runs under it has returned, and
// Run then campaigns again. Resign waits for that, but called with the function's context, or one
// derived from it, it returns nil at once. Within the function do not call it with any other: it
// would wait for itself.
func (t *Term) Resign(ctx context.Context) error {
	alive := ctx.Err() == nil
	t.mu.Lock()
	order := t.order
	if order == nil {
		t.cancel(ErrResigned)
	}
	t.mu.Unlock()
	switch {
	case t.work != nil && t.work.is(ctx):
		return nil
	case alive && errors.Is(context.Cause(ctx), ErrResigned):
		// ctx stands for the term itself, and has just been ended by this very call.
		ctx = context.WithoutCancel(ctx)
	}
	if t.work != nil {
		return t.work.wait(ctx)
	}
	if order != nil {
		select {
		case <-order.done:
		case <-ctx.Done():
			return fmt.Errorf("election: %s is being handed over: %w", t.Path(), ended(ctx))
		}
	}
	return t.release(ctx)
}

// release deletes the node, unless a hand-over has. What was published goes behind it, also if the
// session is left to another process as soon as this has returned.
func (t *Term) release(ctx context.Context) error {
	defer t.withdraw()
	t.mu.Lock()
	gone := t.gone
	t.mu.Unlock()
	if gone {
		return nil
	}
	if err := t.grant.Release(ctx); err != nil {
		return fmt.Errorf("election: %w", err)
	}
	return nil
}
