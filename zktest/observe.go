package zktest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// historyLimit bounds how many requests are kept for Requests.
const historyLimit = 1 << 16

// Stat describes a node, as clients see it.
type Stat struct {
	// Czxid and Mzxid are the transactions that created the node and last set its data.
	Czxid int64
	Mzxid int64
	// Ctime and Mtime are the server's clock at those, in milliseconds since 1970.
	Ctime int64
	Mtime int64
	// Version counts how often the data has been set, Cversion how often a child has been
	// created or deleted, Aversion how often the ACL has been set; all from 0.
	Version  int32
	Cversion int32
	Aversion int32
	// EphemeralOwner is the session that an ephemeral node belongs to. Of a container it is
	// the smallest number there is, of a TTL node the time to live in milliseconds with the top
	// byte full, and 0 of others.
	EphemeralOwner int64
	// DataLength is the length of the data in bytes, NumChildren the number of children.
	DataLength  int32
	NumChildren int32
	// Pzxid is the transaction that last created or deleted a child.
	Pzxid int64
}

// Node is a node of the tree, copied.
type Node struct {
	// Path is the node's full path, Data what it holds, Stat what else clients see of it.
	Path string
	Data []byte
	Stat Stat
	// Children are the names of the children, sorted.
	Children []string
}

// Session describes a session.
type Session struct {
	// ID is how the session is known to its client, and Timeout what was negotiated with it.
	ID      int64
	Timeout time.Duration
	// LastHeard is when its client last sent something, pings included.
	LastHeard time.Time
	// Connected tells whether its client has a connection.
	Connected bool
	// Door is the index of the door at which the session was opened or last taken up.
	Door int
}

// record notes a request. The mutex is held.
func (s *Server) record(r Request) {
	r.Data = nil
	r.Multi = slices.Clone(r.Multi)
	for i := range r.Multi {
		r.Multi[i].Data = nil
	}
	if len(s.history) == historyLimit {
		s.history = append(s.history[:0], s.history[historyLimit/2:]...)
	}
	s.history = append(s.history, r)
}

// Requests returns the requests received since the start or the last ResetRequests,
// in the order in which they were executed: those that match one of the arguments,
// or without arguments all but pings and handshakes. Only the latest tens of
// thousands are kept.
func (s *Server) Requests(which ...Match) []Request {
	if len(which) == 0 {
		which = []Match{{}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.history {
		if slices.ContainsFunc(which, func(m Match) bool { return m.matches(r) }) {
			out = append(out, r)
		}
	}
	return out
}

// ResetRequests forgets the requests received so far.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = nil
}

// Connections returns how many connections are open, at all doors together.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Accepted returns how many connections have been taken since the start, at all doors together; those reset
// by Refuse are not counted.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Sessions returns the sessions, the oldest first.
func (s *Server) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Session, 0, len(s.sessions))
	for _, ss := range s.sessions {
		out = append(out, Session{ID: ss.id, Timeout: ss.timeout, LastHeard: ss.heard, Connected: ss.conn != nil, Door: ss.door.index})
	}
	slices.SortFunc(out, func(a, b Session) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return out
}

// Password returns a session's password, by which it can be taken up over another
// connection; nil if there is no such session.
func (s *Server) Password(session int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ss := s.sessions[session]; ss != nil {
		return bytes.Clone(ss.password)
	}
	return nil
}

// Zxid returns the number of the last transaction.
func (s *Server) Zxid() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.zxid
}

// Node returns the node at path and whether there is one.
func (s *Server) Node(path string) (Node, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.tree.find(path)
	if n == nil {
		return Node{}, false
	}
	return n.export(path), true
}

// Dump returns the whole tree by path, without the root and the server's own nodes
// under /zookeeper.
func (s *Server) Dump() map[string]Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Node{}
	for path, n := range s.tree.nodes {
		if !ownPath(path) && !strings.HasPrefix(path, "/zookeeper/") {
			out[path] = n.export(path)
		}
	}
	return out
}

func (n *node) export(path string) Node {
	return Node{Path: path, Data: bytes.Clone(n.data), Stat: Stat(n.visible()), Children: n.names()}
}

var _ = Stat(jute.Stat{}) // the fields are the same
