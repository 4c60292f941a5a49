package zktest

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// Server is a ZooKeeper in the process that made it: one server or, with [WithServers],
// several. Its methods may be called from any goroutine, also from within an
// [Server.OnRequest] hook.
type Server struct {
	opts    options
	log     *slog.Logger
	doors   []*Door
	start   time.Time
	done    chan struct{}
	changed chan struct{} // wakes manageMortals; capacity 1
	wg      sync.WaitGroup

	mu        sync.Mutex
	framer    framer
	closed    bool
	tree      *tree
	sessions  map[int64]*session
	nextID    int64
	conns     map[*conn]struct{}
	accepted  int
	hook      func(Request)
	faults    []*Fault
	history   []Request
	skew      time.Duration // what AdvanceClock has added to the time
	nextSweep time.Time
	ensemble  *ensemble // nil unless WithReconfig
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

// NewServer starts a server on free ports of the loopback interface, or in memory. It
// answers until it is closed.
func NewServer(opts ...Option) (*Server, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := &Server{
		opts:      o,
		log:       o.log,
		start:     now,
		done:      make(chan struct{}),
		changed:   make(chan struct{}, 1),
		nextSweep: now.Add(o.sweep),
		tree:      newTree(o.wrap),
		sessions:  map[int64]*session{},
		// As a real server numbers them: its own number, the time, a counter.
		nextID: 1<<56 | now.UnixMilli()<<24>>8&(1<<56-1),
		conns:  map[*conn]struct{}{},
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	s.showConfig()
	s.wg.Go(s.expire)
	s.wg.Go(s.manageMortals)
	if err := s.furnish(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// furnish loads the fixtures.
func (s *Server) furnish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.opts.fixtures {
		if err := s.load(d); err != nil {
			return fmt.Errorf("zktest: fixture: %w", err)
		}
	}
	return nil
}

// Addr returns the server's address, as host:port; with [WithServers], the first door's.
func (s *Server) Addr() string { return s.doors[0].Addr() }

// Close ends all connections, forgets everything, and returns when all of the
// server's goroutines have ended. A hook that does not return keeps it waiting.
func (s *Server) Close() error {
	s.mu.Lock()
	var err error
	if !s.closed {
		s.closed = true
		close(s.done)
		for _, d := range s.doors {
			err = errors.Join(err, d.close())
		}
	}
	s.mu.Unlock()
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("zktest: closing the listeners: %w", err)
	}
	return nil
}

// lockThawed takes the server's mutex when the connection's door is not frozen. It returns
// false, without the mutex, when the connection has been cut in the meantime.
func (s *Server) lockThawed(c *conn) bool {
	for {
		s.mu.Lock()
		if c.dead {
			s.mu.Unlock()
			return false
		}
		thawed := c.door.thawed
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

// cutQuietly is cut for what the server does by itself: a frozen door's client
// learns of it when the door is thawed. The mutex is held.
func (s *Server) cutQuietly(c *conn) {
	if c.door.thawed == nil {
		s.cut(c)
		return
	}
	if s.detach(c) {
		c.door.deferred = append(c.door.deferred, c)
	}
}

func (s *Server) detach(c *conn) bool {
	if c.dead {
		return false
	}
	c.dead = true
	close(c.done)
	for _, timer := range c.later {
		timer.Stop()
	}
	delete(s.conns, c)
	c.door.watches.drop(c)
	if ss := c.session; ss != nil {
		ss.conns = slices.DeleteFunc(ss.conns, func(other *conn) bool { return other == c })
		if ss.conn == c {
			ss.conn = nil
		}
	}
	c.out, c.pending = outbox{}, nil
	return true
}

func (s *Server) cutAll() {
	for c := range s.conns {
		s.cut(c)
	}
	for _, d := range s.doors {
		d.dropHung()
	}
}

// transact runs one transaction and publishes its events, or takes it back when it
// does not return OK. The mutex is held.
func (s *Server) transact(who *caller, fn func(x *txn) jute.Code) jute.Code {
	x := s.tree.begin(who, s.now())
	if c := fn(x); c != jute.OK {
		x.rollback()
		return c
	}
	for _, d := range s.doors {
		if d.lag != nil {
			d.note(step{changes: x.changes(), events: x.events})
		} else {
			d.watches.publish(x.events)
		}
	}
	if len(s.tree.mortals) > 0 {
		s.wakeSweep()
	}
	return jute.OK
}
