package client

import (
	"sync/atomic"
	"time"
)

// Stats are the client's state and counts at one moment; see [Client.Stats]. The
// counts begin with the client, include all of its sessions and never go back.
type Stats struct {
	// State, Epoch, SessionID and Server are those of [Client.State].
	State     State
	Epoch     uint64
	SessionID int64
	Server    string
	// ConnectedSince is when the current connection was made; zero while there is none.
	ConnectedSince time.Time

	// ConnectAttempts counts attempts to reach a server that have ended, Connections
	// those that succeeded, and Disconnections the ends of these.
	ConnectAttempts, Connections, Disconnections uint64
	// SessionsOpened counts sessions that were made, and SessionsLost those that
	// ended otherwise than by [Client.Close].
	SessionsOpened, SessionsLost uint64

	// Operations that have ended, by their outcome: without an error, with an answer
	// that is an error, without anything sent, or with nothing known. What an operation is says [HookOp].
	OpsOK, OpsFailed, OpsNotSent, OpsUnknown uint64
	// Repeats counts attempts of operations that failed and were to be repeated.
	Repeats uint64

	// Requests counts the requests that may have left, the client's own among them but
	// no pings; Replies counts those that were answered; Events counts watch events that came.
	Requests, Replies, Events uint64
	// BytesSent and BytesReceived count what went over connections in frames, pings
	// included, without handshakes and TLS.
	BytesSent, BytesReceived uint64
	// Confirmations counts the transactions by which a quorum confirmed a session (see
	// [Session.Hold]), ConfirmationsFailed those that were refused or not answered.
	Confirmations, ConfirmationsFailed uint64

	// InFlight is the number of requests that wait for their answer now.
	InFlight int
	// Watches is the number of watches that the current session has on the server.
	Watches int
	// Holds is the number of nodes that the current session keeps confirmed.
	Holds int
	// Cleanups is the number of nodes and the like that the current session has still
	// to undo for callers that have gone; see [Session.Cleanup].
	Cleanups int

	// LastRoundTrip is how long the newest answer took, pings included, from the hand-over
	// to the connection on; 0 before the first. RoundTrip is its moving average, in which
	// the newest counts for an eighth.
	LastRoundTrip, RoundTrip time.Duration
}

// counters are what Stats counts and the wire does not.
type counters struct {
	attempts, connections, disconnections atomic.Uint64
	opened, lost                          atomic.Uint64
	ok, failed, notSent, unknown          atomic.Uint64
	repeats                               atomic.Uint64
	confirmed, unconfirmed                atomic.Uint64
}

// count counts the end of an operation.
func (n *counters) count(kind OutcomeKind, err error) {
	switch {
	case err == nil:
		n.ok.Add(1)
	case kind == Definite:
		n.failed.Add(1)
	case kind == NotSent:
		n.notSent.Add(1)
	default:
		n.unknown.Add(1)
	}
}

// confirmation counts the end of a confirmation.
func (n *counters) confirmation(err error) {
	if err == nil {
		n.confirmed.Add(1)
	} else {
		n.unconfirmed.Add(1)
	}
}

// Stats returns the client's state and counts. Nothing is sent, and it costs a few
// short locks. Counts that change meanwhile may be of slightly different moments.
// After [Client.Close] it tells how the client ended. Safe for concurrent use.
func (c *Client) Stats() Stats {
	n := &c.counters
	out := Stats{
		ConnectAttempts: n.attempts.Load(), Connections: n.connections.Load(), Disconnections: n.disconnections.Load(),
		SessionsOpened: n.opened.Load(), SessionsLost: n.lost.Load(),
		OpsOK: n.ok.Load(), OpsFailed: n.failed.Load(), OpsNotSent: n.notSent.Load(), OpsUnknown: n.unknown.Load(),
		Repeats:       n.repeats.Load(),
		Requests:      c.wire.Requests.Load(),
		Replies:       c.wire.Replies.Load(),
		Events:        c.wire.Events.Load(),
		BytesSent:     c.wire.BytesSent.Load(),
		BytesReceived: c.wire.BytesReceived.Load(),
		Confirmations: n.confirmed.Load(), ConfirmationsFailed: n.unconfirmed.Load(),
	}
	out.LastRoundTrip, out.RoundTrip = c.wire.RoundTrip()
	c.gate.Lock()
	now, s := c.State(), c.gate.session
	if s != nil && s.connected && !s.over {
		out.ConnectedSince = s.since
	}
	c.gate.Unlock()
	out.State, out.Epoch, out.SessionID, out.Server = now.State, now.Epoch, now.SessionID, now.Server
	if s != nil {
		out.InFlight = s.link.InFlight()
		out.Watches = s.watches.size()
		out.Holds = s.keeper.size()
		out.Cleanups = int(s.janitor.jobs.Load())
	}
	return out
}
