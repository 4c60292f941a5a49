package main

import (
	"context"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/bench/work"
	"github.com/zookit/zookit/queue"
)

// filling is how many items are put at once to fill a queue.
const filling = 1000

func (b bench) onQueue(ctx context.Context, c *work.Course, fill bool, do func(q *queue.Queue[[]byte]) error) error {
	return b.alone(ctx, c, func(cl *client.Client) error {
		q := queue.NewWith(cl, c.Path, queue.Bytes())
		for left := c.Ops; fill && left > 0; left -= filling {
			if _, err := q.PutAll(ctx, items(min(left, filling), c.Size)); err != nil {
				return err
			}
		}
		return do(q)
	})
}

func items(n, size int) [][]byte {
	all, data := make([][]byte, n), make([]byte, size)
	for i := range all {
		all[i] = data
	}
	return all
}

func (b bench) queuePut(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.onQueue(ctx, c, false, func(q *queue.Queue[[]byte]) error {
		if _, err := q.Put(ctx, data); err != nil { // makes the directories
			return err
		}
		return c.Flood(ctx, 1, func(ctx context.Context, _ int, _ int64) error {
			_, err := q.Put(ctx, data)
			return err
		})
	})
}

func (b bench) queueTake(ctx context.Context, c *work.Course) error {
	return b.onQueue(ctx, c, true, func(q *queue.Queue[[]byte]) error {
		return c.Flood(ctx, 1, func(ctx context.Context, _ int, _ int64) error {
			item, err := q.Take(ctx)
			if err != nil {
				return err
			}
			return item.Ack(ctx)
		})
	})
}

func (b bench) queueBatchPut(ctx context.Context, c *work.Course) error {
	batch := items(max(1, c.Inflight), c.Size)
	return b.onQueue(ctx, c, false, func(q *queue.Queue[[]byte]) error {
		if _, err := q.PutAll(ctx, batch[:1]); err != nil {
			return err
		}
		return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
			began := time.Now()
			ids, err := q.PutAll(ctx, batch)
			return len(ids), time.Since(began), err
		})
	})
}

func (b bench) queueBatchTake(ctx context.Context, c *work.Course) error {
	return b.onQueue(ctx, c, true, func(q *queue.Queue[[]byte]) error {
		return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
			began := time.Now()
			items, err := q.TakeAll(ctx, max(1, c.Inflight))
			if err != nil {
				return 0, 0, err
			}
			return len(items), time.Since(began), q.AckAll(ctx, items)
		})
	})
}
