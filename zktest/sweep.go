package zktest

import (
	"cmp"
	"slices"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

// emptyContainer tells whether the node is a container that has had children and has none left.
func (n *node) emptyContainer() bool {
	return n.stat.EphemeralOwner == containerOwner && n.stat.Cversion > 0 && len(n.children) == 0
}

// ttl returns how many milliseconds the node lasts without a change and without
// children; 0 is for ever.
func (n *node) ttl() int64 {
	if o := n.stat.EphemeralOwner; uint64(o)>>56 == 0xff {
		return o & maxTTLMillis
	}
	return 0
}

// due returns when the node is to be deleted, in milliseconds, if nothing happens to it.
func (n *node) due() (at int64, ok bool) {
	switch ttl := n.ttl(); {
	case n.emptyContainer():
		return 0, true
	case ttl > 0 && len(n.children) == 0:
		return n.stat.Mtime + ttl + 1, true
	default:
		return 0, false
	}
}

// trackMortal notes whether a node is one that the server may delete by itself.
func (t *tree) trackMortal(path string, n *node) {
	if n.stat.EphemeralOwner == containerOwner || n.ttl() > 0 {
		t.mortals[path] = n
	}
}

// sweep deletes the containers that have been emptied and the nodes whose time to live
// is over, the longest overdue first. It returns how many went, and when the next is
// due. The mutex is held.
func (s *Server) sweep() (gone int, next int64, ok bool) {
	type mortal struct {
		path string
		at   int64
	}
	now := s.now().UnixMilli()
	var late []mortal
	for path, n := range s.tree.mortals {
		at, mayDie := n.due()
		switch {
		case !mayDie:
		case at <= now:
			late = append(late, mortal{path, at})
		case !ok || at < next:
			next, ok = at, true
		}
	}
	slices.SortFunc(late, func(a, b mortal) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.path, b.path)) })
	for _, m := range late {
		if s.transact(&caller{trusted: true}, func(x *txn) jute.Code { return x.delete(m.path, -1) }) == jute.OK {
			gone++
		}
	}
	return gone, next, ok
}

// manageMortals sweeps: as soon as something is due or, with WithContainerInterval,
// each time the interval is over.
func (s *Server) manageMortals() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		wait, ok := s.untilSweep()
		s.mu.Unlock()
		var alarm <-chan time.Time
		if ok {
			timer.Reset(wait)
			alarm = timer.C
		}
		select {
		case <-s.done:
			return
		case <-alarm:
		case <-s.changed:
		}
	}
}

// untilSweep sweeps if it is time for it, and returns in how long it is time again. The
// mutex is held.
func (s *Server) untilSweep() (wait time.Duration, ok bool) {
	now := s.now()
	if s.leaderless() {
		return 0, false
	}
	if every := s.opts.sweep; every > 0 {
		if !now.Before(s.nextSweep) {
			s.sweep()
			s.nextSweep = now.Add(every)
		}
		return s.nextSweep.Sub(now), true
	}
	// A node that goes may be the last child of another.
	gone, next, ok := s.sweep()
	for gone > 0 {
		gone, next, ok = s.sweep()
	}
	return max(time.UnixMilli(next).Sub(now), 0), ok
}

// wakeSweep tells manageMortals to look again.
func (s *Server) wakeSweep() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// now is the time on the server's clock. The mutex is held.
func (s *Server) now() time.Time { return time.Now().Add(s.skew) }

// AdvanceClock moves the server's clock forward, or back by a negative duration, and
// before it returns deletes what is due by then: nodes whose time to live is over, the
// earliest first, and containers. It is the wall clock that moves, which nodes get their
// times from; as on a real server, sessions do not depend on it. See [Server.ExpireSession].
func (s *Server) AdvanceClock(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += d
	s.untilSweep()
	s.wakeSweep()
}
