package counter

import (
	"context"
	"fmt"
	"iter"

	"github.com/zookit/zookit/client"
)

// Counter is a number that processes share. Its node is made by the first change; missing parents are made,
// too, and nobody deletes it.
//
// A Counter is safe for concurrent use, and need not be closed. Changes that goroutines make at the same
// time through one Counter go out together, so share it rather than make many for one path.
type Counter struct {
	path string
	cfg  config
	reg  *register[int64]
	feed *feed[int64]
	err  error
}

// New returns the counter at path. Nothing is sent; a path or an option that cannot be is reported by the
// first call.
func New(cl *client.Client, path string, opts ...Option) *Counter {
	c := &Counter{path: path}
	if c.cfg, c.err = configure(cl, path, opts); c.err != nil {
		c.err = c.failed(c.err)
		return c
	}
	c.reg = &register[int64]{cl: cl, path: path, cfg: c.cfg, codec: codec[int64]{
		encode: c.cfg.layout.encode, decode: c.decode, absent: c.cfg.initial,
	}}
	c.feed = &feed[int64]{cl: cl, path: path, read: c.reg.read}
	return c
}

// decode reads the node's data; empty data, as Kazoo leaves it before its first change, is the initial value.
func (c *Counter) decode(data []byte, _ client.Stat) (int64, error) {
	if len(data) == 0 {
		return c.cfg.initial, nil
	}
	return c.cfg.layout.decode(data)
}

// Path returns the path of the counter's node, as it was given.
func (c *Counter) Path() string { return c.path }

func (c *Counter) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("counter %s: %w", c.path, err)
}

// Add adds delta, which may be negative, and returns the sum. It is added exactly once if the error is nil, and
// not at all if client.Outcome of the error is NotSent or Definite. A lost reply, or a lost session, is no
// error: what became of the change is found out, in the next session if it has to be. Unknown, which says that it may
// have been added or not, is the outcome
//
//   - when ctx ends, or the client is closed, while a reply is due;
//   - when the client's RetryPolicy does not have it wait for a connection or repeat what failed;
//   - when the reply was lost and somebody has deleted the receipt that tells about it: [ErrUnresolved].
//
// Errors: [ErrOverflow], [ErrLayoutConflict], [ErrVersionsUsedUp]; client.ErrNoAuth, and those common to all operations.
func (c *Counter) Add(ctx context.Context, delta int64) (int64, error) {
	return c.change(ctx, &change[int64]{op: "add", apply: func(now state[int64]) (int64, error) {
		return c.cfg.layout.sum(now.value, delta)
	}})
}

func (c *Counter) change(ctx context.Context, ch *change[int64]) (int64, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.reg.do(ctx, ch)
	if err != nil {
		return 0, c.failed(err)
	}
	return n, nil
}

// Set makes the counter n, whatever number it was. What is said of lost replies at [Counter.Add] holds here, too: it
// does not overwrite what others have made of the counter since. Data that is no number of the
// layout is not overwritten ([ErrLayoutConflict]); n has to be one ([ErrOverflow]).
func (c *Counter) Set(ctx context.Context, n int64) error {
	_, err := c.change(ctx, &change[int64]{op: "set", blind: true, apply: func(state[int64]) (int64, error) {
		return c.cfg.layout.sum(0, n)
	}})
	return err
}

// CompareAndSet makes the counter next if it is old, and reports whether it did. The answer is exact
// also when replies are lost: see [Counter.Add].
func (c *Counter) CompareAndSet(ctx context.Context, old, next int64) (swapped bool, err error) {
	_, err = c.change(ctx, &change[int64]{op: "compareAndSet", apply: func(now state[int64]) (int64, error) {
		if now.value != old {
			return 0, errMismatch
		}
		return c.cfg.layout.sum(0, next)
	}})
	if mismatched(err) {
		return false, nil
	}
	return err == nil, err
}

// Value returns the number as the server that answers knows it: one that lags behind may be late by a
// moment. It is one read. Add(ctx, 0) tells what it is by a commit of the quorum.
func (c *Counter) Value(ctx context.Context) (int64, error) {
	if c.err != nil {
		return 0, c.err
	}
	now, err := c.reg.peek(ctx)
	if err != nil {
		return 0, c.failed(err)
	}
	return now.value, nil
}

// Watch yields the number, and then what it is whenever that has changed: always the latest, though not
// each that there was for a moment if changes are faster than the consumer. It never goes
// back in time. It goes on over lost connections and sessions, and over the node being deleted, when
// it yields the initial value. While the data is no number it yields [ErrLayoutConflict], and goes on.
//
// All ranges over Watch of one Counter share a watch and the reads: a change is one read, however many
// they are. The last range that ends leaves nothing behind.
//
// The last thing that it yields is an error: ctx's, client.ErrClosed, or what the server refuses.
func (c *Counter) Watch(ctx context.Context) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		if c.err != nil {
			yield(0, c.err)
			return
		}
		for now, err := range c.feed.watch(ctx) {
			if !yield(now.value, c.failed(err)) {
				return
			}
		}
	}
}
