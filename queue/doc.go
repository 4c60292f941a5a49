// Package queue has queues that processes share through ZooKeeper: items are put by some and taken by
// others, leased, acknowledged, and handed out again when their consumer dies.
//
//	q := queue.New[Job](cl, "/jobs")
//	id, err := q.Put(ctx, job, queue.Priority(5))
//
//	item, err := q.Take(ctx)          // leased: at least once
//	err = work(item.Context(), item.Value)
//	err = item.Ack(ctx)               // or item.Nack(ctx, time.Minute)
//
//	for item, err := range q.Items(ctx, 16) { ... }
//	entry, err := q.Pop(ctx)          // at most once
//
// One type has it all, by options: order of arrival, [Priority], [Delay], [ID] (no second item of the same id),
// [WithCapacity], [WithMaxAttempts] and [Queue.Dead]. Items are JSON unless [NewWith] says otherwise. [Layout] has the
// queues of Kazoo and Curator, whose programs can put and take on the same path.
//
// # What is guaranteed
//
// A Put that returns nil has put its item once, whatever connections and sessions were lost meanwhile; one that
// returns an error has put nothing, unless client.Outcome says Unknown.
//
// An item is in the queue until somebody acknowledges or pops it. It is leased to one consumer at a time, and the lease is
// a grant as a lock is: its context ends before anybody else can have the item, and its token grows from lease to
// lease. An Ack that returns nil is the only one for that item. So what is delivered twice is delivered twice because a
// lease was lost or given back, and [Entry.Attempt] says so.
//
// No item is passed over for one of a worse priority that was put before it, also by a consumer that has looked at the queue
// before: what it knew is part of its claim.
//
// An item that arrives wakes one consumer of those that wait. A Take that is cancelled leaves nothing behind.
//
// # What is not
//
// Exactly once is not had from a queue: a consumer can die between its work and its Ack. What the work changes in
// ZooKeeper can go with [Item.Txn]; elsewhere let the target refuse an older [Item.Token], or make the work repeatable.
//
// Consumers that take at the same time may get neighbours in the other order, and an item that was given back, or has become
// due, may be up to a second late for a consumer that has others at hand. Delays go by the clocks of
// producers and consumers.
//
// An attempt is a lease: items that were prefetched by a consumer that dies have had one.
//
// A lease does not outlive its process: what is left to another one by client.Client.Detach stays leased until the session
// ends, and cannot be taken up. Whoever deletes a node in leases or below an item by hand ends that lease, but rings no bell.
//
// ZooKeeper is not a message broker. Every Put, claim and Ack is a write that each server commits to its disk, some
// thousands a second at best for the whole ensemble, and all items are in the memory of all servers and in every
// snapshot. It is the right place for work that has to be handed over with certainty, jobs of seconds, at hundreds a second
// and up to some 100,000 that wait; not for a stream of events, for items of more than some kilobytes (a megabyte at most), for
// fan-out to many readers, or for keeping what was done.
//
// # The native layout
//
//	/jobs                                    persistent
//	    segments/                            its data changes when a level is added
//	        100000005/                       a level: priority 5, as Curator writes it (0FFFFFFF6 is -10); its data changes with each put
//	            s-0000000017/                a segment; its data is "full" when nothing is added any more
//	                rbdzq…x-0000000123       an item: r or n, its id, and its number
//	                    l-0000000002         ephemeral: whose lease it is, and how many there were before
//	    delayed/                             its data changes with each put
//	        0029361234.000/                  a bucket: the minute since 1970
//	            1761674040000-100000005-rbdzq…x-0000000000   when it is due, its level, and an item's name
//	    leases/                              ephemeral, named as the items: what keeps others out
//	    holders/                             ephemeral, one for each session that takes
//	    ids/3f/iorder-4711                   an id that was given with ID; "k=600" once the item has gone
//	    lanes/…                              containers: see below
//	    consumers/, producers/               lines of those who wait
//	    bound                                the capacity
//	    dead/                                the queue of the dead letters
//
// An item's data begins with a line of text ("zq1 a=2", leases before it was moved, k the seconds that its id is remembered, r why
// it is dead); its bytes follow. Items are put into the last segment of their level, by a transaction that
// checks that it is not full; whoever has made the 1,000th begins the next one. Consumers list the first, and delete those that are
// empty. So no list is longer than a segment, which a burst of several producers can overfill by what they put at once, and
// the leases. Levels stay: use few priorities. Keep fewer than 10,000 items leased at a time.
//
// A lease is two nodes, made in one transaction: the one in leases has the item's name, so there is one; the one below the
// item is sequential, so nobody else's can be mistaken for it, and its number counts the attempts. An Ack deletes both and the item, and
// fails without the own one. Both are ephemeral: the items of a consumer that dies are free by themselves.
//
// Every transaction of a queue also changes a lane, a node of this process, from the version that it had.
// When an answer is lost, the lane tells whether the transaction was committed; and the change that asks
// makes sure that it never will be if it was not. That works in the next session as well. A lane
// is deleted by the servers once no session uses it, within a minute or two; if the outcome could not be found out before, it is
// reported as Unknown.
//
// # What it costs
//
// Requests, once the queue's nodes and a lane are there, which for a new queue takes about eight:
//
//	Put              1, and one more for each 1,000 items
//	PutAll           1 for 500 items of up to 1 kB
//	a look           3, when nothing is known, or what is known is older than a second; 1 for 16 items to read them
//	Take, Pop        1 for the claim
//	TakeAll          1 for 500 items, and those of looking and reading
//	Ack, Nack        1; AckAll 1 for 500 items
//	a wait           about 10, and those of a Take, when an item arrives
//	Len              3
//
// Leases are confirmed with the session, every fifth of its timeout, as all grants are: one request for a thousand of them, and a
// watch for each that is held for longer than that.
package queue
