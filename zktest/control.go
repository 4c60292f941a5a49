package zktest

import (
	"fmt"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// OnRequest sets a function that is called before each request is executed, the
// handshake and pings included, on the goroutine of the request's connection; nil
// takes it away. The server is not locked: the function may call the server's methods
// except Close, and may block, which stops only that connection.
func (s *Server) OnRequest(hook func(Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// ExpireSession ends a session as if its client had been silent for too long: its
// ephemeral nodes go, its connection is cut, and it can never be taken up again. It
// reports whether there was such a session.
func (s *Server) ExpireSession(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss := s.sessions[id]
	if ss == nil {
		return false
	}
	s.expireSession(ss)
	return true
}

// DropConnections cuts all connections, those that hang included. Sessions stay. Requests that have arrived but
// have not been executed are lost.
func (s *Server) DropConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutAll()
}

// DropConnection cuts the connection of one session and reports whether it had one.
func (s *Server) DropConnection(session int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss := s.sessions[session]
	if ss == nil || ss.conn == nil {
		return false
	}
	s.cut(ss.conn)
	return true
}

// Refuse makes the server reset every new connection, until Accept. The port stays
// taken, so that a client's dial succeeds and its handshake fails.
func (s *Server) Refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.admit(refused)
	}
}

// Hang makes the server take every new connection and leave it at that, until Accept: a client's
// dial succeeds, and nothing that it sends is read. Connections that stand go on.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.admit(hung)
	}
}

// Accept ends Refuse and Hang. Connections that hang are served from then on.
func (s *Server) Accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.admit(served)
	}
}

// Freeze makes the server silent: connections stay, new ones are taken, and nothing
// is executed or answered until Thaw. Replies that were already on their way may
// still arrive. Time goes on: sessions expire, which their clients learn at Thaw.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.freeze()
	}
}

// Thaw ends Freeze: what has arrived in the meantime is executed and answered.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.thaw()
	}
}

// Wipe takes all data and sessions away, as when a server is started again with an
// empty disk: connections are cut, and transactions are numbered from the beginning,
// so that clients with sessions are refused until they forget them. No door lags behind it.
func (s *Server) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutAll()
	s.tree = newTree(s.opts.wrap)
	for _, d := range s.doors {
		d.lag = nil
		d.rejoin()
	}
	s.showConfig()
	clear(s.sessions)
}

// Create makes a node for anyone, and its parents where they are missing. It is a
// transaction like a client's: watches fire.
func (s *Server) Create(path string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !validPath(path) {
		return fmt.Errorf("zktest: create %q: not a valid path", path)
	}
	for i, r := range path {
		if r != '/' || i == 0 || s.tree.find(path[:i]) != nil {
			continue
		}
		if err := s.create(path[:i], nil); err != nil {
			return err
		}
	}
	return s.create(path, data)
}

func (s *Server) create(path string, data []byte) error {
	data = append([]byte{}, data...)
	return s.fixture("create", path, func(x *txn) jute.Code {
		_, code := x.create(jute.OpCreate, &jute.CreateRequest{Path: path, Data: data, ACL: openACL()}, -1)
		return code
	})
}

// Set replaces the data of a node. It is a transaction like a client's: watches fire.
func (s *Server) Set(path string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data = append([]byte{}, data...)
	return s.fixture("set", path, func(x *txn) jute.Code {
		_, code := x.set(path, data, -1)
		return code
	})
}

// Delete removes a node and everything below it, each node in a transaction of its
// own, from the bottom up. Watches fire.
func (s *Server) Delete(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree.find(path) == nil {
		return fmt.Errorf("zktest: delete %s: no such node", path)
	}
	for _, p := range s.tree.below(path) {
		if ownPath(p) {
			continue
		}
		if err := s.fixture("delete", p, func(x *txn) jute.Code { return x.delete(p, -1) }); err != nil {
			return err
		}
	}
	return nil
}

// SetNextSequence makes n the number of the next sequential node below parent. On a
// real server the number is the count of all nodes ever created there, in a signed
// 32-bit integer. [WithSequenceWrap] says what happens when it is full.
func (s *Server) SetNextSequence(parent string, n int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.tree.find(parent)
	if p == nil {
		return fmt.Errorf("zktest: next sequence of %s: no such node", parent)
	}
	p.stat.Cversion = n
	return nil
}

// fixture runs a transaction on behalf of the test. The mutex is held.
func (s *Server) fixture(what, path string, fn func(x *txn) jute.Code) error {
	code := s.transact(&caller{trusted: true}, fn)
	switch code {
	case jute.OK:
		return nil
	case jute.NoNode:
		return fmt.Errorf("zktest: %s %s: no such node", what, path)
	case jute.NodeExists:
		return fmt.Errorf("zktest: %s %s: the node exists already", what, path)
	case jute.NoChildrenForEphemerals:
		return fmt.Errorf("zktest: %s %s: the parent %s is ephemeral", what, path, path[:strings.LastIndexByte(path, '/')])
	default:
		return fmt.Errorf("zktest: %s %s: the server answers with code %d", what, path, code)
	}
}
