package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/integration/bench/work"
)

// configWatch has each watcher read with a watch, and again when that fires.
func (b bench) configWatch(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		writer, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return err
		}
		defer writer.Close()
		if _, err := writer.Create(c.Path, work.Numbered(0, c.Size), 0, everybody); err != nil {
			return err
		}
		watching, stop := context.WithCancelCause(ctx)
		audience := work.NewAudience(max(1, c.Clients))
		var all sync.WaitGroup
		defer all.Wait()
		defer stop(nil)
		for i := range max(1, c.Clients) {
			all.Go(func() {
				if err := watch(watching, r.of(i), c.Path, audience); err != nil {
					stop(err)
				}
			})
		}
		if err := audience.Await(watching, 0); err != nil {
			return fmt.Errorf("waiting for the watchers' first look: %w", err)
		}
		return c.Broadcast(watching, audience, func(_ context.Context, n uint64) error {
			_, err := writer.Set(c.Path, work.Numbered(n, c.Size), -1)
			return err
		})
	})
}

func watch(ctx context.Context, conn *zk.Conn, path string, audience *work.Audience) error {
	seen := map[uint64]bool{}
	for {
		data, _, changed, err := conn.GetW(path)
		if err != nil {
			return err
		}
		if n := work.NumberOf(data); !seen[n] {
			seen[n] = true
			audience.Saw(n)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// groupJoin is an ephemeral node for each member, and an observer that lists them whenever they have changed.
func (b bench) groupJoin(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		observer, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return err
		}
		defer observer.Close()
		if _, err := observer.Create(c.Path, nil, 0, everybody); err != nil {
			return err
		}
		if err := c.Begin(); err != nil {
			return err
		}
		watching, stop := context.WithCancel(ctx)
		defer stop()
		n, seen := max(1, c.Clients), make(chan error, 1)
		go func() { seen <- awaitMembers(watching, observer, c.Path, n) }()
		joined := make(chan error, n)
		for i := range n {
			go func() {
				_, err := r.of(i).Create(fmt.Sprintf("%s/member-%d", c.Path, i), make([]byte, c.Size), zk.FlagEphemeral, everybody)
				joined <- err
			}()
		}
		for range n {
			if e := <-joined; e != nil {
				err = errors.Join(err, e)
				stop()
			}
		}
		if err := errors.Join(err, <-seen); err != nil {
			return err
		}
		c.Count(n)
		c.End()
		return nil
	})
}

func awaitMembers(ctx context.Context, conn *zk.Conn, path string, n int) error {
	for {
		names, _, changed, err := conn.ChildrenW(path)
		if err != nil || len(names) == n {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
