package zktest

import (
	"cmp"
	"slices"
)

// WatchMode is how a path is watched.
type WatchMode string

// The modes. A one-shot watch is left by exists or getData on the data of a node, by
// getChildren on its children; the persistent ones are set with addWatch.
const (
	DataWatch       WatchMode = "data"
	ChildrenWatch   WatchMode = "children"
	PersistentWatch WatchMode = "persistent"
	RecursiveWatch  WatchMode = "recursive"
)

// Watch is one watch of one connection.
type Watch struct {
	// Path is the watched node, and Mode how it is watched.
	Path string
	Mode WatchMode
	// Session is the session of the connection that has set the watch.
	Session int64
}

// Watches returns how many watches are set, by all connections together. A persistent
// watch counts as one, though a real server's own count (mntr) has it twice.
func (s *Server) Watches() int { return len(s.WatchList()) }

// WatchList returns the watches of all connections, sorted by path, mode and session. Of
// a persistent watch that has lost one half to removeWatches the other is still listed.
func (s *Server) WatchList() []Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[Watch]struct{}{}
	for _, d := range s.doors {
		for key, conns := range d.watches.byKey {
			for c, modes := range conns {
				for mode, name := range map[watchModes]WatchMode{persistent: PersistentWatch, recursive: RecursiveWatch, oneShot: key.kind.mode()} {
					if modes&mode != 0 {
						seen[Watch{Path: key.path, Mode: name, Session: c.who.session}] = struct{}{}
					}
				}
			}
		}
	}
	out := make([]Watch, 0, len(seen))
	for w := range seen {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b Watch) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Session, b.Session))
	})
	return out
}

// mode returns the mode of a one-shot watch in the table.
func (k watchKind) mode() WatchMode {
	if k == childWatch {
		return ChildrenWatch
	}
	return DataWatch
}
