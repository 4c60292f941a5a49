package faultproxy

import (
	"context"
	"io"
	"math"
	"net"
	"sync"
)

// connectKey is where the reply to the handshake is expected; it is no xid.
const connectKey int64 = math.MaxInt64

type linkState uint8

const (
	linkOpen  linkState = iota
	linkCut             // FIN was sent to both sides; what still comes is thrown away
	linkEnded           // the sockets are closed
)

// link is one connection of a client with its connection to the server.
type link struct {
	proxy  *Proxy
	number int
	client *net.TCPConn
	up     *pipe
	down   *pipe
	stop   chan struct{}      // closed when the link is no longer open
	cancel context.CancelFunc // ends the dial

	// guarded by Proxy.mu
	state    linkState
	reason   error // why it is not open
	server   *net.TCPConn
	silent   Direction // a black hole of this link alone
	holed    bool      // was in a black hole at some time
	awaiting map[int64][]awaited
}

// awaited is a request that was delivered and not answered yet.
type awaited struct {
	request Request
	fault   *Fault
}

func newLink(p *Proxy, number int, client *net.TCPConn, cancel context.CancelFunc) *link {
	l := &link{
		proxy:    p,
		number:   number,
		client:   client,
		stop:     make(chan struct{}),
		cancel:   cancel,
		awaiting: make(map[int64][]awaited),
	}
	l.up, l.down = newPipe(l, ToServer), newPipe(l, ToClient)
	l.up.src, l.down.dst = client, client
	if p.holes != 0 {
		l.silent, l.holed = Both, true
	}
	return l
}

// run lives as long as the connection.
func (l *link) run(ctx context.Context) {
	defer l.finish()
	var wg sync.WaitGroup
	defer wg.Wait()
	switch l.connect(ctx) {
	case connected:
		wg.Go(l.up.read)
		wg.Go(l.up.write)
		wg.Go(l.down.read)
		wg.Go(l.down.write)
	case unseen:
		wg.Go(l.up.write)
		l.up.read()
		l.end(errEnded) // the only side that knew of it has gone
	case failed:
		_, _ = io.Copy(io.Discard, l.client) // after Cut, see pipe.read; else it is closed
	}
}

type dialed uint8

const (
	connected dialed = iota
	unseen           // in a black hole: the server does not hear of it
	failed
)

func (l *link) connect(ctx context.Context) dialed {
	p := l.proxy
	p.mu.Lock()
	upstream, silent := p.upstream, l.silent != 0
	p.mu.Unlock()
	if silent {
		return unseen
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", upstream)
	p.mu.Lock()
	defer p.mu.Unlock()
	server, _ := conn.(*net.TCPConn)
	switch {
	case l.state != linkOpen:
		closeConn(server)
		return failed
	case l.holed:
		closeConn(server)
		l.silent = Both
		return unseen
	case err != nil:
		// The client sees its connection accepted and reset at once. That is as
		// near to "refused" as a listening proxy can come.
		l.reset(errEnded)
		return failed
	}
	l.server = server
	l.up.dst, l.down.src = server, server
	return connected
}

func closeConn(conn *net.TCPConn) {
	if conn != nil {
		_ = conn.Close() // nothing was sent on it, or nobody is to hear of it
	}
}

// end ends the link as the program on either side sees an ordinary close.
func (l *link) end(reason error) {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	l.close(reason)
}

func (l *link) finish() {
	l.end(errEnded)
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	delete(l.proxy.links, l)
}

// The methods below are called with Proxy.mu held.

func (l *link) pipe(d Direction) *pipe {
	if d == ToServer {
		return l.up
	}
	return l.down
}

func (l *link) pipes(d Direction) []*pipe {
	var pipes []*pipe
	for _, one := range []Direction{ToServer, ToClient} {
		if d&one != 0 {
			pipes = append(pipes, l.pipe(one))
		}
	}
	return pipes
}

func (l *link) nudge() {
	l.up.nudge()
	l.down.nudge()
}

func (l *link) silences(d Direction) bool { return (l.proxy.holes|l.silent)&d != 0 }

// deserted reports that both sides have ended and that nothing of the rest,
// their ends included, will be delivered to anybody.
func (l *link) deserted() bool {
	for _, q := range l.pipes(Both) {
		if !q.ended || !q.done && !q.broken && !l.silences(q.dir) {
			return false
		}
	}
	return true
}

func (l *link) closeIfDeserted() {
	if l.deserted() {
		l.close(errEnded)
	}
}

// leave makes the link not open, and tells the faults that waited for it.
func (l *link) leave(state linkState, reason error) {
	if l.state == linkOpen {
		l.reason = reason
		close(l.stop)
		l.cancel()
		l.up.discard(reason)
		l.down.discard(reason)
		for _, waiting := range l.awaiting {
			for _, w := range waiting {
				if w.fault != nil {
					w.fault.lose(reason)
				}
			}
		}
		l.awaiting = nil
	}
	l.state = state
}

func (l *link) cut(reason error) {
	if l.state != linkOpen {
		return
	}
	l.leave(linkCut, reason)
	_ = l.client.CloseWrite() // fails only where the peer has gone
	if l.server != nil {
		_ = l.server.CloseWrite()
	}
}

func (l *link) reset(reason error) {
	if l.state != linkOpen {
		return
	}
	_ = l.client.SetLinger(0) // fails only on a closed socket
	if l.server != nil {
		_ = l.server.SetLinger(0)
	}
	l.close(reason)
}

func (l *link) close(reason error) {
	if l.state == linkEnded {
		return
	}
	l.leave(linkEnded, reason)
	closeConn(l.client)
	closeConn(l.server)
}

// suffer carries out a drop or a swallow, whose frame has just been removed.
func (l *link) suffer(f *Fault) {
	switch f.then {
	case ThenCut:
		l.cut(errCut)
	case ThenReset:
		l.reset(errReset)
	case ThenBlackHole:
		l.silent, l.holed = Both, true
		l.nudge()
	case ThenNothing:
	}
	f.fire()
}

// expect notes that a request is about to be delivered. From here on its reply,
// which can come before the write is booked, carries the fault, and not the item.
func (l *link) expect(it *item) {
	key := int64(it.request.Xid)
	if it.request.Op == OpConnect {
		key = connectKey
	}
	l.awaiting[key] = append(l.awaiting[key], awaited{request: *it.request, fault: it.reply})
	it.request, it.reply = nil, nil
}

// answered takes the oldest request that the reply can answer.
func (l *link) answered(key int64) (awaited, bool) {
	waiting := l.awaiting[key]
	if len(waiting) == 0 {
		return awaited{}, false
	}
	if len(waiting) == 1 {
		delete(l.awaiting, key)
	} else {
		l.awaiting[key] = waiting[1:]
	}
	return waiting[0], true
}

// The methods below are called without Proxy.mu, by the readers.

// examine logs a frame, finds the faults that it is to suffer and calls the
// hook. It reports false when the frame cannot be one of ZooKeeper's.
func (l *link) examine(d Direction, it *item, first bool) bool {
	if d == ToServer {
		return l.examineRequest(it, first)
	}
	return l.examineReply(it, first)
}

func (l *link) examineRequest(it *item, first bool) bool {
	r := Request{Op: OpConnect}
	if !first {
		var ok bool
		if r, ok = decodeRequest(it.bytes); !ok {
			return false
		}
	}
	r.Conn, r.At = l.number, it.at
	it.request = &r
	it.fault, it.reply = l.proxy.arrived(l, ToServer, r)
	if hook := l.proxy.hook(ToServer); hook != nil {
		hook(r)
	}
	return true
}

func (l *link) examineReply(it *item, first bool) bool {
	reply, key := Reply{Request: Request{Op: OpUnknown}}, connectKey
	if !first {
		var ok bool
		if reply, ok = decodeReply(it.bytes); !ok {
			return false
		}
		key = int64(reply.Request.Xid)
	}
	reply.At = it.at
	reply.Request.Conn, reply.Request.At = l.number, it.at
	p := l.proxy
	if reply.Request.Op == OpNotification {
		_, it.fault = p.arrived(l, ToClient, reply.Request)
	}
	p.mu.Lock()
	if reply.Request.Op == OpUnknown {
		if w, ok := l.answered(key); ok {
			reply.Request, it.fault = w.request, w.fault
		}
	}
	if !p.mute {
		p.replies = append(p.replies, reply)
	}
	p.mu.Unlock()
	if hook := p.hook(ToClient); hook != nil {
		hook(reply.Request)
	}
	return true
}
