package zktest

import "maps"

// lag is what a door that lags behind has and has still to hear of. It is guarded by the
// server's mutex.
type lag struct {
	tree *tree
	log  []step
}

// step is one thing that the door has still to hear of.
type step struct {
	zxid    int64 // of the last transaction by then
	changes map[string]*node
	events  []event
	ended   *conn    // its session is over
	reply   *waiting // has its turn
}

// waiting is a reply of a door that lags. It goes out when its turn has come and nothing
// of its connection is before it.
type waiting struct {
	c     *conn
	ready bool
	say   func()
}

// Lag makes the door lag behind: its clients see the tree as it is now, until CatchUp. It
// does nothing to a door that lags or is dead.
//
// As on a follower that is slow to apply what the leader tells it, reads are answered, and
// watches hear of nothing. What changes something is executed at once and seen behind the
// other doors, but answered at CatchUp, and so is sync; what comes behind it on the same
// connection waits, pings included. A session can be taken up, unless its client has seen
// a later transaction than the door: then it is cut off without an answer. A new session
// waits for CatchUp. A client whose session expires is cut off at CatchUp.
func (d *Door) Lag() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.lag == nil && !d.dead {
		d.lag = &lag{tree: d.s.tree.clone()}
	}
}

// CatchUp ends Lag: what was held back, events and replies, goes out in the order in which
// it happened, each client seeing the tree of that moment. It does nothing to a door that is cut off.
func (d *Door) CatchUp() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.rejoined == nil {
		d.catchUp()
	}
}

func (d *Door) catchUp() {
	if d.lag == nil {
		return
	}
	for _, st := range d.lag.log {
		d.lag.tree.apply(st.zxid, st.changes)
		d.watches.publish(st.events)
		if st.ended != nil {
			d.s.cutQuietly(st.ended)
		}
		if st.reply != nil {
			st.reply.ready = true
			st.reply.c.drain()
		}
	}
	d.lag = nil
}

// note adds to what the door has still to hear of. The mutex is held.
func (d *Door) note(st step) {
	st.zxid = d.s.tree.zxid
	d.lag.log = append(d.lag.log, st)
}

// wait puts a reply off; one that is committed until the door has caught up so far. The
// mutex is held.
func (c *conn) wait(committed bool, say func()) {
	w := &waiting{c: c, ready: !committed, say: say}
	c.pending = append(c.pending, w)
	if committed {
		c.door.note(step{reply: w})
	}
	c.drain()
}

// drain gives the replies whose turn it is. The mutex is held.
func (c *conn) drain() {
	for len(c.pending) > 0 && c.pending[0].ready {
		w := c.pending[0]
		c.pending = c.pending[1:]
		w.say()
	}
}

// clone returns a copy for clients to read: it does not know what is mortal.
func (t *tree) clone() *tree {
	out := &tree{nodes: make(map[string]*node, len(t.nodes)), ephemerals: make(map[int64]map[string]struct{}, len(t.ephemerals)), zxid: t.zxid}
	for path, n := range t.nodes {
		out.nodes[path] = n.clone()
	}
	for owner, paths := range t.ephemerals {
		out.ephemerals[owner] = maps.Clone(paths)
	}
	return out
}

// clone copies what is changed in place; data and lists are replaced only.
func (n *node) clone() *node {
	c := *n
	c.children = maps.Clone(n.children)
	return &c
}

// apply brings a clone up to a transaction. A nil node is one that is gone.
func (t *tree) apply(zxid int64, changes map[string]*node) {
	t.zxid = zxid
	for path, n := range changes {
		if old := t.nodes[path]; old != nil && old.ephemeral() {
			t.dropEphemeral(old.stat.EphemeralOwner, path)
		}
		if n == nil {
			delete(t.nodes, path)
			continue
		}
		t.nodes[path] = n
		if n.ephemeral() {
			t.addEphemeral(n.stat.EphemeralOwner, path)
		}
	}
}

// changes returns copies of the nodes that the transaction has changed, nil for those that
// it has deleted.
func (x *txn) changes() map[string]*node {
	out := make(map[string]*node, len(x.touched))
	for _, path := range x.touched {
		out[path] = nil
		if n := x.tree.find(path); n != nil {
			out[path] = n.clone()
		}
	}
	return out
}
