// Package recipes is what zookit's recipes stand on, exported so that others can be
// written: contenders in a line, and what is granted to the one whose turn it is.
//
//   - [Line] is ordered contenders in a directory; a [Rule] says who waits for whom.
//     A mutex, an election and a read-write lock are lines with different rules.
//   - [Pool] is a number of permits behind a line: a semaphore.
//   - [Grant] is something held. It ends by Release or by itself, says so through its context,
//     and carries a token that protected resources can check.
//   - [GrantHandle] is a grant written down, which the next process takes up ([Resume]) in the
//     session that was left to it.
//   - [Persistent] is something held that no session ends, only its release.
//   - [Removal] is the deletion of an own node, carried on in the background until it is gone.
//   - [Node] is an ephemeral node that is kept: made again in each new session and whenever somebody
//     deletes it. Memberships and registrations are such nodes.
//   - [Mirror] is a live copy of a subtree: what members, instances and settings are read from.
//   - [Layout] is whose znodes they are: Curator's (and go-zookeeper's) or Kazoo's, so that
//     programs written with those libraries contend with zookit's.
//
// Who only wants a lock needs package lock.
//
// # What is guaranteed
//
// Nobody is granted whom the rule makes wait for another, before that other's grant has
// ended and its context with it: whatever is cut, killed or slow, since a grant lives by
// writes that a quorum has committed in its session, never by the word of one server.
// Assumed are clocks that run at nearly the same rate.
//
// No context can stop code that does not look at it, and none ends while the process is
// frozen. What must not be done twice is therefore fenced: writes to ZooKeeper by
// [Grant.Txn], which the servers refuse once the grant's node is gone, and everything
// else by [Grant.Token], which the protected resource has to compare.
//
// Waiting leaves nothing behind: cancelled at any point, a wait has left no node,
// no watch and no goroutine once the clean-up, which goes on in the background, is through.
//
// # What is not
//
// A line is as fair as its sequence numbers: who loses its session, or whose node somebody
// deletes, joins again at the end. Programs that write another layout on the same path are
// detected ([ErrLayoutConflict]), not excluded. After 2^31 contenders a directory's numbers are
// used up: zookit then orders by the age of nodes, at the price of a read for each contender,
// while other libraries lose mutual exclusion; delete such a directory when nobody uses it.
package recipes
