package models

import (
	"fmt"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
)

// Names of what is written down about whatever is held: a lock, a permit, a term, a lease. See package
// workload for when each is written.
const (
	// Acquire is the operation of getting hold; its arguments are an [AcquireArgs], its result an [AcquireResult].
	Acquire = "acquire"
	// Held is a note about an acquire: at its time the holder had been granted it, and had no sign of its end.
	Held = "held"
	// Release is the operation of giving it back; its arguments are a [ReleaseArgs].
	Release = "release"
)

// Modes of what is acquired. Empty is ModeWrite.
const (
	ModeWrite = "write"
	ModeRead  = "read"
)

// AcquireArgs are the arguments of an [Acquire].
type AcquireArgs struct {
	// What tells apart several things of one run that can be held; it may be empty.
	What string `json:"what,omitempty"`
	// Mode is ModeRead of those who share it with other readers.
	Mode string `json:"mode,omitempty"`
	// Permits is how many are wanted, of a semaphore. 0 is 1.
	Permits int `json:"permits,omitempty"`
	// Follows is the number of the client's acquire that this one continues without letting go in between, as a
	// writer that becomes a reader does.
	Follows int64 `json:"follows,omitempty"`
}

// AcquireResult is the result of an [Acquire].
type AcquireResult struct {
	// Token is the fencing token; 0 of what has none.
	Token int64 `json:"token,omitempty"`
}

// ReleaseArgs are the arguments of a [Release].
type ReleaseArgs struct {
	// Acquire is the number of the acquire that is undone.
	Acquire int64 `json:"acquire"`
}

// Grant is something that was held: an acquire that ended well.
type Grant struct {
	AcquireArgs
	AcquireResult
	Process, Client string
	Op              int64
	// Asked is when the acquire began, and From when the holder had been told of its success.
	Asked, From int64
	// To is the latest time at which the holder is known to have believed that it held; From if it is
	// not known to have done so at all. Of a process that was stopped it is the time of that, since from then on it can notice
	// nothing; one that was stopped when it was about to be told of its success has From.
	To int64
	// Last is To also of a process that was stopped and went on holding.
	Last int64
	// Stopped tells that the process was stopped while it held.
	Stopped bool
	// Until is a time by which it had been given back, or history.Never.
	Until int64
}

// String says who held what.
func (g *Grant) String() string {
	s := fmt.Sprintf("%s (%s, operation %d, token %d)", g.Client, g.Process, g.Op, g.Token)
	if g.Mode != "" {
		s = g.Mode + " of " + s
	}
	return s
}

// Grants returns what was held in the order in which the operations began.
func Grants(h *history.History) ([]*Grant, error) {
	type key struct {
		client string
		op     int64
	}
	var out []*Grant
	byOp := map[key]*Grant{}
	stops := h.Stops()
	ops := h.Operations()
	for _, o := range ops {
		if o.Name != Acquire || o.Outcome != history.OK {
			continue
		}
		g := &Grant{Process: o.Process, Client: o.Client, Op: o.Op, Asked: o.Invoked, From: o.Completed, To: o.Completed, Until: history.Never}
		if err := o.ArgsInto(&g.AcquireArgs); err != nil {
			return nil, err
		}
		if err := o.ResultInto(&g.AcquireResult); err != nil {
			return nil, err
		}
		g.Permits = max(g.Permits, 1)
		for _, n := range o.Notes {
			if n.Name == Held {
				g.To = max(g.To, n.Time)
			}
		}
		g.Last = g.To
		switch at, ok := stops.Between(o.Process, g.From, g.To); {
		case stops.Recent(o.Process, o.Invoked, g.From):
			g.To, g.Stopped = g.From, true
		case ok:
			g.To, g.Stopped = at, true
		}
		if first := byOp[key{o.Client, g.Follows}]; first != nil && !first.Stopped {
			g.From = first.To // what it believed all the time
		}
		out = append(out, g)
		byOp[key{o.Client, o.Op}] = g
	}
	for _, o := range ops {
		var args ReleaseArgs
		if o.Name != Release || o.ArgsInto(&args) != nil {
			continue
		}
		if g := byOp[key{o.Client, args.Acquire}]; g != nil && o.Outcome == history.OK {
			g.Until = min(g.Until, o.Completed)
		}
	}
	return out, nil
}

// duration is for messages.
func duration(nanos int64) time.Duration { return time.Duration(nanos) }
