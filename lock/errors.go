package lock

import "github.com/zookit/zookit/recipes"

// The errors of this package; test for them with [errors.Is]. What the client
// reports (client.ErrClosed, client.ErrNoAuth, client.ErrBadArgument, ...) comes through
// wrapped.
var (
	// ErrBusy is returned by [Mutex.TryLock] and its kin when somebody else has the lock
	// or is waiting for it. Nothing was taken and nothing is left behind.
	ErrBusy = recipes.ErrBusy

	// ErrLost is in the error of [Mutex.Do], [Held.Err] and a fenced transaction,
	// and the cause of [Held.Context], when the lock ended otherwise than by
	// Unlock; the reason comes with it. [Persistent.Check] says it of a lock that was broken.
	ErrLost = recipes.ErrGrantLost

	// ErrUnlocked is the cause of [Held.Context] after Unlock, what [Held.Again] returns from then on,
	// and what [Persistent.Check] says after [Persistent.Unlock].
	ErrUnlocked = recipes.ErrReleased

	// ErrNoContender is returned by [Mutex.Revoke] when the contender neither holds the lock
	// nor waits for it any more.
	ErrNoContender = recipes.ErrNoContender

	// ErrLayoutConflict is returned when programs that write their locks in another
	// layout contend on the same path: they would not see this lock. Give all of
	// them one layout, or another path.
	ErrLayoutConflict = recipes.ErrLayoutConflict

	// ErrLimitConflict is returned when a semaphore was given another limit than the one that
	// is stored on its path. Give all programs the same; [Semaphore.SetLimit] changes it while they run.
	ErrLimitConflict = recipes.ErrLimitConflict

	// ErrOverLimit is returned by [Semaphore.Acquire] for more permits than the limit:
	// there will never be so many.
	ErrOverLimit = recipes.ErrOverLimit

	// ErrUsedUp is returned by [RWMutex.Downgrade] when the sequence numbers of the lock's
	// directory are used up or soon will be, after two thousand million contenders: a
	// reader could not keep the writer's place. The lock is still held for writing. Delete such a
	// directory when nobody uses it.
	ErrUsedUp = recipes.ErrUsedUp
)
