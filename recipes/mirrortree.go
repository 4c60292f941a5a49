package recipes

import (
	"maps"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
)

// mirrorTree is the nodes of a mirror. Its owner's lock guards it.
type mirrorTree struct {
	nodes map[string]*MirrorNode
	// kids are the names that are known below a path, those of nodes that have not been read yet
	// or cannot be read among them.
	kids map[string]map[string]struct{}
	// listed is the Pzxid of a path as of which kids is complete, but for what events have told since.
	listed     map[string]int64
	unreadable map[string]struct{}
	bytes      int
}

func newMirrorTree() mirrorTree {
	return mirrorTree{
		nodes: map[string]*MirrorNode{}, kids: map[string]map[string]struct{}{},
		listed: map[string]int64{}, unreadable: map[string]struct{}{},
	}
}

func sizeOf(n *MirrorNode) int {
	if n == nil {
		return 0
	}
	return len(n.Path) + len(n.Data)
}

// put stores a node.
func (t *mirrorTree) put(n *MirrorNode) {
	t.bytes += sizeOf(n) - sizeOf(t.nodes[n.Path])
	t.nodes[n.Path] = n
	delete(t.unreadable, n.Path)
}

// know notes that there is a node, under a parent.
func (t *mirrorTree) know(parent, name string) {
	names := t.kids[parent]
	if names == nil {
		names = map[string]struct{}{}
		t.kids[parent] = names
	}
	names[name] = struct{}{}
}

// known tells whether the parent of a node knows its name.
func (t *mirrorTree) known(path string) bool {
	parent, name := splitPath(path)
	_, ok := t.kids[parent][name]
	return ok
}

// forget takes the name of a node out of its parent's.
func (t *mirrorTree) forget(path string) {
	parent, name := splitPath(path)
	if names := t.kids[parent]; names != nil {
		delete(names, name)
		if len(names) == 0 {
			delete(t.kids, parent)
		}
	}
}

// below calls f for the path and all that is known below it, the deepest first.
func (t *mirrorTree) below(path string, f func(path string)) {
	for _, name := range slices.Sorted(maps.Keys(t.kids[path])) {
		t.below(client.Join(path, name), f)
	}
	f(path)
}

// drop takes one node out, without those below it. It returns what there was.
func (t *mirrorTree) drop(path string) *MirrorNode {
	old := t.nodes[path]
	t.bytes -= sizeOf(old)
	delete(t.nodes, path)
	delete(t.listed, path)
	delete(t.unreadable, path)
	return old
}

// splitPath returns a node's parent and name.
func splitPath(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '/')
	if i == 0 {
		return "/", path[1:]
	}
	return path[:i], path[i+1:]
}

// within tells whether path is part of the mirror: not too deep, and neither it nor anything above it
// filtered out.
func (m *Mirror) within(path string) bool {
	if path == m.path {
		return true
	}
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(m.path, "/")+"/")
	if !ok || m.cfg.Depth == OnlyNode {
		return false
	}
	if m.cfg.Depth > 0 && strings.Count(rest, "/") >= m.cfg.Depth {
		return false
	}
	if m.cfg.Filter == nil {
		return true
	}
	start := len(path) - len(rest)
	for i := start; i < len(path); i++ {
		if path[i] == '/' && !m.cfg.Filter(path[:i]) {
			return false
		}
	}
	return m.cfg.Filter(path)
}

// descends tells whether the children of a node that is within are, too, as far as depth goes.
func (m *Mirror) descends(path string) bool {
	switch {
	case m.cfg.Depth == WholeTree:
		return true
	case m.cfg.Depth == OnlyNode:
		return false
	case path == m.path:
		return true
	}
	rest := strings.TrimPrefix(path, strings.TrimSuffix(m.path, "/")+"/")
	return strings.Count(rest, "/")+1 < m.cfg.Depth
}
