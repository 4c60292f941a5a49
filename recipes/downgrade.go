package recipes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// mostDowngraded is the last sequence that is downgraded. The grant that comes of it keeps its
// place as long as fewer than 2^24 contenders join while it is held: then none has one of the
// last numbers, on account of which the whole line would be ordered by age.
const mostDowngraded = math.MaxInt32 - 1<<24

// Downgrade turns a writer's grant into a reader's, with nobody in between: one
// transaction replaces the writer's node by a reader's with the same sequence number, and thus
// in the same place. Readers behind it are then let in; writers are not, and none can have been.
// l is the line of the readers, g a grant of a writer in the same directory, in this client. It
// costs two requests.
//
// g ends first, with a cause that is [ErrReleased]: work under it must be over. What is
// returned is another grant, with its own node and the token of g: a new one would be greater
// than those of the contenders behind, who have theirs already, and a resource that had seen it would
// refuse them when their turn has come.
//
// Errors that say why nothing was begun leave g as it is; g.Err() tells:
//
//   - client.ErrBadArgument if g is not a grant of a writer in l's directory and
//     layout, or l is not a line of readers;
//   - [ErrUsedUp];
//   - the cause of g's end if it had ended, client.ErrDetached, and the error of ctx if that had ended.
//
// After any other error g has been released, as by [Grant.Release], and nothing is held:
//
//   - the error of ctx, which does not undo that the node may have been replaced: what is
//     there is being deleted. A ctx under g's Context, which the call itself ends, bounds the call
//     by its deadline only.
//   - [ErrGrantLost] if g was lost meanwhile, with the reason.
//   - whatever else the server refuses, such as client.ErrNoAuth.
//
// A lost connection is no error: whether the node was replaced is found out.
func (l *Line) Downgrade(ctx context.Context, g *Grant) (*Grant, error) {
	d, err := l.downgrade(ctx, g)
	if err != nil {
		return nil, fmt.Errorf("downgrade in line %s: %w", l.dir, err)
	}
	end, err := g.session.Begin()
	if err != nil {
		return nil, fmt.Errorf("downgrade in line %s: %w", l.dir, err)
	}
	defer end()
	why := fmt.Errorf("%w: it was downgraded", ErrReleased) // this very one tells our own end from others
	ctx, cancel := beyond(ctx, why)
	defer cancel()
	g.end(why)
	if other := context.Cause(g.ctx); other != why { //nolint:errorlint // see above
		return nil, fmt.Errorf("downgrade in line %s: %w", l.dir, other)
	}
	g.unhook()
	g.stop()
	g.deaf()
	next, err := d.run(ctx)
	if err != nil {
		d.abandon()
		_ = g.removed(ctx) // until ctx ends: nobody is to be kept out by a node of ours that only lingers
		return nil, fmt.Errorf("downgrade in line %s: %w", l.dir, err)
	}
	return next, nil
}

// downgrading is the replacement of a grant's node.
type downgrading struct {
	line  *Line
	from  *Grant
	path  string // of the new node
	since time.Time
}

// downgrade checks whether g can be downgraded, and names the new node.
func (l *Line) downgrade(ctx context.Context, g *Grant) (*downgrading, error) {
	switch {
	case l.cfg.Kind != KindRead:
		return nil, fmt.Errorf("%w: this is a line of kind %s, and only readers share: downgrade in the line of the readers", client.ErrBadArgument, l.cfg.Kind)
	case g == nil:
		return nil, fmt.Errorf("%w: the grant is nil", client.ErrBadArgument)
	case g.session.Client() != l.cl || path.Dir(g.path) != l.dir:
		return nil, fmt.Errorf("%w: %s is not a grant of this client in this line", client.ErrBadArgument, g.path)
	}
	name := path.Base(g.path)
	kind, seq, ok := l.cfg.Layout.Parse(name, l.kinds...)
	switch {
	case !ok || kind == KindRead:
		return nil, fmt.Errorf("%w: %s is not a writer of this line in the %s layout", client.ErrBadArgument, name, l.cfg.Layout)
	case seq < 0 || seq > mostDowngraded:
		return nil, fmt.Errorf("%w: %s cannot keep its place as a reader: release it, and delete %s when nobody uses it", ErrUsedUp, name, l.dir)
	}
	if err := g.Err(); err != nil {
		return nil, err
	}
	if err := ended(ctx); err != nil {
		return nil, err
	}
	prefix, err := l.cfg.Layout.NewPrefix(KindRead)
	if err != nil {
		return nil, err
	}
	return &downgrading{line: l, from: g, path: client.Join(l.dir, prefix+digits(name)), since: time.Now()}, nil
}

// digits returns the number at the end of a name, as it is written there.
func digits(name string) string { return name[len(strings.TrimRight(name, "0123456789")):] }

// run replaces the node and makes a grant of the new one.
func (d *downgrading) run(ctx context.Context) (*Grant, error) {
	s := d.from.session
	if err := d.replace(ctx); err != nil {
		return nil, d.lost(err)
	}
	d.from.gone.Store(true)
	stat, ok, err := s.Exists(ctx, d.path) // a transaction does not tell the stat of what it made
	switch {
	case err != nil:
		return nil, d.lost(err)
	case !ok:
		return nil, d.lost(client.ErrHoldDeleted)
	case stat.EphemeralOwner != s.ID():
		return nil, fmt.Errorf("%s: %w: %#x instead of %#x", d.path, errNotOwned, stat.EphemeralOwner, s.ID())
	}
	hold, err := d.hold(ctx)
	if err != nil {
		return nil, d.lost(err)
	}
	// The new node's czxid would not do for a token: those who wait have smaller ones.
	next := newGrant(ctx, s, hold, d.line.dir, d.path, d.from.token, d.since)
	next.node = stat.Czxid
	return next, nil
}

// replace has the server put the new node in the place of the old one. When the answer is
// lost it asks again, in the same session: the new node is there then, and the
// name is nobody else's; or neither is, since somebody deleted them; or nothing had happened, and it
// happens now. A write that the leader answers is itself what makes sure of the outcome of one
// before it.
func (d *downgrading) replace(ctx context.Context) error {
	var pace pace
	for again := false; ; again = true {
		results, err := d.from.session.Txn().
			Create(d.path, d.line.cfg.Data, client.WithMode(client.Ephemeral)).
			Delete(d.from.path, client.AnyVersion).
			Commit(ctx)
		failed, refused := errors.AsType[*client.TxnError](err)
		switch {
		case err == nil && results[0].Path != d.path:
			return fmt.Errorf("the server made %s when asked for %s", results[0].Path, d.path)
		case err == nil, again && refused && failed.Index == 0 && errors.Is(err, client.ErrNodeExists):
			return nil
		case refused && errors.Is(err, client.ErrNoNode): // the old node, or the directory with it
			return client.ErrHoldDeleted
		case refused || client.Outcome(err) == client.Definite || !passing(err) || errors.Is(err, client.ErrSessionLost):
			return err
		}
		d.line.cl.Logger().Debug("replacing the node again", "path", d.from.path, "attempt", pace.n+1, "err", err)
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// hold keeps proof of the new node. The transaction confirmed the session; see [ticket.claim].
func (d *downgrading) hold(ctx context.Context) (*client.Hold, error) {
	s := d.from.session
	var pace pace
	for {
		if time.Until(s.ConfirmedUntil()) <= s.Timeout()/3 {
			err := s.Confirm(ctx, d.path)
			if errors.Is(err, client.ErrNoNode) {
				return nil, client.ErrHoldDeleted
			}
			if err != nil {
				return nil, err
			}
		}
		hold, err := s.Hold(d.path)
		if !errors.Is(err, client.ErrUnconfirmed) {
			return hold, err
		}
		if err := pace.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// lost says of an error that means it that the grant is lost.
func (d *downgrading) lost(err error) error {
	if errors.Is(err, client.ErrHoldDeleted) || errors.Is(err, client.ErrSessionLost) {
		return fmt.Errorf("%w: %s: %w", ErrGrantLost, d.from.path, err)
	}
	return err
}

// abandon has both nodes deleted in the background: the new one after the old one, because
// once the old one is known to be gone the transaction, should it still be on its way, cannot
// make the new one any more.
func (d *downgrading) abandon() {
	s := d.from.session
	d.from.other.Store(Remove(s, d.path, func(ctx context.Context) error {
		if err := pulled(s.Delete(ctx, d.from.path, client.AnyVersion)); err != nil {
			return err
		}
		return pulled(s.Delete(ctx, d.path, client.AnyVersion))
	}))
	d.from.gone.Store(false)
}

// beyond returns a context that ends as ctx does, its deadline included, but not because of own.
func beyond(ctx context.Context, own error) (context.Context, context.CancelFunc) {
	out, cancelCause := context.WithCancelCause(context.WithoutCancel(ctx))
	cancel := func() { cancelCause(nil) }
	if deadline, ok := ctx.Deadline(); ok {
		var timely context.CancelFunc
		out, timely = context.WithDeadline(out, deadline)
		cancel = func() {
			timely()
			cancelCause(nil)
		}
	}
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); cause != own && !errors.Is(ctx.Err(), context.DeadlineExceeded) { //nolint:errorlint // this very one
			cancelCause(cause)
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}
