// Package election has one of several processes lead, through ZooKeeper.
//
//	e := election.New(cl, "/workers/leader", "worker-7")
//	err := e.Run(ctx, func(ctx context.Context, term *election.Term) error {
//		return schedule(ctx, term.Token()) // ctx ends when the leadership does
//	})
//
// Everybody who wants to lead calls [Election.Run], which campaigns, runs the function while it
// leads, and campaigns again when the term is over; or [Election.Campaign], for programs that are
// built otherwise. Everybody who wants to know calls [Election.Leader], [Election.Candidates] or
// [Election.Observe].
//
// # Lines and terms
//
// Candidates stand in line: each has an ephemeral node, and the first one leads. Who leads stays
// leader until it gives that up or loses it; then the next one leads. One participant goes
// through these states:
//
//	idle ──(Campaign, Run)──▶ candidate ──(first in line, confirmed by a quorum)──▶ leading
//
//	candidate ──(own node or session gone)──▶ candidate, at the end of the line
//	candidate ──(context ended, or waiting is pointless)──▶ idle
//
//	leading ──(Resign, HandOver, or lost: the term's context ends)──▶ leaving
//	leading ──(Run's function returns)──▶ idle
//
//	leaving ──(Campaign's term)──▶ idle
//	leaving ──(Run's function has returned)──▶ candidate, at the end of the line
//
// Candidates wait for the one directly ahead, so that each departure wakes one. Lost connections
// cost nothing. A lost session, or a node that somebody deletes, costs the place: a candidate
// joins again at the end, a leader's term is over.
//
// # How far a leader can trust that it leads
//
// A [Term] ends in three ways: [Term.Resign], [Term.HandOver], or it is lost. In all three its
// context ends first, and only then can anybody else lead.
//
//   - When it is given up the node is deleted after the context has ended, and Run does that only
//     after the function has returned: as long as the function cleans up, nobody leads. A
//     function that does not return blocks the election; [Election.Healthy] tells.
//   - When it is lost nobody is asked. The servers give the leadership on as soon as the session
//     is over for them, which is one session timeout after they last heard of this client. The
//     leader's trust ends before that: it counts from the moment at which the newest write that a
//     quorum has committed was sent, not answered. Such a write is made every fifth of the
//     session timeout. The server that the client talks to is not believed: cut off from the
//     others it would go on answering while they elect somebody else. The end of that time is
//     [Term.ValidUntil]; the context ends then, and [Term.Err] looks at the clock even before
//     timers do.
//
// So at any time at most one participant has a term whose Err is nil, if clocks run at nearly the
// same rate; they need not show the same time. There can be times at which nobody leads: after a
// crash, until the session is over.
//
// # What is not guaranteed
//
//   - A context stops only code that looks at it. What a leader has begun when its term is lost
//     overlaps with the next leader unless it ends in time: keep single steps short against the
//     session timeout.
//   - No process notices that it stands still. Stopped, swapped out or paused in the middle of a
//     write, a leader wakes up and writes on, perhaps long after the next one has begun.
//   - Somebody who deletes the leader's node by hand makes the next candidate lead up to a fifth
//     of the session timeout before the leader's context ends.
//   - Who leads by the servers' word ([Election.Leader]) may not have noticed yet, or be dead
//     since less than a session timeout. To address a leader is to be prepared for an answer of
//     one who leads no more.
//   - The line is fair as long as nobody loses its place; a hand-over passes over those in between.
//   - It is not a vote: nobody can be preferred but by a hand-over, and a leader that is useless
//     and alive leads on.
//
// # Fencing
//
// What must never be done by two leaders is therefore refused by what it is done to. [Term.Token]
// grows with each term: send it along with each write, and have the target refuse a token smaller
// than the greatest it has seen. Writes to ZooKeeper itself need none: [Term.Txn] starts a
// transaction that the servers refuse once the leader's node has gone. Where neither is possible
// an election makes two leaders at work unlikely, not impossible.
//
// # Data of the leader
//
// The data of a candidate's node is its id, byte for byte as Curator and Kazoo write it, so it
// cannot be used for anything else; and the election's directory may have data of its own, which
// is left alone. So what a leader publishes ([Term.Publish]), an address for example, lives in a
// directory that [WithData] names: in an ephemeral node with the name of the leader's own. That
// name is never used again, so no data is taken for that of another term. A write is one
// transaction that checks the leader's node. When the term is over the node is deleted, or goes
// with the session.
//
// # Other libraries
//
// Candidates have the names and data of Curator's LeaderLatch, of its LeaderSelector under
// [WithLeaderSelector], or of Kazoo's Election under [WithLayout](recipes.Kazoo), and take part
// together with them. Each of these is blind to the other two; zookit says [ErrLayoutConflict]
// where it finds more than one of them on a path. A hand-over works to and past their candidates:
// those join again by themselves when their node goes. Kazoo's Election does not stop its
// function when its session is lost, so while it takes part only tokens keep leaders apart.
//
// # Restarts
//
// A leadership outlives its process as a lock does: client.Client.Detach, and then
// [Election.Resume] with the [Term.Handle] in the next one. Use Campaign for that; cancel Run
// before Detach, or its term is neither given up nor taken up.
package election
