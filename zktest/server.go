package zktest

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// Server is a ZooKeeper of one server, in the process that made it. Its methods may
// be called from any goroutine, also from within an [Server.OnRequest] hook.
type Server struct {
	opts  options
	log   *slog.Logger
	ln    net.Listener
	start time.Time
	done  chan struct{}
	empty chan struct{} // wakes the container manager; capacity 1
	wg    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	tree     *tree
	watches  *watches
	sessions map[int64]*session
	nextID   int64
	conns    map[*conn]struct{}
	accepted int
	received int
	refusing bool
	thawed   chan struct{} // nil unless frozen; closed by Thaw
	hook     func(Request)
	faults   []*Fault
	history  []Request
	deferred []*conn // cut while frozen: their sockets are closed by Thaw
}

// Start starts a server that is closed when the test ends. It fails the test when it cannot.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s, err := NewServer(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// NewServer starts a server on a free port of the loopback interface. It answers
// until it is closed.
func NewServer(opts ...Option) (*Server, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("zktest: no port on the loopback interface: %w", err)
	}
	now := time.Now()
	s := &Server{
		opts:     o,
		log:      o.log,
		ln:       ln,
		start:    now,
		done:     make(chan struct{}),
		empty:    make(chan struct{}, 1),
		tree:     newTree(o.wrap),
		watches:  newWatches(),
		sessions: map[int64]*session{},
		// As a real server numbers them: its own number, the time, a counter.
		nextID: 1<<56 | now.UnixMilli()<<24>>8&(1<<56-1),
		conns:  map[*conn]struct{}{},
	}
	s.wg.Go(s.accept)
	s.wg.Go(s.expire)
	s.wg.Go(s.manageContainers)
	return s, nil
}

// Addr returns the server's address, as host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends all connections, forgets everything, and returns when all of the
// server's goroutines have ended. A hook that does not return keeps it waiting.
func (s *Server) Close() error {
	s.mu.Lock()
	var err error
	if !s.closed {
		s.closed = true
		close(s.done)
		if err = s.ln.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
		s.thaw()
		s.cutAll()
	}
	s.mu.Unlock()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("zktest: closing the listener: %w", err)
	}
	return nil
}

func (s *Server) accept() {
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			select {
			case <-s.done:
			default:
				s.log.Error("zktest: no more connections are accepted", "err", err)
			}
			return
		}
		s.mu.Lock()
		if s.closed || s.refusing {
			s.mu.Unlock()
			reset(nc)
			continue
		}
		s.accepted++
		c := newConn(s, nc, s.accepted)
		s.conns[c] = struct{}{}
		s.wg.Go(c.serve)
		s.wg.Go(c.flush)
		s.mu.Unlock()
	}
}

// reset closes a socket so that the other side sees a reset, not an orderly end.
func reset(nc net.Conn) {
	if tc, ok := nc.(*net.TCPConn); ok {
		_ = tc.SetLinger(0)
	}
	_ = nc.Close()
}

// lockThawed takes the server's mutex when the server is not frozen. It returns
// false, without the mutex, when the connection has been cut in the meantime.
func (s *Server) lockThawed(c *conn) bool {
	for {
		s.mu.Lock()
		if c.dead {
			s.mu.Unlock()
			return false
		}
		thawed := s.thawed
		if thawed == nil {
			return true
		}
		s.mu.Unlock()
		select {
		case <-thawed:
		case <-c.done:
			return false
		}
	}
}

// cut ends a connection: from here on nothing that it has sent is executed, and its
// watches are gone. The mutex is held.
func (s *Server) cut(c *conn) {
	if s.detach(c) {
		_ = c.nc.Close()
	}
}

// cutQuietly is cut for what the server does by itself: a frozen server's client
// learns of it when the server is thawed. The mutex is held.
func (s *Server) cutQuietly(c *conn) {
	if s.thawed == nil {
		s.cut(c)
		return
	}
	if s.detach(c) {
		s.deferred = append(s.deferred, c)
	}
}

func (s *Server) detach(c *conn) bool {
	if c.dead {
		return false
	}
	c.dead = true
	close(c.done)
	delete(s.conns, c)
	s.watches.drop(c)
	if c.session != nil && c.session.conn == c {
		c.session.conn = nil
	}
	c.out = nil
	return true
}

func (s *Server) cutAll() {
	for c := range s.conns {
		s.cut(c)
	}
}

// transact runs one transaction and publishes its events, or takes it back when it
// does not return OK. The mutex is held.
func (s *Server) transact(who *caller, fn func(x *txn) jute.Code) jute.Code {
	x := s.tree.begin(who)
	if c := fn(x); c != jute.OK {
		x.rollback()
		return c
	}
	s.watches.publish(x.events)
	for _, ev := range x.events {
		if ev.kind == jute.EventNodeChildrenChanged && s.tree.emptyContainer(ev.path) {
			select {
			case s.empty <- struct{}{}:
			default:
			}
		}
	}
	return jute.OK
}
