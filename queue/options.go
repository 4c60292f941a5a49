package queue

import (
	"fmt"
	"os"
	"time"

	"github.com/zookit/zookit/client"
)

// Limits and defaults.
const (
	// MaxID is how many bytes an id can have.
	MaxID = 128
	// DefaultMemory is for how long the ids of items that are gone are remembered.
	DefaultMemory = 10 * time.Minute
	// DefaultSegment is how many items a segment of the native layout is filled with.
	DefaultSegment = 1000
	// MaxTake is how many items one TakeAll returns at most.
	MaxTake = 10_000
)

// config is what options change.
type config struct {
	layout   Layout
	lockPath string
	capacity int
	attempts int
	memory   time.Duration
	segment  int
	owner    string
}

// Option changes how a [Queue] works. An option that cannot be is reported by every call, not ignored.
type Option func(*config) error

// WithLayout says whose znodes the queue's are. Default: [Native].
func WithLayout(l Layout) Option {
	return func(c *config) error {
		if int(l) >= len(layoutNames) {
			return fmt.Errorf("%w: %s is not a layout", client.ErrBadArgument, l)
		}
		c.layout = l
		return nil
	}
}

// WithLockPath gives a queue in one of Curator's layouts the directory in which consumers lock the items that
// they have, as QueueBuilder.lockPath does: without it items cannot be leased. It must be the same for
// all consumers, Curator's among them.
func WithLockPath(path string) Option {
	return func(c *config) error {
		c.lockPath = path
		return client.CheckPath(path)
	}
}

// WithCapacity bounds the queue to n items, leased and delayed ones included: a Put that would
// exceed it waits for room. The number is stored with the queue; all producers must have the same
// ([ErrCapacityConflict]), and those without the option, as those of other libraries, are not
// bound by it. Puts into a bounded queue exclude each other, so many producers at once are slower
// than without. Default: none.
func WithCapacity(n int) Option {
	return func(c *config) error {
		if n < 1 || n > 1<<30 {
			return fmt.Errorf("%w: a capacity of %d: it is from 1 to %d", client.ErrBadArgument, n, 1<<30)
		}
		c.capacity = n
		return nil
	}
}

// WithMaxAttempts moves an item to the dead letters ([Queue.Dead]) instead of leasing it more often than
// n times. Default: 0, any number of times.
func WithMaxAttempts(n int) Option {
	return func(c *config) error {
		if n < 0 {
			return fmt.Errorf("%w: at most %d attempts", client.ErrBadArgument, n)
		}
		c.attempts = n
		return nil
	}
}

// WithMemory says for how long the ids that this producer gives to its items ([ID]) are remembered once the items
// are gone, in whole seconds: so long a Put of the same id adds nothing. It is counted by
// the clocks of servers and consumers. 0: not at all. Default: [DefaultMemory].
func WithMemory(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 || d > 365*24*time.Hour {
			return fmt.Errorf("%w: ids cannot be remembered for %v: it is from 0 to 365 days", client.ErrBadArgument, d)
		}
		c.memory = d
		return nil
	}
}

// WithSegment sets how many items a segment is filled with, from 10 to 5000, in the native layout: what a look at the
// queue lists. Default: [DefaultSegment].
func WithSegment(n int) Option {
	return func(c *config) error {
		if n < 10 || n > 5000 {
			return fmt.Errorf("%w: segments of %d items: they have from 10 to 5000", client.ErrBadArgument, n)
		}
		c.segment = n
		return nil
	}
}

// WithOwner sets the text by which people tell whose lease it is; it is stored in the lease's node. At most
// 256 bytes. Default: host name and process id. In Kazoo's layout the default is 32 hexadecimal digits.
func WithOwner(text string) Option {
	return func(c *config) error {
		if len(text) > 256 {
			return fmt.Errorf("%w: the owner's text has %d bytes, at most 256 are allowed", client.ErrBadArgument, len(text))
		}
		c.owner = text
		return nil
	}
}

// configure checks what New is given.
func configure(cl *client.Client, path string, opts []Option) (config, error) {
	c := config{memory: DefaultMemory, segment: DefaultSegment}
	if cl == nil {
		return c, fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return c, err
	}
	if path == "/" {
		return c, fmt.Errorf("%w: the root cannot be a queue", client.ErrBadArgument)
	}
	for i, opt := range opts {
		if opt == nil {
			return c, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	if c.lockPath != "" && !c.layout.distributed() {
		return c, fmt.Errorf("%w: %s has no lock path", client.ErrBadArgument, c.layout)
	}
	if c.owner == "" {
		c.owner = defaultOwner(c.layout)
	}
	return c, nil
}

func defaultOwner(l Layout) string {
	if l == KazooLockingQueue {
		return randomHex()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// putting is what options of a Put change.
type putting struct {
	priority *int
	due      time.Time
	ids      []string
	single   bool
	ifRoom   bool
}

// PutOption says something about the items of one Put.
type PutOption func(*putting) error

// Priority sets the items' priority: those with a lower number come out first, those of one number
// in the order in which they were put. Use few different ones: each has nodes of its own, which stay. Default: 0, in Kazoo's
// layouts 100.
func Priority(p int) PutOption {
	return func(o *putting) error {
		o.priority = &p
		return nil
	}
}

// Delay keeps the items back for d, by the clocks of this process and the consumers'.
func Delay(d time.Duration) PutOption {
	return func(o *putting) error {
		if d < 0 {
			return fmt.Errorf("%w: a delay of %v", client.ErrBadArgument, d)
		}
		if d > 0 {
			o.due = time.Now().Add(d)
		}
		return nil
	}
}

// NotBefore keeps the items back until t, by the consumers' clocks, in whole milliseconds. A time that has passed is no delay.
func NotBefore(t time.Time) PutOption {
	return func(o *putting) error {
		if t.UnixMilli() >= 1e13 {
			return fmt.Errorf("%w: an item cannot be put for %v: the latest is the year 2286", client.ErrBadArgument, t)
		}
		o.due = t
		return nil
	}
}

// ID gives the item an id. In the native layout a Put whose id the queue knows adds nothing and
// returns [ErrDuplicate]: see [WithMemory]. From 1 to [MaxID] bytes. Default: a random
// one, which nobody else can have. For one item only.
func ID(id string) PutOption {
	return func(o *putting) error {
		o.single = true
		return IDs(id)(o)
	}
}

// IDs is [ID] for the items of a PutAll, one for each.
func IDs(ids ...string) PutOption {
	return func(o *putting) error {
		for _, id := range ids {
			if id == "" || len(id) > MaxID {
				return fmt.Errorf("%w: an id has 1 to %d bytes, %.200q has %d", client.ErrBadArgument, MaxID, id, len(id))
			}
		}
		o.ids = ids
		return nil
	}
}

// IfRoom makes the Put return [ErrFull] where it would wait for room.
func IfRoom() PutOption {
	return func(o *putting) error {
		o.ifRoom = true
		return nil
	}
}
