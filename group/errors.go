package group

import (
	"errors"

	"github.com/zookit/zookit/recipes"
)

// The errors of this package; test for them with [errors.Is]. What the client reports
// (client.ErrClosed, client.ErrNoAuth, client.ErrBadPath, client.ErrBadArgument, the context's
// error, ...) comes through wrapped.
var (
	// ErrTaken is returned by [Join], together with the error of its context, when somebody else is a
	// member under that id, and alone when this very client is.
	ErrTaken = recipes.ErrNodeTaken

	// ErrLeft is returned by [Member.Set] after [Member.Leave].
	ErrLeft = recipes.ErrNodeClosed

	// ErrLost is the cause of a partition's context, and in the error of [Partition.Err] and of
	// fenced transactions, when its ownership has ended by itself; the reason comes with it: client.ErrSessionLost,
	// client.ErrHoldDeleted (somebody deleted its node), client.ErrUnconfirmed (no quorum has
	// confirmed it in time) or client.ErrClosed.
	ErrLost = recipes.ErrGrantLost

	// ErrMoved is the cause of a partition's context when the partition belongs to another member now:
	// members have come or gone, or this one has.
	ErrMoved = errors.New("partition belongs to another member now")

	// ErrRunning is returned by [Partitioner.Run] while another call is under way.
	ErrRunning = errors.New("partitioner runs already")

	// ErrLayoutConflict is returned when the lock of a partition has contenders of another layout.
	ErrLayoutConflict = recipes.ErrLayoutConflict
)
