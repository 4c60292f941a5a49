// Package work is what the performance laboratory and its workers say to each other, and the loop of a
// worker that is written in Go.
//
// Each library is measured in a process of its own, started as
//
//	<program> <arguments> --servers host:port,host:port
//
// It reads one [Spec] a line from its standard input and answers each with one [Sample] a line on its
// standard output, until the input ends; then it exits. Standard error is for whoever looks on. Nothing else may be
// printed to standard output. A work that the library lacks is answered with the error "absent", a work that
// failed with what went wrong, and the worker goes on.
//
// # What is measured
//
// Seconds and CPU are those of the measured part alone: connecting clients, making nodes and filling queues come
// before it, closing clients after it. Either Ops or Millis bounds the measured part; where both are given whatever
// comes first. When the time is up it ends there and then: what is still under way does not count. The caller warms up, by a spec whose sample it throws away. Path is fresh for every spec and does not
// exist; what the work leaves there may stay. At most [MaxLatencies] latencies are answered, evenly chosen, in any order.
//
// Where a Spec has Marks, the worker prints the line {"mark":"begin"} when all is ready for the measured part, and goes on when it
// has read a line (whatever that says); the same with {"mark":"end"} when the measured part is over, before anything is
// cancelled or closed. In between the caller counts what passes on the wire. Where a work ends while others wait in line, whoever was granted last
// still holds at that time.
//
// # The works
//
// A client is what the library calls so, with a session of its own. Sessions says how many sessions the
// clients of a spec share; zero stands for one each.
//
//   - "get", "set": one client; Inflight operations are under way at any time, on one node of Size bytes at Path. The
//     library's own way to pipeline is taken: asynchronous calls, or as many threads.
//   - "create": the same with persistent nodes of Size bytes below Path, each of another name.
//   - "lock.floor": one client, a bare create of an ephemeral sequential node followed by its bare delete, one pair after
//     the other. The directory exists. Ops are pairs; a latency is that of a pair.
//   - "lock.uncontended": one client and one lock, acquire and release, one pair after the other.
//   - "lock.handover": Clients contenders for one lock, each of which acquires and releases without a pause. The
//     first one holds the lock until [SettleTime] (of 1,000 and more: [LongSettleTime]) after all others stand in line; the clock starts with its release. Ops and Grants are the
//     grants since then.
//   - "lock.drain": Clients contenders for one lock, each of which acquires and releases it once. The first holds it until all others
//     stand in line; the clock starts with its release. After Ops grants the measured part is over, while the last of them is held. So the line
//     shrinks, and what a grant costs is the hand-over alone, without joining.
//   - "election.resign": Clients candidates; who leads resigns at once and campaigns again. A latency is from the call that
//     resigns to the moment at which the next leader acts: its function runs, or its call returns.
//   - "election.crash": the worker starts itself with the further arguments "--candidate Path", which makes it a process that
//     campaigns at Path, prints the line "leading" when it leads and waits to be killed. The worker itself then
//     campaigns, and kills it (SIGKILL) when it stands in line. A latency is from the kill to acting. All
//     session timeouts are [CrashTimeout].
//   - "semaphore": as "lock.handover", on a semaphore of max(1, Clients/2) permits; the clock starts when all clients are connected.
//   - "queue.single.put": one client puts items of Size bytes, one after the other.
//   - "queue.single.take": one client takes them so and acknowledges each, leased where the library can; the queue has been
//     filled with as many as Ops before. Bounded by Ops only.
//   - "queue.batch.put", "queue.batch.take": the same in batches of Inflight items, where the library has batches. Ops counts
//     items, a latency is that of a batch.
//   - "counter": Clients clients add one to one counter, without a pause. The worker compares the counter with the adds that
//     succeeded, and fails if they differ.
//   - "config.watch": Clients watchers of one node, of Size bytes, all of which have seen its first value. Another client changes it Ops times. A
//     latency is from the call that changes it until the last watcher has seen the new value; then comes the next.
//   - "group.join": Clients members join a group, all at once. Seconds end when an observer has seen all of them; Ops is Clients.
//   - "connect": a latency is from nothing to the answer of a first operation (exists of "/"), one client after the other; closing is not measured.
//   - "idle": Clients idle clients, then as many waiters for one lock in one further session. Heap and Goroutines are what each idle client
//     costs, WaiterHeap and WaiterGoroutines what each waiter does: heap in use after a collection, less what it was before.
//     Workers without goroutines count threads.
package work
