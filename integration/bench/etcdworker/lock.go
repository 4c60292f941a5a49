package main

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) lockFloor(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		cl, key := r.clients[0], c.Path+"/lock"
		return c.Flood(ctx, 1, func(ctx context.Context, _ int, _ int64) error {
			if err := create(ctx, cl, key, "", clientv3.WithLease(r.sessions[0].Lease())); err != nil {
				return err
			}
			_, err := cl.Delete(ctx, key)
			return err
		})
	})
}

func (b bench) lockUncontended(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		mu := concurrency.NewMutex(r.sessions[0], c.Path)
		return c.Flood(ctx, 1, func(ctx context.Context, _ int, _ int64) error {
			if err := mu.Lock(ctx); err != nil {
				return err
			}
			return mu.Unlock(ctx)
		})
	})
}

func (b bench) lockHandOver(ctx context.Context, c *work.Course) error {
	return b.contend(ctx, c, false)
}
func (b bench) lockDrain(ctx context.Context, c *work.Course) error { return b.contend(ctx, c, true) }

func (b bench) contend(ctx context.Context, c *work.Course, once bool) error {
	return b.inRoom(ctx, c, func(r *room) error {
		return c.Contend(ctx, work.Contest{
			Once:   once,
			InLine: func(ctx context.Context) (int, error) { return count(ctx, r.clients[0], c.Path) },
			Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
				mu := concurrency.NewMutex(r.sessions[i], c.Path)
				if err := mu.Lock(ctx); err != nil {
					return nil, err
				}
				return mu.Unlock, nil
			},
		})
	})
}

// idle tells what clients with a session cost that do nothing, and what waiters for a Mutex do.
func (b bench) idle(ctx context.Context, c *work.Course) error {
	n := max(1, c.Clients)
	if err := b.alone(func(*clientv3.Client) error { return nil }); err != nil { // what is allocated once
		return err
	}
	if err := c.Begin(); err != nil {
		return err
	}
	heap, goroutines := work.HeapAndGoroutines()
	r, err := b.enter(ctx, n, n, c.SessionTimeout())
	if err != nil {
		return err
	}
	with, running := work.HeapAndGoroutines()
	s := work.Sample{Heap: (with - heap) / float64(n), Goroutines: (running - goroutines) / float64(n), Ops: n}
	if err := r.close(); err != nil {
		return err
	}
	err = b.waiters(ctx, c, n, &s)
	c.Report(s)
	return err
}

func (b bench) waiters(ctx context.Context, c *work.Course, n int, s *work.Sample) error {
	r, err := b.enter(ctx, 1, n+1, c.SessionTimeout())
	if err != nil {
		return err
	}
	held := concurrency.NewMutex(r.sessions[n], c.Path)
	if err := held.Lock(ctx); err != nil {
		return errors.Join(err, r.close())
	}
	waiting, stop := context.WithCancel(ctx)
	heap, goroutines := work.HeapAndGoroutines()
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			_ = concurrency.NewMutex(r.sessions[i], c.Path).Lock(waiting)
		}()
	}
	err = work.LineUp(ctx, n+1, func(ctx context.Context) (int, error) { return count(ctx, r.clients[0], c.Path) })
	with, running := work.HeapAndGoroutines()
	s.WaiterHeap, s.WaiterGoroutines = (with-heap)/float64(n), (running-goroutines)/float64(n)
	stop()
	for range n {
		<-done
	}
	return errors.Join(err, r.close())
}
