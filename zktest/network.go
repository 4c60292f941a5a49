package zktest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
)

// Numbers for the addresses of servers and clients in memory.
var memServers, memClients atomic.Uint32

// WithInMemoryNetwork makes a server without a socket, which is reached through its method
// [Server.Dial] only. All that such a server does is on goroutines and timers of the
// goroutine that made it, so within a bubble of testing/synctest it lives in the bubble's
// time:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := zktest.Start(t, zktest.WithInMemoryNetwork())
//		cl, err := client.Connect(t.Context(), server.Addr(), client.WithDialer(server.Dial))
//		...
//		time.Sleep(time.Hour) // and an hour has passed for the server
//	})
func WithInMemoryNetwork() Option {
	return func(o *options) error {
		o.memory = true
		return nil
	}
}

// Dial opens a connection to the server, for a client's option to replace the opening of
// connections; it is the only way to a server with [WithInMemoryNetwork]. The network is
// ignored, and address has to be that of one of the server's doors. A server that is closed
// refuses the connection, and so does a door that is dead.
func (s *Server) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("zktest: dial %s: %w", address, context.Cause(ctx))
	}
	i := slices.IndexFunc(s.doors, func(d *Door) bool { return d.Addr() == address })
	if i < 0 {
		return nil, fmt.Errorf("zktest: dial %s: the server is at %s: %w", address, s.ConnectString(), syscall.ECONNREFUSED)
	}
	d := s.doors[i]
	if !s.opts.memory {
		var nd net.Dialer
		return nd.DialContext(ctx, "tcp", address)
	}
	client := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(1024 + memClients.Add(1)%64000)}
	near, far := memPipe(client, d.addr)
	if !d.take(nil, far) {
		return nil, d.unreachable()
	}
	return near, nil
}

// Dialer returns a function that opens connections to several servers, each by the address of a door.
func Dialer(servers ...*Server) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for _, s := range servers {
			if slices.ContainsFunc(s.doors, func(d *Door) bool { return d.Addr() == address }) {
				return s.Dial(ctx, network, address)
			}
		}
		return nil, fmt.Errorf("zktest: dial %s: there is no such server: %w", address, syscall.ECONNREFUSED)
	}
}

// open makes the doors, each with an address. On an error none stays open.
func (s *Server) open() error {
	for i := range s.opts.servers {
		d := &Door{s: s, index: i, watches: newWatches(s.opts.separate)}
		if s.opts.memory {
			n := memServers.Add(1)
			d.addr = &net.TCPAddr{IP: net.IPv4(127, byte(n>>16), byte(n>>8), byte(n)), Port: 2181}
			s.doors = append(s.doors, d)
			continue
		}
		at := "127.0.0.1:0"
		if i < len(s.opts.addresses) {
			at = s.opts.addresses[i]
		}
		ln, err := net.Listen("tcp", at)
		if err != nil {
			_ = s.Close()
			return fmt.Errorf("zktest: server %d: %w", i+1, err)
		}
		d.addr = ln.Addr()
		d.listen(ln)
		s.doors = append(s.doors, d)
	}
	return nil
}

// listen begins to take connections from a socket, until it is closed.
func (d *Door) listen(ln net.Listener) {
	d.ln = ln
	d.s.wg.Go(func() { d.accept(ln) })
}

func (d *Door) accept(ln net.Listener) {
	for {
		nc, err := ln.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				d.s.log.Error("zktest: no more connections are accepted", "addr", d.addr, "err", err)
			}
			return
		}
		d.take(ln, nc)
	}
}

// take serves a connection that came by way of ln, which is nil in memory, or does with it what
// Refuse and Hang say. It reports false, having reset it, when the door is dead or closed.
func (d *Door) take(ln net.Listener, nc net.Conn) bool {
	s := d.s
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := s.closed || d.dead || d.ln != ln
	if gone || d.admits == refused {
		reset(nc)
		return !gone
	}
	s.accepted++
	d.accepted++
	if d.admits == hung {
		d.hung = append(d.hung, newcomer{nc, s.accepted})
		return true
	}
	d.serve(newcomer{nc, s.accepted})
	return true
}

// newcomer is a connection and its number.
type newcomer struct {
	nc net.Conn
	id int
}

// serve begins to execute what comes over a connection. The mutex is held.
func (d *Door) serve(n newcomer) {
	s := d.s
	c := newConn(d, n.nc, n.id)
	s.conns[c] = struct{}{}
	s.wg.Go(c.serve)
	s.wg.Go(c.flush)
}

// reset closes a connection so that the other side sees a reset, not an orderly end.
func reset(nc net.Conn) {
	if tc, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		_ = tc.SetLinger(0)
	}
	_ = nc.Close()
}
