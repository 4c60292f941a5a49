// Package client connects to a ZooKeeper ensemble and stays connected: it goes
// from server to server and, when a session is lost, on to the next one, and says of
// everything honestly what it knows.
//
// # Connecting
//
// [Connect] takes the ensemble's servers, "zk1:2181,zk2:2181,zk3:2181/app", where the last
// part is a chroot: the client sees no other nodes. It returns a [Client] that is
// connected, or says which server failed how. Defaults suit a service in a data centre: a
// session timeout of 10 s, operations that wait as long as their context lasts,
// nodes that everybody may touch, no log. The [Option] values change them. Close the client when
// the program ends, so that its ephemeral nodes go at once.
//
// # Sessions
//
// A [Client] lives as long as the program; a [Session] is one ZooKeeper session in it.
// Sessions are numbered and never revived. A session is over when the servers say so,
// or when nothing has been heard for its whole timeout, counted from the time at which
// the newest answered request was sent ([Session.ValidUntil]): so the end is noticed also
// when the network is silent. [Client.States] yields every transition.
//
// # Operations
//
// [Ops] are ZooKeeper's operations. On a Client they run in whichever session is
// current, on a Session in that one or not at all. They take a context and obey it
// wherever they wait.
//
// Many operations at once: a [Txn] is executed as a whole or not at all, a [Batch] is many
// operations in one flight, each for itself, and a [MultiRead] is reads in one request.
//
// # Outcomes and retries
//
// Every error falls into one of three classes, which [Outcome] tells: not sent, unknown,
// definite. What is safe is repeated, under a [RetryPolicy]: reads, and writes that were
// not sent. What became of a write whose reply was lost is found out where that is possible:
//
//   - a create with a unique name, [WithProtection];
//   - whether a set or delete with a version has certainly not been executed;
//   - a transaction that leaves a marker, [Txn.WithMarker];
//   - creates, sets and deletes of a caller to whom twice is as good as once, [Ops.Idempotent]:
//     those also across sessions.
//
// Everything else is returned as unknown, never guessed. A service that had rather fail
// at once than wait for an ensemble that is away has [NoRetry], [RetryFor] and [Breaker].
//
// # Watches
//
// Reads whose names end in W set a one-shot watch: it fires once, with what happened or
// with [EventConnectionLost] when its connection is gone. [Client.AddWatch] sets one that
// lasts, for a node or a whole subtree, over events, connections and sessions. Its first
// event is [EventResynced], which comes again whenever something can have been missed; so
// its consumer has one way to go: upon Resynced read everything, upon any other event read
// what it names. An event is there before any read that began after the change returns
// newer data. However many watches a program has on a path, the server has one, and it is
// removed with the last of them.
//
// # Holding something
//
// A server that is cut off from its quorum goes on answering for seconds while the
// quorum gives a lock away. So a session that holds something has a quorum confirm it,
// every fifth of its timeout ([Session.Hold]); a hold's context ends at
// [Hold.ValidUntil], which is computed from those confirmations alone. The recipes build
// on it; most programs use package lock instead.
//
// # Sessions that outlive a process
//
// A process can leave its session, with all that is ephemeral in it, to the next one: a
// restart that keeps its locks. [Client.Detach] ends the client and returns a
// [SessionHandle]; the next process passes it to [Connect] by [WithSession] within the
// session's timeout. To survive a crash, write [Session.Handle] down while all is well.
//
// A session has one holder. Which one it is stands in a node of the session, its claim, whose
// version the handle tells, so that a handle is good for one taking over: of two processes that try
// with it one gets the session and the other [ErrSessionTaken]. A holder from which the session
// is taken while it is alive learns that at once if it is connected; nothing that it sends later is executed, its
// session ends with [ErrSessionTaken], and its holds end with that or, if it cannot be told, when their bound is
// over. The new holder relies on nothing before that: [Session.Exclusive] tells when, which after
// a Detach is at once and otherwise one session timeout later. Until then it does not
// end the session either: Close leaves it to its timeout and says so.
//
// Taking over does not undo what a crashed process has left half done: nodes with which it
// stood in line stay there as long as the session lives. And it gives no new fencing token: who
// takes a grant up writes with the token of the former holder, so a resource cannot tell the two apart
// by it. Where that matters, see to it that the former process has ended, or let the session go.
//
// # Read-only mode
//
// Servers can be told to go on without a quorum and to answer reads with what they
// knew last. A client with [WithReadOnly] then gets to state [ReadOnly]: reads work,
// writes and [Ops.Sync] fail with [ErrReadOnly] before they are sent, and what needs a
// quorum, such as [Client.Session], [Session.Confirm] and the recipes, waits. Meanwhile the
// client asks the other servers whether they have a quorum, and moves to the first that has.
//
// A session that was made by a server in read-only mode can hold nothing, is known to no
// other server and ends, as [Lost], when a read-write server is found; the next one is an
// ordinary session. A session that a quorum has made is not given up for the sake of
// reads: servers in read-only mode refuse it (3.8 does), and the client goes on looking
// until it is over. Where one takes it all the same, it stays the same session and
// [Session.ValidUntil] counts the answers, but such a server does not keep it alive at the
// quorum: [Session.ConfirmedUntil] stays as it is, and what the session holds ends then.
//
// # Security
//
// [WithTLS] encrypts, checks each server's certificate against its name in the server
// list, and presents the client's certificate if servers ask for one; they then know the
// client by its subject, which ACLs of scheme x509 name ("CN=client").
// [WithSASLDigest] logs in by name and password. [WithAuth] adds identities
// of other schemes, such as digest; several may be given. All of it precedes the first
// request on every connection.
//
// Wrong credentials end the client by name instead of being tried for ever: a refused
// login or credential ([ErrAuthFailed]) with the first server that refuses it, and TLS
// that cannot work ([ErrTLS]) when all servers have refused and there has been no
// session yet. Once there was one, failing TLS is logged as a warning and tried again.
// Not even the servers can tell a wrong digest password from another identity: it
// matches no ACL.
//
// # The ensemble
//
// [Client.EnsembleConfig] tells which servers there are and [Client.Reconfig] changes
// that. A client dials the servers that it was given; with [WithEnsembleTracking] it
// follows the configuration to new ones, and [Client.SetServers] gives it others.
//
// # Seeing inside
//
// A client logs nothing unless [WithLogger] says where: state changes at level Info, losses and
// failures of the background at Warn, everything else at Debug, and never data or credentials. [Client.Stats] is a
// snapshot of state and counts. [WithHooks] has a [Hook] called for attempts to connect, state changes,
// the end of each operation, repeats, and what recipes hold. The modules
// github.com/zookit/zookit/otel and github.com/zookit/zookit/prom are hooks, for OpenTelemetry
// and Prometheus.
//
// # What it does not do
//
// It does not tell time: a process that was stopped learns that its hold is past only
// when it runs again. Writes that must not be made then need a fencing token that the
// target checks, or a transaction that checks the hold's node.
//
// It keeps no copy of nodes. It does not log in by Kerberos (SASL GSSAPI). Of a live process that
// shares the session with it and is not a zookit it learns nothing: see [NewSessionHandle].
package client
