package zktest

import (
	"slices"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// SetReadOnly makes the server one that is cut off from its ensemble and serves read-only
// clients (readonlymode.enabled), or ends that. Either way all connections are cut. Of several doors it is all of them: see
// [Door.SetReadOnly].
//
// While it is on, a handshake that does not allow read-only is cut off without an answer,
// and so is one that takes up a session which was opened before: such a session cannot
// come to a read-only server, and waits, without expiring, until it is off. New sessions
// are the server's own; they are told that they are read-only, and are forgotten when it
// is off. What changes something, sync included, is answered with [NotReadOnly]. The
// server deletes nothing by itself; the test's own Create, Set and Delete go on working.
func (s *Server) SetReadOnly(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.setReadOnly(on)
	}
}

// SetReadOnly is [Server.SetReadOnly] for one door: its server alone is cut off from the
// ensemble, and what it says there of sessions and of the tree is for its clients only. A
// session that was connected at the door can be taken up at another, and expires if it is
// not. The door goes on seeing what is changed behind the others.
func (d *Door) SetReadOnly(on bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.setReadOnly(on)
}

func (d *Door) setReadOnly(on bool) {
	s := d.s
	if d.readOnly == on || on && d.dead {
		return
	}
	before := s.leaderless()
	d.readOnly = on
	d.cutAll()
	for id, ss := range s.sessions {
		switch {
		case ss.local && ss.door == d:
			delete(s.sessions, id)
		case !ss.local && before != s.leaderless():
			s.touch(ss)
		}
	}
	s.wakeSweep()
}

// leaderless tells whether there is no leader, which expires sessions and deletes nodes:
// all servers are read-only. The mutex is held.
func (s *Server) leaderless() bool {
	return !slices.ContainsFunc(s.doors, func(d *Door) bool { return !d.readOnly })
}

// ReadOnly tells whether the server is read-only; with several doors, whether all are.
func (s *Server) ReadOnly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaderless()
}

// ReadOnly tells whether the door is read-only.
func (d *Door) ReadOnly() bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.readOnly
}

// WithoutLocalSessions makes the server one that opens no sessions of its own, as servers
// without localSessionsEnabled are. While such a server is read-only it cannot open any: as
// ZooKeeper 3.8.0 does, it answers the handshake with a reply that says [NotReadOnly],
// which is no answer to a handshake, and from then on ignores the connection.
func WithoutLocalSessions() Option {
	return func(o *options) error {
		o.noLocal = true
		return nil
	}
}

// needsLeader tells whether a read-only server refuses the operation, which it does
// before it reads the rest.
func needsLeader(op jute.Op) bool {
	switch op {
	case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpDeleteContainer,
		jute.OpSetData, jute.OpSetACL, jute.OpCheck, jute.OpMulti, jute.OpReconfig, jute.OpSync:
		return true
	default:
		return false
	}
}

// openLocal makes a session of a read-only server, which is no transaction.
func (s *Server) openLocal(c *conn, timeout time.Duration) *session {
	ss := s.newSession(timeout)
	ss.local = true
	s.bind(c, ss)
	return ss
}

// handshakeReadOnly answers a handshake while the server is read-only.
func (s *Server) handshakeReadOnly(c *conn, r *jute.ConnectRequest) (answer jute.Record, ok bool) {
	known := s.sessions[r.SessionID]
	switch {
	case known != nil && (!known.local || known.door != c.door):
		return nil, false
	case r.SessionID == 0 && s.opts.noLocal:
		c.ignored = true
		return &jute.ReplyHeader{Zxid: c.door.view().zxid, Err: jute.NotReadOnly}, true
	}
	var ss *session
	if r.SessionID == 0 {
		ss = s.openLocal(c, s.negotiate(r.TimeoutMillis))
	} else {
		ss = s.resumeSession(c, r.SessionID, r.Password, s.negotiate(r.TimeoutMillis))
	}
	resp := refusal(r)
	if ss != nil {
		resp = welcome(r, ss)
	}
	resp.ReadOnly = true
	return resp, true
}
