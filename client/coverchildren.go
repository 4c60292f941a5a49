package client

import (
	"fmt"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// A recursive watch tells of each child by itself, and servers keep back what the
// client may not read. That a set of children has changed is told to whoever may read
// the parent. So under a recursive cover the readers of children set watches of their own
// (which disturb no recursive one: that is in the servers' other table), and for whoever
// else wants to know of children the cover keeps such a one-shot watch going.

// borrows tells whether a read that sets w is served by the cover instead.
func (c *cover) borrows(w *Watch) bool {
	return c != nil && (w.key.kind == jute.WatchData || c.asked != WatchPersistentRecursive)
}

// keepChildren sets the one-shot watch on the children of a recursive cover, if
// anybody needs it. The server fires it at once if they have changed after zxid.
func (t *watchTable) keepChildren(c *cover, zxid int64) {
	if c.stands != WatchPersistentRecursive || c.kept || !t.childrenNeeded(c) {
		return
	}
	if c.asking {
		c.again = true
		return
	}
	c.asking = true
	call := wire.NewCall(jute.OpSetWatches2, &jute.SetWatches2Request{
		SetWatchesRequest: jute.SetWatchesRequest{RelativeZxid: zxid, Child: []string{c.path}},
	})
	connection := t.losses
	call.OnEnd = func(call *wire.Call) {
		switch {
		case call.Err != nil:
		case call.Code != jute.OK:
			t.s.link.Drop(fmt.Errorf("the server answered %w", codeError(call.Code)))
		default:
			t.childrenKept(c, connection, call.Zxid)
		}
	}
	t.s.link.Post(call)
}

func (t *watchTable) childrenNeeded(c *cover) bool {
	for w := range c.watchers {
		if w.mode == WatchPersistent {
			return true
		}
	}
	return len(t.armed[watchKey{c.path, jute.WatchChildren}]) > 0
}

// childrenKept follows the answer to a request that keepChildren has sent. If the watch
// has fired since, it is set again from here: what it fired with is older than zxid.
func (t *watchTable) childrenKept(c *cover, connection uint64, zxid int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if connection != t.losses || t.covers[c.path] != c {
		return
	}
	c.kept = !c.again
	c.asking, c.again = false, false
	t.keepChildren(c, zxid)
}
