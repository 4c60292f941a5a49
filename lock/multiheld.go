package lock

import (
	"context"
	"errors"
	"time"
)

// MultiHeld is several locks that are held together, until Unlock or until one of them
// is lost. It is safe for concurrent use.
type MultiHeld struct {
	paths  []string
	all    []*Held // as paths are
	ctx    context.Context
	cancel context.CancelCauseFunc
	stops  []func() bool
}

// newMultiHeld makes one of several; ctx gives its values, of which a grant's context has none.
func newMultiHeld(ctx context.Context, locks []Locker, all []*Held) *MultiHeld {
	h := &MultiHeld{all: all}
	h.ctx, h.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for i, held := range all {
		h.paths = append(h.paths, locks[i].Path())
		h.stops = append(h.stops, context.AfterFunc(held.Context(), func() { h.cancel(context.Cause(held.Context())) }))
	}
	return h
}

// Context returns a context that ends as soon as the first of the locks does: its cause is
// [ErrUnlocked], or [ErrLost] with the reason. It carries no values and no deadline.
func (h *MultiHeld) Context() context.Context { return h.ctx }

// Err returns nil while all are held, and then the cause of Context. It looks at the
// clock too; see [Held.Err].
func (h *MultiHeld) Err() error {
	for _, held := range h.all {
		if err := held.Err(); err != nil {
			h.cancel(err)
		}
	}
	return context.Cause(h.ctx)
}

// ValidUntil returns the time until which nobody else can have any of the locks, as far as is
// known now: the earliest of theirs.
func (h *MultiHeld) ValidUntil() time.Time {
	until := h.all[0].ValidUntil()
	for _, held := range h.all[1:] {
		if t := held.ValidUntil(); t.Before(until) {
			until = t
		}
	}
	return until
}

// Paths returns the paths of the locks, in the order in which they were taken.
func (h *MultiHeld) Paths() []string { return append([]string(nil), h.paths...) }

// Held returns what is held of the lock with that path: its token, its transactions. It is nil if there
// is none. Context ends when it is unlocked or downgraded by itself; the others stay held until Unlock.
//
// A write to ZooKeeper that the servers refuse unless several are held, all in one client, checks
// the nodes of the others:
//
//	a.Txn().Check(b.Path(), client.AnyVersion).Set(path, data, version).Commit(ctx)
func (h *MultiHeld) Held(path string) *Held {
	for i, p := range h.paths {
		if p == path {
			return h.all[i]
		}
	}
	return nil
}

// Tokens returns the fencing token of each lock, by the lock's path; see [Held.Token].
func (h *MultiHeld) Tokens() map[string]int64 {
	out := make(map[string]int64, len(h.all))
	for i, held := range h.all {
		out[h.paths[i]] = held.Token()
	}
	return out
}

// Unlock ends the holding of all, in the reverse of the order in which they were taken, and is to
// them what [Held.Unlock] is to one: it may be called again, on what is lost, and with a ctx that has ended. What one
// lock's server refuses does not keep the others; all errors are in the one that is returned.
func (h *MultiHeld) Unlock(ctx context.Context) error {
	alive := ctx.Err() == nil
	for _, stop := range h.stops {
		stop()
	}
	h.cancel(ErrUnlocked)
	err := unlock(ctx, h.all)
	if err != nil && alive && errors.Is(context.Cause(ctx), ErrUnlocked) {
		// ctx stands for the holding itself, and has just been ended by this very call.
		err = unlock(context.WithoutCancel(ctx), h.all)
	}
	return err
}
