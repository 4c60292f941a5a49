package zktest

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// maxServers bounds WithServers.
const maxServers = 100

// Door is one of the servers of an ensemble, as clients see it: an address with
// connections of its own, before the data and the sessions that all doors share. What a
// method of [Server] does to all doors a Door's does to one. Its methods may be called from
// any goroutine, also from within an [Server.OnRequest] hook.
type Door struct {
	s     *Server
	index int
	addr  net.Addr

	// Guarded by the server's mutex.
	ln       net.Listener // nil in memory, and while the door is dead
	dead     bool
	watches  *watches
	lag      *lag // nil unless the door lags behind
	accepted int
	received int
	sent     int
	admits   admission
	hung     []newcomer // taken, and left at that
	readOnly bool
	thawed   chan struct{} // nil unless frozen; closed by Thaw
	rejoined chan struct{} // nil unless cut off; closed by Rejoin
	deferred []*conn       // cut while frozen: their sockets are closed by Thaw
}

// WithServers makes n doors, one by default, to one tree: see [Server.Doors]. It is an
// ensemble whose leader has no clients and never fails: each door is a follower.
//
// A session can be taken up at any door. The connection that it had at the same door is
// cut; one at another door stays, and can read and be told of changes, until it wants to
// change something: that is answered as a real server answers [SessionMoved], by hanging
// up without a reply.
func WithServers(n int) Option {
	return func(o *options) error {
		if n < 1 || n > maxServers {
			return fmt.Errorf("%d servers: want 1 to %d", n, maxServers)
		}
		o.servers = n
		return nil
	}
}

// Doors returns the doors in their order. There is one, unless [WithServers] made more.
func (s *Server) Doors() []*Door { return append([]*Door(nil), s.doors...) }

// ConnectString returns the addresses of all doors with commas between them, as clients
// take them.
func (s *Server) ConnectString() string {
	addrs := make([]string, len(s.doors))
	for i, d := range s.doors {
		addrs[i] = d.Addr()
	}
	return strings.Join(addrs, ",")
}

// Addr returns the door's address, as host:port. It is the same after Restart.
func (d *Door) Addr() string { return d.addr.String() }

// Index returns the door's place in [Server.Doors], from 0.
func (d *Door) Index() int { return d.index }

// Connections returns how many connections of the door are open.
func (d *Door) Connections() int {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return len(d.conns())
}

// conns returns the door's connections. The mutex is held.
func (d *Door) conns() []*conn {
	var out []*conn
	for c := range d.s.conns {
		if c.door == d {
			out = append(out, c)
		}
	}
	return out
}

// Accepted returns how many connections the door has taken since the start; those reset
// by Refuse are not counted.
func (d *Door) Accepted() int {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.accepted
}

// DropConnections cuts the door's connections, as [Server.DropConnections] does.
func (d *Door) DropConnections() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.cutAll()
}

func (d *Door) cutAll() {
	for _, c := range d.conns() {
		d.s.cut(c)
	}
	d.dropHung()
}

// Freeze makes the door silent, as [Server.Freeze] does. A session can be taken up at
// another door meanwhile.
func (d *Door) Freeze() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.freeze()
}

func (d *Door) freeze() {
	if d.thawed == nil && !d.s.closed && !d.dead {
		d.thawed = make(chan struct{})
	}
}

// Thaw ends Freeze: what has arrived in the meantime is executed and answered.
func (d *Door) Thaw() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.thaw()
}

func (d *Door) thaw() {
	if d.thawed == nil {
		return
	}
	close(d.thawed)
	d.thawed = nil
	for _, c := range d.deferred {
		_ = c.nc.Close()
	}
	d.deferred = nil
	for _, c := range d.conns() {
		c.nudge()
	}
}

// Kill ends the server behind the door: its connections are cut, and the port is closed, so
// that a dial fails. Sessions stay, but for those of a read-only server. A door that is
// dead stays so until Restart; nothing else that is done to it has an effect.
func (d *Door) Kill() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.dead || d.s.closed {
		return
	}
	d.cutAll()
	d.dead, d.lag = true, nil
	d.rejoin()
	if d.ln != nil {
		_ = d.ln.Close()
		d.ln = nil
	}
	d.thaw()
	d.admits = served
	d.setReadOnly(false)
}

// Restart starts the server behind a dead door again, at the same address: not frozen, not
// refusing or hanging, not read-only, not lagging, not cut off. It does nothing to one that lives. It returns an error when the
// port has been taken by somebody else meanwhile, or the Server is closed (net.ErrClosed).
func (d *Door) Restart() error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	switch {
	case d.s.closed:
		return fmt.Errorf("zktest: restart %s: the server is closed: %w", d.addr, net.ErrClosed)
	case !d.dead:
		return nil
	}
	if !d.s.opts.memory {
		ln, err := net.Listen("tcp", d.addr.String())
		if err != nil {
			return fmt.Errorf("zktest: restart %s: %w", d.addr, err)
		}
		d.listen(ln)
	}
	d.dead, d.admits = false, served
	return nil
}

// close ends the door for good. The mutex is held.
func (d *Door) close() (err error) {
	if d.ln != nil {
		if err = d.ln.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
		d.ln = nil
	}
	d.thaw()
	d.cutAll()
	return err
}

// view is the tree as the door's clients see it. The mutex is held.
func (d *Door) view() *tree {
	if d.lag != nil {
		return d.lag.tree
	}
	return d.s.tree
}

// unreachable is the error of a dial to a door that is dead or whose Server is closed.
func (d *Door) unreachable() error {
	return fmt.Errorf("zktest: dial %s: the server is closed: %w", d.addr, syscall.ECONNREFUSED)
}
