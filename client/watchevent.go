package client

import "github.com/zookit/zookit/internal/jute"

// shot is a one-shot watch and what it fires with.
type shot struct {
	w  *Watch
	ev Event
}

// fire delivers an event of the server. It runs on the connection's reading
// goroutine, in the order of the frames. The server sends an event once per
// connection, whatever the number of its watches that match: here it goes to all
// local ones, those of the path and the recursive ones above it.
func (t *watchTable) fire(ev jute.WatcherEvent) {
	var kind EventType
	switch ev.Type {
	case jute.EventNodeCreated:
		kind = EventNodeCreated
	case jute.EventNodeDataChanged:
		kind = EventNodeDataChanged
	case jute.EventNodeDeleted:
		kind = EventNodeDeleted
	case jute.EventNodeChildrenChanged:
		kind = EventNodeChildrenChanged
	default:
		return
	}
	t.mu.Lock()
	var fired []shot
	if kind == EventNodeChildrenChanged {
		fired = t.childrenEvent(ev.Path)
	} else {
		t.echo = ""
		fired = t.nodeChanged(fired, Event{Type: kind, Path: ev.Path})
	}
	for _, s := range fired { // who has borrowed may have been the last to need it
		if c := t.covers[s.ev.Path]; c != nil {
			t.settle(c)
		}
	}
	t.mu.Unlock()
	for _, s := range fired {
		s.w.fire(s.ev)
	}
}

// childrenEvent takes up what the server says of a set of children. What it says for
// the second time, as it has both told of the child and had a watch on the children, is
// left out.
func (t *watchTable) childrenEvent(path string) []shot {
	known := t.echo == path
	t.echo = ""
	if c := t.covers[path]; c != nil {
		known = known && !c.asking
		c.kept = false
		t.keepChildren(c, t.s.link.LastZxid()) // ahead of whoever reads upon the event
	}
	if known {
		return nil
	}
	return t.childrenChanged(nil, path)
}

// nodeChanged disarms what is concerned by a node's creation, change or deletion and
// tells those who go on watching.
func (t *watchTable) nodeChanged(fired []shot, ev Event) []shot {
	fired = t.shoot(fired, watchKey{ev.Path, jute.WatchData}, ev)
	if ev.Type == EventNodeDeleted {
		fired = t.shoot(fired, watchKey{ev.Path, jute.WatchChildren}, ev)
	}
	if len(t.covers) == 0 {
		return fired
	}
	if c := t.covers[ev.Path]; c != nil {
		c.tell(ev, WatchPersistent, WatchPersistentRecursive)
	}
	parent := parentOf(ev.Path)
	for path := ev.Path; path != "/"; {
		path = parentOf(path)
		c := t.covers[path]
		if c == nil || c.stands != WatchPersistentRecursive {
			continue
		}
		c.tell(ev, WatchPersistentRecursive)
		if path == parent && ev.Type != EventNodeDataChanged {
			fired = t.childrenChanged(fired, path)
			t.echo = path
		}
	}
	return fired
}

// childrenChanged is nodeChanged for the set of a node's children.
func (t *watchTable) childrenChanged(fired []shot, path string) []shot {
	ev := Event{Type: EventNodeChildrenChanged, Path: path}
	if c := t.covers[path]; c != nil {
		c.tell(ev, WatchPersistent)
	}
	return t.shoot(fired, watchKey{path, jute.WatchChildren}, ev)
}

func (t *watchTable) shoot(fired []shot, key watchKey, ev Event) []shot {
	for _, w := range t.take(key, nil) {
		fired = append(fired, shot{w, ev})
	}
	return fired
}
