package recipes

import (
	"context"
	"fmt"
	"iter"
)

// NodeState is what a [Node] knows of its node.
type NodeState uint8

// The states.
const (
	// NodeMissing: it is not there, as far as is known, and is being made.
	NodeMissing NodeState = iota
	// NodePresent: it is there, in the client's current session, with the data that it is to have.
	NodePresent
	// NodeTaken: somebody else's node is there; this one waits until that has gone.
	NodeTaken
	// NodeClosed: the Node was closed, or its client has ended. Nothing follows.
	NodeClosed
)

var nodeStateNames = [...]string{NodeMissing: "missing", NodePresent: "present", NodeTaken: "taken", NodeClosed: "closed"}

// String returns the state's name.
func (s NodeState) String() string {
	if int(s) < len(nodeStateNames) {
		return nodeStateNames[s]
	}
	return fmt.Sprintf("node state(%d)", uint8(s))
}

// NodeChange is one transition of a [Node].
type NodeChange struct {
	State NodeState
	// Session is the session that the node belongs to, own or not; 0 if there is none.
	Session int64
	// Czxid is the transaction that made the node, in states NodePresent and NodeTaken: another one says that
	// it has been made again.
	Czxid int64
	// Err is why it is missing or closed: the session was lost, or the server refuses it; nil if
	// somebody has deleted it or it was closed by [Node.Close].
	Err error
}

// nodeEvent is a transition in the list of them all, which each listener walks at its own speed.
type nodeEvent struct {
	change NodeChange
	next   *nodeEvent
	ready  chan struct{} // closed when next is set
}

func newNodeEvent(c NodeChange) *nodeEvent {
	return &nodeEvent{change: c, ready: make(chan struct{})}
}

// State returns the current state.
func (n *Node) State() NodeChange { return n.newest().change }

func (n *Node) newest() *nodeEvent {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at
}

// States yields the current state and then every transition, in order. A slow consumer delays
// nobody and misses nothing. The sequence ends with ctx, or after [NodeClosed]. Each range
// over it starts anew.
func (n *Node) States(ctx context.Context) iter.Seq[NodeChange] {
	return func(yield func(NodeChange) bool) {
		at := n.newest()
		for {
			if !yield(at.change) || at.change.State == NodeClosed {
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

// change takes note of a transition, if it is one.
func (n *Node) change(c NodeChange) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := n.at.change
	if last.State == c.State && last.Session == c.Session && last.Czxid == c.Czxid && (last.Err == nil) == (c.Err == nil) {
		return
	}
	e := newNodeEvent(c)
	n.at.next = e
	close(n.at.ready)
	n.at = e
}
