package barrier

import (
	"fmt"
	"os"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// config is what options change.
type config struct {
	layout recipes.Layout
	data   []byte
}

// Option changes how a [Barrier] or a [Double] works. An option that cannot be is
// reported by the first call, not ignored.
type Option func(*config) error

// WithLayout says whose znodes they are. Curator and Kazoo recognise each other's
// barriers, so the layout decides about details only: missing parents are made as a
// container or as plain nodes; a [Double]'s node is named by a UUID with
// dashes or without; and with recipes.Kazoo a Double reckons with participants that delete the
// node `ready` as soon as they leave, as Kazoo's do ([ErrMissed]). Default: recipes.Curator.
func WithLayout(layout recipes.Layout) Option {
	return func(c *config) error {
		if layout != recipes.Curator && layout != recipes.Kazoo {
			return fmt.Errorf("%w: %s is not a layout: use recipes.Curator or recipes.Kazoo", client.ErrBadArgument, layout)
		}
		c.layout = layout
		return nil
	}
}

// WithIdentifier sets the text by which people tell who has closed the barrier, or whose node
// it is in a double one; it is stored as the node's data and has no meaning for the barrier
// itself. At most 64 KiB. Default: host name and process id, such as "web-3-41172".
func WithIdentifier(id string) Option {
	return func(c *config) error {
		if len(id) > maxIdentifier {
			return fmt.Errorf("%w: the identifier has %d bytes, at most %d are allowed", client.ErrBadArgument, len(id), maxIdentifier)
		}
		c.data = []byte(id)
		return nil
	}
}

const maxIdentifier = 64 << 10

// configure checks what every constructor is given.
func configure(cl *client.Client, path string, opts []Option) (config, error) {
	c := config{data: []byte(defaultIdentifier())}
	if cl == nil {
		return c, fmt.Errorf("%w: the client is nil", client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return c, err
	}
	if path == "/" {
		return c, fmt.Errorf("%w: the root always exists, so it can be no barrier", client.ErrBadArgument)
	}
	for i, opt := range opts {
		if opt == nil {
			return c, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// containers tells whether the layout makes parents as containers.
func containers(layout recipes.Layout) bool { return layout == recipes.Curator }

// parents is how missing parents are made.
func (c *config) parents() client.CreateOption {
	if containers(c.layout) {
		return client.WithContainerParents()
	}
	return client.WithParents()
}

func defaultIdentifier() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
