// Package conformance holds the tests that zktest answers as a real server does, which is
// how the truth of zktest is kept. Both are spoken to over raw connections, and whatever
// comes back has to be the same: every field of every reply, every error code, every watch
// event and its place among the replies of its connection.
//
// There is a table of conversations, each about one subject, and a generator of programs: a
// few clients do whatever the protocol has, right and wrong, to a few nodes, hang up, come
// back and take over each other's sessions. After each step every connection is asked for a
// sign of life, behind which nothing can be outstanding, so that a step's events are known to
// be its own. A program on which the two differ is made as short as it can be and printed,
// with what both said; it is kept among the programs of the table.
//
// Not compared is what no server promises: times, passwords, the ids of sessions and
// transactions beyond their order, the order of a list of children and of the ephemeral
// nodes that end with one session, and the order of events on different connections.
package conformance
