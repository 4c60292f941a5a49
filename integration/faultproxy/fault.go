package faultproxy

import (
	"context"
	"errors"
	"fmt"
)

// Then says what becomes of the connection after a request was dropped or a
// reply swallowed. Other connections are not touched.
type Then uint8

const (
	// ThenNothing lets the connection go on without the frame. No real network
	// does that: the other side waits for the frame for ever.
	ThenNothing Then = iota
	// ThenCut ends the connection with FIN to both sides.
	ThenCut
	// ThenReset ends the connection with RST to both sides.
	ThenReset
	// ThenBlackHole makes the connection silent in both directions, until Heal
	// resets it.
	ThenBlackHole
)

type faultKind uint8

const (
	dropRequest faultKind = iota
	swallowReply
	holdRequest
	holdReply
)

func (k faultKind) String() string {
	return [...]string{"DropRequest", "SwallowReply", "HoldRequest", "HoldReply"}[k]
}

func (k faultKind) holds() bool     { return k == holdRequest || k == holdReply }
func (k faultKind) onRequest() bool { return k == dropRequest || k == holdRequest }

type faultState uint8

const (
	faultArmed   faultState = iota // looks for its request
	faultClaimed                   // has its request, which has not come to its turn yet
	faultFired
	faultOver // will never fire
)

var (
	errReleased  = errors.New("it was released before it hit")
	errClosed    = errors.New("the proxy was closed")
	errCut       = errors.New("its connection was cut")
	errReset     = errors.New("its connection was reset")
	errEnded     = errors.New("its connection ended")
	errBlackHole = errors.New("its frame vanished in a black hole")
)

// Fault is one fault that hits one request, or has yet to.
type Fault struct {
	proxy *Proxy
	kind  faultKind
	match Match
	then  Then
	fired chan struct{}
	over  chan struct{}

	// guarded by proxy.mu
	state    faultState
	request  Request
	err      error
	released bool
	held     *pipe // where the held frame stands
}

// DropRequest drops the next request that m matches: all before it is
// delivered, the request is not. By default the connection goes on without it
// (ThenNothing); give ThenCut, ThenReset or ThenBlackHole for a client that is
// to notice. At most one then is obeyed, the last.
func (p *Proxy) DropRequest(m Match, then ...Then) *Fault {
	return p.arm(dropRequest, m, append([]Then{ThenNothing}, then...))
}

// SwallowReply delivers the next request that m matches and swallows its
// reply, after all replies before it were delivered. By default the connection
// is then reset (ThenReset). A Match that accepts OpNotification swallows a
// watch event. At most one then is obeyed, the last.
func (p *Proxy) SwallowReply(m Match, then ...Then) *Fault {
	return p.arm(swallowReply, m, append([]Then{ThenReset}, then...))
}

// HoldRequest keeps the next request that m matches, and all that the client
// sends behind it on that connection, until Release.
func (p *Proxy) HoldRequest(m Match) *Fault {
	return p.arm(holdRequest, m, []Then{ThenNothing})
}

// HoldReply delivers the next request that m matches and keeps its reply, and
// all that the server sends behind it on that connection, until Release. A
// Match that accepts OpNotification holds a watch event.
func (p *Proxy) HoldReply(m Match) *Fault {
	return p.arm(holdReply, m, []Then{ThenNothing})
}

// arm adds a fault. Several can be armed; each sees every request that arrives
// until it has its own, and the one armed first goes first.
func (p *Proxy) arm(kind faultKind, m Match, then []Then) *Fault {
	f := &Fault{
		proxy: p,
		kind:  kind,
		match: m,
		then:  then[len(then)-1],
		fired: make(chan struct{}),
		over:  make(chan struct{}),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		f.lose(errClosed)
		return f
	}
	p.faults = append(p.faults, f)
	return f
}

// Fired is closed when the fault has hit: the request or reply is gone and the
// connection has been treated as asked, or the held frame is the next to be
// delivered and does not move. It is never closed when the fault misses; Wait
// tells.
func (f *Fault) Fired() <-chan struct{} { return f.fired }

// Wait waits until the fault has hit, and returns the request. It returns an
// error when ctx ends, or when the fault can no longer hit because the
// connection of its request or the proxy ended first, or it was released.
func (f *Fault) Wait(ctx context.Context) (Request, error) {
	select {
	case <-f.fired:
	case <-f.over:
	case <-ctx.Done():
	}
	f.proxy.mu.Lock()
	defer f.proxy.mu.Unlock()
	switch f.state {
	case faultFired:
		return f.request, nil
	case faultOver:
		if f.request.Conn == 0 {
			return Request{}, fmt.Errorf("fault proxy: %v hit no request: %w", f.kind, f.err)
		}
		return Request{}, fmt.Errorf("fault proxy: %v of %v missed: %w", f.kind, f.request, f.err)
	case faultClaimed:
		return Request{}, fmt.Errorf("fault proxy: %v waits for %v to come to its turn: %w", f.kind, f.request, context.Cause(ctx))
	default:
		return Request{}, fmt.Errorf("fault proxy: %v has matched none of %d requests: %w", f.kind, len(f.proxy.requests), context.Cause(ctx))
	}
}

// Release lets a held frame and those behind it go. On a fault that has not
// hit yet it takes the fault back, of whatever kind. It may be called often.
func (f *Fault) Release() {
	f.proxy.mu.Lock()
	defer f.proxy.mu.Unlock()
	f.released = true
	f.lose(errReleased)
	f.proxy.disarm(f)
	if f.held != nil {
		f.held.nudge()
	}
}

// fire and lose are called with proxy.mu held. The first of them counts.
func (f *Fault) fire() {
	if f.state == faultClaimed {
		f.state = faultFired
		close(f.fired)
	}
}

func (f *Fault) lose(reason error) {
	if f.state == faultArmed || f.state == faultClaimed {
		f.state = faultOver
		f.err = reason
		close(f.over)
	}
}

// claim looks for the faults that want the request r, which has just arrived:
// at most one that concerns its delivery and one that concerns its reply. The
// caller holds p.arrivals, which makes the order in which the matches are asked
// the order of the log, and not p.mu, because a Match is not our code.
func (p *Proxy) claim(d Direction, r Request, armed []*Fault) (delivery, reply *Fault) {
	var hits []*Fault
	for _, f := range armed {
		if d == ToClient && f.kind.onRequest() {
			continue // an event has no request
		}
		if f.match == nil || f.match(r) {
			hits = append(hits, f)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range hits {
		if delivery == nil && f.kind.onRequest() && f.take(r) {
			delivery = f
		}
	}
	if delivery != nil && delivery.kind == dropRequest {
		return delivery, nil // there will be no reply
	}
	for _, f := range hits {
		if reply == nil && !f.kind.onRequest() && f.take(r) {
			reply = f
		}
	}
	return delivery, reply
}

// take gives the request to the fault unless it has one already or was taken
// back. It is called with proxy.mu held.
func (f *Fault) take(r Request) bool {
	if f.state != faultArmed {
		return false
	}
	f.state = faultClaimed
	f.request = r
	f.proxy.disarm(f)
	return true
}
