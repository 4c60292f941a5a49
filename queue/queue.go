package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Queue hands items from those who put them to those who take them. It is safe for concurrent
// use, and need not be closed. Several of them on one path, in any processes, are one queue.
type Queue[T any] struct {
	c     *core
	codec recipes.Codec[T]
	err   error // an option cannot be
}

// New returns the queue on path, whose items are JSON. Nothing is sent; the nodes are made by the first call.
// Options that cannot be are reported by every call.
func New[T any](cl *client.Client, path string, opts ...Option) *Queue[T] {
	return NewWith(cl, path, recipes.JSON[T]{}, opts...)
}

// NewWith is New with another codec: [recipes.Text] and [recipes.Raw] are what Kazoo's and Curator's queues are mostly
// used with.
func NewWith[T any](cl *client.Client, path string, codec recipes.Codec[T], opts ...Option) *Queue[T] {
	c, err := newCore(cl, path, opts)
	if err == nil && codec == nil {
		err = fmt.Errorf("%w: the codec is nil", client.ErrBadArgument)
	}
	if err != nil {
		err = fmt.Errorf("queue %s: %w", path, err)
	}
	return &Queue[T]{c: c, codec: codec, err: err}
}

// wrap says which queue an error is of.
func (q *Queue[T]) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("queue %s: %w", q.c.path, err)
}

// Path returns the queue's path.
func (q *Queue[T]) Path() string {
	if q.c == nil {
		return ""
	}
	return q.c.path
}

// Put adds an item, and returns its id. When it returns nil the item is in the queue, once: also if connections or the
// session were lost meanwhile. It costs one request, and waits for room in a queue WithCapacity.
//
// After an error client.Outcome tells whether the item is there nevertheless. Definite and NotSent: it
// is not. Unknown: that could not be found out before ctx ended. Who then puts it again must have given it an [ID], by
// which the queue knows it: [ErrDuplicate] says that it was there.
//
// Errors: those of options, ErrDuplicate, [ErrFull], [ErrCapacityConflict], [ErrLayoutConflict], [ErrUnsupported], what the codec
// says; client.ErrTooLarge for an item of about a megabyte; ctx's, and what the client and the server say.
func (q *Queue[T]) Put(ctx context.Context, v T, opts ...PutOption) (id string, err error) {
	ids, err := q.PutAll(ctx, []T{v}, opts...)
	if len(ids) == 1 {
		id = ids[0]
	}
	return id, err
}

// PutAll adds several items, in their order: up to 500 in one request, as far as their size allows. It returns the ids of all.
// Each request adds all of its items or none; after an error a *[PutError] tells which items are there.
func (q *Queue[T]) PutAll(ctx context.Context, vs []T, opts ...PutOption) (ids []string, err error) {
	if q.err != nil {
		return nil, q.err
	}
	bodies := make([][]byte, len(vs))
	for i, v := range vs {
		if bodies[i], err = encode(q.codec, v); err != nil {
			return nil, q.wrap(err)
		}
	}
	entries, o, err := q.c.entries(bodies, opts)
	if err == nil && o.single && len(vs) != 1 {
		err = fmt.Errorf("%w: ID is for one item, IDs for several", client.ErrBadArgument)
	}
	if err != nil {
		return nil, q.wrap(err)
	}
	ids = make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	there, err := q.c.put(ctx, entries, o)
	if err != nil {
		return ids, &PutError{Path: q.c.path, There: there, Err: err}
	}
	return ids, nil
}

// PutError is the error of a Put or PutAll that has tried.
type PutError struct {
	// Path is the queue's.
	Path string
	// There tells for each item whether this call has added it. The items of a request whose outcome is
	// unknown count as not added.
	There []bool
	// Err is why the others were not.
	Err error
}

// Error implements error.
func (e *PutError) Error() string {
	return fmt.Sprintf("queue %s: %d of %d items put: %v", e.Path, countTrue(e.There), len(e.There), e.Err)
}

// Unwrap returns the reason.
func (e *PutError) Unwrap() error { return e.Err }

// Take waits for an item and leases it. Of the items that are due, the one with the lowest priority number
// comes first, then the one that was put first; one that was given back keeps its place. Consumers that take
// at the same time may get neighbours in another order.
//
// A direct take costs one request, besides what looking costs (see the package's documentation), and acknowledging it another one.
//
// Errors: [ErrBadItem], and the next call goes on; [ErrUnsupported] in a layout without leases; [ErrLayoutConflict];
// client.ErrClosed, client.ErrDetached; ctx's, and what the client and the server say. Nothing is leased then, or
// what was is being given back.
func (q *Queue[T]) Take(ctx context.Context) (*Item[T], error) {
	return q.one(q.take(ctx, 1, true))
}

// TryTake is Take without the wait: it returns [ErrEmpty] if there is nothing now.
func (q *Queue[T]) TryTake(ctx context.Context) (*Item[T], error) {
	return q.one(q.take(ctx, 1, false))
}

func (q *Queue[T]) one(items []*Item[T], err error) (*Item[T], error) {
	if err == nil && len(items) == 0 {
		err = q.wrap(ErrEmpty)
	}
	if err != nil {
		return nil, err
	}
	return items[0], nil
}

// TakeAll waits for an item as Take does, and leases up to max of them, up to 500 in one request.
// Each has a lease of its own; [Queue.AckAll] acknowledges several at once. Items that cannot be decoded are left out
// if there are others.
func (q *Queue[T]) TakeAll(ctx context.Context, most int) ([]*Item[T], error) {
	return q.take(ctx, most, true)
}

func (q *Queue[T]) take(ctx context.Context, n int, wait bool) ([]*Item[T], error) {
	if q.err != nil {
		return nil, q.err
	}
	if n < 1 || n > MaxTake {
		return nil, q.wrap(fmt.Errorf("%w: %d items at once: it is from 1 to %d", client.ErrBadArgument, n, MaxTake))
	}
	leases, err := q.c.take(ctx, n, wait)
	if err != nil {
		return nil, q.wrap(err)
	}
	var out []*Item[T]
	var bad error
	for _, l := range leases {
		e, err := q.entry(l.it, l.attempt)
		if err == nil {
			out = append(out, &Item[T]{Entry: e, l: l})
			continue
		}
		bad = fmt.Errorf("%s: %w", l.it.path, err)
		if err := q.c.bury(ctx, l, err.Error()); err != nil {
			l.abandon(ctx)
			bad = errors.Join(bad, err)
		}
	}
	if len(out) == 0 && bad != nil {
		return nil, q.wrap(bad)
	}
	return out, nil
}

// entry decodes an item.
func (q *Queue[T]) entry(it *candidate, attempt int) (Entry[T], error) {
	e := Entry[T]{ID: it.id, Priority: int(it.priority), Attempt: attempt, Reason: it.header.reason}
	if e.ID == "" {
		e.ID = it.name
	}
	if it.broken != nil {
		return e, it.broken
	}
	for i, body := range it.bodies {
		v, err := decode(q.codec, body)
		if err != nil {
			return e, err
		}
		if i == 0 {
			e.Value = v
		} else {
			e.More = append(e.More, v)
		}
	}
	return e, nil
}

// AckAll acknowledges items, up to 500 in one request. The error joins those of the ones that were not; see [Item.Ack].
func (q *Queue[T]) AckAll(ctx context.Context, items []*Item[T]) error {
	if q.err != nil {
		return q.err
	}
	leases := make([]*lease, len(items))
	for i, item := range items {
		leases[i] = item.l
	}
	errs := q.c.ack(ctx, leases)
	for i, err := range errs {
		errs[i] = leases[i].told("acknowledge", err)
	}
	return errors.Join(errs...)
}

// Pop waits for an item and takes it out for good: at most once. Who dies with it has lost it. It costs one request,
// besides what looking costs.
//
// Errors are those of Take. If client.Outcome says Unknown it is not known whether the item was taken out, and it
// comes together with the error.
func (q *Queue[T]) Pop(ctx context.Context) (Entry[T], error) { return q.pop(ctx, true) }

// TryPop is Pop without the wait: it returns [ErrEmpty] if there is nothing now.
func (q *Queue[T]) TryPop(ctx context.Context) (Entry[T], error) { return q.pop(ctx, false) }

func (q *Queue[T]) pop(ctx context.Context, wait bool) (e Entry[T], err error) {
	if q.err != nil {
		return e, q.err
	}
	it, err := q.c.pop(ctx, wait, func(it *candidate) error {
		e, err = q.entry(it, it.attempt())
		return err
	})
	if it == nil {
		if err == nil {
			err = ErrEmpty
		}
		return Entry[T]{}, q.wrap(err)
	}
	e.Attempt = it.attempt()
	return e, q.wrap(err)
}

// Dead returns the queue of the dead letters: items that were handed out too often, that could not be decoded, or that were buried.
// It is a queue like others: take them, look at them, put them back by putting them into q. Ids and attempts are kept.
func (q *Queue[T]) Dead() *Queue[T] {
	if q.err != nil {
		return q
	}
	return &Queue[T]{c: q.c.letters(), codec: q.codec}
}
