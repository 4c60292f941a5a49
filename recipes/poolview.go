package recipes

import (
	"context"
	"errors"

	"github.com/zookit/zookit/client"
)

// view is what a pool looked like.
type view struct {
	limit   int
	version int32 // of the node that says so
	permits []string
	nowhere bool // the directory of the permits does not exist
}

func (v *view) room(n int) bool { return len(v.permits)+n <= v.limit }

// fit is a state of a pool's node: which node it is, and which children it has had.
type fit struct {
	czxid    int64
	cversion int32
}

// look reads the limit and the permits, in one flight, and makes the pool's node if it is
// missing. It finds out whether the path is used for something else.
func (p *Pool) look(ctx context.Context, s *client.Session) (*view, error) {
	for {
		found, err := s.Batch().Get(p.path).Children(p.permits).Do(ctx)
		if found == nil {
			return nil, err
		}
		node, permits := &found[0], &found[1]
		if errors.Is(node.Err, client.ErrNoNode) {
			if err := p.examine(ctx, s); err != nil {
				return nil, err
			}
			if err := p.makeNode(ctx, s); err != nil {
				return nil, err
			}
			continue
		}
		if node.Err != nil {
			return nil, node.Err
		}
		if permits.Err != nil && !errors.Is(permits.Err, client.ErrNoNode) {
			return nil, permits.Err
		}
		if err := p.inspect(ctx, s, node.Stat, permits.Children); err != nil {
			return nil, err
		}
		limit, again, err := p.agree(ctx, s, node.Data, node.Stat.Version)
		if err != nil {
			return nil, err
		}
		if !again {
			p.mu.Lock()
			p.looked = true
			p.mu.Unlock()
			return &view{limit: limit, version: node.Stat.Version, permits: permits.Children, nowhere: permits.Err != nil}, nil
		}
	}
}

// inspect says whether the pool's node, whose stat this is, has children that are not a
// pool's. In Kazoo's layout they are the permits, and are known; in Curator's there are two for
// long, so that they are only read when others have come or gone.
func (p *Pool) inspect(ctx context.Context, s *client.Session, stat client.Stat, permits []string) error {
	if p.cfg.Layout == Kazoo {
		return p.cfg.Layout.misfit(p.path, permits)
	}
	now := fit{czxid: stat.Czxid, cversion: stat.Cversion}
	p.mu.Lock()
	known := p.fits == now
	p.mu.Unlock()
	if known {
		return nil
	}
	return p.examine(ctx, s)
}

// examine reads what there is at the path and beside it, and remembers that it fits.
func (p *Pool) examine(ctx context.Context, s *client.Session) error {
	if p.cfg.Layout == Kazoo {
		return nil
	}
	found, err := s.Batch().Children(p.path).Exists(p.path + lineSuffix).Do(ctx)
	if found == nil {
		return err
	}
	children, beside := &found[0], &found[1]
	if beside.Err != nil {
		return beside.Err
	}
	if beside.Exists {
		return p.cfg.Layout.beside(p.path)
	}
	if errors.Is(children.Err, client.ErrNoNode) {
		return nil
	}
	if children.Err != nil {
		return children.Err
	}
	if err := p.cfg.Layout.misfit(p.path, children.Children); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fits = fit{czxid: children.Stat.Czxid, cversion: children.Stat.Cversion}
	return nil
}
