package lock

import (
	"fmt"
	"os"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Option changes how a [Mutex] or a [Semaphore] works. An option that cannot be is reported by
// its first call, not ignored.
type Option func(*recipes.LineConfig) error

// WithLayout says in whose znodes the lock is written. All programs that contend
// on a path have to use the same. Default: recipes.Curator, which Apache Curator's and
// go-zookeeper's locks share; recipes.Kazoo is for contending with Kazoo.
func WithLayout(layout recipes.Layout) Option {
	return func(c *recipes.LineConfig) error {
		c.Layout = layout
		return nil
	}
}

// WithIdentifier sets the text by which people and [Mutex.Contenders] tell whose lock
// node it is; it is stored as the node's data. It has no meaning for the lock itself and
// need not be unique. At most 64 KiB, and not "__REVOKE__", which is a request: see [Mutex.Revoke]. Default: host name and process id,
// such as "web-3-41172".
func WithIdentifier(id string) Option {
	return func(c *recipes.LineConfig) error {
		if len(id) > maxIdentifier {
			return fmt.Errorf("%w: the identifier has %d bytes, at most %d are allowed: it is stored in every contender's node", client.ErrBadArgument, len(id), maxIdentifier)
		}
		if id == recipes.RevokeMessage {
			return fmt.Errorf("%w: the identifier %s would ask its own holder to let go", client.ErrBadArgument, id)
		}
		c.Data = []byte(id)
		return nil
	}
}

const maxIdentifier = 64 << 10

// WithTolerance makes the mutex wait for contenders of other layouts instead of
// failing with [ErrLayoutConflict]. The others go on not seeing this mutex, so
// the two do not exclude each other: it is for the time in which the last
// programs of the other layout finish.
func WithTolerance() Option {
	return func(c *recipes.LineConfig) error {
		c.Tolerant = true
		return nil
	}
}

// WithShortLine says how many contenders a line may have to be listed at each hand-over. In longer ones who leaves tells the next
// instead: that is two requests more, and does not grow with the line; see recipes.LineConfig. Negative: none is listed. Default: 64.
func WithShortLine(contenders int) Option {
	return func(c *recipes.LineConfig) error {
		c.ShortLine = contenders
		return nil
	}
}

func defaultIdentifier() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
