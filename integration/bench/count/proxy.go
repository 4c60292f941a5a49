package count

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// dialTimeout bounds the way to the server.
const dialTimeout = 10 * time.Second

// Proxy stands in front of one server. Safe for concurrent use; Close it.
type Proxy struct {
	upstream string
	listener net.Listener
	meter    meter
	all      sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// New is a proxy on a port of its own.
func New(upstream string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("count: a proxy for %s: %w", upstream, err)
	}
	p := &Proxy{upstream: upstream, listener: l, conns: map[net.Conn]struct{}{}}
	p.all.Go(p.accept)
	return p, nil
}

// Addr is where clients reach it.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Counts are what has passed so far.
func (p *Proxy) Counts() Counts { return p.meter.counts() }

// Close ends all connections and waits for their end.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.all.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(c) })
	}
}

// keep has a connection closed with the proxy.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := net.DialTimeout("tcp", p.upstream, dialTimeout)
	if err != nil {
		return
	}
	if !p.keep(server) {
		return
	}
	defer p.drop(server)
	var (
		answered atomic.Bool
		parse    frames
		both     sync.WaitGroup
	)
	answered.Store(true)
	both.Go(func() {
		pass(server, client, func(piece []byte) {
			p.meter.sent.Add(int64(len(piece)))
			p.meter.requests.Add(parse.feed(piece))
			if answered.Swap(false) {
				p.meter.flights.Add(1)
			}
		})
	})
	both.Go(func() {
		pass(client, server, func(piece []byte) {
			p.meter.received.Add(int64(len(piece)))
			answered.Store(true)
		})
	})
	both.Wait()
}

// pass copies until one side ends, and then ends both directions of it: a client of a coordination service that has closed
// one has no use for the other.
func pass(to, from net.Conn, see func(piece []byte)) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			see(buffer[:n])
			if _, err := to.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
}

// Proxies are one for each of several servers.
type Proxies []*Proxy

// Front puts a proxy before each server of a list, host:port,host:port.
func Front(servers string) (Proxies, error) {
	var all Proxies
	for server := range strings.SplitSeq(servers, ",") {
		p, err := New(strings.TrimPrefix(server, "http://"))
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all = append(all, p)
	}
	return all, nil
}

// Servers is the list of the proxies.
func (ps Proxies) Servers() string {
	var addrs []string
	for _, p := range ps {
		addrs = append(addrs, p.Addr())
	}
	return strings.Join(addrs, ",")
}

// Counts are those of all.
func (ps Proxies) Counts() (sum Counts) {
	for _, p := range ps {
		sum = sum.Plus(p.Counts())
	}
	return sum
}

// Close ends all.
func (ps Proxies) Close() error {
	var errs []error
	for _, p := range ps {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

var _ io.Closer = Proxies(nil)
