package lock

import (
	"context"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// RWMutex is a lock on a path that any number of readers or one writer has at a time.
//
// It is fair: readers and writers are served in the order in which they came. A reader
// waits for the writers before it, a writer for everybody before it; so a reader
// that comes while a writer waits does not overtake it, and neither writers starve under a
// stream of readers nor readers under a stream of writers. When a writer is done all the
// readers up to the next writer get in at once.
//
// The lock is shared with Apache Curator's InterProcessReadWriteLock on the same path, and
// under [WithLayout](recipes.Kazoo) with Kazoo's ReadLock and WriteLock. A [Mutex] on the same path
// is [ErrLayoutConflict] in Curator's layout. In Kazoo's it has the name of a writer and is taken for one,
// as is Kazoo's plain Lock; but neither of them knows readers (a Mutex that sees one says
// [ErrLayoutConflict], a Lock overlooks it), so use none of them on the path of a read-write lock.
//
// An RWMutex is safe for concurrent use: each call stands in line for itself. It is
// not re-entrant, neither as Mutex is not nor otherwise: a reader that reads again
// while a writer waits in between waits for ever. A writer can become a reader without
// letting go ([RWMutex.Downgrade]); a reader cannot become a writer, since two that tried would
// wait for each other: unlock, lock, and look again at what was read. An RWMutex holds nothing between
// calls and need not be closed.
type RWMutex struct{ r, w *Mutex }

// NewRWMutex returns the read-write lock on path: the directory in which its contenders
// have their nodes, made with its parents when it is first used. Nothing is sent; a path or an option
// that cannot be is reported by the first call. The options are those of a Mutex.
func NewRWMutex(cl *client.Client, path string, opts ...Option) *RWMutex {
	return &RWMutex{
		r: newMutex(cl, path, recipes.LineConfig{Kind: recipes.KindRead, Others: []recipes.Kind{recipes.KindWrite}, Rule: recipes.NearestWriterAhead}, opts),
		w: newMutex(cl, path, recipes.LineConfig{Kind: recipes.KindWrite, Others: []recipes.Kind{recipes.KindRead}, Rule: recipes.DirectlyAhead}, opts),
	}
}

// Lock waits until nobody else holds the lock, and takes it for writing. Errors and
// costs are those of [Mutex.Lock].
func (rw *RWMutex) Lock(ctx context.Context) (*Held, error) { return rw.w.Lock(ctx) }

// TryLock is Lock without the wait: [ErrBusy] says that somebody has the lock, for
// whatever purpose, or is waiting for it. See [Mutex.TryLock].
func (rw *RWMutex) TryLock(ctx context.Context) (*Held, error) { return rw.w.TryLock(ctx) }

// Do runs fn under the lock for writing; see [Mutex.Do].
func (rw *RWMutex) Do(ctx context.Context, fn func(ctx context.Context, held *Held) error) error {
	return rw.w.Do(ctx, fn)
}

// RLock waits until no writer that came earlier is left, and takes the lock for
// reading. Errors and costs are those of [Mutex.Lock].
func (rw *RWMutex) RLock(ctx context.Context) (*Held, error) { return rw.r.Lock(ctx) }

// TryRLock is RLock without the wait: [ErrBusy] says that a writer has the lock or is waiting
// for it. See [Mutex.TryLock].
func (rw *RWMutex) TryRLock(ctx context.Context) (*Held, error) { return rw.r.TryLock(ctx) }

// DoRead runs fn under the lock for reading; see [Mutex.Do].
func (rw *RWMutex) DoRead(ctx context.Context, fn func(ctx context.Context, held *Held) error) error {
	return rw.r.Do(ctx, fn)
}

// RLocker returns the side of the readers as a lock of its own, for [NewMulti]: its Lock
// is RLock, its TryLock is TryRLock.
func (rw *RWMutex) RLocker() Locker { return rw.r }

// Path returns the path of the lock, as it was given.
func (rw *RWMutex) Path() string { return rw.w.path }

func (rw *RWMutex) invalid() error { return rw.w.err }

// Contenders lists who holds the lock and who waits for it, in order: of their kinds one sees
// that the readers before the first writer hold it, or the writer that is
// first. See [Mutex.Contenders].
func (rw *RWMutex) Contenders(ctx context.Context) ([]Contender, error) { return rw.w.Contenders(ctx) }

// Revoke asks a reader or writer, as listed by Contenders, to let go of the lock; see [Mutex.Revoke].
func (rw *RWMutex) Revoke(ctx context.Context, c Contender) error { return rw.w.Revoke(ctx, c) }

// Break takes the lock, or the place in line, away from a reader or writer as listed by Contenders; see
// [Mutex.Break].
func (rw *RWMutex) Break(ctx context.Context, c Contender) error { return rw.w.Break(ctx, c) }

// Downgrade turns the lock from one for writing into one for reading: nobody else writes in
// between, and readers that wait behind get in. writing is what Lock, or [Resume], has
// returned in the same client; its context ends, with a cause that is [ErrUnlocked], before the
// first of them does, so that work under it must be over. What is returned is to be unlocked in its
// place. Its token is that of writing: smaller than those of all who come after. There is no way back.
//
// If writing.Err() is nil after an error, nothing has been begun, and the lock is still held for
// writing: client.ErrBadArgument if writing is not this lock's for writing, or others of the same holding
// ([Held.Again]) are not unlocked yet; [ErrUsedUp], ctx had ended,
// or the session is being left to another process (client.ErrDetached). After any other error nothing is
// held any more, as after Unlock: [ErrLost] with the reason; that of ctx; or what the server
// refuses, such as client.ErrNoAuth. A ctx under writing.Context() bounds the call by its deadline only.
//
// Under Do, fn has to unlock what Downgrade returns, and to go on under its Context:
//
//	err := rw.Do(ctx, func(work context.Context, held *lock.Held) error {
//		if err := write(work, held.Token()); err != nil {
//			return err
//		}
//		reading, err := rw.Downgrade(ctx, held)
//		if err != nil {
//			return err
//		}
//		defer reading.Unlock(ctx)
//		return report(reading.Context())
//	})
func (rw *RWMutex) Downgrade(ctx context.Context, writing *Held) (*Held, error) {
	if rw.r.err != nil {
		return nil, rw.r.err
	}
	var grant *recipes.Grant
	if writing != nil {
		if err := writing.alone(); err != nil {
			return nil, fmt.Errorf("downgrade lock %s: %w", rw.Path(), err)
		}
		grant = writing.grant
	}
	return held(rw.r.line.Downgrade(ctx, grant))
}
