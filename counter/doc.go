// Package counter has numbers and small values that processes share through ZooKeeper: [Counter] is an
// integer that is added to, set, compared and watched, [SharedValue] the same for a few bytes.
//
//	hits := counter.New(cl, "/stats/hits")
//	n, err := hits.Add(ctx, 1) // added exactly once, whatever becomes of the reply
//
// Kazoo's Counter and Curator's DistributedAtomicLong, DistributedAtomicInteger, SharedCount and
// SharedValue share a node with them: see [Layout].
//
// # What is guaranteed
//
// A change is made exactly once if the error is nil, and not at all if client.Outcome of the error is NotSent or
// Definite: also when replies are lost, and when the session is lost with them. That is more than
// can be had from the node alone, since others may have changed it in between. So each change is
// written in one transaction together with a receipt, a node of the writer's own (in /zookit/receipts, see
// [WithReceipts]): its version tells later, in any session, whether the transaction was carried out, and who
// writes it first keeps one that is still under way from ever being. What cannot be found out is reported as Unknown,
// never guessed and never repeated.
//
// Changes are linearizable among each other: each is made at some moment between its call and its return, to what the
// node was then. So is the refusal of one (false from CompareAndSet, [ErrOverflow]).
//
// # What it costs
//
// A change that is alone takes two round trips: a read together with the making of a receipt, and the transaction. As long as
// changes of one Counter follow each other within a second, and nobody else changes the node, each is
// one request. Changes that are asked for while one is on its way go out together in the next. A receipt is deleted
// when it has not been used for a second (one request).
//
// Clients that change one node at the same time get in each other's way: who was beaten waits, by chance and the longer the
// more often, so that however many they are about two of three attempts succeed.
//
// # What is not
//
// A process that ends, or closes its client, within a second of its last change leaves a receipt of a few bytes. Others
// that use the same directory delete it, but not before it has been there for a day; until then
// it does no harm.
//
// A node that is deleted and made again while a change is under way is changed all the same if its
// version happens to be what the old one's was: ZooKeeper cannot check more. None of the libraries deletes counters.
//
// Kazoo's and Curator's own changes stay what they are: both count twice when a reply is lost.
// Curator's promotion to a lock (PromotedToLock) guards against contention only, and within the lock the node is written with its
// version as without; so zookit need not take that lock. Values that Curator compresses are not understood.
//
// ZooKeeper commits some thousands of writes a second, for everybody together: count what has to be right, not what has to be fast.
package counter
