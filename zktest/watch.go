package zktest

import "github.com/zookit/zookit/internal/jute"

// watchKind tells the two tables of one-shot watches apart. A watch left by exists
// or getData is a data watch, one left by getChildren a child watch.
type watchKind int

const (
	dataWatch watchKind = iota
	childWatch
)

type watchKey struct {
	kind watchKind
	path string
}

// watches are the watches of all connections: they belong to a connection, not to
// its session, and go with it. Guarded by the server's mutex.
type watches struct {
	byKey  map[watchKey]map[*conn]struct{}
	byConn map[*conn]map[watchKey]struct{}
}

func newWatches() *watches {
	return &watches{byKey: map[watchKey]map[*conn]struct{}{}, byConn: map[*conn]map[watchKey]struct{}{}}
}

func (w *watches) add(c *conn, kind watchKind, path string) {
	key := watchKey{kind, path}
	if w.byKey[key] == nil {
		w.byKey[key] = map[*conn]struct{}{}
	}
	w.byKey[key][c] = struct{}{}
	if w.byConn[c] == nil {
		w.byConn[c] = map[watchKey]struct{}{}
	}
	w.byConn[c][key] = struct{}{}
}

func (w *watches) has(c *conn, kind watchKind, path string) bool {
	_, ok := w.byConn[c][watchKey{kind, path}]
	return ok
}

// remove takes one watch away and reports whether it was there.
func (w *watches) remove(c *conn, kind watchKind, path string) bool {
	if !w.has(c, kind, path) {
		return false
	}
	key := watchKey{kind, path}
	delete(w.byConn[c], key)
	if len(w.byConn[c]) == 0 {
		delete(w.byConn, c)
	}
	delete(w.byKey[key], c)
	if len(w.byKey[key]) == 0 {
		delete(w.byKey, key)
	}
	return true
}

func (w *watches) drop(c *conn) {
	for key := range w.byConn[c] {
		w.remove(c, key.kind, key.path)
	}
}

// count returns how many watches are set, on how many paths, by how many connections.
func (w *watches) count() (total, paths, conns int) {
	seen := map[string]struct{}{}
	for key, cs := range w.byKey {
		total += len(cs)
		seen[key.path] = struct{}{}
	}
	return total, len(seen), len(w.byConn)
}

// fire sends one event to the watches of a kind, which are spent by it, except to
// the connections in told and to those that may not read the node: real servers have
// kept it from them since 3.8.4. It returns the connections whose watches it were.
func (w *watches) fire(kind watchKind, ev event, told map[*conn]struct{}) map[*conn]struct{} {
	key := watchKey{kind, ev.path}
	sent := w.byKey[key]
	delete(w.byKey, key)
	for c := range sent {
		delete(w.byConn[c], key)
		if len(w.byConn[c]) == 0 {
			delete(w.byConn, c)
		}
		if _, ok := told[c]; !ok && c.who.may(ev.acl, permRead) {
			c.notify(ev)
		}
	}
	return sent
}

// publish fires the watches that a transaction's events concern, in order. A client
// with both kinds of watches on a deleted node hears of it once.
func (w *watches) publish(events []event) {
	for _, ev := range events {
		switch ev.kind {
		case jute.EventNodeChildrenChanged:
			w.fire(childWatch, ev, nil)
		case jute.EventNodeDeleted:
			told := w.fire(dataWatch, ev, nil)
			w.fire(childWatch, ev, told)
		default:
			w.fire(dataWatch, ev, nil)
		}
	}
}
