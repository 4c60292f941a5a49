package client

import (
	"context"
	"iter"
	"sync"
	"time"
)

// State is the client's view of its connection.
type State int

const (
	// Connecting: no session yet, or the last one is over and the next is not open.
	Connecting State = iota
	// Connected: a server serves the session, and has accepted the credentials.
	Connected
	// Suspended: the connection is gone, the session may live. Calls wait.
	Suspended
	// Lost: the session is over; everything ephemeral in it is gone or will be. A new one follows by itself.
	Lost
	// Closed: the client is closed, by [Client.Close] or by a refused credential ([ErrAuthFailed], [ErrTLS]). Nothing follows.
	Closed
	// ReadOnly: a server that has lost its quorum serves the session, see [WithReadOnly].
	// Reads work; writes fail with [ErrReadOnly].
	ReadOnly
)

// String returns the state's name.
func (s State) String() string {
	names := [...]string{"connecting", "connected", "suspended", "lost", "closed", "read-only"}
	if s < 0 || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// served tells whether there is a connection.
func (s State) served() bool { return s == Connected || s == ReadOnly }

// StateChange is one transition.
type StateChange struct {
	// State is the new one.
	State State
	// Epoch is the number of the session, from 1.
	Epoch uint64
	// SessionID is its id; 0 while there is none.
	SessionID int64
	// Server is the address connected to, in states Connected and ReadOnly.
	Server string
	// Err is the reason, in states Suspended, Lost and Closed.
	Err error
}

// transition is a link of the list of all transitions; who listens holds on to
// the one seen last, so that nothing is lost and nobody has to be waited for.
type transition struct {
	change StateChange
	time   time.Time
	next   *transition
	ready  chan struct{} // closed when next is set
}

type transitions struct {
	mu   sync.Mutex
	last *transition
}

func newTransitions() *transitions {
	return &transitions{last: &transition{time: time.Now(), ready: make(chan struct{})}}
}

func (t *transitions) add(c StateChange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := &transition{change: c, time: time.Now(), ready: make(chan struct{})}
	t.last.next = n
	close(t.last.ready)
	t.last = n
}

// following is the transition after t, nil if there is none yet.
func (t *transition) following() *transition {
	select {
	case <-t.ready:
		return t.next
	default:
		return nil
	}
}

func (t *transitions) current() *transition {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// State returns the current state.
func (c *Client) State() StateChange { return c.states.current().change }

// States yields the current state and then every transition, in order. A slow
// consumer delays nobody and misses nothing. The sequence ends with ctx, or after
// [Closed]. Each range over it starts anew; safe for concurrent use.
func (c *Client) States(ctx context.Context) iter.Seq[StateChange] {
	return func(yield func(StateChange) bool) {
		at := c.states.current()
		for {
			if !yield(at.change) || at.change.State == Closed {
				return
			}
			select {
			case <-at.ready:
				at = at.next
			case <-ctx.Done():
				return
			}
		}
	}
}
