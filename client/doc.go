// Package client connects to a ZooKeeper ensemble and stays connected: it goes
// from server to server and, when a session is lost, on to the next one, and says of
// everything honestly what it knows.
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
// wherever they wait. Every error falls into one of three classes, which [Outcome] tells: not
// sent, unknown, definite. What is safe is repeated: reads, and writes that were not
// sent. What can be found out is found out: the fate of a create with
// [WithProtection], and whether a versioned write has certainly not been executed.
// Everything else is returned as unknown, never guessed.
//
// # Holding something
//
// A server that is cut off from its quorum goes on answering for seconds while the
// quorum gives a lock away. So a session that holds something has a quorum confirm it,
// every fifth of its timeout ([Session.Hold]); a hold's context ends at
// [Hold.ValidUntil], which is computed from those confirmations alone. The recipes build
// on it; most programs use package lock instead.
//
// # What it does not do
//
// It does not tell time: a process that was stopped learns that its hold is past only
// when it runs again. Writes that must not be made then need a fencing token that the
// target checks, or a transaction that checks the hold's node.
//
// Absent as yet: persistent watches, resuming a session in another process,
// read-only mode, reconfiguration.
package client
