package zktest

import (
	"slices"

	"github.com/zookit/zookit/internal/jute"
)

// emptyContainer tells whether the node is a container that has had children and has none left.
func (t *tree) emptyContainer(path string) bool {
	n := t.find(path)
	return n != nil && n.stat.EphemeralOwner == containerOwner && n.stat.Cversion > 0 && len(n.children) == 0
}

// manageContainers deletes containers as soon as they have been emptied. A real
// server looks for them once a minute.
func (s *Server) manageContainers() {
	for {
		select {
		case <-s.done:
			return
		case <-s.empty:
		}
		s.mu.Lock()
		var paths []string
		for path := range s.tree.nodes {
			if s.tree.emptyContainer(path) {
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		for _, path := range paths {
			s.transact(&caller{trusted: true}, func(x *txn) jute.Code { return x.delete(path, -1) })
		}
		s.mu.Unlock()
	}
}
