package queue

import (
	"context"

	"github.com/zookit/zookit/client"
)

// Len counts the items in the queue: those that can be taken, those that are delayed, and those that are
// leased. It costs three requests, whatever the length; in other layouts one, and other nodes count too.
func (q *Queue[T]) Len(ctx context.Context) (int, error) {
	if q.err != nil {
		return 0, q.err
	}
	if err := q.c.ready(ctx); err != nil {
		return 0, q.wrap(err)
	}
	n, err := q.c.store.size(ctx)
	return n, q.wrap(err)
}

// Peek returns the item that would be taken next, and leaves it there: it may be gone at once. The error
// is [ErrEmpty] if there is none. One that cannot be decoded is [ErrBadItem], and stays.
func (q *Queue[T]) Peek(ctx context.Context) (Entry[T], error) {
	if q.err != nil {
		return Entry[T]{}, q.err
	}
	it, err := q.c.peek(ctx)
	if err == nil && it == nil {
		err = ErrEmpty
	}
	if err != nil {
		return Entry[T]{}, q.wrap(err)
	}
	e, err := q.entry(it, it.attempt())
	return e, q.wrap(err)
}

func (c *core) peek(ctx context.Context) (*candidate, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	var got *candidate
	err := c.directly(ctx, func(ctx context.Context, s *client.Session) (bool, error) {
		v, err := c.store.look(ctx, s, 1)
		if err != nil {
			return false, err
		}
		for _, it := range v.items {
			if some, err := c.read(ctx, s, []*candidate{it}); err != nil || len(some) > 0 {
				if len(some) > 0 {
					got = some[0]
				}
				return true, err
			}
		}
		return true, nil
	})
	return got, err
}
