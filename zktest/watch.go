package zktest

import "github.com/zookit/zookit/internal/jute"

// watchKind tells the two tables of watches apart. Data watches hear of what becomes of
// a node, child watches of what becomes of its children; both hear of its end.
type watchKind int

const (
	dataWatch watchKind = iota
	childWatch
)

// watchModes is how a connection watches a path in one of the tables.
type watchModes uint8

const (
	oneShot watchModes = 1 << iota
	persistent
	recursive

	anyMode = oneShot | persistent | recursive
)

type watchKey struct {
	kind watchKind
	path string
}

// watches are the watches of all connections: they belong to a connection, not to
// its session, and go with it. Guarded by the server's mutex.
type watches struct {
	// separate tells whether several modes can be side by side on one path; else the
	// latest takes the place of the others.
	separate bool
	byKey    map[watchKey]map[*conn]watchModes
	byConn   map[*conn]map[watchKey]struct{}
	ever     map[*conn]struct{} // the connections that have set a data watch
}

func newWatches(separate bool) *watches {
	return &watches{separate: separate, byKey: map[watchKey]map[*conn]watchModes{}, byConn: map[*conn]map[watchKey]struct{}{}, ever: map[*conn]struct{}{}}
}

// add sets a watch in one table.
func (w *watches) add(c *conn, kind watchKind, path string, mode watchModes) {
	key := watchKey{kind, path}
	if w.separate {
		mode |= w.byKey[key][c]
	}
	if kind == dataWatch {
		w.ever[c] = struct{}{}
	}
	w.put(c, key, mode)
}

// addPersistent sets what addWatch asks for, in the tables in which servers keep it. From
// 3.9 on a recursive watch is in one table only.
func (w *watches) addPersistent(c *conn, path string, mode watchModes) {
	w.add(c, dataWatch, path, mode)
	if mode == persistent || !w.separate {
		w.add(c, childWatch, path, mode)
	}
}

// put replaces the modes of a watch; without any it is gone.
func (w *watches) put(c *conn, key watchKey, modes watchModes) {
	if modes == 0 {
		delete(w.byKey[key], c)
		if len(w.byKey[key]) == 0 {
			delete(w.byKey, key)
		}
		delete(w.byConn[c], key)
		if len(w.byConn[c]) == 0 {
			delete(w.byConn, c)
		}
		return
	}
	if w.byKey[key] == nil {
		w.byKey[key] = map[*conn]watchModes{}
	}
	w.byKey[key][c] = modes
	if w.byConn[c] == nil {
		w.byConn[c] = map[watchKey]struct{}{}
	}
	w.byConn[c][key] = struct{}{}
}

// has tells whether there is a watch of one of the modes.
func (w *watches) has(c *conn, kind watchKind, path string, modes watchModes) bool {
	return w.byKey[watchKey{kind, path}][c]&modes != 0
}

// remove takes the modes of one watch away and reports whether one was there.
func (w *watches) remove(c *conn, kind watchKind, path string, modes watchModes) bool {
	if !w.has(c, kind, path, modes) {
		return false
	}
	key := watchKey{kind, path}
	w.put(c, key, w.byKey[key][c]&^modes)
	return true
}

func (w *watches) drop(c *conn) {
	for key := range w.byConn[c] {
		w.put(c, key, 0)
	}
	delete(w.ever, c)
}

// count returns how many watches are set, as the tables have them: a persistent watch is in both.
func (w *watches) count() int {
	total := 0
	for _, cs := range w.byKey {
		total += len(cs)
	}
	return total
}

// countData returns how many watches the table for data has, on how many paths, and how
// many connections have ever set one.
func (w *watches) countData() (total, paths, conns int) {
	for key, cs := range w.byKey {
		if key.kind == dataWatch {
			total += len(cs)
			paths++
		}
	}
	return total, paths, len(w.ever)
}

// dataPaths returns what a connection watches in the table for data.
func (w *watches) dataPaths(c *conn) []string {
	var paths []string
	for key := range w.byConn[c] {
		if key.kind == dataWatch {
			paths = append(paths, key.path)
		}
	}
	return paths
}

// fire sends one event to the watches of a kind, at most once to a connection: to those
// on the path itself, of which the one-shot are spent by it, and to the recursive above.
// Not to the connections in told, and not to those that may not read the node: real
// servers have kept it from them since 3.8.4. It returns the connections whose watches
// it was.
func (w *watches) fire(kind watchKind, ev event, told map[*conn]struct{}) map[*conn]struct{} {
	sent := map[*conn]struct{}{}
	children := ev.kind == jute.EventNodeChildrenChanged
	for path := ev.path; ; {
		key := watchKey{kind, path}
		for c, modes := range w.byKey[key] {
			hears := recursive
			if path == ev.path {
				hears = anyMode
				w.put(c, key, modes&^oneShot)
			}
			if children {
				hears &^= recursive
			}
			if modes&hears != 0 {
				sent[c] = struct{}{}
			}
		}
		if path == "/" {
			break
		}
		path, _, _ = splitPath(path)
	}
	for c := range sent {
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
