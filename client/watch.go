package client

import (
	"context"
	"errors"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/wire"
)

// EventType says what a watch has seen.
type EventType int

// The types of events. EventConnectionLost, of one-shot watches, says that the
// connection or the session on which the watch was set is gone, and the watch with it:
// whatever happens from then on is not seen, so read again. EventResynced, of a
// [Watcher], says that the watch stands from here on: what is read now is current, and
// everything that was missed is covered by it.
const (
	EventNodeCreated EventType = iota + 1
	EventNodeDeleted
	EventNodeDataChanged
	EventNodeChildrenChanged
	EventConnectionLost
	EventResynced
)

// String returns the type's name.
func (t EventType) String() string {
	switch t {
	case EventNodeCreated:
		return "created"
	case EventNodeDeleted:
		return "deleted"
	case EventNodeDataChanged:
		return "data changed"
	case EventNodeChildrenChanged:
		return "children changed"
	case EventConnectionLost:
		return "connection lost"
	case EventResynced:
		return "resynced"
	default:
		return "unknown"
	}
}

// Event is what a watch fires with.
type Event struct {
	// Type says what has happened.
	Type EventType
	// Path is the node to which it has happened, as the caller would name it, without the chroot:
	// the watched one or, of a recursive watch, also one below.
	Path string
}

// Watch is a one-shot watch on a node. It fires once: with what happened to the
// node, or with [EventConnectionLost]. An event is there before any read that
// began after the change returns newer data.
type Watch struct {
	// C yields one event and is then closed. After Remove it may yield none.
	C <-chan Event

	table *watchTable
	key   watchKey
	fire  func(Event) // must not block

	// Guarded by the table's mutex.
	state      watchState
	sent       bool   // its read has been handed to a connection
	connection uint64 // the table's count then
	cover      *cover // that was there then, and is used instead of a watch of its own
}

type watchState int

const (
	watchComing watchState = iota // its read is under way
	watchArmed
	watchOver // fired or removed
)

// Remove ends the watch, if it has not fired: nothing more comes from C, and when
// nobody else in this client watches the same node the watch is removed on the
// server. Remove does not wait for that. It may be called again, and at any time.
func (w *Watch) Remove() { w.table.remove(w) }

type watchKind int32

// The kinds of watches: what the caller asked for. On the servers, and in the
// table, exists watches are data watches.
const (
	watchData watchKind = iota
	watchExists
	watchChildren
)

func (k watchKind) wire() int32 {
	if k == watchChildren {
		return jute.WatchChildren
	}
	return jute.WatchData
}

// watch runs a read that sets a watch.
func (o Ops) watch(ctx context.Context, r *request, kind watchKind) (*Watch, error) {
	var w *Watch
	r.prepare = func(s *Session, call *wire.Call) {
		c := make(chan Event, 1)
		w = &Watch{C: c, table: s.watches, key: watchKey{path: o.out(r.path), kind: kind.wire()}}
		w.fire = func(ev Event) {
			ev.Path = o.in(ev.Path)
			c <- ev
			close(c)
		}
		s.watches.announce(w, call, kind == watchExists)
	}
	r.abandon = func(*wire.Call) { w.Remove() }
	err := o.exec(ctx, r)
	if err == nil || kind == watchExists && errors.Is(err, ErrNoNode) {
		return w, err
	}
	if w != nil {
		w.Remove()
	}
	return nil, err
}
