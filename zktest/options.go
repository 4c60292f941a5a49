package zktest

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
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
	servers   int
	addresses []string
	tick      time.Duration
	min, max  time.Duration
	maxBuffer int
	wrap      bool
	separate  bool
	noLocal   bool
	sweep     time.Duration
	memory    bool
	members   members
	super     string // the digest of the super user's credential
	fixtures  []*document
	log       *slog.Logger
}

// Option changes one setting of a [Server].
type Option func(*options) error

func newOptions(opts []Option) (options, error) {
	o := options{servers: 1, tick: DefaultTick, maxBuffer: DefaultMaxBuffer, log: slog.New(slog.DiscardHandler)}
	for i, opt := range opts {
		if opt == nil {
			return options{}, fmt.Errorf("zktest: option %d is nil", i)
		}
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
	switch {
	case len(o.addresses) > o.servers:
		return options{}, fmt.Errorf("zktest: WithAddresses has %d addresses for %d servers", len(o.addresses), o.servers)
	case len(o.addresses) > 0 && o.memory:
		return options{}, errors.New("zktest: WithAddresses does not go with WithInMemoryNetwork, which has none to choose")
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

// WithSeparateWatchModes lets a one-shot, a persistent and a recursive watch of one
// connection be side by side on a path, as servers do from 3.9 on (ZOOKEEPER-4466), and
// removeWatches name the persistent ones by types of their own. Without it there is one
// mode for a path, as on 3.6 to 3.8: a read that leaves a watch makes a persistent watch
// of its connection one-shot, and addWatch the other way round; and removeWatches for
// children or for data takes one half of a persistent watch away.
func WithSeparateWatchModes() Option {
	return func(o *options) error {
		o.separate = true
		return nil
	}
}

// WithAddresses sets where the servers listen, host:port, in their order; those for which there is none take a
// free port of the loopback interface, as all do without it. Addresses that others can reach give
// them everything: there is no user and no password. It does not go with [WithInMemoryNetwork].
func WithAddresses(addresses ...string) Option {
	return func(o *options) error {
		for _, a := range addresses {
			if _, _, err := net.SplitHostPort(a); err != nil {
				return fmt.Errorf("WithAddresses: %w", err)
			}
		}
		o.addresses = slices.Clone(addresses)
		return nil
	}
}

// WithContainerInterval makes the server look for empty containers and for nodes whose
// time to live is over only each time that d of its own clock has passed, as a real
// server does once a minute (znode.container.checkIntervalMs). Without it each goes as
// soon as it is due. [Server.AdvanceClock] moves the clock.
func WithContainerInterval(d time.Duration) Option {
	return func(o *options) error {
		if d < time.Millisecond {
			return fmt.Errorf("container interval of %v: a millisecond is the least", d)
		}
		o.sweep = d
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
