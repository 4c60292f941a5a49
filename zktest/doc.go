// Package zktest is a ZooKeeper in the process of a test: a server of one, which speaks
// the real protocol on a loopback port, needs nothing but Go, starts in a millisecond, and
// fails on command.
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
//     removeWatches, setWatches, auth, closeSession.
//   - One-shot watches with exact semantics: an event reaches a connection before whatever
//     is answered later on it.
//   - The four-letter words ruok, srvr, wchs and isro.
//   - Faults and control: see the methods of [Server]. Each takes effect before it returns.
//   - Observers: requests, connections, sessions, watches, the tree.
//
// A request that is too long, or not a request at all, ends its connection and nothing else.
//
// # What is absent as yet
//
//   - several servers, followers that lag behind, read-only mode
//   - an in-memory network and virtual time: it needs a real socket and runs on the
//     real clock, so it cannot be used within testing/synctest
//   - persistent and recursive watches: addWatch, setWatches2
//   - expiry of TTL nodes: they are made, and stay
//   - getEphemerals, getAllChildrenNumber, whoAmI
//   - reconfig, which is answered as by a server where it is disabled; /zookeeper/config is empty
//   - SASL, x509 and the super user; TLS
//   - quotas, throttling, limits to the number of connections
//   - the words mntr, conf, cons, stat and the others
//   - snapshots to load and to save
//
// An operation that is absent is answered as a real server answers one that it does not
// know: with [Unimplemented], and the connection ends.
//
// # Where it differs from a real server
//
// It was compared with ZooKeeper 3.8.0, frame by frame. The differences that are left, on purpose:
//
//   - A container is deleted as soon as it has lost its last child; a real server looks once a minute.
//   - TTL nodes can be made without the setting that a real server wants for them.
//   - The names in a list of children are sorted, and the nodes of a session that ends go
//     in the order of their paths; a real server's order is that of a hash table.
//   - The client of a session that expires is not told about its own nodes before it is cut off.
//   - The reply to auth keeps its place among the other replies; a real server's may overtake.
//   - checkWatches answers for the connection that asks, as servers do from 3.9 on.
//   - A check outside a multi is answered; 3.8 fails to.
//   - Refuse accepts a connection and resets it: the port stays taken.
package zktest
