package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/client/v3/naming/endpoints"

	"github.com/zookit/zookit/integration/bench/work"
)

// counter adds in a transaction of software transactional memory, which is tried until nobody has come in between.
func (b bench) counter(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		if err := create(ctx, r.clients[0], c.Path, "0"); err != nil {
			return err
		}
		err := c.Flood(ctx, max(1, c.Clients), func(ctx context.Context, g int, _ int64) error {
			_, err := concurrency.NewSTM(r.clients[g%len(r.clients)], func(s concurrency.STM) error {
				n, err := strconv.Atoi(s.Get(c.Path))
				if err != nil {
					return err
				}
				s.Put(c.Path, strconv.Itoa(n+1))
				return nil
			}, concurrency.WithAbortContext(ctx))
			return err
		})
		if err != nil {
			return err
		}
		found, err := r.clients[0].Get(ctx, c.Path)
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(found.Kvs[0].Value), 10, 64)
		return errors.Join(err, c.Exact(n))
	})
}

func (b bench) configWatch(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		return b.alone(func(writer *clientv3.Client) error {
			if err := create(ctx, writer, c.Path, string(work.Numbered(0, c.Size))); err != nil {
				return err
			}
			watching, stop := context.WithCancelCause(ctx)
			audience := work.NewAudience(max(1, c.Clients))
			var all sync.WaitGroup
			defer all.Wait()
			defer stop(nil)
			for i := range max(1, c.Clients) {
				all.Go(func() {
					if err := watch(watching, r.clients[i%len(r.clients)], c.Path, audience); err != nil {
						stop(err)
					}
				})
			}
			if err := audience.Await(watching, 0); err != nil {
				return fmt.Errorf("waiting for the watchers' first look: %w", err)
			}
			return c.Broadcast(watching, audience, func(ctx context.Context, n uint64) error {
				_, err := writer.Put(ctx, c.Path, string(work.Numbered(n, c.Size)))
				return err
			})
		})
	})
}

// watch reads, and watches from the revision after that.
func watch(ctx context.Context, cl *clientv3.Client, path string, audience *work.Audience) error {
	found, err := cl.Get(ctx, path)
	if err != nil {
		return err
	}
	if len(found.Kvs) != 1 {
		return fmt.Errorf("%d keys at %s, not one", len(found.Kvs), path)
	}
	changes := cl.Watch(ctx, path, clientv3.WithRev(found.Header.Revision+1), clientv3.WithCreatedNotify())
	for seen := range changes {
		if err := seen.Err(); err != nil {
			return err
		}
		if seen.Created {
			audience.Saw(work.NumberOf(found.Kvs[0].Value))
		}
		for _, e := range seen.Events {
			audience.Saw(work.NumberOf(e.Kv.Value))
		}
	}
	if ctx.Err() == nil {
		return fmt.Errorf("the watch of %s has ended", path)
	}
	return nil
}

// groupJoin registers endpoints, which is etcd's way for services, each with the lease of its member.
func (b bench) groupJoin(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		return b.alone(func(observer *clientv3.Client) error {
			n := max(1, c.Clients)
			m, err := endpoints.NewManager(observer, c.Path)
			if err != nil {
				return err
			}
			watching, stop := context.WithCancel(ctx)
			defer stop()
			updates, err := m.NewWatchChannel(watching)
			if err != nil {
				return err
			}
			if err := c.Begin(); err != nil {
				return err
			}
			joined := make(chan error, 1)
			go func() { joined <- join(watching, c, r, n) }()
			err = awaitMembers(updates, n)
			if err != nil {
				stop()
			}
			if err := errors.Join(<-joined, err); err != nil {
				return err
			}
			c.Count(n)
			c.End()
			return nil
		})
	})
}

func join(ctx context.Context, c *work.Course, r *room, n int) error {
	joined := make(chan error, n)
	for i := range n {
		go func() {
			m, err := endpoints.NewManager(r.clients[i%len(r.clients)], c.Path)
			if err == nil {
				at := endpoints.Endpoint{Addr: fmt.Sprintf("member-%d", i), Metadata: string(work.Numbered(uint64(i), c.Size))} //nolint:gosec // a count
				err = m.AddEndpoint(ctx, c.Path+"/"+at.Addr, at, clientv3.WithLease(r.sessions[i].Lease()))
			}
			joined <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-joined)
	}
	return err
}

func awaitMembers(updates endpoints.WatchChannel, n int) error {
	seen := map[string]bool{}
	for len(seen) < n {
		changes, ok := <-updates
		if !ok {
			return fmt.Errorf("the view has ended with %d members of %d", len(seen), n)
		}
		for _, u := range changes {
			seen[u.Key] = true
		}
	}
	return nil
}
