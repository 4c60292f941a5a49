package counter

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// The errors of this package; test for them with [errors.Is]. What the client reports
// (client.ErrClosed, client.ErrNoAuth, client.ErrBadArgument, ...) comes through wrapped, and
// client.Outcome tells of each whether the change can have been made.
var (
	// ErrOverflow is returned when the sum is no number of the counter's [Layout]. Nothing has been
	// changed.
	ErrOverflow = errors.New("overflow")

	// ErrLayoutConflict is returned when the node's data is no number of the counter's [Layout]: another
	// layout, or no counter at all. Nothing has been changed. Give all programs one layout, or another path.
	ErrLayoutConflict = recipes.ErrLayoutConflict

	// ErrUnresolved is returned, with client.Outcome Unknown, when the reply to a change was lost, and the
	// node by which its outcome would be known has been deleted or written by somebody else.
	ErrUnresolved = errors.New("what became of the change cannot be found out")

	// ErrVersionsUsedUp is returned when the node has been changed so often, 2^32-1 times, that ZooKeeper
	// would take its version for any version, so that no change of it can be guarded. Nothing
	// has been changed. A Set, which needs no guard then, leads past it.
	ErrVersionsUsedUp = errors.New("the node's version is -1, which matches any")
)

// errMismatch is why a compare-and-set that found another value changes nothing; it never reaches the user.
var errMismatch = errors.New("another value")

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

// harmless gives the error of something that has changed nothing an outcome that says so.
func harmless(op, path string, err error) error {
	kind := client.Outcome(err)
	if kind == client.Unknown {
		kind = client.NotSent
	}
	return &client.OpError{Op: op, Path: path, Outcome: kind, Err: err}
}
