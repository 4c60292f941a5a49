package faultproxy

import "time"

// Direction is a direction of the line, or both.
type Direction uint8

const (
	// ToServer is what the client sends.
	ToServer Direction = 1 << iota
	// ToClient is what the server sends.
	ToClient
	// Both directions.
	Both = ToServer | ToClient
)

func (d Direction) String() string {
	switch d {
	case ToServer:
		return "to server"
	case ToClient:
		return "to client"
	case Both:
		return "both"
	default:
		return "none"
	}
}

func (d Direction) opposite() Direction { return Both &^ d }

// past is a deadline that has passed at any time.
var past = time.Unix(1, 0)

// Cut ends all connections with FIN to both sides. What is still inside the
// proxy is lost. New connections are accepted as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut(errCut)
	}
}

// Reset ends all connections with RST to both sides. What is still inside the
// proxy is lost. New connections are accepted as before.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset(errReset)
	}
}

// BlackHole makes the bytes of direction d vanish from now on, on all
// connections: those that are still inside the proxy and those that come, with
// FIN and RST. Neither side is told. New connections are accepted and stay
// silent in both directions, whatever d is, because a handshake of TCP needs
// both; the server does not see them. It adds to a black hole that is already there.
func (p *Proxy) BlackHole(d Direction) {
	p.mu.Lock()
	p.holes |= d & Both
	if p.holes != 0 {
		for l := range p.links {
			l.holed = true
		}
	}
	p.settle(d)
}

// Hold keeps the bytes of direction d, on all connections and with FIN and RST,
// until Release or Heal. From about 4 MiB on the sender is no longer read, so
// that TCP slows it down. It adds to a hold that is already there.
func (p *Proxy) Hold(d Direction) {
	p.mu.Lock()
	p.held |= d & Both
	p.settle(d)
}

// settle makes what was decided for direction d true: no write of that
// direction is in progress when it returns. It is called with p.mu held and
// unlocks it.
func (p *Proxy) settle(d Direction) {
	var writes []<-chan struct{}
	for l := range p.links {
		for _, q := range l.pipes(d) {
			if quiet := q.interrupt(); quiet != nil {
				writes = append(writes, quiet)
			}
			q.nudge()
		}
	}
	p.mu.Unlock()
	for _, quiet := range writes {
		<-quiet
	}
}

// Release ends Hold for direction d. What was kept is delivered in order. It
// does not release the frames that HoldRequest and HoldReply keep.
func (p *Proxy) Release(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held &^= d
	p.nudgeAll()
}

// Delay makes each frame of direction d, or piece of a raw stream, come dur
// after it was received. Frames already on their way are delayed as well. It
// replaces the delay of that direction; 0 ends it.
func (p *Proxy) Delay(d Direction, dur time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range []Direction{ToServer, ToClient} {
		if d&one != 0 {
			p.delay[one] = dur
		}
	}
	p.nudgeAll()
}

// Jitter makes each frame of direction d, or piece of a raw stream, that is received from now on
// come up to most later than Delay says, by chance. A stream stays in order, so that a frame
// that is late keeps those behind it. It replaces the jitter of that direction; 0 ends it.
func (p *Proxy) Jitter(d Direction, most time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range []Direction{ToServer, ToClient} {
		if d&one != 0 {
			p.jitter[one] = max(most, 0)
		}
	}
	p.nudgeAll()
}

// Heal ends black holes, holds, delays and jitter. A connection that was there during
// a black hole may have lost bytes and is reset; what was held or delayed on
// others is delivered at once. Faults that wait for a request, frames that
// HoldRequest and HoldReply keep, and Refuse are not touched.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holes, p.held = 0, 0
	clear(p.delay[:])
	clear(p.jitter[:])
	for l := range p.links {
		if l.holed {
			l.reset(errReset)
		}
	}
	p.nudgeAll()
}

func (p *Proxy) nudgeAll() {
	for l := range p.links {
		l.nudge()
	}
}
