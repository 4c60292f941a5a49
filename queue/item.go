package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Item is an item that is leased to this process: until it is acknowledged or given back nobody else gets it,
// unless the lease ends before. It is safe for concurrent use.
//
// A lease is a grant like that of a lock ([recipes.Grant]). It ends with the session, when its node is deleted by somebody,
// and when no quorum has confirmed it in time. Then the item is handed out again; so work on it
// runs on Context, and what must not be done twice is guarded by Token or Txn.
type Item[T any] struct {
	Entry[T]

	l *lease
}

// Entry is an item as it is in the queue.
type Entry[T any] struct {
	// ID is the item's id: the one that it was put with, or a random one. Items that other libraries have
	// put have none, and so their node's name.
	ID string
	// Value is the item.
	Value T
	// More are further items of the same node, which are leased and acknowledged together: Curator's
	// putMulti writes such nodes.
	More []T
	// Priority is the item's.
	Priority int
	// Attempt is how often the item has been leased, this time included: more than 1 says that somebody else may have done
	// its work, or part of it. Leases by other libraries are not counted.
	Attempt int
	// Reason is, for a dead letter, why it is one.
	Reason string
}

// Context returns a context that ends with the lease: with cause recipes.ErrReleased when Ack or Nack is called, and
// [ErrLost] with the reason otherwise. It carries no values and no deadline.
func (i *Item[T]) Context() context.Context { return i.l.grant.Context() }

// Err returns nil while the item is leased, and then the cause of its Context. It looks at
// the clock, so it also answers rightly in a process that has just been thawed.
func (i *Item[T]) Err() error { return i.l.grant.Err() }

// ValidUntil returns the time until which nobody else can get the item, as far as is known now; see [recipes.Grant.ValidUntil].
func (i *Item[T]) ValidUntil() time.Time { return i.l.grant.ValidUntil() }

// Token returns the lease's fencing token: later leases of the item have greater ones.
func (i *Item[T]) Token() int64 { return i.l.token }

// Path returns the path of the item's node.
func (i *Item[T]) Path() string { return i.l.it.path }

// Txn starts a transaction that the servers carry out only while the item is leased; see [recipes.Txn].
func (i *Item[T]) Txn() *recipes.Txn { return i.l.grant.Txn() }

// Ack acknowledges the item: it is gone for good. The Context ends first; work on the item must be
// over. Calling it again returns the same. It costs one request.
//
// Errors: [ErrLost] if the lease has ended: then somebody else gets the item, or has got it.
// [ErrSettled] after Nack. Otherwise it is not acknowledged, or that is not known (client.Outcome says
// Unknown): the context has ended, or the server refuses. Nobody else gets the item then as long as the session lives; call Ack
// again, which finds out, or Nack.
func (i *Item[T]) Ack(ctx context.Context) error {
	return i.l.told("acknowledge", i.l.c.ack(ctx, []*lease{i.l})[0])
}

// Nack gives the item back: at once to its old place, so that it is the next one of its priority that is handed out, or, with a
// delay, when that has passed. An item that has been handed out as often as [WithMaxAttempts] says
// becomes a dead letter instead. Calling it again does nothing.
//
// Errors: [ErrUnsupported] for a delay in a layout without; [ErrLost] and [ErrSettled] as for Ack; that of ctx: without a delay
// the client goes on in the background then, so a ctx that has already ended is enough.
func (i *Item[T]) Nack(ctx context.Context, delay time.Duration) error {
	return i.l.told("give back", i.l.nack(ctx, delay))
}

// Bury moves the item to the dead letters, with a reason for people to read, at most 256 bytes of it.
// Errors are those of Ack.
func (i *Item[T]) Bury(ctx context.Context, reason string) error {
	return i.l.told("bury", i.l.c.bury(ctx, i.l, reason[:min(len(reason), 256)]))
}

func (l *lease) told(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, l.it.path, err)
	}
	return nil
}

func (l *lease) nack(ctx context.Context, delay time.Duration) error {
	c := l.c
	switch {
	case delay < 0:
		return fmt.Errorf("%w: a delay of %v", client.ErrBadArgument, delay)
	case ctx.Err() == nil && c.cfg.attempts > 0 && l.attempt >= c.cfg.attempts: // or who takes it next does it
		return c.bury(ctx, l, fmt.Sprintf("given back after %d attempts", l.attempt))
	case delay == 0:
		return l.giveUp(ctx)
	case !c.cfg.layout.delays():
		return fmt.Errorf("%w: %s has no delays", ErrUnsupported, c.cfg.layout)
	}
	e := l.again()
	e.due = time.Now().Add(delay).UnixMilli()
	return l.move(ctx, c, e, returned)
}
