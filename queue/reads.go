package queue

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/zookit/zookit/client"
)

// reads are reads in one request, or in one flight where servers do not know that.
type reads struct {
	o     client.Ops
	alone *atomic.Bool // the servers do not
	paths []string
	lists []bool
}

func (c *core) reads(o client.Ops) *reads { return &reads{o: o, alone: &c.alone} }

func (r *reads) get(path string) *reads { return r.add(path, false) }

func (r *reads) children(path string) *reads { return r.add(path, true) }

func (r *reads) add(path string, list bool) *reads {
	r.paths, r.lists = append(r.paths, path), append(r.lists, list)
	return r
}

// do returns a result for each, or an error. A node that does not exist is its result's error.
func (r *reads) do(ctx context.Context) ([]client.ReadResult, error) {
	if len(r.paths) == 0 {
		return nil, nil
	}
	out, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range out {
		if one.Err != nil && !errors.Is(one.Err, client.ErrNoNode) {
			return nil, one.Err
		}
	}
	return out, nil
}

func (r *reads) read(ctx context.Context) ([]client.ReadResult, error) {
	if !r.alone.Load() {
		m := r.o.MultiRead()
		for i, path := range r.paths {
			if r.lists[i] {
				m.Children(path)
			} else {
				m.Get(path)
			}
		}
		out, err := m.Do(ctx)
		if !errors.Is(err, client.ErrUnimplemented) {
			return out, err
		}
		r.alone.Store(true) // before ZooKeeper 3.6
	}
	b := r.o.Batch()
	for i, path := range r.paths {
		if r.lists[i] {
			b.Children(path)
		} else {
			b.Get(path)
		}
	}
	found, err := b.Do(ctx)
	if found == nil {
		return nil, err
	}
	out := make([]client.ReadResult, len(found))
	for i, f := range found {
		out[i] = client.ReadResult{Path: r.paths[i], Data: f.Data, Stat: f.Stat, Children: f.Children, Err: f.Err}
	}
	return out, nil
}
