package lock

import (
	"context"
	"time"

	"github.com/zookit/zookit/recipes"
)

// Held is a lock that is held, until Unlock or until it is lost. It is safe for
// concurrent use, and may be unlocked by another goroutine than the one that locked it.
type Held struct{ grant *recipes.Grant }

// Context returns a context that ends with the lock: when it is unlocked, or the moment it
// is lost, before anybody else can get it. Its cause is [ErrUnlocked] or [ErrLost].
// Work under the lock runs on it.
func (h *Held) Context() context.Context { return h.grant.Context() }

// Err returns nil while the lock is held, and then the cause of its Context. It
// looks at the clock too, so it also answers rightly in a process that has just
// been thawed.
func (h *Held) Err() error { return h.grant.Err() }

// Token returns the fencing token of this holding: greater than that of every
// holding before it, for as long as the ensemble keeps its data.
func (h *Held) Token() int64 { return h.grant.Token() }

// ValidUntil returns the time until which nobody else can hold the lock, as
// far as is known now. It moves on while all is well.
func (h *Held) ValidUntil() time.Time { return h.grant.ValidUntil() }

// Txn starts a transaction that the servers carry out only if the lock is still
// held: a write to ZooKeeper that needs no token.
func (h *Held) Txn() *recipes.Txn { return h.grant.Txn() }

// Path returns the path of the lock's own node.
func (h *Held) Path() string { return h.grant.Path() }

// Unlock ends the holding; work under the lock must be over by then. It returns
// nil once this holding blocks nobody: also when the lock had been lost, and when
// called again. It never takes the lock from a later holder. If ctx ends first
// its error is returned, and the client goes on unlocking in the background; a
// ctx that has already ended is thus enough to unlock without waiting.
func (h *Held) Unlock(ctx context.Context) error { return h.grant.Release(ctx) }
