package tree

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
)

// node is a node that was met on a walk.
type node struct {
	path  string
	depth int  // below where the walk began
	last  bool // of its siblings
	data  []byte
	stat  client.Stat
}

func (n *node) name() string { return n.path[strings.LastIndexByte(n.path, '/')+1:] }

// errSkip is what a visitor returns to have nothing below the node visited.
var errSkip = errors.New("not below this one")

// walk visits a node and all below it, parents first, siblings in the order of their names. What is
// deleted meanwhile is left out. Data is read only if wanted. The server's own nodes, below
// /zookeeper, are visited only if root is one of them.
func walk(ctx context.Context, cl *client.Client, root string, data bool, visit func(n *node) error) error {
	found, err := read(ctx, cl, []string{root}, data)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &client.OpError{Op: "exists", Path: root, Outcome: client.Definite, Err: client.ErrNoNode}
	}
	found[0].last = true
	return descend(ctx, cl, found[0], data, visit)
}

func descend(ctx context.Context, cl *client.Client, n *node, data bool, visit func(n *node) error) error {
	switch err := visit(n); {
	case errors.Is(err, errSkip):
		return nil
	case err != nil:
		return err
	case n.stat.NumChildren == 0:
		return nil
	}
	names, _, err := cl.Children(ctx, n.path)
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	if err != nil {
		return err
	}
	if n.path == "/" {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "zookeeper" })
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = client.Join(n.path, name)
	}
	children, err := read(ctx, cl, paths, data)
	if err != nil {
		return err
	}
	for i, child := range children {
		child.depth, child.last = n.depth+1, i == len(children)-1
		if err := descend(ctx, cl, child, data, visit); err != nil {
			return err
		}
		child.data = nil // of a large tree only the way to where the walk stands is kept
	}
	return nil
}

// read reads nodes in one flight. Those that are not there are left out.
func read(ctx context.Context, cl *client.Client, paths []string, data bool) ([]*node, error) {
	b := cl.Batch()
	for _, path := range paths {
		if data {
			b.Get(path)
		} else {
			b.Exists(path)
		}
	}
	found, err := b.Do(ctx)
	if found == nil && err != nil {
		return nil, err
	}
	var nodes []*node
	for i, f := range found {
		switch {
		case errors.Is(f.Err, client.ErrNoNode), f.Err == nil && !data && !f.Exists:
		case f.Err != nil:
			return nil, f.Err
		default:
			nodes = append(nodes, &node{path: paths[i], data: f.Data, stat: f.Stat})
		}
	}
	return nodes, nil
}
