package wire

import (
	"slices"
	"sync"
	"time"
)

// proof keeps what the answers of the servers prove about the session's life.
//
// An answered frame proves that a server was there; it does not prove that the
// server belongs to a quorum. A committed write does. The leader, however, learns
// of a follower's sessions only with its pings, every half tick, and extends a
// session by its timeout from then. So, with
//
//	s  the send time of the newest committed write, and
//	f  the send time of the newest frame whose answer had arrived at least half a tick
//	   before s, over the same connection,
//
// the session lives at least until f + timeout. It is the arrival of the answer that
// must precede s: a frame sent long before s may have been held up on its way and
// have reached the server together with the write. The same connection matters: a
// frame that another server answered before may never have been reported. The
// handshake of a connection counts as f without the half tick, since the server asks
// the leader about the session before it answers.
type proof struct {
	mu        sync.Mutex
	timeout   time.Duration
	half      time.Duration // half a tick, or an upper bound of it
	opened    time.Time     // connect request of this connection
	frames    []exchange    // answered frames of this connection, both times ascending, thinned
	newest    time.Time     // send time of the newest answered frame of any connection
	readOnly  bool          // this connection leads to a server in read-only mode
	vouched   time.Time     // newest of the connections to other servers, plus the timeout there
	confirmed time.Time     // f of the newest committed write
	lifetime  time.Duration // the timeout that applies from confirmed on
	most      time.Duration // a limit to lifetime, if not 0
}

// exchange is a frame that was answered.
type exchange struct{ sent, answered time.Time }

// connected starts a new connection whose connect request was sent at sent.
func (p *proof) connected(sent time.Time, timeout, half time.Duration, newSession bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timeout, p.half = timeout, half
	p.opened = sent
	p.frames = p.frames[:0]
	p.newest = later(p.newest, sent)
	p.readOnly, p.vouched = false, later(p.vouched, sent.Add(timeout))
	if newSession { // made by a write that a quorum has committed
		p.confirmed, p.lifetime = sent, timeout
	}
	// Servers may be configured with different limits. The leader has not promised a
	// longer timeout for what was confirmed before, and a shorter one holds from now on.
	p.lifetime = min(p.lifetime, timeout)
}

// connectedReadOnly starts a connection to a server in read-only mode. It knows
// nothing of what the quorum does: its answers prove that it is there, and no more.
func (p *proof) connectedReadOnly(sent time.Time, timeout time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timeout, p.readOnly = timeout, true
	p.opened = sent
	p.frames = p.frames[:0]
	p.newest = later(p.newest, sent)
}

// resumed begins with a session that was somebody else's until now: nothing is
// confirmed, and a server has to take it within its timeout.
func (p *proof) resumed(now time.Time, timeout time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest, p.timeout = now, timeout
}

// limit keeps confirmedUntil within most of the time from which it is counted.
func (p *proof) limit(most time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = most
	p.lifetime = min(p.lifetime, most)
}

// answered records that a frame sent at sent has been answered at now; commits
// tells whether the answer is the success of a write.
func (p *proof) answered(sent, now time.Time, commits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest = later(p.newest, sent)
	if sent.Before(p.opened) || p.readOnly { // of an earlier connection, or no proof
		return
	}
	p.vouched = later(p.vouched, sent.Add(p.timeout))
	// Thinning drops frames, which can only make the bound earlier.
	if n := len(p.frames); n == 0 || sent.Sub(p.frames[n-1].sent) >= p.timeout/64 {
		p.frames = append(p.frames, exchange{sent: sent, answered: now})
	}
	f := p.opened
	i, _ := slices.BinarySearchFunc(p.frames, sent.Add(-p.half), func(e exchange, reported time.Time) int {
		if e.answered.After(reported) {
			return 1
		}
		return -1
	})
	if i > 0 {
		f = p.frames[i-1].sent
		p.frames = slices.Delete(p.frames, 0, i-1)
	}
	if commits && !f.Before(p.confirmed) {
		p.confirmed, p.lifetime = f, p.timeout
		if p.most > 0 {
			p.lifetime = min(p.lifetime, p.most)
		}
	}
}

// heardUntil is when the session can end at the earliest as far as answers show,
// from whichever server they came.
func (p *proof) heardUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.newest.IsZero() {
		return time.Time{}
	}
	return p.newest.Add(p.timeout)
}

// vouchedUntil is heardUntil without what servers in read-only mode have answered.
func (p *proof) vouchedUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.vouched
}

// confirmedUntil is the time until which the session lives for certain.
func (p *proof) confirmedUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.confirmed.IsZero() {
		return time.Time{}
	}
	return p.confirmed.Add(p.lifetime)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
