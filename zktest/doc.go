// Package zktest is a ZooKeeper in the process of a test: a server of one, or an ensemble, which speaks
// the real protocol on a loopback port or in memory, needs nothing but Go, starts in a
// millisecond, and fails on command.
//
//	server := zktest.Start(t)               // closed when the test ends
//	connect to server.Addr() with any ZooKeeper client
//	lost := server.SwallowReply(zktest.On("/locks/*", zktest.Creates()...))
//	...
//	<-lost.Fired()                          // created, and the client does not know
//	server.ExpireSession(id)                // the lock is lost
//
// It is meant for tests and trials: everything is in memory, and nothing is kept.
//
// # What is there
//
//   - The data model: persistent, ephemeral, sequential and container nodes, versions,
//     zxids and every field of a Stat as the real server counts them, error codes in the
//     real server's order of checks, access control with the schemes world, auth, digest
//     and ip, the server's own nodes below /zookeeper.
//   - Sessions with ids, passwords, negotiated timeouts and expiry, which move between
//     connections; the refusal of clients that have seen a later transaction.
//   - create, create2, createContainer, createTTL, delete, exists, getData, setData, getACL,
//     setACL, getChildren, getChildren2, sync, ping, multi, multiRead, checkWatches,
//     removeWatches, setWatches, setWatches2, addWatch,
//     getEphemerals, getAllChildrenNumber, whoAmI, reconfig, auth, closeSession.
//   - One-shot, persistent and recursive watches with exact semantics: an event reaches a
//     connection before whatever is answered later on it. See [WithSeparateWatchModes] for
//     what changed in 3.9.
//   - The four-letter words ruok, isro, srvr, stat, wchs, wchc, wchp, mntr, conf, cons, envi,
//     crst and srst.
//   - Containers and nodes with a TTL, which go by the server's own clock: see
//     [Server.AdvanceClock].
//   - Read-only mode: see [Server.SetReadOnly].
//   - The configuration of an ensemble, which can be changed: see [WithReconfig]. Without it
//     reconfig is disabled, as on a server by default, and /zookeeper/config is empty.
//   - Faults and control: connections cut, refused or left hanging; sessions expired; the reply to
//     the next request that matches held, delayed or swallowed, or an error in its place; a server
//     frozen, stepped in time, wiped. See the methods of [Server]. Each takes effect before it returns.
//   - Several servers with one tree, each with faults of its own, and
//     followers that lag behind, or are cut off from their leader without noticing: see
//     [WithServers], [Door.Lag] and [Door.CutOff].
//   - A network in memory, for tests in virtual time: see [WithInMemoryNetwork].
//   - Observers: requests, connections, sessions, watches, the tree.
//   - Fixtures: a tree as JSON that is easy to write by hand, to begin with ([WithFixture]), to
//     load and to save. See [Server.Load].
//
// # What garbage does
//
// What is too long, or not a request at all, ends its connection and nothing else, and the log
// has one line about it, which names the client's address and says what is wrong: see
// [WithLogger]. A request whose body cannot be read is answered with [MarshallingError], as by a
// real server, and its connection stays; that is a line in the log, too. Data, paths and
// credentials are not in the log.
//
// # What it costs
//
// The benchmarks of this package tell it for the machine at hand, with both ends of each
// connection in one process:
//
//	go test -run '^$' -bench Start -benchtime 10000x ./zktest
//	go test -run '^$' -bench Pipelined -cpu 1,2 ./zktest
//	go test -run '^$' -bench Memory -benchtime 1x ./zktest
//
// The goals, and where they were on two cores of a virtual machine (linux/amd64):
//
//   - From nothing to the answer to the first create: 5 ms. On average a raw client on the loopback
//     interface needs a 25th of that, in memory a 150th; the package client up to two fifths, most
//     of it its own.
//   - Ten thousand servers, started, used and closed: no goroutine is left.
//   - Pipelined gets of one connection: 200,000 a second on one core, the client's share included.
//     It is four to seven times as many, with 4 allocations each.
//   - 10,000 sessions and 100,000 nodes: 200 MB. It is three quarters of that: 11 kB for a session
//     with both ends of its connection, and 0.4 kB for a node, stacks and the record of requests
//     included.
//
// # What is absent as yet
//
//   - SASL, x509; TLS. A real server that is not set up for SASL answers it with an empty token.
//   - quotas (what is made below /zookeeper/quota are nodes like others), throttling, limits to the
//     number of connections
//   - the words dump, dirs, hash, gtmk and stmk; latencies, and most of what mntr measures; the
//     admin server's HTTP endpoint
//   - local sessions, but for those of read-only mode
//
// An operation that is absent is answered as a real server answers one that it does not
// know: with [Unimplemented], and the connection ends.
//
// # Where it differs from a real server
//
// It is compared with ZooKeeper 3.8.0, frame by frame, in conversations and in programs made by
// chance. The differences that are left, on purpose:
//
//   - A container is deleted as soon as it has lost its last child, a node with a TTL as soon as
//     that is over; a real server looks once a minute. See [WithContainerInterval].
//   - TTL nodes can be made without the setting that a real server wants for them.
//   - The names in a list of children are sorted, and the nodes of a session that ends go
//     in the order of their paths; a real server's order is that of a hash table.
//   - The client of a session that expires is not told about its own nodes before it is cut off.
//   - The reply to auth keeps its place among the other replies; a real server's may overtake.
//   - checkWatches answers for the connection that asks, as servers do from 3.9 on.
//   - createTTL for a node without a TTL, with a negative one, is answered with [BadArguments];
//     it kills a real server.
//   - A check outside a multi is answered; 3.8 fails to.
//   - Each request finds the tree as the one before it has left it. A write that is sent behind a
//     setACL, without waiting for its reply, may be judged by the old list on a real server.
//   - createSession and deleteContainer, which servers send to themselves, are operations that
//     it does not know when a client sends them.
//   - A path that is not valid UTF-8 comes back in events and from sync as it was; a real server
//     sends U+FFFD for what it could not read.
//   - Behind all doors are followers: the leader has no clients, and loses neither its place nor
//     its quorum, however many doors are dead.
//   - Refuse accepts a connection and resets it: the port stays taken.
//   - Transactions are numbered from 1, also behind several doors; the leader of a real ensemble has
//     its epoch in the upper half of their numbers.
//   - The longest session is [DefaultMaxSession], not twenty ticks: see [WithSessionTimeouts].
//   - A connection on which no handshake comes stays; a real server ends it after ten seconds.
//   - All words that it has are answered; a real server answers srvr alone unless it is told
//     otherwise (4lw.commands.whitelist).
//   - Who may not read a node is not told of its changes, as by servers from 3.8.4 on.
//   - A list of negative length cannot be read; to a real server it is empty.
package zktest
