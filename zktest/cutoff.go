package zktest

import "time"

// CutOff cuts the door's server off from its leader without its noticing, until Rejoin: the fault that holders of
// locks have to fear most. It does nothing to a door that is cut off already or dead.
//
// As on a follower whose link to the leader is cut, for up to syncLimit ticks, pings and reads are answered, from the tree
// as it is now, and watches hear of nothing. The leader meanwhile hears nothing of the sessions that are
// there, and expires them after their timeout unless they are taken up at another door: what
// counts is what the door has reported, which it does every half tick, so the signs of life of the last half tick are
// lost. What needs the leader is neither executed nor answered, and neither is what comes behind it on the same
// connection, pings included; so are handshakes.
//
// Such a server ends in one of three ways: Rejoin, when its link comes back in time; Kill and Restart, when it has noticed, gives
// up and finds its leader again; SetReadOnly, if it then serves read-only clients.
func (d *Door) CutOff() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.rejoined != nil || d.dead || d.s.closed {
		return
	}
	d.rejoined = make(chan struct{})
	if d.lag == nil {
		d.lag = &lag{tree: d.s.tree.clone()}
	}
	for _, ss := range d.s.sessions {
		if ss.door == d && !ss.local {
			d.s.setDeadline(ss, d.s.reported(ss))
		}
	}
}

// Rejoin ends CutOff: the door catches up, as by CatchUp, clients whose session has expired are cut off, and
// what has waited for the leader is executed and answered. The leader hears at once of the sessions that are there: its
// pings have waited on the link, in front of whatever answers a write, and are answered before it.
func (d *Door) Rejoin() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.rejoined == nil {
		return
	}
	d.rejoin()
	for _, c := range d.conns() {
		if ss := c.session; ss != nil && ss.conn == c {
			d.s.touch(ss)
			ss.toldNow()
		}
	}
}

// rejoin lets go who waits for the leader, when the door has caught up or is dead. The mutex is held.
func (d *Door) rejoin() {
	if d.rejoined == nil {
		return
	}
	close(d.rejoined)
	d.rejoined = nil
	d.catchUp()
}

// reports is how many reports to the leader were due by a time.
func (s *Server) reports(t time.Time) int64 { return int64(t.Sub(s.start) / (s.opts.tick / 2)) }

// reported is when the leader has last heard of a session at a door: at the first report after the sign of
// life that is not too new to have been reported. The mutex is held.
func (s *Server) reported(ss *session) time.Time {
	known := ss.heard
	if s.reports(known) == s.reports(time.Now()) {
		known = ss.before
	}
	if known.Equal(ss.told) {
		return known
	}
	return s.start.Add(time.Duration(s.reports(known)+1) * (s.opts.tick / 2))
}

// lockServing is lockThawed for a request that may need the leader, and waits for it where the door is cut off.
func (s *Server) lockServing(c *conn, leader bool) bool {
	for s.lockThawed(c) {
		rejoined := c.door.rejoined
		if rejoined == nil || !leader || c.door.readOnly {
			return true
		}
		s.mu.Unlock()
		select {
		case <-rejoined:
		case <-c.done:
			return false
		}
	}
	return false
}
