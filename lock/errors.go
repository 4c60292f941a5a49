package lock

import "github.com/zookit/zookit/recipes"

// The errors of this package; test for them with [errors.Is]. What the client
// reports (client.ErrClosed, client.ErrNoAuth, client.ErrBadArgument, ...) comes through
// wrapped.
var (
	// ErrBusy is returned by [Mutex.TryLock] when somebody else has the lock
	// or is waiting for it. Nothing was taken and nothing is left behind.
	ErrBusy = recipes.ErrBusy

	// ErrLost is in the error of [Mutex.Do], [Held.Err] and a fenced transaction,
	// and the cause of [Held.Context], when the lock ended otherwise than by
	// Unlock; the reason comes with it.
	ErrLost = recipes.ErrGrantLost

	// ErrUnlocked is the cause of [Held.Context] after Unlock.
	ErrUnlocked = recipes.ErrReleased

	// ErrLayoutConflict is returned when programs that write their locks in another
	// layout contend on the same path: they would not see this lock. Give all of
	// them one layout, or another path.
	ErrLayoutConflict = recipes.ErrLayoutConflict
)
