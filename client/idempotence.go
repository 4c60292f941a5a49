package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/internal/jute"
)

// Idempotent returns the same operations for a caller to whom executing a create, set or
// delete twice is as good as once, and to whom the state that it wants is what
// counts, whoever brought it about. So these operations go on until their outcome is
// certain, also in the next session if they are not bound to one. What they do when a
// reply is lost, behind a commit of the quorum:
//
//   - [Ops.Create]: no node: made again. A node with the same data, never changed,
//     and persistent or this session's ephemeral as it has to be: success, unless it is
//     known to have been there before: [ErrNodeExists]. An ephemeral node of the client's
//     session before: made again when it has gone. Any other may be this call's, changed
//     by somebody since: Unknown, with ErrNodeExists. A sequential node needs
//     [WithProtection], which decides alone, otherwise [ErrBadArgument].
//   - [Ops.Set] with a version: still that version, and not changed since before: set
//     again. The next version with the same data: success. Another version since
//     before: [ErrBadVersion]. Otherwise others have been at work: Unknown.
//   - [Ops.Set] of [AnyVersion]: the same data since the request was sent: success.
//     Otherwise set again, which may overwrite what somebody else has set meanwhile.
//   - [Ops.Delete]: no node: success, also without a loss. With a version: the same
//     node as before: deleted again; a node made since: Unknown. For [AnyVersion]:
//     deleted again, even if somebody has made it anew.
//
// So a create is no claim, unless its data or its session tells whose it is. "Before" is
// what the session had seen when it sent the request: nothing if that was its first. A first
// attempt that is still on its way when its session is lost may be executed after a
// second one in the next session. Operations that are not named here are as they were.
func (o Ops) Idempotent() Ops {
	o.idempotent = true
	return o
}

// look is what a look-up behind a commit has found.
type look struct {
	in    Ops // bound to the session in which it was found
	first *Session
	bare  bool // the stat is enough
	node  bool // there is one
	data  []byte
	stat  jute.Stat
	seen  int64 // the newest transaction seen before the attempt was sent; 0 in the first request of a session
}

// read reads the node, or only whether it exists: that needs no right to read.
func (l *look) read(ctx context.Context, path string) error {
	var reply jute.DataReply
	r := l.in.read(jute.OpGetData, path, false, &reply)
	if l.bare {
		r = l.in.read(jute.OpExists, path, false, &reply.Stat)
	}
	err := l.in.exec(ctx, r)
	l.node, l.data, l.stat = err == nil, reply.Data, reply.Stat
	if errors.Is(err, ErrNoNode) {
		return nil
	}
	return err
}

// before tells whether the node, or its data, was last changed by a transaction before the attempt.
func (l *look) before(zxid int64) bool { return zxid <= l.seen }

// again is for a node that is as it was: in the session of the attempt it always will be.
func (l *look) again() error {
	if l.in.s == l.first {
		return errAgain
	}
	return errRepeat
}

var errMeddled = errors.New("others may have changed the node since")

// resolve makes a request find out what became of an attempt without a reply: judge says it
// as request.lost does.
func (o Ops) resolve(r *request, judge func(ctx context.Context, l *look) (error, bool)) {
	r.lost = func(ctx context.Context, s *Session, seen int64) (error, bool) {
		l := &look{first: s, seen: seen, bare: r.op == jute.OpDelete}
		if err := o.lookUp(ctx, l, r.path); err != nil {
			return err, false
		}
		return judge(ctx, l)
	}
}

// lookUp reads a node behind a commit of the quorum: in the session of the attempt, or
// if that is over in the one that is current then, unless o is bound.
func (o Ops) lookUp(ctx context.Context, l *look, path string) error {
	for s := l.first; ; {
		l.in = o.inside(s)
		err := l.in.barrier(ctx)
		if err == nil {
			err = l.read(ctx, path)
		}
		if err == nil || o.s != nil || !errors.Is(err, ErrSessionLost) {
			return err
		}
		if s, err = o.enter(ctx, quorum); err != nil {
			return err
		}
	}
}

// createAgain resolves the create of a node with a fixed name.
func (o Ops) createAgain(r *request, reply *jute.Create2Reply, data []byte, mode Mode) {
	o.resolve(r, func(ctx context.Context, l *look) (error, bool) {
		made := l.node && l.stat.Version == 0 && bytes.Equal(l.data, data)
		owner := int64(0)
		if mode.ephemeral() {
			owner = l.in.s.id
		}
		switch {
		case !l.node: // perhaps no more
			return errRepeat, true
		case l.before(l.stat.Czxid):
			return answer(r, ErrNodeExists), true
		case made && l.stat.EphemeralOwner == owner:
			reply.Path, reply.Stat = o.out(r.path), l.stat
			return nil, true
		case mode.ephemeral() && l.stat.EphemeralOwner == l.first.id && l.in.s != l.first:
			return l.in.awaitGone(ctx, r.path, l.first.id)
		}
		return fmt.Errorf("%w: %w", ErrNodeExists, errMeddled), false
	})
}

// awaitGone waits for the end of a node whose session is over for the client, and soon
// will be for the servers.
func (o Ops) awaitGone(ctx context.Context, path string, owner int64) (error, bool) {
	for {
		stat, ok, w, err := o.ExistsW(ctx, path)
		if err != nil {
			return err, false
		}
		if !ok || stat.EphemeralOwner != owner {
			w.Remove()
			return errRepeat, true
		}
		select {
		case <-w.C:
		case <-ctx.Done():
			w.Remove()
			return ctxError(ctx), false
		}
	}
}

// setAgain resolves a set.
func (o Ops) setAgain(r *request, reply *statReply, data []byte, version int32) {
	o.resolve(r, func(_ context.Context, l *look) (error, bool) {
		same := l.node && bytes.Equal(l.data, data) && !l.before(l.stat.Mzxid)
		switch {
		case same && (version == AnyVersion || l.stat.Version == version+1):
			reply.Stat = l.stat
			return nil, true
		case version == AnyVersion:
			return errRepeat, true
		case l.node && l.before(l.stat.Mzxid) && l.stat.Version == version:
			return l.again(), true
		case l.node && l.before(l.stat.Mzxid):
			return answer(r, ErrBadVersion), true
		case !l.node:
			return fmt.Errorf("%w: %w", ErrNoNode, errMeddled), false
		}
		return fmt.Errorf("version %d: %w", l.stat.Version, errMeddled), false
	})
}

// deleteAgain resolves a delete.
func (o Ops) deleteAgain(r *request, version int32) {
	o.resolve(r, func(_ context.Context, l *look) (error, bool) {
		switch {
		case !l.node:
			return nil, true
		case l.before(l.stat.Czxid):
			return l.again(), true
		case version == AnyVersion:
			return errRepeat, true
		}
		return errMeddled, false
	})
}

// answer is what the server would say.
func answer(r *request, err error) error {
	return &OpError{Op: r.op.String(), Path: r.path, Outcome: Definite, Err: err}
}
