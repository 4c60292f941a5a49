package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// The errors of this package; test for them with [errors.Is]. What the client reports
// (client.ErrClosed, client.ErrNoAuth, client.ErrTooLarge, client.ErrBadArgument, ...) comes through wrapped.
var (
	// ErrEmpty is returned by [Queue.TryTake], [Queue.TryPop] and [Queue.Peek] when there is
	// nothing to be had now: no item, or none that is due and not leased.
	ErrEmpty = errors.New("the queue has nothing to give")

	// ErrFull is returned by a Put with [IfRoom] when the queue has reached its capacity.
	ErrFull = errors.New("the queue is full")

	// ErrDuplicate is returned by a Put whose id the queue knows: an item of that id is in it, or
	// was within the time of [WithMemory]. Nothing was added. Who repeats a Put of which it does not
	// know what became of it takes this for success.
	ErrDuplicate = errors.New("the queue has, or had, an item of this id")

	// ErrLayoutConflict is returned when the path holds a queue of another [Layout]: programs that
	// wrote it would not see what is put here, or would take it for something else. It is
	// recipes.ErrLayoutConflict.
	ErrLayoutConflict = recipes.ErrLayoutConflict

	// ErrCapacityConflict is returned by a Put when the queue has another capacity than
	// [WithCapacity] says: producers would each fill it to their own.
	ErrCapacityConflict = errors.New("the queue has another capacity")

	// ErrUnsupported is returned when the layout has no way to write what is asked for, such as a
	// delay in Kazoo's queues. Nothing was done. It comes with client.ErrBadArgument.
	ErrUnsupported = fmt.Errorf("%w: not in this layout", client.ErrBadArgument)

	// ErrBadItem is returned by calls that hand out items for one that cannot be decoded. The
	// item is among the dead letters then ([Queue.Dead]), and the next call goes on with the next one.
	ErrBadItem = errors.New("the item cannot be decoded")

	// ErrLost is the cause of [Item.Context], and returned by [Item.Ack] and [Item.Nack], when
	// the lease ended otherwise than by these: another consumer has, or will have, the item.
	// It is recipes.ErrGrantLost; the reason comes with it.
	ErrLost = recipes.ErrGrantLost

	// ErrSettled is returned by [Item.Ack] after a Nack, and the other way round.
	ErrSettled = errors.New("the item has been given back or acknowledged before")
)

// Reasons to begin again; they never reach the user.
var errStale = errors.New("the queue has changed")

// passing says whether an error of an attempt is one that a new attempt may not meet.
func passing(err error) bool {
	for _, again := range []error{errStale, client.ErrSessionLost, client.ErrNoNode} {
		if errors.Is(err, again) {
			return true
		}
	}
	return client.Outcome(err) != client.Unknown && (errors.Is(err, client.ErrConnectionLost) || errors.Is(err, client.ErrReadOnly))
}

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
