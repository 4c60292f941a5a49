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
	Czxid          int64
	Mzxid          int64
	Ctime          int64
	Mtime          int64
	Version        int32
	Cversion       int32
	Aversion       int32
	EphemeralOwner int64
	DataLength     int32
	NumChildren    int32
	Pzxid          int64
}

// Node is a node of the tree, copied.
type Node struct {
	Path string
	Data []byte
	Stat Stat
	// Children are the names of the children, sorted.
	Children []string
}

// Session describes a session.
type Session struct {
	ID        int64
	Timeout   time.Duration
	LastHeard time.Time
	Connected bool
}

// record notes a request. The mutex is held.
func (s *Server) record(r Request) {
	s.received++
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

// Connections returns how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Accepted returns how many connections have been taken since the start; those reset
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
		out = append(out, Session{ID: ss.id, Timeout: ss.timeout, LastHeard: ss.heard, Connected: ss.conn != nil})
	}
	slices.SortFunc(out, func(a, b Session) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return out
}

// Watches returns how many watches are set, by all connections together.
func (s *Server) Watches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	total, _, _ := s.watches.count()
	return total
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
