package tree

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// snapshot is a subtree without its ephemeral nodes, by paths relative to its root, which is "".
type snapshot map[string]saved

// saved is a node of a snapshot.
type saved struct {
	data []byte
	acl  []client.ACL // nil: not read
}

// take reads a subtree. It is not one moment's: what changes meanwhile is seen before or after.
func take(ctx context.Context, env *app.Env, cl *client.Client, root string, acls bool) (snapshot, error) {
	out := snapshot{}
	progress := env.Progress("read", 0)
	defer progress.Done()
	err := walk(ctx, cl, root, true, func(n *node) error {
		progress.Add(1)
		if n.stat.EphemeralOwner != 0 {
			return errSkip
		}
		one := saved{data: n.data}
		if acls {
			acl, _, err := cl.GetACL(ctx, n.path)
			if errors.Is(err, client.ErrNoNode) {
				return errSkip
			}
			if err != nil {
				return err
			}
			one.acl = acl
		}
		out[below(root, n.path)] = one
		return nil
	})
	return out, err
}

// below is a path relative to its root.
func below(root, path string) string {
	if root == "/" {
		return strings.TrimSuffix(path, "/")
	}
	return path[len(root):]
}

// above is the path of what is relative to root.
func above(root, relative string) string {
	if root == "/" {
		root = ""
	}
	if root+relative == "" {
		return "/"
	}
	return root + relative
}

// paths are the snapshot's, parents before their children.
func (s snapshot) paths() []string { return slices.Sorted(maps.Keys(s)) }

// change is what has to be done to a node.
type change struct {
	path string // relative
	what string // create, set or delete
}

// changes are what makes the tree b of the tree a.
func changes(a, b snapshot) []change {
	var out []change
	for _, path := range b.paths() {
		old, ok := a[path]
		switch {
		case !ok:
			out = append(out, change{path, "create"})
		case !bytes.Equal(old.data, b[path].data):
			out = append(out, change{path, "set"})
		}
	}
	for _, path := range slices.Backward(a.paths()) {
		if _, ok := b[path]; !ok {
			out = append(out, change{path, "delete"})
		}
	}
	return out
}

// perFlight is how many changes leave together.
const perFlight = 500

// apply makes changes below root, in flights; content is what nodes are to be. Executed twice they
// are as good as once.
func apply(ctx context.Context, env *app.Env, cl *client.Client, root string, content snapshot, todo []change) error {
	progress := env.Progress("written", len(todo))
	defer progress.Done()
	for flight := range slices.Chunk(todo, perFlight) {
		b := cl.Idempotent().Batch()
		for _, c := range flight {
			path := above(root, c.path)
			switch c.what {
			case "create":
				var opts []client.CreateOption
				if acl := content[c.path].acl; acl != nil {
					opts = append(opts, client.WithACL(acl...))
				}
				b.Create(path, content[c.path].data, opts...)
			case "set":
				b.Set(path, content[c.path].data, client.AnyVersion)
			case "delete":
				b.Delete(path, client.AnyVersion)
			}
		}
		results, err := b.Do(ctx)
		if results == nil && err != nil {
			return err
		}
		for i, r := range results {
			if r.Err != nil && (flight[i].what != "delete" || !errors.Is(r.Err, client.ErrNoNode)) {
				return r.Err
			}
		}
		progress.Add(len(flight))
	}
	return nil
}

// makeParents makes what is missing above a node.
func makeParents(ctx context.Context, cl *client.Client, path string) error {
	parent := path[:max(strings.LastIndexByte(path, '/'), 0)]
	if parent == "" {
		return nil
	}
	_, err := cl.Idempotent().Create(ctx, parent, nil, client.WithParents())
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}
