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
	deadline time.Time
	conn     *conn // nil while its client is not connected
}

// touch notes a sign of life. Deadlines are rounded up to the next tick, so that a
// session lasts for its timeout and up to one tick more.
func (s *Server) touch(ss *session) {
	ss.heard = time.Now()
	since := ss.heard.Sub(s.start) + ss.timeout
	ss.deadline = s.start.Add((since/s.opts.tick + 1) * s.opts.tick)
}

// negotiate brings the timeout that a client asks for within the limits.
func (s *Server) negotiate(millis int32) time.Duration {
	return min(max(time.Duration(millis)*time.Millisecond, s.opts.min), s.opts.max)
}

// openSession makes a session for a connection, which is a transaction.
func (s *Server) openSession(c *conn, timeout time.Duration) *session {
	s.tree.zxid++
	s.nextID++
	ss := &session{id: s.nextID, password: make([]byte, 16), timeout: timeout}
	_, _ = rand.Read(ss.password) // never fails
	s.sessions[ss.id] = ss
	s.bind(c, ss)
	return ss
}

// resumeSession moves a session to a connection. It returns nil when there is no such
// session or the password is wrong; the connection that the session had is cut in any case.
func (s *Server) resumeSession(c *conn, id int64, password []byte, timeout time.Duration) *session {
	ss := s.sessions[id]
	if ss == nil {
		return nil
	}
	if ss.conn != nil {
		s.cut(ss.conn)
	}
	if subtle.ConstantTimeCompare(ss.password, password) != 1 {
		return nil
	}
	ss.timeout = timeout
	s.bind(c, ss)
	return ss
}

func (s *Server) bind(c *conn, ss *session) {
	ss.conn = c
	c.session = ss
	c.who.session = ss.id
	s.touch(ss)
}

// endSession is the transaction that ends a session: its ephemeral nodes go, and who
// watches them is told.
func (s *Server) endSession(ss *session) {
	delete(s.sessions, ss.id)
	s.transact(&caller{trusted: true}, func(x *txn) jute.Code {
		x.removeOwned(ss.id)
		return jute.OK
	})
}

// expireSession ends a session whose client is not asked. The client's connection
// goes first: it does not hear of its own nodes.
func (s *Server) expireSession(ss *session) {
	if ss.conn != nil {
		s.cutQuietly(ss.conn)
	}
	s.endSession(ss)
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
			if !ss.deadline.After(now) {
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
func (s *Server) handshake(c *conn, r *jute.ConnectRequest) (resp *jute.ConnectResponse, ok bool) {
	if r.LastZxidSeen > s.tree.zxid {
		s.log.Info("zktest: refused a client that has seen a later transaction than this server",
			"conn", c.id, "seen", r.LastZxidSeen, "zxid", s.tree.zxid)
		return nil, false
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
	return &jute.ConnectResponse{
		TimeoutMillis: int32(ss.timeout.Milliseconds()),
		SessionID:     ss.id,
		Password:      ss.password,
		OldServer:     r.OldClient,
	}, true
}

// refusal says that the session asked for is gone.
func refusal(r *jute.ConnectRequest) *jute.ConnectResponse {
	return &jute.ConnectResponse{Password: make([]byte, 16), OldServer: r.OldClient}
}
