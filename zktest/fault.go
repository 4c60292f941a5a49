package zktest

import (
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// Match says which requests a fault is for. The zero Match is for any request but
// pings and handshakes, which have to be named.
type Match struct {
	// Ops are the operations; none means any but [OpPing] and [OpConnect].
	Ops []Op
	// Path is the path, in which * stands for any run of characters; empty means any
	// path. A multi matches when the path of one of its operations does. The path of
	// a sequential create is the one that was asked for, without the number.
	Path string
	// Session is the session; 0 means any.
	Session int64
	// Where, if set, must agree too. It is called with the server locked, so it must
	// not call the server.
	Where func(Request) bool
}

// On matches requests by path and operations, as [Match] describes them.
func On(path string, ops ...Op) Match { return Match{Ops: ops, Path: path} }

func (m *Match) matches(r Request) bool {
	switch {
	case len(m.Ops) == 0 && (r.Op == OpPing || r.Op == OpConnect):
		return false
	case len(m.Ops) > 0 && !slices.Contains(m.Ops, r.Op):
		return false
	case m.Session != 0 && m.Session != r.Session:
		return false
	case m.Path != "" && !matchPath(m.Path, r):
		return false
	}
	return m.Where == nil || m.Where(r)
}

func matchPath(pattern string, r Request) bool {
	if len(r.Multi) == 0 {
		return glob(pattern, r.Path)
	}
	return slices.ContainsFunc(r.Multi, func(sub Request) bool { return glob(pattern, sub.Path) })
}

// glob matches a pattern in which * stands for any run of characters.
func glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], next
	}
}

type faultKind int

const (
	faultDrop faultKind = iota
	faultSwallow
	faultHold
	faultDelay
	faultFail
)

// Fault is something that will go wrong with the next request that matches. It
// happens once. When several faults match a request the oldest one happens.
type Fault struct {
	s     *Server
	kind  faultKind
	on    Match
	code  Code
	delay time.Duration
	fired chan struct{}
	req   Request
	conn  *conn
	let   bool // released before the reply was there to be held
}

// Fired is closed when the fault has happened.
func (f *Fault) Fired() <-chan struct{} { return f.fired }

// Request returns the request that the fault happened to; before that it is zero.
func (f *Fault) Request() Request {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.req
}

// Cancel takes the fault back if it has not happened yet, and tells whether it did.
func (f *Fault) Cancel() bool {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	before := len(f.s.faults)
	f.s.faults = slices.DeleteFunc(f.s.faults, func(g *Fault) bool { return g == f })
	return len(f.s.faults) < before
}

// fire marks the fault as having happened. The mutex is held.
func (f *Fault) fire(r Request) {
	select {
	case <-f.fired:
		return
	default:
	}
	f.req = r
	close(f.fired)
}

// Hold is a reply that is kept back.
type Hold struct {
	*Fault
}

// Release lets the reply go, and what has gathered behind it. Before the fault has
// happened it takes the fault back; a second call does nothing.
func (h *Hold) Release() {
	if h.Cancel() {
		return
	}
	h.release()
}

// release lets a reply go that is kept back.
func (f *Fault) release() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.conn == nil {
		return
	}
	f.conn.out.release(f)
	f.let = true
	f.conn.nudge()
}

func (s *Server) addFault(kind faultKind, on Match, code Code) *Fault {
	return s.add(&Fault{kind: kind, on: on, code: code})
}

func (s *Server) add(f *Fault) *Fault {
	f.s, f.fired = s, make(chan struct{})
	f.on.Ops = slices.Clone(f.on.Ops)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	return f
}

// match takes the oldest fault that is for the request. The mutex is held.
func (s *Server) match(r Request) *Fault {
	for i, f := range s.faults {
		if f.on.matches(r) {
			s.faults = slices.Delete(s.faults, i, i+1)
			return f
		}
	}
	return nil
}

// DropRequest makes the next request that matches be lost: it is not executed, and
// its connection is cut.
func (s *Server) DropRequest(on Match) *Fault { return s.addFault(faultDrop, on, 0) }

// SwallowReply makes the next request that matches be executed, and its connection
// be cut before the reply: the client cannot know what happened.
func (s *Server) SwallowReply(on Match) *Fault { return s.addFault(faultSwallow, on, 0) }

// HoldReply makes the next request that matches be executed, and keeps its reply back
// until it is released. Replies are in order: what the server has to say later on the
// same connection, watch events and answers to pings included, waits behind it.
func (s *Server) HoldReply(on Match) *Hold { return &Hold{s.addFault(faultHold, on, 0)} }

// DelayReply makes the next request that matches be executed at once and answered after d, at
// once if that is not positive. As with HoldReply, what the server has to say later on the same
// connection waits behind it. The fault has happened when the request has been executed.
func (s *Server) DelayReply(on Match, d time.Duration) *Fault {
	return s.add(&Fault{kind: faultDelay, on: on, delay: d})
}

// FailNext makes the next request that matches fail with code, without being executed.
// A handshake fails with any code as if the session had expired.
func (s *Server) FailNext(on Match, code Code) *Fault {
	if code == 0 {
		code = Code(jute.SystemError)
	}
	return s.addFault(faultFail, on, code)
}
