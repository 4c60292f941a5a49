package workload

import (
	"context"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

const (
	// amount is what is added at most. Amounts are chosen by chance, so that sums tell which were added.
	amount = 1 << 40
	// watched is the note of who watches the counter; its arguments are a [models.Seen].
	watched = "watched"
)

// Counter is a counter that all add to, compare and set, read and watch.
//
// Operations: add ({delta}, {value}), swap ({old, delta}, {value, refused}), value ({}, {value}). Note: watched ({look, token}).
func Counter() *Workload {
	return &Workload{
		Name: "counter",
		Doc:  "a counter's changes are linearizable and each is made exactly once, whatever becomes of replies; reads and watches show what it was",
		Run: func(ctx context.Context, env *Env) error {
			c := &teller{env: env, n: counter.New(env.Client, env.Path+"/total", counter.WithReceipts(env.Path+"/receipts"))}
			var watching sync.WaitGroup
			watching.Go(func() { c.watch(ctx) })
			err := takeTurns(ctx, env, func() error { return c.turn(ctx) })
			watching.Wait()
			if err != nil {
				return err
			}
			ctx, cancel := Cleaning(ctx)
			defer cancel()
			return c.add(ctx, 0) // which tells everything that was done before
		},
		Check: func(h *history.History) []models.Violation {
			return append(models.Counters(h), models.Forward(h, watched)...)
		},
	}
}

// teller is one client of the counter.
type teller struct {
	env  *Env
	n    *counter.Counter
	last int64 // what it was when it was seen last
}

func (c *teller) turn(ctx context.Context) error {
	ctx, cancel := c.env.Bounded(ctx)
	defer cancel()
	delta := 1 + c.env.Rand.Int64N(amount)
	switch c.env.Rand.IntN(8) {
	case 0:
		return c.value(ctx)
	case 1:
		return c.add(ctx, 0)
	case 2:
		return c.swap(ctx, c.last, delta)
	case 3:
		if err := c.value(ctx); err != nil {
			return err
		}
		return c.swap(ctx, c.last, delta)
	default:
		return c.add(ctx, delta)
	}
}

func (c *teller) value(ctx context.Context) error {
	op := c.env.Record.Invoke(models.Value, nil)
	v, err := c.n.Value(ctx)
	if err != nil {
		op.Fail(err)
		return surprise(ctx, "value", err)
	}
	c.last = v
	op.OK(models.CounterResult{Value: v})
	return nil
}

func (c *teller) add(ctx context.Context, delta int64) error {
	op := c.env.Record.Invoke(models.Add, models.CounterArgs{Delta: delta})
	v, err := c.n.Add(ctx, delta)
	op.End(models.CounterResult{Value: v}, err)
	if err == nil {
		c.last = v
	}
	return c.unlikely(ctx, "add", err)
}

func (c *teller) swap(ctx context.Context, old, delta int64) error {
	op := c.env.Record.Invoke(models.Swap, models.CounterArgs{Old: old, Delta: delta})
	done, err := c.n.CompareAndSet(ctx, old, old+delta)
	res := models.CounterResult{Value: old + delta}
	if !done {
		res = models.CounterResult{Refused: true}
	}
	op.End(res, err)
	if done {
		c.last = old + delta
	}
	return c.unlikely(ctx, "compare and set", err)
}

// unlikely lets through what a call may say whose outcome is told.
func (c *teller) unlikely(ctx context.Context, what string, err error) error {
	if client.Outcome(err) == client.Unknown {
		return nil
	}
	return surprise(ctx, what, err, client.ErrReadOnly)
}

// watch notes what the counter is, again and again from the start.
func (c *teller) watch(ctx context.Context) {
	for look := int64(1); ctx.Err() == nil; look++ {
		n := 0
		for v, err := range c.n.Watch(ctx) {
			if err != nil {
				break
			}
			c.env.Record.Note(watched, models.Seen{Look: look, Token: v})
			if n++; n == 50 {
				break
			}
		}
	}
}
