package main

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) queuePut(ctx context.Context, c *work.Course) error {
	item := string(make([]byte, c.Size))
	return b.alone(func(cl *clientv3.Client) error {
		q := recipe.NewQueue(cl, c.Path)
		return c.Flood(ctx, 1, func(context.Context, int, int64) error { return q.Enqueue(item) })
	})
}

// queueTake takes without a lease: what is dequeued is removed at once.
func (b bench) queueTake(ctx context.Context, c *work.Course) error {
	if c.Ops == 0 {
		return errors.New("queue.single.take without ops: the queue is filled with as many before")
	}
	item := string(make([]byte, c.Size))
	return b.alone(func(cl *clientv3.Client) error {
		q := recipe.NewQueue(cl, c.Path)
		if err := parallel(c.Ops, func(int) error { return q.Enqueue(item) }); err != nil {
			return err
		}
		return c.Flood(ctx, 1, func(context.Context, int, int64) error {
			got, err := q.Dequeue()
			if err == nil && got != item {
				err = fmt.Errorf("the queue gives an item of %d bytes, not of %d", len(got), len(item))
			}
			return err
		})
	})
}
