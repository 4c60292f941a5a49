package config

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
)

// Children are the names of a node's children, told once they have settled: Kazoo's PatientChildrenWatch, that goes on
// after a lost connection, and after its node has been deleted. Make it with [WatchChildren] and close it when it is no longer needed.
// Safe for concurrent use.
type Children struct {
	cl     *client.Client
	path   string
	settle time.Duration
	most   time.Duration
	w      *client.Watcher
	sync   bool // the server may lag behind what is known; only start and run touch it
	cur    atomic.Pointer[brood]
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
}

// brood is what is told at one time.
type brood struct {
	names  []string
	exists bool
	pzxid  int64
	epoch  uint64
	err    error
	final  bool
	newer  chan struct{}
}

// patienceFactor times the settling time is how long a change is kept back at most.
const patienceFactor = 10

// WatchChildren lists the children of path and follows them until [Children.Close]. A change is told when
// nothing has changed for settle, and after ten times settle even if there is no rest; a burst of changes costs one list. 0 tells at
// once. It returns with the first list, without waiting for rest; path need not exist. ctx bounds the call only.
//
// Errors: client.ErrBadArgument, client.ErrBadPath; client.ErrNoAuth; client.ErrUnimplemented from servers before 3.6;
// client.ErrClosed; ctx's.
func WatchChildren(ctx context.Context, cl *client.Client, path string, settle time.Duration) (*Children, error) {
	c := &Children{cl: cl, path: path, settle: settle, most: patienceFactor * settle, done: make(chan struct{})}
	if err := c.start(ctx); err != nil {
		return nil, c.failed(err)
	}
	return c, nil
}

func (c *Children) failed(err error) error { return fmt.Errorf("children of %s: %w", c.path, err) }

func (c *Children) start(ctx context.Context) error {
	switch {
	case c.cl == nil:
		return fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	case c.settle < 0:
		return fmt.Errorf("%w: the settling time %s is negative", client.ErrBadArgument, c.settle)
	}
	w, err := c.cl.AddWatch(ctx, c.path, client.WatchPersistent)
	if err != nil {
		return err
	}
	c.w, c.sync = w, true
	c.cur.Store(&brood{newer: make(chan struct{})})
	if err := c.list(ctx); err != nil {
		w.Close()
		return err
	}
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.run(alive)
	return nil
}

// run follows the events.
func (c *Children) run(ctx context.Context) {
	defer close(c.done)
	defer c.w.Close()
	var (
		rest  <-chan time.Time // there has been no change for long enough
		limit time.Time        // when a change is told in any case
	)
	timer := time.NewTimer(0)
	<-timer.C
	for {
		select {
		case ev, ok := <-c.w.C:
			if !ok {
				c.end(c.w.Err())
				return
			}
			if ev.Type == client.EventNodeDataChanged {
				continue
			}
			c.sync = c.sync || ev.Type == client.EventResynced
			if rest == nil {
				limit = time.Now().Add(c.most)
			}
			timer.Reset(min(c.settle, time.Until(limit)))
			rest = timer.C
		case <-rest:
			rest = nil
			if err := c.list(ctx); err != nil {
				if ctx.Err() == nil && !errors.Is(err, client.ErrClosed) && !errors.Is(err, client.ErrAuthFailed) {
					c.publish(brood{names: c.cur.Load().names, exists: c.cur.Load().exists, err: c.failed(err)})
					timer.Reset(listAgain)
					rest, limit = timer.C, time.Now().Add(listAgain)
				}
			}
		case <-ctx.Done():
			c.end(nil)
			return
		}
	}
}

// listAgain is when a list that was refused is tried again.
const listAgain = 10 * time.Second

// list reads the children: behind a sync if the watch has been set anew, so that a server that lags behind tells
// nothing old.
func (c *Children) list(ctx context.Context) error {
	ops := c.cl.WithRetry(client.RetryForever())
	epoch := c.cl.State().Epoch
	batch := ops.Batch()
	if c.sync {
		batch.Sync(c.path)
	}
	results, err := batch.Children(c.path).Do(ctx)
	synced := !errors.Is(err, client.ErrReadOnly)
	if !synced { // what a server in read-only mode knew last
		results, err = ops.Batch().Children(c.path).Do(ctx)
	}
	if len(results) == 0 || ctx.Err() != nil {
		return err
	}
	c.sync = c.sync && !synced
	res, old := results[len(results)-1], c.cur.Load()
	known := old.pzxid != 0 || old.exists
	switch {
	case errors.Is(res.Err, client.ErrNoNode) && (synced || !known):
		c.publish(brood{epoch: epoch})
	case errors.Is(res.Err, client.ErrNoNode):
	case res.Err != nil:
		return res.Err
	case res.Stat.Pzxid < old.pzxid && (!synced || epoch == old.epoch): // only servers that have lost their data go back, and sessions with it
	default:
		c.publish(brood{names: res.Children, exists: true, pzxid: res.Stat.Pzxid, epoch: epoch})
	}
	return nil
}

// publish replaces what is told, if it is something else.
func (c *Children) publish(b brood) {
	old := c.cur.Load()
	if old.err == nil && b.err == nil && old.exists == b.exists && old.names != nil == (b.names != nil) && slices.Equal(old.names, b.names) {
		b.newer = old.newer // nobody need be woken
		b.final = old.final
		c.cur.Store(&b)
		return
	}
	b.newer = make(chan struct{})
	c.cur.Store(&b)
	close(old.newer)
}

func (c *Children) end(err error) {
	b := *c.cur.Load()
	b.final, b.newer = true, make(chan struct{})
	if err != nil {
		b.err = c.failed(err)
	}
	old := c.cur.Load()
	c.cur.Store(&b)
	close(old.newer)
}

// Load returns the names that were told last, sorted. The slice must not be written to.
func (c *Children) Load() []string { return c.cur.Load().names }

// Exists tells whether the node itself exists, as of what Load returns.
func (c *Children) Exists() bool { return c.cur.Load().exists }

// Err returns nil, or why Load may not be what is there: client.ErrNoAuth, or the client's end.
func (c *Children) Err() error { return c.cur.Load().err }

// Updates yields the names, and again whenever they have changed and settled, always the most recent. An error,
// that of Err, comes with the names that were told last. The sequence ends with ctx, whose error comes last, after Close, or with
// the client's end, whose error comes last.
func (c *Children) Updates(ctx context.Context) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for first, last := true, (*brood)(nil); ; first = false {
			b := c.cur.Load()
			if ctx.Err() != nil {
				yield(b.names, ended(ctx))
				return
			}
			fresh := first || b.err != nil || last.err != nil || last.exists != b.exists || !slices.Equal(last.names, b.names)
			if fresh && !yield(b.names, b.err) || b.final {
				return
			}
			last = b
			select {
			case <-b.newer:
			case <-ctx.Done():
			}
		}
	}
}

// Close ends the watch and waits for its goroutine; Load goes on to return what was told last. It may be called again, and at any time.
func (c *Children) Close() {
	c.once.Do(c.cancel)
	<-c.done
}
