package counter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
)

// codec is how a value is written in a node.
type codec[T any] struct {
	encode func(T) []byte
	decode func(data []byte, stat client.Stat) (T, error)
	absent T // the value of a node that does not exist
}

// register is a node whose value is changed by functions of the value, each applied exactly once. Changes that
// come while one is on its way are made together with the next, in one write, unless they are to be alone.
type register[T any] struct {
	cl    *client.Client
	path  string
	cfg   config
	codec codec[T]
	alone bool

	mu      sync.Mutex
	queue   []*change[T]
	current *round[T]   // nil: nobody is at work
	timer   *time.Timer // the end of the receipt

	// What only the goroutine at work uses, and the timer when there is none.
	pace    pace
	receipt *receipt
	last    state[T]
	seen    time.Time // when last was certain; zero: never
}

// state is a node as it was read or written.
type state[T any] struct {
	value   T
	absent  bool
	czxid   int64 // 0: not known
	mzxid   int64 // as it was read
	version int32
}

// change is a call that waits.
type change[T any] struct {
	op    string
	blind bool // needs not know the value before
	apply func(now state[T]) (T, error)

	done   chan struct{} // closed when result and err are there
	result T
	state  state[T] // of the node, when all changes of the round were made
	err    error

	gone  bool // the caller waits no more; under register.mu
	tried bool // is part of a transaction whose outcome is not known; under register.mu
}

// round is changes that are made together.
type round[T any] struct {
	changes []*change[T]
	live    int // whose callers are still waiting
	cancel  context.CancelFunc
}

// do makes a change and waits for it. Errors are *client.OpError, and tell the outcome.
func (r *register[T]) do(ctx context.Context, c *change[T]) (T, error) {
	var none T
	if err := ended(ctx); err != nil {
		return none, harmless(c.op, r.path, err)
	}
	c.done = make(chan struct{})
	r.mu.Lock()
	r.queue = append(r.queue, c)
	if r.current == nil {
		r.current = &round[T]{}
		if r.timer != nil {
			r.timer.Stop()
		}
		go r.work(context.WithoutCancel(ctx))
	}
	r.mu.Unlock()
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
	}
	outcome := r.leave(c)
	select {
	case <-c.done:
		if c.err == nil || outcome != client.Unknown {
			return c.result, c.err
		}
		outcome = client.Outcome(c.err)
	default:
	}
	return none, &client.OpError{Op: c.op, Path: r.path, Outcome: outcome, Err: ended(ctx)}
}

// leave takes a change back whose caller waits no more. If nobody waits any more for those with which it is
// being made it ends their attempt, and waits for that.
func (r *register[T]) leave(c *change[T]) client.OutcomeKind {
	r.mu.Lock()
	if i := slices.Index(r.queue, c); i >= 0 {
		r.queue = slices.Delete(r.queue, i, i+1)
		r.mu.Unlock()
		return client.NotSent
	}
	select {
	case <-c.done:
		r.mu.Unlock()
		return client.Definite
	default:
	}
	outcome := client.NotSent
	if c.tried {
		outcome = client.Unknown
	}
	c.gone = true
	r.current.live--
	last := r.current.live == 0
	if last {
		r.current.cancel()
	}
	r.mu.Unlock()
	if last {
		<-c.done
		return client.Unknown // or better: c.err knows
	}
	return outcome
}

// work makes changes until there are none. It is owned by those who wait for them: it ends with the last.
func (r *register[T]) work(values context.Context) {
	for {
		ctx, cancel := context.WithCancel(values)
		if !r.begin(cancel) {
			cancel()
			return
		}
		r.play(ctx)
		cancel()
	}
}

// begin takes what is waiting, or ends the work.
func (r *register[T]) begin(cancel context.CancelFunc) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.current = nil
		if r.receipt != nil {
			r.timer = time.AfterFunc(linger, r.expire)
		}
		return false
	}
	r.current = &round[T]{cancel: cancel}
	return true
}

// expire gives up a receipt that has not been used for a while.
func (r *register[T]) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil && r.receipt != nil {
		r.drop()
	}
}

func (r *register[T]) drop() {
	if r.receipt != nil && r.cl.State().State != client.Closed {
		r.receipt.discard(r.cl, r.cfg.receipts)
	}
	r.receipt = nil
}

// gather returns the changes of the round whose callers are waiting, with those that have come since.
func (r *register[T]) gather() []*change[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	ro := r.current
	for len(r.queue) > 0 && (len(ro.changes) == 0 || !r.alone && ro.live > 0) {
		ro.changes, r.queue = append(ro.changes, r.queue[0]), r.queue[1:]
		ro.live++
	}
	for _, c := range ro.changes {
		if c.gone {
			c.err = harmless(c.op, r.path, context.Canceled)
			close(c.done)
		}
	}
	ro.changes = slices.DeleteFunc(ro.changes, func(c *change[T]) bool { return c.gone })
	return slices.Clone(ro.changes)
}

// settle ends changes.
func (r *register[T]) settle(changes []*change[T], end func(i int, c *change[T])) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range changes {
		end(i, c)
		close(c.done)
		if !c.gone {
			r.current.live--
		}
	}
	r.current.changes = slices.DeleteFunc(r.current.changes, func(c *change[T]) bool { return slices.Contains(changes, c) })
}

// fail ends changes with an error.
func (r *register[T]) fail(changes []*change[T], err func(c *change[T]) error) {
	r.settle(changes, func(_ int, c *change[T]) { c.err = err(c) })
}

// try returns those of the changes whose callers are waiting. From here on it is not known whether they
// have been made.
func (r *register[T]) try(changes []*change[T]) []*change[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	changes = slices.DeleteFunc(changes, func(c *change[T]) bool { return c.gone })
	for _, c := range changes {
		c.tried = true
	}
	return changes
}

// untry says that they have not been made.
func (r *register[T]) untry(changes []*change[T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		c.tried = false
	}
}

// play makes a round of changes.
func (r *register[T]) play(ctx context.Context) {
	for {
		changes := r.gather()
		if len(changes) == 0 {
			return
		}
		now, err := r.now(ctx)
		if err == nil {
			changes, err = r.guarded(changes, now)
		}
		if err == nil && len(changes) > 0 {
			err = r.attempt(ctx, changes, now)
		}
		if err != nil {
			r.fail(r.gatherAll(), func(c *change[T]) error {
				if unknown, ok := errors.AsType[*unknownError](err); ok && c.tried {
					return &client.OpError{Op: c.op, Path: r.path, Outcome: client.Unknown, Err: unknown.err}
				}
				return harmless(c.op, r.path, err)
			})
			return
		}
	}
}

// gatherAll returns the changes of the round, and takes no others in.
func (r *register[T]) gatherAll() []*change[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.current.changes)
}

// guarded returns the changes that can be made with a version such as the node has: if that matches
// any, only those behind one that does not depend on what was there.
func (r *register[T]) guarded(changes []*change[T], now state[T]) ([]*change[T], error) {
	if now.absent || now.version != client.AnyVersion {
		return changes, nil
	}
	i := slices.IndexFunc(changes, func(c *change[T]) bool { return c.blind })
	if i < 0 {
		return nil, fmt.Errorf("%w: set it once to go on", ErrVersionsUsedUp)
	}
	r.fail(changes[:i], func(c *change[T]) error {
		return harmless(c.op, r.path, fmt.Errorf("%w: set it once to go on", ErrVersionsUsedUp))
	})
	return changes[i:], nil
}
