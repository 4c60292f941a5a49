package queue

import (
	"context"
	"errors"
	"iter"
)

// Items yields items as Take does, one after the other, until ctx ends; then it yields the error of ctx. prefetch
// is how many are leased at once, from 1 on: the next of them need no request. Acknowledge each; what was
// prefetched and not yielded when the loop ends is given back, and that counts as an attempt.
//
// An [ErrBadItem] is yielded, and the loop may go on; any other error is the last.
func (q *Queue[T]) Items(ctx context.Context, prefetch int) iter.Seq2[*Item[T], error] {
	return func(yield func(*Item[T], error) bool) {
		var ready []*Item[T]
		defer func() {
			for _, item := range ready {
				item.l.abandon(ctx)
			}
		}()
		for {
			if len(ready) == 0 {
				var err error
				ready, err = q.take(ctx, prefetch, true)
				if err != nil {
					if !yield(nil, err) || ctx.Err() != nil || q.err != nil || !errors.Is(err, ErrBadItem) {
						return
					}
					continue
				}
			}
			next := ready[0]
			ready = ready[1:]
			if next.Err() != nil {
				continue // the lease was lost before it was looked at
			}
			if !yield(next, nil) {
				return
			}
		}
	}
}
