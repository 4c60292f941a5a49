// Zookitworker is the worker of the performance laboratory that uses zookit; see package work.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/bench/work"
)

func main() {
	work.Main(func(servers string) map[string]work.Func {
		b := bench{servers: servers}
		return map[string]work.Func{
			"get":               b.get,
			"set":               b.set,
			"create":            b.create,
			"lock.floor":        b.lockFloor,
			"lock.uncontended":  b.lockUncontended,
			"lock.handover":     b.lockHandOver,
			"lock.drain":        b.lockDrain,
			"election.resign":   b.electionResign,
			"election.crash":    b.electionCrash,
			"semaphore":         b.semaphore,
			"queue.single.put":  b.queuePut,
			"queue.single.take": b.queueTake,
			"queue.batch.put":   b.queueBatchPut,
			"queue.batch.take":  b.queueBatchTake,
			"counter":           b.counter,
			"config.watch":      b.configWatch,
			"group.join":        b.groupJoin,
			"connect":           b.connect,
			"idle":              b.idle,
		}
	}, candidate)
}

type bench struct{ servers string }

// together is how many clients connect at once.
const together = 16

// dial connects one client.
func (b bench) dial(ctx context.Context, timeout time.Duration) (*client.Client, error) {
	return client.Connect(ctx, b.servers, client.WithSessionTimeout(timeout), client.WithConnectTimeout(30*time.Second))
}

// room is the sessions of one work.
type room struct{ clients []*client.Client }

// enter connects so many clients.
func (b bench) enter(ctx context.Context, sessions int, timeout time.Duration) (*room, error) {
	r := &room{clients: make([]*client.Client, sessions)}
	err := parallel(sessions, together, func(i int) (err error) {
		r.clients[i], err = b.dial(ctx, timeout)
		return err
	})
	if err != nil {
		r.close()
		return nil, fmt.Errorf("connecting %d clients: %w", sessions, err)
	}
	return r, nil
}

// of is the client of the contender of that number.
func (r *room) of(i int) *client.Client { return r.clients[i%len(r.clients)] }

func (r *room) close() {
	_ = parallel(len(r.clients), together, func(i int) error {
		if cl := r.clients[i]; cl != nil {
			_ = cl.Close()
		}
		return nil
	})
}

// parallel calls f for 0 to n-1, so many at once, and returns the first error.
func parallel(n, width int, f func(i int) error) (first error) {
	var (
		all  sync.WaitGroup
		once sync.Once
		next = make(chan int)
	)
	for range min(n, width) {
		all.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					once.Do(func() { first = err })
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	return first
}

// alone has a work done by one client.
func (b bench) alone(ctx context.Context, c *work.Course, do func(cl *client.Client) error) error {
	return b.inRoom(ctx, c, 1, func(r *room) error { return do(r.clients[0]) })
}

func (b bench) inRoom(ctx context.Context, c *work.Course, sessions int, do func(r *room) error) error {
	r, err := b.enter(ctx, sessions, c.SessionTimeout())
	if err != nil {
		return err
	}
	defer r.close()
	return do(r)
}
