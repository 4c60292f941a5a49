package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) get(ctx context.Context, c *work.Course) error {
	return b.onNode(ctx, c, func(conn *zk.Conn, _ int64) error {
		_, _, err := conn.Get(c.Path)
		return err
	})
}

func (b bench) set(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.onNode(ctx, c, func(conn *zk.Conn, _ int64) error {
		_, err := conn.Set(c.Path, data, -1)
		return err
	})
}

func (b bench) create(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.onNode(ctx, c, func(conn *zk.Conn, n int64) error {
		_, err := conn.Create(fmt.Sprintf("%s/n-%d", c.Path, n), data, 0, everybody)
		return err
	})
}

func (b bench) onNode(ctx context.Context, c *work.Course, op func(conn *zk.Conn, n int64) error) error {
	return b.alone(ctx, c, func(conn *zk.Conn) error {
		if _, err := conn.Create(c.Path, make([]byte, c.Size), 0, everybody); err != nil {
			return err
		}
		return c.Flood(ctx, c.Inflight, func(_ context.Context, _ int, n int64) error { return op(conn, n) })
	})
}

// queuePut is a sequential create for each item.
func (b bench) queuePut(ctx context.Context, c *work.Course) error {
	data := make([]byte, c.Size)
	return b.alone(ctx, c, func(conn *zk.Conn) error {
		if _, err := conn.Create(c.Path, nil, 0, everybody); err != nil {
			return err
		}
		return c.Flood(ctx, 1, func(context.Context, int, int64) error {
			_, err := conn.Create(c.Path+"/item-", data, zk.FlagSequence, everybody)
			return err
		})
	})
}

// queueBatchPut is one transaction of sequential creates for each batch.
func (b bench) queueBatchPut(ctx context.Context, c *work.Course) error {
	batch := make([]any, max(1, c.Inflight))
	for i := range batch {
		batch[i] = &zk.CreateRequest{Path: c.Path + "/item-", Data: make([]byte, c.Size), Acl: everybody, Flags: zk.FlagSequence}
	}
	return b.alone(ctx, c, func(conn *zk.Conn) error {
		if _, err := conn.Create(c.Path, nil, 0, everybody); err != nil {
			return err
		}
		return c.Each(ctx, func(context.Context) (int, time.Duration, error) {
			began := time.Now()
			_, err := conn.Multi(batch...)
			return len(batch), time.Since(began), err
		})
	})
}

func (b bench) connect(ctx context.Context, c *work.Course) error {
	var last *zk.Conn
	defer func() {
		if last != nil {
			last.Close()
		}
	}()
	return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
		began := time.Now()
		conn, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return 0, 0, err
		}
		_, _, err = conn.Exists("/")
		took := time.Since(began)
		if last != nil {
			last.Close()
		}
		last = conn
		return 1, took, err
	})
}
