package lock

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Held is a lock that is held, until Unlock or until it is lost. It is safe for
// concurrent use, and may be unlocked by another goroutine than the one that locked it.
//
// Code that holds the lock and calls code that wants it too passes it on by [Held.Again]: each Held of one
// holding is unlocked for itself, and the last one unlocks the lock.
type Held struct {
	grant  *recipes.Grant
	shared *shared

	ctx    context.Context
	cancel context.CancelCauseFunc

	// Guarded by shared.
	unlocked bool
	last     bool // it was the last one, and its Unlock is the lock's
}

// shared is what all Held of one holding have in common.
type shared struct {
	sync.Mutex
	users int // those not unlocked yet
}

func newHeld(g *recipes.Grant, sh *shared) *Held {
	h := &Held{grant: g, shared: sh}
	h.ctx, h.cancel = context.WithCancelCause(g.Context())
	return h
}

// Again returns the same holding once more, for a part of the work that unlocks by itself: a function
// that needs the lock and is called with it held. It has the same token, path and node, and a
// context of its own, which ends when it is unlocked or the lock is lost. The lock is unlocked
// when the last one is, in whatever order. No request is sent.
//
// This is how a lock is entered again: by who has it in hand. [Mutex.Lock] does not know its caller, and
// waits for whoever holds the lock. The error is [ErrUnlocked] if h is unlocked, though others of the same holding
// may not be, and [ErrLost] if the lock is lost.
func (h *Held) Again() (*Held, error) {
	if err := h.Err(); err != nil {
		return nil, fmt.Errorf("lock %s again: %w", h.Path(), err)
	}
	h.shared.Lock()
	defer h.shared.Unlock()
	if h.unlocked {
		return nil, fmt.Errorf("lock %s again: %w", h.Path(), ErrUnlocked)
	}
	h.shared.users++
	return newHeld(h.grant, h.shared), nil
}

// alone returns nil if h is held, and no other of the same holding is.
func (h *Held) alone() error {
	if err := h.Err(); err != nil {
		return err
	}
	h.shared.Lock()
	defer h.shared.Unlock()
	switch {
	case h.unlocked:
		return ErrUnlocked
	case h.shared.users > 1:
		return fmt.Errorf("%w: %d more of this holding, made by Again, are not unlocked", client.ErrBadArgument, h.shared.users-1)
	}
	return nil
}

// Context returns a context that ends with h: when it is unlocked, or the moment the lock
// is lost, before anybody else can get it. Its cause is [ErrUnlocked] or [ErrLost].
// Work under the lock runs on it.
func (h *Held) Context() context.Context { return h.ctx }

// Err returns nil while the lock is held by h, and then the cause of its Context. It
// looks at the clock too, so it also answers rightly in a process that has just
// been thawed.
func (h *Held) Err() error {
	_ = h.grant.Err() // which ends the context if the clock says so
	return context.Cause(h.ctx)
}

// Token returns the fencing token of this holding: greater than that of every
// holding before it, for as long as the ensemble keeps its data. What comes of
// [RWMutex.Downgrade] has the token of the lock for writing; it is no new turn.
func (h *Held) Token() int64 { return h.grant.Token() }

// ValidUntil returns the time until which nobody else can hold the lock, as
// far as is known now. It moves on while all is well.
func (h *Held) ValidUntil() time.Time { return h.grant.ValidUntil() }

// Txn starts a transaction that the servers carry out only if the lock is still
// held: a write to ZooKeeper that needs no token. Once h is unlocked nothing is sent.
func (h *Held) Txn() *recipes.Txn { return h.grant.Txn().Under(h.ctx) }

// Path returns the path of the lock's own node.
func (h *Held) Path() string { return h.grant.Path() }

// Revoked returns a channel that is closed when somebody asks for the lock ([Mutex.Revoke], or
// Curator's Revoker), also if that was before the call or while this contender was still waiting. A
// request is all it is: the lock stays held until it is unlocked. The channel is the same
// for all calls and for each Held of this holding; without a request it stays open.
//
// Nothing is sent before the first call, which returns at once. From then on the lock's node is
// watched, over all connections, until the lock is unlocked or lost.
func (h *Held) Revoked() <-chan struct{} { return h.grant.Revoked() }

// Unlock ends the holding; work under the lock must be over by then. It returns
// nil once this holding blocks nobody: also when the lock had been lost, and when
// called again. It never takes the lock from a later holder. If ctx ends first
// its error is returned, and the client goes on unlocking in the background; a
// ctx that has already ended is thus enough to unlock without waiting.
//
// While another Held of the same holding is not unlocked ([Held.Again]), Unlock ends h only, sends
// nothing and returns nil.
func (h *Held) Unlock(ctx context.Context) error {
	h.shared.Lock()
	if !h.unlocked {
		h.unlocked = true
		h.shared.users--
		h.last = h.shared.users == 0
	}
	last := h.last
	h.shared.Unlock()
	if !last {
		h.cancel(ErrUnlocked)
		return nil
	}
	return h.grant.Release(ctx) // which ends the context first
}
