package zktest

import (
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// session is one session. It is guarded by the server's mutex.
type session struct {
	id       int64
	password []byte
	timeout  time.Duration
	heard    time.Time
	before   time.Time // the last sign of life that was reported before that of heard; see Door.CutOff
	told     time.Time // when the leader last heard of it out of turn: it was opened, was taken up, or its door rejoined
	deadline time.Time
	door     *Door   // where it was opened or last taken up
	conn     *conn   // nil while its client is not connected
	conns    []*conn // conn, and those from before at other doors
	local    bool    // of a read-only server
}

// touch notes a sign of life. Deadlines are rounded up to the next tick, so that a
// session lasts for its timeout and up to one tick more.
func (s *Server) touch(ss *session) {
	now := time.Now()
	if s.reports(now) != s.reports(ss.heard) {
		ss.before = ss.heard
	}
	ss.heard = now
	s.setDeadline(ss, now)
}

// setDeadline makes a session expire when it has been silent since a time.
func (s *Server) setDeadline(ss *session, since time.Time) {
	ss.deadline = s.start.Add(((since.Sub(s.start)+ss.timeout)/s.opts.tick + 1) * s.opts.tick)
}

// negotiate brings the timeout that a client asks for within the limits.
func (s *Server) negotiate(millis int32) time.Duration {
	return min(max(time.Duration(millis)*time.Millisecond, s.opts.min), s.opts.max)
}

// openSession makes a session for a connection, which is a transaction.
func (s *Server) openSession(c *conn, timeout time.Duration) *session {
	s.tree.zxid++
	ss := s.newSession(timeout)
	s.bind(c, ss)
	return ss
}

func (s *Server) newSession(timeout time.Duration) *session {
	s.nextID++
	ss := &session{id: s.nextID, password: make([]byte, 16), timeout: timeout}
	_, _ = rand.Read(ss.password) // never fails
	s.sessions[ss.id] = ss
	return ss
}

// resumeSession moves a session to a connection. It returns nil when there is no such
// session or the password is wrong; the connection that the session had at the same door is
// cut in any case. One at another door is not told: see [WithServers].
func (s *Server) resumeSession(c *conn, id int64, password []byte, timeout time.Duration) *session {
	ss := s.sessions[id]
	if ss == nil || ss.local && ss.door != c.door {
		return nil
	}
	for _, other := range slices.Clone(ss.conns) {
		if other.door == c.door {
			s.cut(other)
		}
	}
	if subtle.ConstantTimeCompare(ss.password, password) != 1 {
		return nil
	}
	ss.timeout = timeout
	s.bind(c, ss)
	return ss
}

func (s *Server) bind(c *conn, ss *session) {
	ss.conn, ss.door = c, c.door
	ss.conns = append(ss.conns, c)
	c.session = ss
	c.who.session = ss.id
	s.touch(ss)
	ss.toldNow()
}

// toldNow notes that the leader knows of the last sign of life, whenever the next report is due.
func (ss *session) toldNow() { ss.before, ss.told = ss.heard, ss.heard }

// endSession is the transaction that ends a session: its connections are cut, but for the
// one that asked for it, its ephemeral nodes go, and who watches them is told.
func (s *Server) endSession(ss *session, but *conn) {
	delete(s.sessions, ss.id)
	for _, c := range slices.Clone(ss.conns) {
		switch {
		case c == but:
		case c.door.lag != nil:
			c.door.note(step{ended: c})
		default:
			s.cutQuietly(c)
		}
	}
	if ss.local {
		return // it owns nothing, and nobody else knows of it
	}
	s.transact(&caller{trusted: true}, func(x *txn) jute.Code {
		x.removeOwned(ss.id)
		return jute.OK
	})
}

// expireSession ends a session whose client is not asked. The client's connection
// goes first: it does not hear of its own nodes.
func (s *Server) expireSession(ss *session) {
	s.endSession(ss, nil)
}

// expire ends the sessions that have been silent for too long.
func (s *Server) expire() {
	ticker := time.NewTicker(s.opts.tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		now := time.Now()
		var late []*session
		for _, ss := range s.sessions {
			if !ss.deadline.After(now) && (ss.local || !s.leaderless()) {
				late = append(late, ss)
			}
		}
		slices.SortFunc(late, func(a, b *session) int {
			if d := a.deadline.Compare(b.deadline); d != 0 {
				return d
			}
			return int(min(max(a.id-b.id, -1), 1))
		})
		for _, ss := range late {
			s.log.Info("zktest: session expired", "session", ss.id, "timeout", ss.timeout)
			s.expireSession(ss)
		}
		s.mu.Unlock()
	}
}

// handshake answers the first frame of a connection. ok is false when the connection
// is to be cut without an answer.
func (s *Server) handshake(c *conn, r *jute.ConnectRequest) (answer jute.Record, ok bool) {
	if c.door.readOnly && !r.ReadOnly {
		c.log().Info("zktest: refused a client that is not read-only")
		return nil, false
	}
	if r.LastZxidSeen > c.door.view().zxid {
		c.log().Info("zktest: refused a client that has seen a later transaction than this server",
			"seen", r.LastZxidSeen, "zxid", c.door.view().zxid)
		return nil, false
	}
	if c.door.readOnly {
		return s.handshakeReadOnly(c, r)
	}
	timeout := s.negotiate(r.TimeoutMillis)
	var ss *session
	if r.SessionID == 0 {
		ss = s.openSession(c, timeout)
	} else {
		ss = s.resumeSession(c, r.SessionID, r.Password, timeout)
	}
	if ss == nil {
		return refusal(r), true
	}
	return welcome(r, ss), true
}

// welcome tells a client about the session that it has.
func welcome(r *jute.ConnectRequest, ss *session) *jute.ConnectResponse {
	return &jute.ConnectResponse{
		TimeoutMillis: int32(ss.timeout.Milliseconds()),
		SessionID:     ss.id,
		Password:      ss.password,
		OldServer:     r.OldClient,
	}
}

// refusal says that the session asked for is gone.
func refusal(r *jute.ConnectRequest) *jute.ConnectResponse {
	return &jute.ConnectResponse{Password: make([]byte, 16), OldServer: r.OldClient}
}
