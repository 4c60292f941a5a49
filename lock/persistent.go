package lock

import (
	"context"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Persistent is a lock that is held by no session and no process: it stays locked until somebody
// unlocks or breaks it, also when the process that locked it is long gone. It is for what one process begins and
// another ends, or what must not be touched after a crash until somebody has looked at it. Nothing else should be locked
// like this: nobody frees such a lock by itself. Safe for concurrent use.
//
// It has no context, since nothing but a deletion of its node ends it: ask by Check before each step that
// matters, and fence what is written by Token or Txn. Nothing keeps two processes from taking up
// one handle: that is for those to rule out who keep it.
type Persistent struct{ holding *recipes.Persistent }

// LockPersistent is [Mutex.Lock] for a lock that outlives the session and the process. It waits its turn among all other
// contenders, and they wait for it; a lost session does not cost its place.
// Programs written with Kazoo (acquire(ephemeral=False) is the same) and Curator wait for it as well.
//
// Errors are those of Lock. Nothing is left behind by a wait that is cancelled: the node is deleted before the
// call returns; with no server in reach for five seconds the error says that it may be left, and the
// client goes on until it is closed. Let the call return before closing the client. A process that is killed while it waits, or before it has
// written down [Persistent.Handle], does leave its node: it blocks the lock, when it is its turn, until [Mutex.Break]. Contenders
// shows it as Persistent, with its identifier and its age.
func (m *Mutex) LockPersistent(ctx context.Context) (*Persistent, error) {
	if m.err != nil {
		return nil, m.err
	}
	return persistent(m.line.AcquirePersistent(ctx))
}

// TryLockPersistent is LockPersistent without the wait: [ErrBusy] says that somebody else is in the way.
func (m *Mutex) TryLockPersistent(ctx context.Context) (*Persistent, error) {
	if m.err != nil {
		return nil, m.err
	}
	return persistent(m.line.TryAcquirePersistent(ctx))
}

// OpenPersistent takes up a persistent lock that was written down, in any process and any
// session. cl's chroot has to be that of the client that locked it.
//
// Errors: [ErrLost] with client.ErrHoldDeleted if the lock has been unlocked or broken;
// client.ErrBadArgument for no client and for the zero handle; otherwise ctx's and the client's:
// then it may be held.
func OpenPersistent(ctx context.Context, cl *client.Client, handle recipes.PersistentHandle) (*Persistent, error) {
	return persistent(recipes.OpenPersistent(ctx, cl, handle))
}

func persistent(p *recipes.Persistent, err error) (*Persistent, error) {
	if err != nil {
		return nil, err
	}
	return &Persistent{holding: p}, nil
}

// Handle writes the lock down for [OpenPersistent], as text by its MarshalText. It holds no secret.
func (p *Persistent) Handle() recipes.PersistentHandle { return p.holding.Handle() }

// Token returns the fencing token of this holding; see [Held.Token].
func (p *Persistent) Token() int64 { return p.holding.Token() }

// Path returns the path of the lock's own node.
func (p *Persistent) Path() string { return p.holding.Path() }

// Check asks the servers whether the lock is still held: nil says that it was at a moment between the call and its
// return, by a commit of the quorum. Errors: [ErrLost] with client.ErrHoldDeleted if somebody has broken it;
// [ErrUnlocked] after Unlock of p. Any other, ctx's or the client's, says that it could not be found out.
func (p *Persistent) Check(ctx context.Context) error { return p.holding.Check(ctx) }

// Revoked asks the servers whether somebody wants the lock; see [Mutex.Revoke]. Errors are those
// of Check.
func (p *Persistent) Revoked(ctx context.Context) (bool, error) { return p.holding.Revoked(ctx) }

// Txn starts a transaction that the servers carry out only if the lock is still held;
// otherwise Commit says [ErrLost]. If its reply is lost with the connection, client.Outcome is Unknown.
func (p *Persistent) Txn() *recipes.Txn { return p.holding.Txn() }

// Unlock unlocks the lock; work under it must be over. It deletes that very node or none, and
// returns nil when this holding blocks nobody any more, also if it had been broken, and when called
// again.
//
// If ctx ends first its error is returned; the client goes on unlocking until it is closed. What was not
// unlocked by then, or what the server refuses to delete (client.ErrNoAuth), is still locked, and can be taken up by its handle.
func (p *Persistent) Unlock(ctx context.Context) error { return p.holding.Release(ctx) }
