package inspect

import (
	"context"
	"errors"
	"strings"

	"github.com/zookit/zookit/client"
)

// What stands beside a node, in the same directory: the line of a semaphore in Kazoo's layout, and what zookit keeps of a queue
// in a library's layout.
const (
	lineBeside  = "-__lock__"
	queueBeside = "-__zookit__"
)

// sight is what there is at a path, before it is known what it is.
type sight struct {
	path     string
	data     []byte
	stat     client.Stat
	children []string
	beside   bool  // a semaphore's line
	denied   error // it may not be read
}

func (s *sight) name() string { return s.path[strings.LastIndexByte(s.path, '/')+1:] }

func (s *sight) at(name string) string { return client.Join(s.path, name) }

// kid is a child of a node.
type kid struct {
	name string
	stat client.Stat
}

// see looks at nodes, in one flight. Those that do not exist are nil. Whether a line stands beside them is asked only if
// the caller does not know.
func see(ctx context.Context, cl *client.Client, paths []string, ask bool) ([]*sight, error) {
	b := cl.Batch()
	per := 2
	if ask {
		per = 3
	}
	for _, path := range paths {
		b.Get(path).Children(path)
		if ask {
			b.Exists(besideOf(path))
		}
	}
	found, err := b.Do(ctx)
	if found == nil && err != nil {
		return nil, err
	}
	out := make([]*sight, len(paths))
	for i, path := range paths {
		node, children := found[per*i], found[per*i+1]
		for _, f := range found[per*i : per*i+per] {
			switch {
			case errors.Is(f.Err, client.ErrNoAuth):
				out[i] = &sight{path: path, denied: f.Err}
			case f.Err != nil && !errors.Is(f.Err, client.ErrNoNode):
				return nil, f.Err
			}
		}
		if node.Err == nil && out[i] == nil {
			out[i] = &sight{path: path, data: node.Data, stat: node.Stat, children: children.Children, beside: ask && found[per*i+2].Exists}
		}
	}
	return out, nil
}

// besideOf is where the line of a semaphore stands. The root has nothing beside it.
func besideOf(path string) string {
	if path == "/" {
		return path + "zookeeper" + lineBeside // which cannot be there
	}
	return path + lineBeside
}

// kids reads the stats of a node's children, in one flight.
func kids(ctx context.Context, cl *client.Client, s *sight) ([]kid, error) {
	found, err := stats(ctx, cl, s.path, s.children)
	if err != nil {
		return nil, err
	}
	out := make([]kid, 0, len(found))
	for i, f := range found {
		if f.Exists {
			out = append(out, kid{name: s.children[i], stat: f.Stat})
		}
	}
	return out, nil
}

// stats reads the stats of children, in one flight. Those that do not exist say so.
func stats(ctx context.Context, cl *client.Client, dir string, names []string) ([]client.BatchResult, error) {
	b := cl.Batch()
	for _, name := range names {
		b.Exists(client.Join(dir, name))
	}
	return settled(b.Do(ctx))
}

// contents reads children, in one flight. Those that do not exist say so.
func contents(ctx context.Context, cl *client.Client, dir string, names []string) ([]client.BatchResult, error) {
	b := cl.Batch()
	for _, name := range names {
		b.Get(client.Join(dir, name))
	}
	found, err := settled(b.Do(ctx))
	for i := range found {
		found[i].Exists = found[i].Err == nil
	}
	return found, err
}

// listings lists directories, in one flight. One that does not exist is empty.
func listings(ctx context.Context, cl *client.Client, paths ...string) ([][]string, error) {
	b := cl.Batch()
	for _, path := range paths {
		b.Children(path)
	}
	found, err := settled(b.Do(ctx))
	out := make([][]string, len(found))
	for i := range found {
		out[i] = found[i].Children
	}
	return out, err
}

// settled is what a flight has found; that a node does not exist is no error.
func settled(found []client.BatchResult, err error) ([]client.BatchResult, error) {
	if found == nil {
		return nil, err
	}
	for _, f := range found {
		if f.Err != nil && !errors.Is(f.Err, client.ErrNoNode) {
			return nil, f.Err
		}
	}
	return found, nil
}
