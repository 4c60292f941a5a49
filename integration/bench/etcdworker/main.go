// Etcdworker is the worker of the performance laboratory that uses etcd: its client, package concurrency, and the recipes and the
// naming that come with it, each as its documentation shows. See package work.
//
// A client is one of clientv3 with a session, which is a lease. Where clients share sessions, they share the client of
// clientv3, which is the connection: two sides of a Mutex with the same lease would be one. There is no semaphore, and
// the queue knows neither leases nor batches.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"

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
			"queue.single.put":  b.queuePut,
			"queue.single.take": b.queueTake,
			"counter":           b.counter,
			"config.watch":      b.configWatch,
			"group.join":        b.groupJoin,
			"connect":           b.connect,
			"idle":              b.idle,
		}
	}, candidate)
}

type bench struct{ servers string }

const connectTimeout = 30 * time.Second

// together is how many clients connect at once.
const together = 16

// dial makes a client, which connects with its first request.
func (b bench) dial() (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   strings.Split(b.servers, ","),
		DialTimeout: connectTimeout,
		Logger:      zap.NewNop(),
	})
}

// room is the clients of one work, and a session for each of its contenders.
type room struct {
	clients  []*clientv3.Client
	sessions []*concurrency.Session
}

// enter connects clients, with so many sessions on them.
func (b bench) enter(ctx context.Context, clients, sessions int, timeout time.Duration) (*room, error) {
	r := &room{clients: make([]*clientv3.Client, clients), sessions: make([]*concurrency.Session, sessions)}
	for i := range r.clients {
		cl, err := b.dial()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("making client %d of %d: %w", i+1, clients, err), r.close())
		}
		r.clients[i] = cl
	}
	err := parallel(sessions, func(i int) (err error) {
		r.sessions[i], err = newSession(ctx, r.clients[i%clients], timeout)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("beginning %d sessions: %w", sessions, err), r.close())
	}
	return r, nil
}

// newSession begins a session of whole seconds.
func newSession(ctx context.Context, cl *clientv3.Client, timeout time.Duration) (*concurrency.Session, error) {
	// A dead server is an error, not a wait: the limit is the connection's. The session's own context stays the client's.
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	seconds := max(1, int((timeout+time.Second-1)/time.Second))
	lease, err := cl.Grant(ctx, int64(seconds))
	if err != nil {
		return nil, err
	}
	return concurrency.NewSession(cl, concurrency.WithTTL(seconds), concurrency.WithLease(lease.ID))
}

func (r *room) close() error {
	err := parallel(len(r.sessions), func(i int) error {
		if s := r.sessions[i]; s != nil {
			return s.Close()
		}
		return nil
	})
	for _, cl := range r.clients {
		if cl != nil {
			err = errors.Join(err, cl.Close())
		}
	}
	return err
}

// parallel calls f for 0 to n-1, some at once, and returns the errors.
func parallel(n int, f func(i int) error) error {
	var (
		all  sync.WaitGroup
		next = make(chan int)
		mu   sync.Mutex
		errs error
	)
	for range min(n, together) {
		all.Go(func() {
			for i := range next {
				if err := f(i); err != nil {
					mu.Lock()
					errs = errors.Join(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	return errs
}

// inRoom has a work done by all of its contenders.
func (b bench) inRoom(ctx context.Context, c *work.Course, do func(r *room) error) error {
	r, err := b.enter(ctx, c.SessionCount(), max(1, c.Clients), c.SessionTimeout())
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.close())
}

// alone has a work done by one client without a session.
func (b bench) alone(do func(cl *clientv3.Client) error) error {
	cl, err := b.dial()
	if err != nil {
		return err
	}
	return errors.Join(do(cl), cl.Close())
}

// count tells how many keys are below a path.
func count(ctx context.Context, cl *clientv3.Client, path string) (int, error) {
	found, err := cl.Get(ctx, path+"/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return int(found.Count), nil
}
