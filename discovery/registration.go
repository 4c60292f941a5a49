package discovery

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Registration is an instance that this process has registered. Safe for concurrent use.
type Registration struct {
	d    *Discovery
	path string
	node *recipes.Node // nil: it is not ephemeral

	mu       sync.Mutex
	instance Instance
	over     bool
}

// Instance returns what is registered, with all that was filled in.
func (r *Registration) Instance() Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.instance
}

// Path returns the path of the instance's node.
func (r *Registration) Path() string { return r.path }

// Node returns what keeps a [Dynamic] instance registered, and can tell whether it is at present; nil for others.
func (r *Registration) Node() *recipes.Node { return r.node }

// Update changes what is registered: disables the instance, for example, or gives it another payload. It returns when
// the servers have it. Name, ID and Type have to stay. Of calls at the same time one counts.
//
// Errors: [ErrBadInstance], client.ErrBadArgument, [ErrUnregistered], and those of recipes.Node.Set.
func (r *Registration) Update(ctx context.Context, i Instance) error {
	now := r.Instance()
	if i.Name != now.Name || i.ID != now.ID || i.Type != now.Type {
		return r.d.failed(fmt.Errorf("update %s: %w: name, id and type cannot change", r.path, client.ErrBadArgument))
	}
	data, err := Encode(i, r.d.full)
	if err == nil {
		r.mu.Lock()
		if r.over {
			err = ErrUnregistered
		} else {
			r.instance = i
		}
		r.mu.Unlock()
	}
	switch {
	case err != nil:
	case r.node != nil:
		if err = r.node.Set(ctx, data); errors.Is(err, recipes.ErrNodeClosed) {
			err = ErrUnregistered
		}
	default:
		_, err = r.d.cl.Idempotent().Set(ctx, r.path, data, client.AnyVersion)
	}
	if err != nil {
		return r.d.failed(fmt.Errorf("update %s: %w", r.path, err))
	}
	return nil
}

// Unregister takes the instance away; it returns nil when its node is gone, also if somebody had deleted it and when
// called again. If ctx ends first the client goes on in the background.
func (r *Registration) Unregister(ctx context.Context) error {
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	var err error
	if r.node != nil {
		err = r.node.Close(ctx)
	} else if err = r.d.cl.Idempotent().Delete(ctx, r.path, client.AnyVersion); err != nil && ctx.Err() != nil {
		r.d.cl.Cleanup("delete "+r.path, func(ctx context.Context, s *client.Session) error {
			return s.Idempotent().Delete(ctx, r.path, client.AnyVersion)
		})
	}
	if err != nil {
		return r.d.failed(fmt.Errorf("unregister %s: %w", r.path, err))
	}
	return nil
}
