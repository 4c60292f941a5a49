package ensemble

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// wiring is what local servers are reached by, by each other and by clients.
type wiring interface {
	// place returns where server i, from 0, lives.
	place(i int) place
	close(ctx context.Context) error
}

// place is the addresses of one local server and the way into its network.
type place struct {
	peerHost                 string
	quorumPort, electionPort int
	clientHost               string
	clientPort               int
	securePort               int      // for TLS, if asked for
	enter                    []string // goes before the server's command line
	cut                      func(ctx context.Context) error
	heal                     func(ctx context.Context) error
}

func (p place) clientAddr() string {
	return net.JoinHostPort(p.clientHost, strconv.Itoa(p.clientPort))
}

func (p place) secureAddr() string {
	return net.JoinHostPort(p.clientHost, strconv.Itoa(p.securePort))
}

// line is the server's entry in the list of servers.
func (p place) line(id int) string {
	return fmt.Sprintf("server.%d=%s:%d:%d;%s:%d", id, p.peerHost, p.quorumPort, p.electionPort, p.clientHost, p.clientPort)
}

// loopback puts all servers on 127.0.0.1, four ports for each.
type loopback struct{ ports *ports }

func layLoopback(servers int) (*loopback, error) {
	claimed, err := claimPorts(4 * servers)
	if err != nil {
		return nil, err
	}
	return &loopback{ports: claimed}, nil
}

func (l *loopback) place(i int) place {
	none := func(context.Context) error { return ErrNoPeerCuts }
	return place{
		peerHost:     "127.0.0.1",
		quorumPort:   l.ports.at(4*i + 1),
		electionPort: l.ports.at(4*i + 2),
		clientHost:   "127.0.0.1",
		clientPort:   l.ports.at(4 * i),
		securePort:   l.ports.at(4*i + 3),
		cut:          none,
		heal:         none,
	}
}

func (l *loopback) close(context.Context) error { return l.ports.close() }
