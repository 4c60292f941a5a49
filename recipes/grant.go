package recipes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
)

// Grant is something held: a lock, the lead, a place in a line that was let
// through. It is safe for concurrent use.
//
// It is held until it is released, or until it ends by itself: when its session is
// over, when its node is deleted by somebody, or when it could not be confirmed by a quorum
// of the servers in time. It is not safe to assume that it is held until Release:
// work under a grant runs on its Context.
type Grant struct {
	session *client.Session
	hold    *client.Hold
	path    string
	token   int64
	log     *slog.Logger

	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook func() bool
	remove func() *removal // starts the removal of the node, once
}

// newGrant makes a grant of a ticket whose node hold keeps confirmed.
func newGrant(t *ticket, hold *client.Hold) *Grant {
	g := &Grant{session: t.session, hold: hold, path: t.path, token: t.token, log: t.line.cl.Logger()}
	g.remove = sync.OnceValue(func() *removal { return remove(g.session, g.path) })
	g.ctx, g.cancel = context.WithCancelCause(context.WithoutCancel(hold.Context()))
	g.unhook = context.AfterFunc(hold.Context(), func() { g.lose(context.Cause(hold.Context())) })
	return g
}

// lose ends the grant because of what happened to it. The node, if it may still be there,
// is deleted: what has ended here must not go on blocking others.
func (g *Grant) lose(why error) {
	if g.ctx.Err() != nil {
		return
	}
	g.cancel(fmt.Errorf("%w: %s: %w", ErrGrantLost, g.path, why))
	g.hold.Release()
	if !errors.Is(why, client.ErrClosed) {
		g.log.Warn("grant lost", "path", g.path, "session", fmt.Sprintf("%#x", uint64(g.session.ID())), "err", why)
	}
	if !errors.Is(why, client.ErrHoldDeleted) && g.session.Context().Err() == nil {
		g.remove()
	}
}

// Path returns the path of the grant's node.
func (g *Grant) Path() string { return g.path }

// Session returns the session that the grant lives and dies with.
func (g *Grant) Session() *client.Session { return g.session }

// Token returns the grant's fencing token: the czxid of its node. A later
// grant has a greater one, whichever client got it and whatever happened to the
// directory in between. What is protected by the grant outside of ZooKeeper is to
// refuse a token smaller than the greatest it has seen; writes to ZooKeeper are
// guarded by Txn.
func (g *Grant) Token() int64 { return g.token }

// ValidUntil returns the time until which nobody else can hold what is held here,
// as far as is known now; it moves on with each confirmation, and for a
// grant that has ended it means nothing. It assumes clocks that run at nearly
// the same rate, not clocks that show the same time.
func (g *Grant) ValidUntil() time.Time { return g.hold.ValidUntil() }

// Context returns a context that ends with the grant, at ValidUntil at the latest.
// Its cause is [ErrReleased] after Release, and otherwise [ErrGrantLost] with the reason.
// It carries no values and no deadline.
func (g *Grant) Context() context.Context { return g.ctx }

// Err returns nil while the grant is held, and then the cause of its Context. It
// looks at the clock: a process that was frozen past ValidUntil is told so by
// its first call, whether or not timers have fired yet.
func (g *Grant) Err() error {
	if g.ctx.Err() == nil && !time.Now().Before(g.hold.ValidUntil()) {
		g.lose(client.ErrUnconfirmed)
	}
	return context.Cause(g.ctx)
}

// Release ends the grant and deletes its node. The Context ends first, with
// ErrReleased; work under the grant must be over when Release is called.
//
// It returns nil when nobody else can be kept waiting by this grant any
// more: the node is deleted, or was before, or the session is over. That makes it
// safe to call on a grant that was lost, more than once, and from several
// goroutines; each call waits for the same, single removal. Nothing but the own
// node is ever deleted: no other contender can have its name.
//
// A call whose ctx ends first returns the error of ctx; the client goes on deleting in the
// background, so a ctx that has already ended is enough to release without
// waiting. A ctx under the grant's Context, which the call itself ends, bounds nothing: the call
// returns at the end of the session at the latest. If the server refuses (client.ErrNoAuth) Release says so, and the node
// stays until the refusal ends or the session does.
func (g *Grant) Release(ctx context.Context) error {
	alive := ctx.Err() == nil
	g.unhook()
	g.cancel(ErrReleased)
	g.hold.Release()
	err := g.remove().wait(ctx)
	if err != nil && alive && errors.Is(context.Cause(ctx), ErrReleased) {
		// ctx stands for the grant itself, and has just been ended by this very call.
		err = g.remove().wait(context.WithoutCancel(ctx))
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", g.path, err)
	}
	return nil
}
