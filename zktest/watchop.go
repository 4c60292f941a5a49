package zktest

import "github.com/zookit/zookit/internal/jute"

// setWatches sets the watches of a client that has connected again. Those whose node
// changed while it was away fire at once, before the reply.
func (s *Server) setWatches(c *conn, r *jute.SetWatchesRequest) {
	for _, path := range r.Data {
		switch n := c.door.view().find(path); {
		case n == nil:
			c.notify(event{kind: jute.EventNodeDeleted, path: path})
		case n.stat.Mzxid > r.RelativeZxid:
			c.notify(event{kind: jute.EventNodeDataChanged, path: path})
		default:
			c.door.watches.add(c, dataWatch, path, oneShot)
		}
	}
	for _, path := range r.Exist {
		if c.door.view().find(path) != nil {
			c.notify(event{kind: jute.EventNodeCreated, path: path})
		} else {
			c.door.watches.add(c, dataWatch, path, oneShot)
		}
	}
	for _, path := range r.Child {
		switch n := c.door.view().find(path); {
		case n == nil:
			c.notify(event{kind: jute.EventNodeDeleted, path: path})
		case n.stat.Pzxid > r.RelativeZxid:
			c.notify(event{kind: jute.EventNodeChildrenChanged, path: path})
		default:
			c.door.watches.add(c, childWatch, path, oneShot)
		}
	}
}

// setWatches2 is setWatches which also sets persistent watches. Those do not tell what
// happened while the client was away.
func (s *Server) setWatches2(c *conn, r *jute.SetWatches2Request) {
	s.setWatches(c, &r.SetWatchesRequest)
	for _, path := range r.Persistent {
		c.door.watches.addPersistent(c, path, persistent)
	}
	for _, path := range r.Recursive {
		c.door.watches.addPersistent(c, path, recursive)
	}
}

// addWatch sets a persistent watch. As on a real server the path is not checked: there
// need not be a node, and one that no node can have is watched in vain.
func (s *Server) addWatch(c *conn, path string, mode int32) result {
	switch mode {
	case jute.AddWatchPersistent:
		c.door.watches.addPersistent(c, path, persistent)
	case jute.AddWatchPersistentRecursive:
		c.door.watches.addPersistent(c, path, recursive)
	default:
		return result{code: jute.MarshallingError}
	}
	return result{body: &jute.CountReply{}} // an error code, which is 0
}

// watchPart is what removeWatches names: modes in one of the tables.
type watchPart struct {
	kind  watchKind
	modes watchModes
}

// watchParts returns what a type of removeWatches stands for. Before 3.9 the types for
// children and data mean the table, whatever the mode: of a persistent watch they take
// one half away.
func (w *watches) watchParts(kind int32) []watchPart {
	one := anyMode
	if w.separate {
		one = oneShot
		switch kind {
		case jute.WatchPersistent:
			return []watchPart{{childWatch, persistent}, {dataWatch, persistent}}
		case jute.WatchPersistentRecursive:
			return []watchPart{{dataWatch, recursive}}
		}
	}
	switch kind {
	case jute.WatchChildren:
		return []watchPart{{childWatch, one}}
	case jute.WatchData:
		return []watchPart{{dataWatch, one}}
	case jute.WatchAny:
		return []watchPart{{childWatch, anyMode}, {dataWatch, anyMode}}
	default:
		return nil
	}
}

// hasWatch looks for the connection's own watches of a type, and takes them away if asked to.
func (s *Server) hasWatch(c *conn, path string, kind int32, remove bool) jute.Code {
	parts := c.door.watches.watchParts(kind)
	if parts == nil {
		return jute.MarshallingError
	}
	found := false
	for _, p := range parts {
		if remove {
			found = c.door.watches.remove(c, p.kind, path, p.modes) || found
		} else {
			found = c.door.watches.has(c, p.kind, path, p.modes) || found
		}
	}
	if !found {
		return jute.NoWatcher
	}
	return jute.OK
}
