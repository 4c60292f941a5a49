package client

import (
	"errors"
	"sync"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// watchKey is what the servers know a watch by.
type watchKey struct {
	path string
	kind int32
}

// watchTable holds the watches of one session on its current connection. Several
// local watches share one on the server, which the server knows by path and kind
// only: it is removed there when the last local one goes, unless a read that sets it
// again is already under way.
type watchTable struct {
	s *Session

	mu     sync.Mutex
	armed  map[watchKey]map[*Watch]struct{}
	coming map[watchKey]int  // reads under way that may set the watch
	owed   map[watchKey]bool // removals that were left to those reads
	losses uint64            // connections lost so far
}

func newWatchTable(s *Session) *watchTable {
	return &watchTable{s: s, armed: map[watchKey]map[*Watch]struct{}{}, coming: map[watchKey]int{}, owed: map[watchKey]bool{}}
}

// announce prepares for the reply to a read that sets w.
func (t *watchTable) announce(w *Watch, call *wire.Call, evenMissing bool) {
	t.mu.Lock()
	t.coming[w.key]++
	w.connection = t.losses
	t.mu.Unlock()
	call.OnEnd = func(call *wire.Call) {
		set := call.Err == nil && (call.Code == jute.OK || evenMissing && call.Code == jute.NoNode) ||
			errors.Is(call.Err, wire.ErrReplyTooLarge) // the server does not know that
		t.arrive(w, set)
	}
}

// arrive takes up a watch when its read has ended, before any later frame is handled.
func (t *watchTable) arrive(w *Watch, set bool) {
	t.mu.Lock()
	if t.coming[w.key]--; t.coming[w.key] == 0 {
		delete(t.coming, w.key)
	}
	lost := false
	switch {
	case !set:
		w.state = watchOver
		if t.owed[w.key] {
			t.drop(w.key)
		}
	case w.connection != t.losses: // the connection ended while the reply was being handled
		lost = w.state == watchComing
		w.state = watchOver
		t.drop(w.key) // in case that it was sent over the next one
	case w.state == watchOver: // removed meanwhile
		t.drop(w.key)
	default:
		w.state = watchArmed
		delete(t.owed, w.key)
		if t.armed[w.key] == nil {
			t.armed[w.key] = map[*Watch]struct{}{}
		}
		t.armed[w.key][w] = struct{}{}
	}
	t.mu.Unlock()
	if lost {
		w.fire(Event{Type: EventConnectionLost, Path: w.key.path})
	}
}

// remove takes a watch out, wherever it stands.
func (t *watchTable) remove(w *Watch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	armed := w.state == watchArmed
	w.state = watchOver
	if armed {
		delete(t.armed[w.key], w)
		t.drop(w.key)
	}
}

// drop removes the watch on the server if nobody needs it. It is sent under the
// lock, so that a read that sets the watch again comes behind it.
func (t *watchTable) drop(key watchKey) {
	if len(t.armed[key]) > 0 {
		return
	}
	delete(t.armed, key)
	delete(t.owed, key)
	if t.coming[key] > 0 {
		t.owed[key] = true
	} else {
		t.s.send(wire.NewCall(jute.OpRemoveWatches, &jute.PathTypeRequest{Path: key.path, Type: key.kind}))
	}
}

// fire delivers an event of the server. It runs on the connection's reading
// goroutine, in the order of the frames.
func (t *watchTable) fire(ev jute.WatcherEvent) {
	var kind EventType
	keys := []watchKey{{ev.Path, jute.WatchData}}
	switch ev.Type {
	case jute.EventNodeCreated:
		kind = EventNodeCreated
	case jute.EventNodeDataChanged:
		kind = EventNodeDataChanged
	case jute.EventNodeDeleted:
		kind = EventNodeDeleted
		keys = append(keys, watchKey{ev.Path, jute.WatchChildren})
	case jute.EventNodeChildrenChanged:
		kind = EventNodeChildrenChanged
		keys[0].kind = jute.WatchChildren
	default:
		return
	}
	var fired []*Watch
	t.mu.Lock()
	for _, key := range keys {
		for w := range t.armed[key] {
			w.state = watchOver
			fired = append(fired, w)
		}
		delete(t.armed, key)
		delete(t.owed, key)
	}
	t.mu.Unlock()
	for _, w := range fired {
		w.fire(Event{Type: kind, Path: ev.Path})
	}
}

// flush fires all watches when their connection is gone.
func (t *watchTable) flush() {
	t.mu.Lock()
	armed := t.armed
	t.armed = map[watchKey]map[*Watch]struct{}{}
	clear(t.owed)
	t.losses++
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
