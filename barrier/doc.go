// Package barrier has barriers that several processes share through ZooKeeper: [Barrier] holds
// everybody back until somebody opens it, [Double] lets a group of n begin together and end together.
//
//	gate := barrier.New(cl, "/jobs/gate")
//	err := gate.Wait(ctx) // until nobody keeps it closed
//
//	d := barrier.NewDouble(cl, "/jobs/gather", 3)
//	in, err := d.Enter(ctx) // until three are there
//	...
//	err = compute(in.Context()) // ends if this participant is lost
//	...
//	err = in.Leave(ctx) // until all have left
//
// Kazoo's Barrier and DoubleBarrier and Curator's DistributedBarrier and DistributedDoubleBarrier take
// part on the same path.
//
// # What is guaranteed
//
// Wait returns once the node is gone, or has been: also when it went, or was made again, while the connection or
// the session was lost. Create and Remove tell whether it was this call that closed or opened the
// barrier, also when replies are lost.
//
// Enter does not return before n participants have been there at once, whatever was left from
// former rounds, and not without the own node being there. Nor does it wait for ever
// because of a lost connection: it looks again. Leave does not return nil before all have left that
// were inside when it was called. A call that is cancelled leaves no node, no watch and no
// goroutine behind; the clean-up goes on in the background.
//
// # What becomes of whom in a double barrier
//
//   - A participant that crashes before the round is open is not counted any more once its session has
//     expired; until then its node counts, as nobody can know.
//   - One that crashes inside, or while it leaves, is not waited for once its session has expired.
//   - One that lives and loses its session inside learns it from [Inside.Context], before the others
//     can have left without it; its Leave returns [ErrLost].
//   - One that loses its session in Enter comes again in the next session.
//   - One whose Enter ends with an error (its context has ended) is taken out; the others wait for
//     another one.
//   - One too many, who comes before the round opens, is let in with the others: n is a threshold. One who comes when
//     the round is open is let in if n are inside. Otherwise the round is coming to its end, or has lost
//     somebody: it waits, without a node, and takes part in the next.
//   - Whoever has left may enter again at once. Leave does not wait for it, and it is counted
//     in the next round only.
//
// A round is open while the node `ready` stands. Who is the last to leave deletes it together with its
// own node. If that one crashes, ready is stale: no participant is older than it. The next that
// enters deletes it then.
//
// # What is not
//
// Any ephemeral child of a double barrier's directory is a participant, since the libraries choose their
// names freely: keep other ephemeral nodes out of it. Other children do not matter to zookit, but Kazoo
// and Curator count them.
//
// What the libraries do wrong among themselves they do with zookit, too. Both let
// one in that finds a stale ready, and Curator's participants that use a barrier again can
// wait for each other in Leave when there are more than two. Kazoo's begin to
// watch for ready only after their node is made, and delete it as soon as the first leaves. So those can miss a
// round, and wait until they are stopped; use [WithLayout](recipes.Kazoo) where
// they take part: then a Double that may have missed a round says [ErrMissed].
//
// The node of a barrier and the nodes of a double one must be readable: servers do not tell those who
// may not read a node what happens to it.
package barrier
