package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/zookit/zookit/integration/bench/work"
)

// get reads as ZooKeeper does, from the server that it is connected to. Etcd's default, which asks the leader, costs more.
func (b bench) get(ctx context.Context, c *work.Course) error {
	return b.onKey(ctx, c, func(ctx context.Context, cl *clientv3.Client, _ int64) error {
		found, err := cl.Get(ctx, c.Path, clientv3.WithSerializable())
		if err == nil && len(found.Kvs) != 1 {
			err = fmt.Errorf("%d keys at %s, not one", len(found.Kvs), c.Path)
		}
		return err
	})
}

func (b bench) set(ctx context.Context, c *work.Course) error {
	data := string(make([]byte, c.Size))
	return b.onKey(ctx, c, func(ctx context.Context, cl *clientv3.Client, _ int64) error {
		_, err := cl.Put(ctx, c.Path, data)
		return err
	})
}

func (b bench) create(ctx context.Context, c *work.Course) error {
	data := string(make([]byte, c.Size))
	return b.onKey(ctx, c, func(ctx context.Context, cl *clientv3.Client, n int64) error {
		return create(ctx, cl, fmt.Sprintf("%s/n-%d", c.Path, n), data)
	})
}

// create fails if the key exists, as ZooKeeper's does.
func create(ctx context.Context, cl *clientv3.Client, key, data string, opts ...clientv3.OpOption) error {
	done, err := cl.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, data, opts...)).Commit()
	if err == nil && !done.Succeeded {
		err = fmt.Errorf("the key %s exists", key)
	}
	return err
}

func (b bench) onKey(ctx context.Context, c *work.Course, op func(ctx context.Context, cl *clientv3.Client, n int64) error) error {
	return b.alone(func(cl *clientv3.Client) error {
		if err := create(ctx, cl, c.Path, string(make([]byte, c.Size))); err != nil {
			return err
		}
		if err := b.catchUp(ctx); err != nil {
			return err
		}
		return c.Flood(ctx, c.Inflight, func(ctx context.Context, _ int, n int64) error { return op(ctx, cl, n) })
	})
}

// catchUp returns when each member has what was written before: a client asks them in turn, and a get that asks its member alone
// would miss it otherwise.
func (b bench) catchUp(ctx context.Context) error {
	for server := range strings.SplitSeq(b.servers, ",") {
		cl, err := bench{servers: server}.dial()
		if err != nil {
			return err
		}
		_, err = cl.Get(ctx, "/", clientv3.WithCountOnly()) // linearizable: the member waits for the leader's index
		if err = errors.Join(err, cl.Close()); err != nil {
			return fmt.Errorf("waiting for member %s: %w", server, err)
		}
	}
	return nil
}

func (b bench) connect(ctx context.Context, c *work.Course) (err error) {
	var made []*clientv3.Client
	defer func() {
		for _, cl := range made {
			err = errors.Join(err, cl.Close())
		}
	}()
	return c.Each(ctx, func(ctx context.Context) (int, time.Duration, error) {
		began := time.Now()
		cl, err := b.dial()
		if err != nil {
			return 0, 0, err
		}
		made = append(made, cl)
		_, err = cl.Get(ctx, "/", clientv3.WithCountOnly(), clientv3.WithSerializable())
		return 1, time.Since(began), err
	})
}
