package main

import (
	"context"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) get(ctx context.Context, c *work.Course) error {
	return b.onNode(ctx, c, func(ctx context.Context, cl *client.Client, _ int64) error {
		_, _, err := cl.Get(ctx, c.Path)
		return err
	})
}

func (b bench) set(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.onNode(ctx, c, func(ctx context.Context, cl *client.Client, _ int64) error {
		_, err := cl.Set(ctx, c.Path, data, client.AnyVersion)
		return err
	})
}

func (b bench) create(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.onNode(ctx, c, func(ctx context.Context, cl *client.Client, n int64) error {
		_, err := cl.Create(ctx, fmt.Sprintf("%s/n-%d", c.Path, n), data)
		return err
	})
}

func (b bench) onNode(ctx context.Context, c *work.Course, op func(ctx context.Context, cl *client.Client, n int64) error) error {
	return b.alone(ctx, c, func(cl *client.Client) error {
		if _, err := cl.Create(ctx, c.Path, make([]byte, c.Size), client.WithParents()); err != nil {
			return err
		}
		return c.Flood(ctx, c.Inflight, func(ctx context.Context, _ int, n int64) error { return op(ctx, cl, n) })
	})
}

func (b bench) connect(ctx context.Context, c *work.Course) error {
	var last *client.Client
	defer func() {
		if last != nil {
			_ = last.Close()
		}
	}()
	return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
		began := time.Now()
		cl, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return 0, 0, err
		}
		_, _, err = cl.Exists(ctx, "/")
		took := time.Since(began)
		if last != nil {
			_ = last.Close()
		}
		last = cl
		return 1, took, err
	})
}
