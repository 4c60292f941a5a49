package client

import (
	"errors"
	"slices"
	"sync"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// watchKey is what the servers know a watch by.
type watchKey struct {
	path string
	kind int32
}

// watchTable holds the watches of one session on its current connection: one-shot
// ones here, those that last in covers. Several local watches share one on the server,
// which the server knows by path and kind only: it is removed there when the last
// local one goes, unless a read that sets it again is already under way.
//
// Every frame that changes what the server watches is queued under the lock, so the
// table knows in which order the server executes them. Their answers, and the events,
// come in that order too.
type watchTable struct {
	s *Session

	mu     sync.Mutex
	armed  map[watchKey]map[*Watch]struct{}
	coming map[watchKey]int  // reads under way that may arm a watch
	owed   map[watchKey]bool // removals that were left to those reads
	covers map[string]*cover // by path
	echo   string            // whose change of children was told with the event before, until the next
	up     bool              // a connection stands and its first frames are queued
	over   bool              // the session is over
	losses uint64            // connections lost so far
}

func newWatchTable(s *Session) *watchTable {
	return &watchTable{
		s:      s,
		armed:  map[watchKey]map[*Watch]struct{}{},
		coming: map[watchKey]int{},
		owed:   map[watchKey]bool{},
		covers: map[string]*cover{},
	}
}

// announce makes a read one that sets w.
func (t *watchTable) announce(w *Watch, call *wire.Call, evenMissing bool) {
	call.Tag = w
	call.OnEnd = func(call *wire.Call) {
		set := call.Err == nil && (call.Code == jute.OK || evenMissing && call.Code == jute.NoNode) ||
			errors.Is(call.Err, wire.ErrReplyTooLarge) // the server does not know that
		t.arrive(w, set)
	}
}

// send hands calls to the connection. What it is that a read sets is decided here, in
// the order of the frames: where a cover is on the server or on its way there, the
// read borrows it and sets no watch of its own. Servers before 3.9 would replace the
// cover by it, silently (ZOOKEEPER-4466).
func (t *watchTable) send(calls []*wire.Call) {
	if !slices.ContainsFunc(calls, func(call *wire.Call) bool { return call.Tag != nil }) {
		t.s.link.Send(calls...)
		return
	}
	t.mu.Lock()
	for _, call := range calls {
		if w, ok := call.Tag.(*Watch); ok {
			if c := t.covers[w.key.path]; c.borrows(w) {
				w.cover = c
				call.ClearWatch()
			}
		}
	}
	sent := t.up && t.s.link.Post(calls...)
	for _, call := range calls {
		if w, ok := call.Tag.(*Watch); ok && sent {
			w.sent, w.connection = true, t.losses
			t.coming[w.key]++
		}
	}
	t.mu.Unlock()
	if !sent {
		wire.Refuse(calls...)
	}
}

// arrive takes up a watch when its read has ended, before any later frame is handled.
func (t *watchTable) arrive(w *Watch, set bool) {
	t.mu.Lock()
	lost := t.land(w, set)
	t.mu.Unlock()
	if lost {
		w.fire(Event{Type: EventConnectionLost, Path: w.key.path})
	}
}

// land is arrive under the lock; it reports whether the watch is lost.
func (t *watchTable) land(w *Watch, set bool) (lost bool) {
	removed := w.state == watchOver
	switch {
	case !w.sent:
		w.state = watchOver
		return false
	case w.connection != t.losses: // the connection ended while the reply was being handled
		w.state = watchOver
		return set && !removed
	}
	if t.coming[w.key]--; t.coming[w.key] == 0 {
		delete(t.coming, w.key)
	}
	failed := w.cover != nil && w.cover.failed
	if set && !removed && !failed {
		w.state = watchArmed
		delete(t.owed, w.key)
		if t.armed[w.key] == nil {
			t.armed[w.key] = map[*Watch]struct{}{}
		}
		t.armed[w.key][w] = struct{}{}
		return false
	}
	w.state = watchOver
	if set && w.cover == nil || t.owed[w.key] || t.covers[w.key.path] != nil {
		t.release(w.key)
	}
	return set && !removed
}

// remove takes a watch out, wherever it stands.
func (t *watchTable) remove(w *Watch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	armed := w.state == watchArmed
	w.state = watchOver
	if armed {
		delete(t.armed[w.key], w)
		t.release(w.key)
	}
}

// release removes the watch on the server if nobody needs it.
func (t *watchTable) release(key watchKey) {
	if len(t.armed[key]) > 0 {
		return
	}
	delete(t.armed, key)
	if c := t.covers[key.path]; c != nil {
		t.settle(c)
		return
	}
	if t.coming[key] > 0 {
		t.owed[key] = true
		return
	}
	delete(t.owed, key)
	t.unset(key.path, key.kind)
}

// unset removes a watch on the server. Without a connection there is none.
func (t *watchTable) unset(path string, kind int32) {
	t.s.link.Post(wire.NewCall(jute.OpRemoveWatches, &jute.PathTypeRequest{Path: path, Type: kind}))
}

// take disarms the watches of a key that satisfy which, or all.
func (t *watchTable) take(key watchKey, which func(*Watch) bool) []*Watch {
	var out []*Watch
	for w := range t.armed[key] {
		if which == nil || which(w) {
			w.state = watchOver
			delete(t.armed[key], w)
			out = append(out, w)
		}
	}
	if len(t.armed[key]) == 0 {
		delete(t.armed, key)
		delete(t.owed, key)
	}
	return out
}

// size is the number of watches on the server.
func (t *watchTable) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.covers)
	for key := range t.armed {
		if t.covers[key.path] == nil {
			n++
		}
	}
	return n
}

// open readies the table for a new connection: the lasting watches are the first that
// it hears of. losses is the count when it was made. After its end, or that of the session,
// there are none.
func (t *watchTable) open(losses uint64, watchers map[*Watcher]struct{}, open func(...*wire.Call)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.losses != losses {
		open()
		return
	}
	open(t.rearm(watchers)...)
	t.up = true
}

// lost is the number of connections lost so far.
func (t *watchTable) lost() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.losses
}

// flush fires all one-shot watches when their connection is gone, for good if over is set.
func (t *watchTable) flush(over bool) {
	t.mu.Lock()
	armed := t.armed
	t.armed = map[watchKey]map[*Watch]struct{}{}
	clear(t.coming)
	clear(t.owed)
	clear(t.covers)
	t.losses++
	t.up = false
	t.over = t.over || over
	for _, watches := range armed {
		for w := range watches {
			w.state = watchOver
		}
	}
	t.mu.Unlock()
	for key, watches := range armed {
		for w := range watches {
			w.fire(Event{Type: EventConnectionLost, Path: key.path})
		}
	}
}
