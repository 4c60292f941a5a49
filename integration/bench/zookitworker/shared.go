package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) counter(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		counters := make([]*counter.Counter, max(1, c.Clients))
		for i := range counters {
			counters[i] = counter.New(r.of(i), c.Path)
		}
		if _, err := counters[0].Add(ctx, 0); err != nil { // makes the node
			return err
		}
		err := c.Flood(ctx, len(counters), func(ctx context.Context, g int, _ int64) error {
			_, err := counters[g].Add(ctx, 1)
			return err
		})
		if err != nil {
			return err
		}
		n, err := counters[0].Value(ctx)
		if err != nil {
			return err
		}
		return c.Exact(n)
	})
}

func (b bench) configWatch(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		writer, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return err
		}
		defer writer.Close()
		if _, err := writer.Create(ctx, c.Path, work.Numbered(0, c.Size), client.WithParents()); err != nil {
			return err
		}
		watching, stop := context.WithCancel(ctx)
		audience := work.NewAudience(max(1, c.Clients))
		var all sync.WaitGroup
		defer all.Wait()
		defer stop()
		for i := range max(1, c.Clients) {
			all.Go(func() {
				if err := watch(watching, r.of(i), c.Path, audience); err != nil && watching.Err() == nil {
					stop()
				}
			})
		}
		if err := audience.Await(watching, 0); err != nil {
			return fmt.Errorf("waiting for the watchers' first look: %w", err)
		}
		return c.Broadcast(watching, audience, func(ctx context.Context, n uint64) error {
			_, err := writer.Set(ctx, c.Path, work.Numbered(n, c.Size), client.AnyVersion)
			return err
		})
	})
}

// watch reports each change to the audience once.
func watch(ctx context.Context, cl *client.Client, path string, audience *work.Audience) error {
	value, err := config.Watch(ctx, cl, path, config.WithCodec[[]byte](config.Raw{}))
	if err != nil {
		return err
	}
	defer value.Close()
	for data, err := range value.Updates(ctx) {
		if err != nil {
			return err
		}
		audience.Saw(work.NumberOf(data))
	}
	return errors.New("no more updates")
}

func (b bench) groupJoin(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		observer, err := b.dial(ctx, c.SessionTimeout())
		if err != nil {
			return err
		}
		defer observer.Close()
		if _, err := observer.Create(ctx, c.Path, nil, client.WithParents()); err != nil {
			return err
		}
		view, err := group.Observe(ctx, observer, c.Path)
		if err != nil {
			return err
		}
		defer view.Close()
		return join(ctx, c, r, view)
	})
}

func join(ctx context.Context, c *work.Course, r *room, view *group.View) error {
	n := max(1, c.Clients)
	seen := make(chan error, 1)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for members, err := range view.Updates(watching) {
			if err != nil || len(members) == n {
				seen <- err
				return
			}
		}
		seen <- errors.New("the view has ended")
	}()
	if err := c.Begin(); err != nil {
		stop()
		return errors.Join(err, <-seen)
	}
	err := parallel(n, n, func(i int) error {
		_, err := group.Join(ctx, r.of(i), c.Path, fmt.Sprintf("member-%d", i), make([]byte, c.Size))
		return err
	})
	if err != nil {
		stop()
	}
	if err := errors.Join(err, <-seen); err != nil {
		return err
	}
	c.Count(n)
	c.End()
	return nil
}
