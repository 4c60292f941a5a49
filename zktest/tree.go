package zktest

import (
	"slices"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// The owners that mark nodes which no session owns (EphemeralType of the real server).
const (
	containerOwner = -1 << 63
	ttlOwner       = -1 << 56
	maxTTLMillis   = 1<<40 - 1
)

// node is one node. In stat, Cversion counts the creations of children, as the real
// server keeps it; DataLength and NumChildren are filled in by visible.
type node struct {
	data     []byte
	acl      []jute.ACL
	stat     jute.Stat
	children map[string]struct{} // nil before the first
}

// adopt adds a child.
func (n *node) adopt(name string) {
	if n.children == nil {
		n.children = map[string]struct{}{}
	}
	n.children[name] = struct{}{}
}

// visible returns the stat as clients see it. Cversion becomes the number of creations
// and deletions of children: twice the creations, less those that are left. The
// owners that mark containers and TTL nodes are not shown.
func (n *node) visible() jute.Stat {
	s := n.stat
	s.DataLength = int32(len(n.data))
	s.NumChildren = int32(len(n.children))
	s.Cversion = s.Cversion*2 - s.NumChildren
	if !n.ephemeral() {
		s.EphemeralOwner = 0
	}
	return s
}

func (n *node) names() []string {
	out := make([]string, 0, len(n.children))
	for name := range n.children {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// ephemeral tells whether a session owns the node.
func (n *node) ephemeral() bool {
	o := n.stat.EphemeralOwner
	return o != 0 && o != containerOwner && uint64(o)>>56 != 0xff
}

// tree is the data of a server. It is guarded by the server's mutex.
type tree struct {
	nodes      map[string]*node
	ephemerals map[int64]map[string]struct{}
	// mortals are the containers and the nodes with a time to live.
	mortals map[string]*node
	// zxid is the last transaction that was processed, failed ones included.
	zxid int64
	// wrap lets the counters of children overflow.
	wrap bool
}

func newTree(wrap bool) *tree {
	t := &tree{nodes: map[string]*node{}, ephemerals: map[int64]map[string]struct{}{}, mortals: map[string]*node{}, wrap: wrap}
	for _, path := range []string{"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"} {
		t.nodes[path] = &node{data: []byte{}, acl: openACL()}
		if parent, name, _ := splitPath(path); name != "" {
			t.nodes[parent].adopt(name)
		}
	}
	config := t.nodes["/zookeeper/config"]
	config.acl[0].Perms = permRead
	config.stat.Aversion = -1
	return t
}

// find returns the node at path, or nil. The empty path is the root.
func (t *tree) find(path string) *node {
	if path == "" {
		path = "/"
	}
	return t.nodes[path]
}

// below returns the paths at and under path, deepest first.
func (t *tree) below(path string) []string {
	var out []string
	for p := range t.nodes {
		if p == path || path == "/" || strings.HasPrefix(p, path+"/") {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(b, a) })
	return out
}

func (t *tree) addEphemeral(owner int64, path string) {
	if t.ephemerals[owner] == nil {
		t.ephemerals[owner] = map[string]struct{}{}
	}
	t.ephemerals[owner][path] = struct{}{}
}

func (t *tree) dropEphemeral(owner int64, path string) {
	delete(t.ephemerals[owner], path)
	if len(t.ephemerals[owner]) == 0 {
		delete(t.ephemerals, owner)
	}
}
