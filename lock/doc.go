// Package lock has locks that several processes share through ZooKeeper: [Mutex], one holder at a
// time; [RWMutex], many readers or one writer; [Multi], several of them together, all or none.
//
//	stack := lock.NewMutex(cl, "/stacks/42")
//	err := stack.Do(ctx, func(ctx context.Context, held *lock.Held) error {
//		return updateStack(ctx, held.Token()) // ctx ends if the lock is lost
//	})
//
// Contenders are served in the order in which they came. The lock contends correctly with
// Apache Curator's InterProcessMutex and go-zookeeper's Lock on the same path, and with
// Kazoo's Lock under [WithLayout](recipes.Kazoo). The read-write lock does so with Curator's
// InterProcessReadWriteLock, and with Kazoo's ReadLock and WriteLock.
//
// A [Semaphore] is several permits instead of one lock, of which a holder takes as many as it needs.
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
//
// # Locks that outlive a process
//
// A service can be restarted without losing its locks: it finishes its work, leaves its session open by
// client.Client.Detach, and writes down the session's handle and [Held.Handle] of each lock. The next
// process connects with client.WithSession and calls [Resume] for each. Nobody gets a lock in
// between, provided that the next process connects within the session's timeout. What is not to be handed on
// has to be unlocked before: it stays locked as long as the session lives. Calls of Lock that are still waiting
// end with client.ErrDetached.
//
// Against crashes, write down client.Session.Handle at the start and the handle of each lock when it
// is taken. Resume then waits one session timeout, until the former process, should it be alive after
// all, cannot believe in the lock any more. The token of a lock that was taken up is the same as
// before, so it fences off later holders' predecessors, but not the former process from its successor.
// Places in line that a crashed process had stay in its session: [Mutex.Contenders] shows them, with the
// session's id, and whoever has taken the session over may break them ([Mutex.Break]).
//
// # Entering again
//
// A lock does not know who calls it: goroutines have no identity, and a lock that guessed one would be
// unlocked by the wrong one. Who holds it passes it on: [Held.Again] is the same holding once more, with a context of its own, and
// the lock is unlocked when the last one is.
//
// # Asking for a lock, and taking it
//
// [Mutex.Revoke] asks a contender to let go, in the way of Curator's Revoker and across to its processes: the data
// of its node becomes "__REVOKE__", in place of its identifier. A holder that cares waits for
// [Held.Revoked]. Nobody is forced.
//
// [Mutex.Break] takes the lock away by deleting the holder's node. That is for holders that nobody will ever
// hear of again; a live one is told, but possibly after the next one has begun, see above.
//
// # Locks that nobody's end ends
//
// [Mutex.LockPersistent] locks by a node that belongs to no session, as Kazoo's acquire(ephemeral=False)
// does: the lock is held until it is unlocked, in this process or in any other that was given [Persistent.Handle], or broken. It is in
// one line with all other contenders. The price: if its holder dies for good, only a person or a program that knows
// so can free it, by Break; the same goes for the node of a process that was killed while it
// waited for such a lock.
//
// # Leases
//
// [Lease] is for work that is to stay with one holder for longer than a session lives: an hourly job
// that keeps to its machine, and moves when that has failed. It is held until a time of day,
// whatever becomes of the process, and so is only as exclusive as the clocks of those who
// take part agree. It is Kazoo's NonBlockingLease, and shares a path with that; [MultiLease] is
// Kazoo's MultiNonBlockingLease.
package lock
