// Gozkworker is the worker of the performance laboratory that uses go-zookeeper, the library under most of Go's programs: its
// Lock, and for the rest its operations written directly, which is the least that can do the job. See package work.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zookit/zookit/integration/bench/work"
)

func main() {
	work.Main(func(servers string) map[string]work.Func {
		b := bench{servers: strings.Split(servers, ",")}
		return map[string]work.Func{
			"get":              b.get,
			"set":              b.set,
			"create":           b.create,
			"lock.floor":       b.lockFloor,
			"lock.uncontended": b.lockUncontended,
			"lock.handover":    b.lockHandOver,
			"lock.drain":       b.lockDrain,
			"queue.single.put": b.queuePut,
			"queue.batch.put":  b.queueBatchPut,
			"counter":          b.counter,
			"config.watch":     b.configWatch,
			"group.join":       b.groupJoin,
			"connect":          b.connect,
			"idle":             b.idle,
		}
	}, nil)
}

type bench struct{ servers []string }

var everybody = zk.WorldACL(zk.PermAll)

const connectTimeout = 30 * time.Second

type silent struct{}

func (silent) Printf(string, ...any) {}

// dial connects one client and waits for its session.
func (b bench) dial(ctx context.Context, timeout time.Duration) (*zk.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, fmt.Errorf("no session within %v", connectTimeout))
	defer cancel()
	session := make(chan struct{})
	var once sync.Once
	conn, _, err := zk.Connect(b.servers, timeout, zk.WithLogger(silent{}), zk.WithLogInfo(false), zk.WithEventCallback(func(e zk.Event) {
		if e.State == zk.StateHasSession {
			once.Do(func() { close(session) })
		}
	}))
	if err != nil {
		return nil, err
	}
	select {
	case <-session:
		return conn, nil
	case <-ctx.Done():
		conn.Close()
		return nil, context.Cause(ctx)
	}
}

// room is the connections of one work.
type room struct {
	conns []*zk.Conn
	once  sync.Once
}

func (b bench) enter(ctx context.Context, sessions int, timeout time.Duration) (*room, error) {
	r := &room{}
	for range sessions {
		conn, err := b.dial(ctx, timeout)
		if err != nil {
			r.close()
			return nil, fmt.Errorf("connecting client %d of %d: %w", len(r.conns)+1, sessions, err)
		}
		r.conns = append(r.conns, conn)
	}
	return r, nil
}

func (r *room) of(i int) *zk.Conn { return r.conns[i%len(r.conns)] }

func (r *room) close() {
	r.once.Do(func() {
		var all sync.WaitGroup
		for _, conn := range r.conns {
			all.Go(conn.Close)
		}
		all.Wait()
	})
}

func (b bench) inRoom(ctx context.Context, c *work.Course, sessions int, do func(r *room) error) error {
	r, err := b.enter(ctx, sessions, c.SessionTimeout())
	if err != nil {
		return err
	}
	defer r.close()
	if err := makeParents(r.conns[0], c.Path); err != nil {
		return err
	}
	return do(r)
}

// alone has a work done by one client.
func (b bench) alone(ctx context.Context, c *work.Course, do func(conn *zk.Conn) error) error {
	return b.inRoom(ctx, c, 1, func(r *room) error { return do(r.conns[0]) })
}

// makeParents makes what is above a path.
func makeParents(conn *zk.Conn, path string) error {
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		if _, err := conn.Create(path[:i], nil, 0, everybody); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("making %s: %w", path[:i], err)
		}
	}
	return nil
}
