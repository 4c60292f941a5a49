package counter

import (
	"fmt"

	"github.com/zookit/zookit/client"
)

// config is what options change.
type config struct {
	layout   Layout
	initial  int64
	receipts string
}

// Option changes how a [Counter] or a [SharedValue] works. An option that cannot be is reported by the
// first call, not ignored.
type Option func(*config) error

// WithLayout says how the number of a [Counter] is written. Default: [Long]. A [SharedValue] has no
// use for it.
func WithLayout(layout Layout) Option {
	return func(c *config) error {
		if !layout.known() {
			return fmt.Errorf("%w: %s is not a layout: use counter.Long, counter.Int or counter.Text", client.ErrBadArgument, layout)
		}
		c.layout = layout
		return nil
	}
}

// WithInitial sets what a [Counter] is while its node does not exist or is empty. Default: 0. All programs
// should agree on it; Curator's DistributedAtomicLong always takes 0. A [SharedValue] has no use for it.
func WithInitial(n int64) Option {
	return func(c *config) error {
		c.initial = n
		return nil
	}
}

// WithReceipts sets the directory of the receipts, by which it is known of a change whose reply
// was lost whether it was made. Default: /zookit/receipts, within the chroot. Missing parents are made. The
// client needs the right to create and delete nodes in it, and to write them; nobody else
// need have any. All clients can share one.
func WithReceipts(dir string) Option {
	return func(c *config) error {
		if err := client.CheckPath(dir); err != nil {
			return err
		}
		c.receipts = dir
		return nil
	}
}

const defaultReceipts = "/zookit/receipts"

// configure checks what every constructor is given.
func configure(cl *client.Client, path string, opts []Option) (config, error) {
	c := config{receipts: defaultReceipts}
	if cl == nil {
		return c, fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return c, err
	}
	for i, opt := range opts {
		if opt == nil {
			return c, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	if !c.layout.fits(c.initial) {
		return c, fmt.Errorf("%w: the initial value %d is no number in layout %s", client.ErrBadArgument, c.initial, c.layout)
	}
	return c, nil
}
