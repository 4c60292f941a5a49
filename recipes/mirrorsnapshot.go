package recipes

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// MirrorSnapshot is a mirror at one moment. It never changes. Safe for concurrent use.
type MirrorSnapshot struct {
	version uint64
	root    string
	nodes   map[string]*MirrorNode
	paths   []string            // sorted, each parent before its children
	kids    map[string][]string // sorted
}

// Snapshot returns the mirror as it is. As long as nothing changes it costs a look at two numbers;
// the first call after a change copies the table of nodes, not the nodes.
func (m *Mirror) Snapshot() *MirrorSnapshot {
	if s := m.snap.Load(); s != nil && s.version == m.version.Load() {
		return s
	}
	m.mu.RLock()
	s := &MirrorSnapshot{version: m.version.Load(), root: m.path, nodes: maps.Clone(m.tree.nodes)}
	m.mu.RUnlock()
	s.paths = slices.SortedFunc(maps.Keys(s.nodes), comparePaths)
	s.kids = map[string][]string{}
	for _, path := range s.paths {
		if path != m.path {
			parent, name := splitPath(path)
			s.kids[parent] = append(s.kids[parent], name)
		}
	}
	for { // never replace a newer one
		old := m.snap.Load()
		if old != nil && old.version >= s.version {
			return s
		}
		if m.snap.CompareAndSwap(old, s) {
			return s
		}
	}
}

// comparePaths sorts paths so that a node comes directly before what is below it.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Root returns the mirrored node, and whether it exists.
func (s *MirrorSnapshot) Root() (*MirrorNode, bool) { return s.Get(s.root) }

// Get returns a node, and whether it exists.
func (s *MirrorSnapshot) Get(path string) (*MirrorNode, bool) {
	n, ok := s.nodes[path]
	return n, ok
}

// Children returns the names of a node's children, sorted. The slice must not be written to.
func (s *MirrorSnapshot) Children(path string) []string { return s.kids[path] }

// Len returns the number of nodes.
func (s *MirrorSnapshot) Len() int { return len(s.nodes) }

// Version grows with each change of the mirror: two snapshots of one mirror with the same version are the same.
func (s *MirrorSnapshot) Version() uint64 { return s.version }

// All yields the nodes, each before those below it and siblings by name.
func (s *MirrorSnapshot) All() iter.Seq[*MirrorNode] {
	return func(yield func(*MirrorNode) bool) {
		for _, path := range s.paths {
			if !yield(s.nodes[path]) {
				return
			}
		}
	}
}
