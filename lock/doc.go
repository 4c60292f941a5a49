// Package lock has a lock that several processes share through ZooKeeper.
//
//	stack := lock.NewMutex(cl, "/stacks/42")
//	err := stack.Do(ctx, func(ctx context.Context, held *lock.Held) error {
//		return updateStack(ctx, held.Token()) // ctx ends if the lock is lost
//	})
//
// Contenders are served in the order in which they came. The lock contends correctly with
// Apache Curator's InterProcessMutex and go-zookeeper's Lock on the same path, and with
// Kazoo's Lock under [WithLayout](recipes.Kazoo).
//
// # A lock can be lost
//
// A lock belongs to a session, and sessions end: when the process or the network stops
// for longer than the session timeout, the servers give the lock to the next in line. No
// lock service can do otherwise, since it cannot tell a dead holder from a slow one. So do not
// assume that you hold it until Unlock. Run the work on [Held.Context] (Do passes it),
// which ends before anybody else can get the lock, even if the holder's server has
// been cut off from the others without noticing (that last only without
// client.WithoutConfirmation). One thing it cannot see coming: if somebody deletes the lock's
// node, the next in line may begin up to a fifth of the session timeout before the
// holder's context ends.
//
// That covers everything but time that the process does not see passing: a process that is
// stopped, swapped out or paused by its hypervisor in the middle of a write wakes up
// and writes on, perhaps long after the next holder has begun. Against that only the
// resource itself can help, by fencing:
//
//   - [Held.Token] is a number that grows with each holding. Send it along with each write, and
//     have the resource refuse a token smaller than the greatest it has seen.
//   - [Held.Txn] does the same for writes to ZooKeeper: a transaction that is refused once the
//     lock has gone.
//
// Where the resource cannot check a token and the write must not happen twice, a lock
// makes that unlikely, not impossible.
package lock
