package barrier

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// The errors of this package; test for them with [errors.Is]. What the client
// reports (client.ErrClosed, client.ErrNoAuth, client.ErrBadArgument, ...) comes through
// wrapped.
var (
	// ErrEntered is returned by [Double.Enter] while the same Double is inside, or on its
	// way in or out: it stands for one participant. Nothing has been done.
	ErrEntered = errors.New("this participant has entered already")

	// ErrMissed is returned by [Double.Enter] in Kazoo's layout when the barrier may have opened and
	// closed again while the connection was lost. The participant has been
	// withdrawn: the others may have gone through without it.
	ErrMissed = errors.New("the barrier may have opened and closed while the connection was lost")

	// ErrLost is the cause of [Inside.Context], and returned by [Inside.Leave], when the
	// participant was taken out of the barrier otherwise than by Leave; the reason
	// comes with it: client.ErrSessionLost, client.ErrHoldDeleted (somebody deleted its
	// node), client.ErrUnconfirmed or client.ErrClosed.
	ErrLost = recipes.ErrGrantLost

	// ErrLeft is the cause of [Inside.Context] once Leave has been called.
	ErrLeft = recipes.ErrReleased
)

// Reasons to begin again; they never reach the user.
var (
	errOwnGone   = errors.New("the own node is gone")
	errRoundOver = errors.New("the round before is coming to its end")
)

// passing says whether an error of an attempt is one that a new attempt may not meet.
func passing(err error) bool {
	for _, again := range []error{errOwnGone, errRoundOver, client.ErrSessionLost, client.ErrConnectionLost, client.ErrReadOnly, client.ErrNoNode} {
		if errors.Is(err, again) {
			return true
		}
	}
	return false
}

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
