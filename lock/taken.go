package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Taken is a lease that was taken, until its end, or Release. It is safe for concurrent use. It
// does not renew itself.
type Taken struct {
	lease *Lease
	turn  chan struct{} // cap 1: full while a Renew is under way

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	now     *written
	unknown []*record // renewals that may have been written
	timer   *time.Timer
}

// newTaken stands for what was written; ctx is the caller's, whose end does not matter.
func newTaken(ctx context.Context, l *Lease, w *written) *Taken {
	t := &Taken{lease: l, now: w, turn: make(chan struct{}, 1)}
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(t.left(), func() { _ = t.Err() })
	return t
}

// left is how long it lasts; t.mu is held.
func (t *Taken) left() time.Duration { return time.Until(t.now.end.Add(-t.lease.margin)) }

// Identifier returns the text by which the holder is known.
func (t *Taken) Identifier() string { return t.lease.id }

// End returns the end of the lease, as it is written down.
func (t *Taken) End() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now.end
}

// Token returns a number that grows each time anybody takes or renews the lease: the transaction
// that has written the holder down. What the lease protects can refuse smaller ones.
func (t *Taken) Token() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now.token
}

// Context returns a context that ends a margin before [Taken.End], or with Release. Its cause
// is [ErrLost] or [ErrUnlocked]. It does not depend on connections and sessions. It carries the values
// of the context with which the lease was taken, and no deadline, since the end moves on with Renew.
func (t *Taken) Context() context.Context { return t.ctx }

// Err returns nil while the lease is held, and then the cause of its Context. It looks at the
// clock, so it also answers rightly when that has been set, or the process frozen.
func (t *Taken) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() == nil {
		if left := t.left(); left > 0 {
			t.timer.Reset(left)
		} else {
			t.cancel(fmt.Errorf("%w: the end of lease %s has come: %s", ErrLost, t.lease.path, t.now.end.Format(time.RFC3339)))
		}
	}
	return context.Cause(t.ctx)
}

// Renew makes the lease last for its whole duration from now. If it fails the lease stands as
// it is, or, if client.Outcome says Unknown, may have been renewed: End is then the earlier one.
//
// Errors: [ErrLost] if the lease has ended, or is another's by now, or has ended while it was being
// renewed (then the holder's identifier has it again, and [Lease.TryTake] takes it);
// [ErrUnlocked] after Release; and those of TryTake.
func (t *Taken) Renew(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return t.lease.failed(context.Cause(ctx))
	}
	if err := t.Err(); err != nil {
		return t.lease.failed(err)
	}
	w, err := t.lease.write(ctx, t)
	if err != nil {
		if errors.Is(err, errNotOurs) || errors.Is(err, ErrBusy) {
			err = fmt.Errorf("%w: %w", ErrLost, err)
			t.end(err)
		}
		return t.lease.failed(err)
	}
	if err := t.Err(); err != nil { // too late; and released meanwhile it must be undone
		t.maybe([]*record{&w.record})
		if errors.Is(err, ErrUnlocked) {
			_ = t.lease.giveBack(ctx, t.all())
		}
		return t.lease.failed(err)
	}
	t.mu.Lock()
	t.now, t.unknown = w, nil
	t.mu.Unlock()
	_ = t.Err() // and the timer with it
	return nil
}

// maybe notes what may be written.
func (t *Taken) maybe(tried []*record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unknown = append(t.unknown, tried...)
}

// all is what may be written of this holding.
func (t *Taken) all() []*record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*record{&t.now.record}, t.unknown...)
}

func (t *Taken) end(why error) {
	t.cancel(why)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer.Stop()
}

// Release gives the lease back before its end: the holder is deleted, which for Kazoo's processes, too,
// means that nobody has it. What is done under the lease must be over. It returns nil when the lease is not this
// holding's any more: also when it has ended, was taken or renewed by somebody else, also under the same
// identifier, and when called again. A later holder's is never touched.
//
// If ctx ends first its error is returned, and the client goes on in the background for as long as its
// session lasts; a ctx that has ended before, or a client that is closed, leaves the lease to its end.
func (t *Taken) Release(ctx context.Context) error {
	t.end(ErrUnlocked)
	if err := t.lease.giveBack(ctx, t.all()); err != nil {
		return t.lease.failed(fmt.Errorf("release: %w", err))
	}
	return nil
}
