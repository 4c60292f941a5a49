package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
)

// Grant is something held: a lock, the lead, a place in a line that was let
// through. It is safe for concurrent use.
//
// It is held until it is released, or until it ends by itself: when its session is
// over, when its node, or one of several, is deleted by somebody, or when it could not be
// confirmed by a quorum of the servers in time. It is not safe to assume that it is held until Release:
// work under a grant runs on its Context.
type Grant struct {
	session *client.Session
	hold    *client.Hold
	path    string
	more    []part // its other nodes, if it has several
	token   int64
	node    int64 // the node's czxid: the token, but for what was downgraded
	dir     string
	held    time.Time // since when
	told    atomic.Bool
	word    atomic.Bool // it is to be left by the removal; see leaveWord

	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook func() bool
	remove func() *Removal         // starts the removal of the node, or nodes, once
	gone   atomic.Bool             // the node, and that is certain: a downgrade has replaced it
	other  atomic.Pointer[Removal] // of the node that a downgrade which failed may have made

	revocation revocation
}

// part is one of several nodes of a grant, and the proof of it.
type part struct {
	path string
	hold *client.Hold
}

// newGrant makes a grant of a node in dir that hold keeps confirmed, and of further ones; ctx
// is the caller's, who has asked for it at asked.
func newGrant(ctx context.Context, s *client.Session, hold *client.Hold, dir, path string, token int64, asked time.Time, more ...part) *Grant {
	return newGrantBy(ctx, s, hold, dir, path, token, asked, nil, more...)
}

// newGrantBy is newGrant for a single node that is removed by del, unless that is nil.
func newGrantBy(ctx context.Context, s *client.Session, hold *client.Hold, dir, path string, token int64, asked time.Time, del func(context.Context) error, more ...part) *Grant {
	g := &Grant{session: s, hold: hold, path: path, more: more, token: token, node: token, dir: dir, held: time.Now()}
	g.remove = sync.OnceValue(func() *Removal {
		if len(g.more) > 0 {
			return removeAll(g.session, g.Paths())
		}
		if g.word.Load() {
			return leaveWord(g.session, g.path)
		}
		return Remove(g.session, g.path, del)
	})
	g.ctx, g.cancel = context.WithCancelCause(context.WithoutCancel(hold.Context()))
	e := g.event(client.GrantHeld)
	e.Ctx, e.Waited = ctx, g.held.Sub(asked)
	g.session.Client().EmitGrant(e)
	g.unhook = hold.AfterEnd(g.lose)
	for _, p := range more {
		first, next := g.unhook, p.hold.AfterEnd(g.lose)
		g.unhook = func() bool {
			next()
			return first()
		}
	}
	return g
}

// stop ends the keeping of proof.
func (g *Grant) stop() {
	g.hold.Release()
	for _, p := range g.more {
		p.hold.Release()
	}
}

// end ends the context, and tells the client's hooks the first time, which it reports.
func (g *Grant) end(why error) bool {
	g.cancel(why)
	if !g.told.CompareAndSwap(false, true) {
		return false
	}
	kind, why := client.GrantReleased, context.Cause(g.ctx)
	if errors.Is(why, ErrReleased) {
		why = nil
	} else {
		kind = client.GrantLost
	}
	e := g.event(kind)
	e.HeldFor, e.Err = time.Since(g.held), why
	g.session.Client().EmitGrant(e)
	return true
}

func (g *Grant) event(kind client.GrantKind) client.GrantEvent {
	return client.GrantEvent{Kind: kind, Path: g.dir, Node: g.path, Token: g.token, SessionID: g.session.ID()}
}

// lose ends the grant because of what happened to it, or to one of its nodes. What may still
// be there of it is deleted: what has ended here must not go on blocking others.
func (g *Grant) lose(why error) {
	defer g.deaf() // whoever waits for the grant's end waits for that as well
	if g.ctx.Err() != nil || !g.end(fmt.Errorf("%w: %s: %w", ErrGrantLost, g.path, why)) {
		return
	}
	g.stop()
	if !errors.Is(why, client.ErrClosed) {
		g.session.Client().Logger().Warn("grant lost", "path", g.path, "session", fmt.Sprintf("%#x", uint64(g.session.ID())), "err", why)
	}
	if (len(g.more) > 0 || !errors.Is(why, client.ErrHoldDeleted)) && g.session.Context().Err() == nil {
		g.remove()
	}
}

// Path returns the path of the grant's node, the first one if it has several.
func (g *Grant) Path() string { return g.path }

// Paths returns the paths of the grant's nodes: one, but for what was acquired from a
// [Pool] with a weight.
func (g *Grant) Paths() []string {
	paths := make([]string, 1, 1+len(g.more))
	paths[0] = g.path
	for _, p := range g.more {
		paths = append(paths, p.path)
	}
	return paths
}

// Session returns the session that the grant lives and dies with.
func (g *Grant) Session() *client.Session { return g.session }

// Token returns the grant's fencing token: the czxid of its node, which a grant that
// was resumed keeps, and also the reader's grant that a writer's was downgraded to. A later
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

// Release ends the grant and deletes its node; several go in one transaction. The Context ends first, with
// ErrReleased; work under the grant must be over when Release is called.
//
// It returns nil when nobody else can be kept waiting by this grant any
// more: the node is deleted, or was before, or the session is over. (A session that was
// left to another process lives on, and the node with it: that is
// client.ErrDetached, or client.ErrSessionTaken.) That makes it
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
	g.end(ErrReleased)
	g.stop()
	g.deaf()
	err := g.removed(ctx)
	if err != nil && alive && errors.Is(context.Cause(ctx), ErrReleased) {
		// ctx stands for the grant itself, and has just been ended by this very call.
		err = g.removed(context.WithoutCancel(ctx))
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", g.path, err)
	}
	return nil
}

// removed has the grant's node removed, and waits for it.
func (g *Grant) removed(ctx context.Context) error {
	if g.gone.Load() {
		return nil
	}
	err := g.remove().Wait(ctx)
	if other := g.other.Load(); other != nil {
		err = cmp.Or(err, other.Wait(ctx))
	}
	return err
}
