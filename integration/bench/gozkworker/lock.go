package main

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) lockFloor(ctx context.Context, c *work.Course) error {
	return b.alone(ctx, c, func(conn *zk.Conn) error {
		if _, err := conn.Create(c.Path, nil, 0, everybody); err != nil {
			return err
		}
		return c.Flood(ctx, 1, func(context.Context, int, int64) error {
			path, err := conn.Create(c.Path+"/lock-", nil, zk.FlagEphemeral|zk.FlagSequence, everybody)
			if err != nil {
				return err
			}
			return conn.Delete(path, -1)
		})
	})
}

func (b bench) lockUncontended(ctx context.Context, c *work.Course) error {
	return b.alone(ctx, c, func(conn *zk.Conn) error {
		mu := zk.NewLock(conn, c.Path, everybody)
		once := func(context.Context, int, int64) error {
			if err := mu.Lock(); err != nil {
				return err
			}
			return mu.Unlock()
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
			Abort:  r.close, // a Lock that waits obeys nothing else
			InLine: func(context.Context) (int, error) { return children(r.conns[0], c.Path) },
			Acquire: func(_ context.Context, i int) (func(context.Context) error, error) {
				mu := zk.NewLock(r.of(i), c.Path, everybody)
				if err := mu.Lock(); err != nil {
					return nil, err
				}
				return func(context.Context) error { return mu.Unlock() }, nil
			},
		})
	})
}

// children counts the children of a node, 0 if there is none.
func children(conn *zk.Conn, path string) (int, error) {
	_, stat, err := conn.Exists(path)
	if err != nil {
		return 0, err
	}
	return int(stat.NumChildren), nil
}

// idle tells what connections cost that do nothing, and what waiters for a Lock do.
func (b bench) idle(ctx context.Context, c *work.Course) error {
	n := max(1, c.Clients)
	if err := b.alone(ctx, c, func(*zk.Conn) error { return nil }); err != nil { // what is allocated once
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
	err = b.inRoom(ctx, c, 1, func(r *room) error { return waiters(ctx, c, r, n, &s) })
	c.Report(s)
	return err
}

func waiters(ctx context.Context, c *work.Course, r *room, n int, s *work.Sample) error {
	conn := r.conns[0]
	if err := zk.NewLock(conn, c.Path, everybody).Lock(); err != nil {
		return err
	}
	heap, goroutines := work.HeapAndGoroutines()
	done := make(chan struct{})
	for range n {
		go func() {
			defer func() { done <- struct{}{} }()
			_ = zk.NewLock(conn, c.Path, everybody).Lock()
		}()
	}
	err := work.LineUp(ctx, n+1, func(context.Context) (int, error) { return children(conn, c.Path) })
	with, running := work.HeapAndGoroutines()
	s.WaiterHeap, s.WaiterGoroutines = (with-heap)/float64(n), (running-goroutines)/float64(n)
	r.close()
	for range n {
		<-done
	}
	return err
}

// counter adds by reading and setting with the version, until nobody has come in between.
func (b bench) counter(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		if _, err := r.conns[0].Create(c.Path, work.Numbered(0, 8), 0, everybody); err != nil {
			return err
		}
		err := c.Flood(ctx, max(1, c.Clients), func(ctx context.Context, g int, _ int64) error {
			for ctx.Err() == nil {
				data, stat, err := r.of(g).Get(c.Path)
				if err != nil {
					return err
				}
				_, err = r.of(g).Set(c.Path, work.Numbered(work.NumberOf(data)+1, 8), stat.Version)
				if !errors.Is(err, zk.ErrBadVersion) {
					return err
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		data, _, err := r.conns[0].Get(c.Path)
		if err != nil {
			return err
		}
		return c.Exact(int64(work.NumberOf(data))) //nolint:gosec // a count
	})
}
