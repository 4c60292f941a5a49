package main

import (
	"context"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/bench/work"
	"github.com/zookit/zookit/lock"
)

func (b bench) lockFloor(ctx context.Context, c *work.Course) error {
	return b.alone(ctx, c, func(cl *client.Client) error {
		if _, err := cl.Create(ctx, c.Path, nil, client.WithParents()); err != nil {
			return err
		}
		return c.Flood(ctx, 1, func(ctx context.Context, _ int, _ int64) error {
			made, err := cl.Create(ctx, c.Path+"/lock-", nil, client.WithMode(client.EphemeralSequential))
			if err != nil {
				return err
			}
			return cl.Delete(ctx, made.Path, client.AnyVersion)
		})
	})
}

func (b bench) lockUncontended(ctx context.Context, c *work.Course) error {
	return b.alone(ctx, c, func(cl *client.Client) error {
		mu := lock.NewMutex(cl, c.Path)
		once := func(ctx context.Context, _ int, _ int64) error {
			held, err := mu.Lock(ctx)
			if err != nil {
				return err
			}
			return held.Unlock(ctx)
		}
		if err := once(ctx, 0, 0); err != nil { // makes the directory
			return err
		}
		return c.Flood(ctx, 1, once)
	})
}

func (b bench) lockHandOver(ctx context.Context, c *work.Course) error {
	return b.contend(ctx, c, false)
}
func (b bench) lockDrain(ctx context.Context, c *work.Course) error { return b.contend(ctx, c, true) }

func (b bench) contend(ctx context.Context, c *work.Course, once bool) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		return c.Contend(ctx, work.Contest{
			Once:   once,
			InLine: func(ctx context.Context) (int, error) { return children(ctx, r.clients[0], c.Path) },
			Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
				held, err := lock.NewMutex(r.of(i), c.Path).Lock(ctx)
				if err != nil {
					return nil, err
				}
				return held.Unlock, nil
			},
		})
	})
}

func (b bench) semaphore(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		return c.Contend(ctx, work.Contest{
			Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
				held, err := lock.NewSemaphore(r.of(i), c.Path, max(1, c.Clients/2)).Acquire(ctx, 1)
				if err != nil {
					return nil, err
				}
				return held.Unlock, nil
			},
		})
	})
}

// children counts the children of a node, 0 if there is none.
func children(ctx context.Context, cl *client.Client, path string) (int, error) {
	stat, _, err := cl.Exists(ctx, path)
	return stat.NumChildren, err
}

// idle tells what clients cost that do nothing, and what waiters for a lock do.
func (b bench) idle(ctx context.Context, c *work.Course) error {
	n := max(1, c.Clients)
	if err := b.alone(ctx, c, func(*client.Client) error { return nil }); err != nil { // what is allocated once
		return err
	}
	if err := c.Begin(); err != nil {
		return err
	}
	heap, goroutines := work.HeapAndGoroutines()
	var s work.Sample
	err := b.inRoom(ctx, c, n, func(*room) error {
		with, running := work.HeapAndGoroutines()
		s.Heap, s.Goroutines = (with-heap)/float64(n), (running-goroutines)/float64(n)
		return nil
	})
	if err != nil {
		return err
	}
	err = b.alone(ctx, c, func(cl *client.Client) error {
		return b.waiters(ctx, c, cl, n, &s)
	})
	c.Report(s)
	return err
}

func (b bench) waiters(ctx context.Context, c *work.Course, cl *client.Client, n int, s *work.Sample) error {
	held, err := lock.NewMutex(cl, c.Path).Lock(ctx)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	heap, goroutines := work.HeapAndGoroutines()
	done := make(chan struct{})
	for range n {
		go func() {
			defer func() { done <- struct{}{} }()
			if late, err := lock.NewMutex(cl, c.Path).Lock(waiting); err == nil {
				_ = late.Unlock(ctx)
			}
		}()
	}
	err = work.LineUp(ctx, n+1, func(ctx context.Context) (int, error) { return children(ctx, cl, c.Path) })
	// They stand in line; each has then still to look for whom it waits.
	for quiet := 0; err == nil && quiet < 3; quiet++ {
		if cl.Stats().Watches < n {
			quiet = 0
		}
		_, _, err = cl.Exists(ctx, c.Path)
	}
	with, running := work.HeapAndGoroutines()
	s.WaiterHeap, s.WaiterGoroutines = (with-heap)/float64(n), (running-goroutines)/float64(n)
	cancel()
	for range n {
		<-done
	}
	if err != nil {
		return err
	}
	return held.Unlock(ctx)
}
