package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// acceptPause is how long the proxy waits after it could not accept a
// connection, for instance because the process has too many open files.
const acceptPause = 10 * time.Millisecond

// Proxy stands between clients and a server. All its methods can be called at
// any time and from any goroutine. Only Close waits for hooks and matches to
// return, so that they must not call it.
type Proxy struct {
	port *port
	addr string
	raw  bool
	mute bool           // keeps no log
	wg   sync.WaitGroup // one for each link

	// listening orders Refuse, Accept and Close. It is taken before mu.
	listening sync.Mutex
	listener  *net.TCPListener // nil while refusing
	stop      chan struct{}    // closed to end the accepting goroutine
	accepting chan struct{}    // closed when it has ended
	shut      bool

	// arrivals orders the requests of all connections. It is taken before mu.
	arrivals sync.Mutex

	// mu guards what follows, the links, their pipes and the faults. It is
	// never held while user code runs or a socket is waited for.
	mu        sync.Mutex
	closed    bool
	upstream  string
	links     map[*link]struct{}
	accepted  int
	holes     Direction
	held      Direction
	delay     [Both]time.Duration // by direction
	jitter    [Both]time.Duration // likewise, at most
	faults    []*Fault            // armed
	requests  []Request
	replies   []Reply
	onRequest func(Request)
	onReply   func(Request)
}

// Option changes what New makes.
type Option func(*Proxy)

// Raw makes the proxy pass bytes without looking for frames. No request is
// logged or matched then; the faults of the line work as ever.
func Raw() Option {
	return func(p *Proxy) { p.raw = true }
}

// Unlogged makes the proxy keep no log of requests and replies, for one that lives for hours. Faults
// of single requests and the hooks work as ever.
func Unlogged() Option {
	return func(p *Proxy) { p.mute = true }
}

// New starts a proxy on a free port of 127.0.0.1 that connects each of its
// clients to upstream, given as host:port. Upstream need not be there yet.
func New(upstream string, options ...Option) (*Proxy, error) {
	if err := checkAddress(upstream); err != nil {
		return nil, err
	}
	reserved, err := reservePort()
	if err != nil {
		return nil, err
	}
	p := &Proxy{port: reserved, upstream: upstream, links: make(map[*link]struct{})}
	for _, option := range options {
		option(p)
	}
	if err := p.Accept(); err != nil {
		return nil, errors.Join(err, reserved.release())
	}
	p.addr = p.listener.Addr().String()
	return p, nil
}

// Start is New for a test; the proxy is closed when the test ends.
func Start(t testing.TB, upstream string, options ...Option) *Proxy {
	t.Helper()
	p, err := New(upstream, options...)
	if err != nil {
		t.Fatalf("start the fault proxy: %v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close the fault proxy: %v", err)
		}
	})
	return p
}

func checkAddress(upstream string) error {
	host, number, err := net.SplitHostPort(upstream)
	if err == nil && (host == "" || number == "") {
		err = errors.New("the host or the port is empty")
	}
	if err != nil {
		return fmt.Errorf("fault proxy: upstream %q: %w; give it as host:port", upstream, err)
	}
	return nil
}

func listenLoopback(number int) (*net.TCPListener, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: number})
	if err != nil {
		return nil, fmt.Errorf("fault proxy: listen on 127.0.0.1:%d: %w", number, err)
	}
	return listener, nil
}

// Addr is the address for the client, host:port. It never changes.
func (p *Proxy) Addr() string { return p.addr }

// SetUpstream sends new connections to another server. Those that exist stay.
func (p *Proxy) SetUpstream(upstream string) error {
	if err := checkAddress(upstream); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	return nil
}

// Refuse makes the kernel refuse new connections. The port is kept for Accept,
// and the connections that exist stay.
func (p *Proxy) Refuse() {
	p.listening.Lock()
	defer p.listening.Unlock()
	_ = p.stopListening() // the socket is closed all the same
}

// Accept accepts new connections again, on the same port.
func (p *Proxy) Accept() error {
	p.listening.Lock()
	defer p.listening.Unlock()
	if p.shut {
		return fmt.Errorf("fault proxy: accept: %w", net.ErrClosed)
	}
	if p.listener != nil {
		return nil
	}
	listener, err := p.port.listen()
	if err != nil {
		return err
	}
	stop, accepting := make(chan struct{}), make(chan struct{})
	p.listener, p.stop, p.accepting = listener, stop, accepting
	go func() {
		defer close(accepting)
		p.serve(listener, stop)
	}()
	return nil
}

// stopListening is called with p.listening held.
func (p *Proxy) stopListening() error {
	if p.listener == nil {
		return nil
	}
	close(p.stop)
	err := p.listener.Close()
	<-p.accepting
	p.listener = nil
	return err
}

func (p *Proxy) serve(listener *net.TCPListener, stop <-chan struct{}) {
	for {
		client, err := listener.AcceptTCP()
		if err == nil {
			p.admit(client)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(acceptPause):
		}
	}
}

func (p *Proxy) admit(client *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		closeConn(client)
		return
	}
	p.accepted++
	ctx, cancel := context.WithCancel(context.Background())
	l := newLink(p, p.accepted, client, cancel)
	p.links[l] = struct{}{}
	p.wg.Go(func() { l.run(ctx) })
}

// Close ends all connections, stops listening and waits for every goroutine of
// the proxy. It waits for hooks that are running. It may be called often.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.close(errClosed)
	}
	for _, f := range p.faults {
		f.lose(errClosed)
	}
	p.faults = nil
	p.mu.Unlock()
	err := p.shutdown()
	p.wg.Wait()
	return err
}

func (p *Proxy) shutdown() error {
	p.listening.Lock()
	defer p.listening.Unlock()
	if p.shut {
		return nil
	}
	p.shut = true
	return errors.Join(p.stopListening(), p.port.release())
}

// Connections is the number of connections that are open, as far as the proxy
// knows. One that was cut or reset does not count. One that only a side knows
// to be closed, because the news vanished in a black hole, does.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := 0
	for l := range p.links {
		if l.state == linkOpen {
			open++
		}
	}
	return open
}

// Accepted is the number of connections that were ever accepted.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Requests is the log of the requests that have arrived from clients, in the
// order of arrival, also those that were then lost in the proxy.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Replies is the log of the replies and watch events that have arrived from
// servers, in the order of arrival, also those that were then lost in the proxy.
func (p *Proxy) Replies() []Reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.replies)
}

// OnRequest sets a function that is called for each request when it has
// arrived, is logged and has its faults, and before it is delivered or lost.
// The connection waits for the function; others go on. Nil takes it away.
func (p *Proxy) OnRequest(hook func(Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onRequest = hook
}

// OnReply sets a function that is called when a reply or a watch event has
// arrived and before it is delivered or lost, with the request that it
// answers; see Reply. It is called like that of OnRequest.
func (p *Proxy) OnReply(hook func(Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onReply = hook
}

func (p *Proxy) hook(d Direction) func(Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d == ToServer {
		return p.onRequest
	}
	return p.onReply
}

// arrived finds the faults of a request, or of a watch event when d is
// ToClient, and logs requests. A frame that vanishes anyway wastes no fault.
func (p *Proxy) arrived(l *link, d Direction, r Request) (delivery, reply *Fault) {
	p.arrivals.Lock()
	defer p.arrivals.Unlock()
	p.mu.Lock()
	if d == ToServer && !p.mute {
		p.requests = append(p.requests, r)
	}
	armed := slices.Clone(p.faults)
	if l.state != linkOpen || l.silences(d) {
		armed = nil
	}
	p.mu.Unlock()
	return p.claim(d, r, armed)
}

func (p *Proxy) disarm(f *Fault) {
	p.faults = slices.DeleteFunc(p.faults, func(other *Fault) bool { return other == f })
}
