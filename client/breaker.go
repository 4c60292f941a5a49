package client

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// ErrCircuitOpen is returned, together with [ErrNotConnected], by the operations of
// [Breaker.Ops] while there is no connection and the circuit is open.
var ErrCircuitOpen = errors.New("circuit open")

// Breaker is a circuit breaker: what a service uses that had rather fail at once than
// wait for an ensemble that is away, and whose listeners are not to be told of a
// connection that comes and goes.
//
// The circuit opens when the connection is lost. It stays open for the first pause of its
// policy; if there is a connection then, it closes, otherwise it stays open for the
// next pause, and so on. When the policy's bounds are reached it closes
// nevertheless. It has no goroutine and needs no closing. Safe for concurrent use.
type Breaker struct {
	c *Client

	mu sync.Mutex
	circuit
}

// NewBreaker makes a breaker for a client. Of the policy the pauses and bounds count, not the jitter:
// RetryExponential(time.Second, time.Minute) keeps the circuit open for a second
// at least, and looks again after two, four and so on. A client that is not connected begins
// with an open circuit. Errors: [ErrBadArgument].
func NewBreaker(c *Client, p RetryPolicy) (*Breaker, error) {
	if p.err != nil {
		return nil, p.err
	}
	b := &Breaker{c: c}
	b.policy, b.at = p, c.states.current()
	b.shown, b.last = b.at.change, b.at.change
	if !b.last.State.served() && b.last.State != Closed {
		b.trip(time.Now())
	}
	return b, nil
}

// Ops returns the client's operations, except that they fail with [ErrCircuitOpen]
// where those would wait for a connection while the circuit is open. As long as there is
// a connection they are executed.
func (b *Breaker) Ops() Ops {
	o := b.c.Ops
	o.breaker = b
	return o
}

// Open tells whether the circuit is open.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance(time.Now(), func(StateChange) {})
	return b.open
}

// States is [Client.States] without the flapping: it yields the state that was yielded last, and then,
// while the circuit is closed, every transition. While it is open only the first [Lost] is
// yielded, and [Closed]; when it closes, the state of that moment, if it is another one than
// when it opened. The sequence ends with ctx, or after [Closed].
func (b *Breaker) States(ctx context.Context) iter.Seq[StateChange] {
	return func(yield func(StateChange) bool) {
		b.mu.Lock()
		b.advance(time.Now(), func(StateChange) {})
		own := b.copy()
		b.mu.Unlock()
		if !yield(own.shown) || own.shown.State == Closed {
			return
		}
		for {
			var due []StateChange
			b.Open() // so that it does not fall behind, and keep all transitions
			wait := own.advance(time.Now(), func(change StateChange) { due = append(due, change) })
			for _, change := range due {
				if !yield(change) || change.State == Closed {
					return
				}
			}
			if len(due) > 0 {
				continue // it may have taken its time
			}
			if !own.sleep(ctx, wait) {
				return
			}
		}
	}
}

// circuit follows the client's transitions. What it makes of them depends on their
// times only, not on when it is asked.
type circuit struct {
	policy RetryPolicy
	at     *transition // the last that was looked at
	shown  StateChange // the last that was let through
	last   StateChange

	// While open.
	open   bool
	lost   bool // was let through
	opened time.Time
	until  time.Time
	tries  int
	pauses *backoff.ExponentialBackOff
}

// copy copies the circuit for another listener.
func (c *circuit) copy() circuit {
	out := *c
	if c.pauses != nil {
		pauses := *c.pauses
		out.pauses = &pauses
	}
	return out
}

// advance goes through everything that has happened until now, and returns when the
// circuit has to be looked at again if nothing happens; 0 is never.
func (c *circuit) advance(now time.Time, show func(StateChange)) time.Duration {
	through := func(change StateChange) {
		c.shown = change
		show(change)
	}
	for {
		next := c.at.following()
		if c.open && !c.until.After(now) && (next == nil || !c.until.After(next.time)) {
			c.probe(through)
			continue
		}
		if next == nil {
			break
		}
		c.at = next
		c.step(next, through)
	}
	if !c.open {
		return 0
	}
	return c.until.Sub(now)
}

// step takes a transition.
func (c *circuit) step(t *transition, through func(StateChange)) {
	c.last = t.change
	switch {
	case t.change.State == Closed:
		c.open = false
	case !c.open && t.change.State.served():
	case !c.open:
		c.trip(t.time)
	case t.change.State == Lost && !c.lost:
		c.lost = true
	default: // suppressed
		return
	}
	through(t.change)
}

// trip opens the circuit.
func (c *circuit) trip(at time.Time) {
	c.open, c.lost, c.opened, c.tries = true, c.last.State == Lost, at, 0
	c.pauses = c.policy.Jitter(0).pauses()
	c.until = at.Add(c.pauses.NextBackOff())
}

// probe looks at the circuit when its pause is over.
func (c *circuit) probe(through func(StateChange)) {
	c.tries++
	p := c.policy
	spent := p.bounded && c.tries > p.times || p.elapsed > 0 && c.until.Sub(c.opened) >= p.elapsed
	if !c.last.State.served() && !spent {
		c.until = c.until.Add(c.pauses.NextBackOff())
		return
	}
	c.open = false
	if c.last.State != c.shown.State || c.last.Epoch != c.shown.Epoch {
		through(c.last)
	}
}

// sleep waits for the next transition or until wait has passed; it is false when ctx has ended.
func (c *circuit) sleep(ctx context.Context, wait time.Duration) bool {
	var timeout <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-c.at.ready:
	case <-timeout:
	case <-ctx.Done():
		return false
	}
	return true
}
