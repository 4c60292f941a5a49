package admin

import (
	"context"
	"fmt"
)

// Server is one ZooKeeper server to ask. It holds no connection and needs no closing;
// its methods can be called from several goroutines.
type Server struct {
	settings
	addr string
}

// NewServer names a server by the host:port of its client port; without a port it is 2181.
// It connects to nothing yet. An address or option that cannot work is [ErrBadArgument].
func NewServer(addr string, opts ...Option) (*Server, error) {
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	if addr, err = hostPort(addr); err != nil {
		return nil, err
	}
	return &Server{settings: set, addr: addr}, nil
}

// NewServers makes a Server of each entry of a server list as client.Connect takes it,
// "host:port,host:port/chroot", in its order. An admin endpoint belongs to one server: with
// [WithAdminURL] the list has to have one entry.
func NewServers(list string, opts ...Option) ([]*Server, error) {
	addrs, err := hostPorts(list)
	if err != nil {
		return nil, err
	}
	var out []*Server
	for _, addr := range addrs {
		s, err := NewServer(addr, opts...)
		if err != nil {
			return nil, err
		}
		if s.url != nil && len(addrs) > 1 {
			return nil, badArgument("WithAdminURL", "one URL cannot stand for %d servers: call NewServer for each", len(addrs))
		}
		out = append(out, s)
	}
	return out, nil
}

// Addr returns the host:port of the client port.
func (s *Server) Addr() string { return s.addr }

// String returns the address of the client port, and the URL of the admin endpoint if that is asked.
func (s *Server) String() string {
	if s.url != nil {
		return fmt.Sprintf("%s (%v)", s.addr, s.url)
	}
	return s.addr
}

// Command sends any word that takes no argument and returns the answer as it comes: text,
// or JSON from the admin endpoint. A word for the client port has four letters, such as
// "envi"; the admin endpoint knows longer names as well, such as "last_snapshot". Some
// words change something: srst and crst reset statistics. Errors are those of the other
// methods, [ErrMalformed] excepted: nothing is parsed.
func (s *Server) Command(ctx context.Context, word string) (string, error) {
	return ask(ctx, s, question[string]{
		word:    word,
		command: word,
		text:    func(answer string) (string, error) { return answer, nil },
		json:    func(answer []byte) (string, error) { return string(answer), nil },
	})
}

// Ruok returns nil if the server's process answers. That it serves is said by
// [Server.Srvr] only, or by the admin endpoint.
func (s *Server) Ruok(ctx context.Context) error {
	_, err := ask(ctx, s, ruok)
	return err
}

// Isro tells whether the server is in read-only mode: cut off from its quorum and open
// for clients that are content to read. A server that does not serve is [ErrNotServing].
func (s *Server) Isro(ctx context.Context) (bool, error) { return ask(ctx, s, isro) }

// Srvr asks for the server's mode and its counters.
func (s *Server) Srvr(ctx context.Context) (*Srvr, error) { return ask(ctx, s, srvr) }

// Mntr asks for everything that the server measures.
func (s *Server) Mntr(ctx context.Context) (*Mntr, error) { return ask(ctx, s, mntr) }

// Cons asks for the server's connections, in no order. A word's own connection is among them.
func (s *Server) Cons(ctx context.Context) ([]Connection, error) { return ask(ctx, s, cons) }

// Wchs asks how many watches the server keeps.
func (s *Server) Wchs(ctx context.Context) (*WatchSummary, error) { return ask(ctx, s, wchs) }

// Conf asks for the server's settings.
func (s *Server) Conf(ctx context.Context) (*Conf, error) { return ask(ctx, s, conf) }
