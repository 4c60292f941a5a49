package zktest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Defaults of the options.
const (
	DefaultTick       = 500 * time.Millisecond
	DefaultMaxSession = 60 * time.Second
	// DefaultMaxBuffer is ZooKeeper's own jute.maxbuffer.
	DefaultMaxBuffer = 1<<20 - 1
)

type options struct {
	tick      time.Duration
	min, max  time.Duration
	maxBuffer int
	wrap      bool
	log       *slog.Logger
}

// Option changes one setting of a [Server].
type Option func(*options) error

func newOptions(opts []Option) (options, error) {
	o := options{tick: DefaultTick, maxBuffer: DefaultMaxBuffer, log: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return options{}, fmt.Errorf("zktest: %w", err)
		}
	}
	if o.min == 0 {
		o.min = 2 * o.tick
	}
	if o.max == 0 {
		o.max = max(DefaultMaxSession, o.min)
	}
	if o.min > o.max {
		return options{}, fmt.Errorf("zktest: the shortest session %v is longer than the longest %v", o.min, o.max)
	}
	return o, nil
}

// WithTick sets the server's tick, by default [DefaultTick]. Sessions last two
// ticks at least, and a silent session ends up to one tick after its timeout.
func WithTick(d time.Duration) Option {
	return func(o *options) error {
		if d < time.Millisecond {
			return fmt.Errorf("tick of %v: a millisecond is the least", d)
		}
		o.tick = d
		return nil
	}
}

// WithSessionTimeouts sets the limits between which session timeouts are
// negotiated, by default two ticks and [DefaultMaxSession].
func WithSessionTimeouts(shortest, longest time.Duration) Option {
	return func(o *options) error {
		if shortest < time.Millisecond || longest < shortest {
			return fmt.Errorf("session timeouts from %v to %v: want 1ms at least, and the longest not below the shortest", shortest, longest)
		}
		o.min, o.max = shortest, longest
		return nil
	}
}

// WithMaxBuffer sets the longest request that is accepted (jute.maxbuffer), by
// default [DefaultMaxBuffer]. A longer one ends its connection, as on a real server.
func WithMaxBuffer(n int) Option {
	return func(o *options) error {
		if n < 128 {
			return fmt.Errorf("buffer of %d bytes: 128 is the least", n)
		}
		o.maxBuffer = n
		return nil
	}
}

// WithSequenceWrap makes -2147483648 the number that follows 2147483647 in the names of
// sequential nodes, as ZooKeeper's documentation says and servers before 3.6 do. Without it
// the counter stays at 2147483647 for good, as it does on servers from 3.6 on (seen on
// 3.8.0): every further sequential node gets that same number, or [NodeExists] where the
// name is taken. Only the later ones of several creates in one multi get numbers beyond it.
func WithSequenceWrap() Option {
	return func(o *options) error {
		o.wrap = true
		return nil
	}
}

// WithLogger sends the server's few log lines to l; by default they are discarded.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) error {
		if l == nil {
			return errors.New("the logger is nil: leave the option out to discard the log")
		}
		o.log = l
		return nil
	}
}
