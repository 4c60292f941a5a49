package barrier

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// exit is the way out of a double barrier: the recipe that Kazoo and Curator follow. The lowest
// name waits for the highest, time and again, until it is alone; the others delete their nodes
// and wait for the lowest. Waited for are the nodes that were there when it began: whoever has
// come since is of the next round, even if its node has an old one's name.
type exit struct {
	d    *Double
	s    *client.Session // the own node's
	mine string          // its path

	listed bool
	rest   []string // the others that may be inside still, sorted
	bound  int64    // the newest change among the children when they were listed
}

// look reads who of the others is there still, and whether the own node is.
func (x *exit) look(ctx context.Context, o client.Ops) (ownThere bool, err error) {
	if !x.listed { // or a server that lags behind would not know of all that are inside by now
		if err := o.Sync(ctx, x.d.dir); err != nil {
			return false, err
		}
	}
	names, ok, stat, err := children(ctx, o, x.d.dir)
	if err != nil {
		return false, err
	}
	mine := path.Base(x.mine)
	switch {
	case !ok:
		x.rest = nil
	case !x.listed:
		x.rest = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == mine || n == readyName })
	default:
		x.rest = slices.DeleteFunc(x.rest, func(n string) bool { return !slices.Contains(names, n) })
	}
	if !x.listed {
		x.listed, x.bound = true, stat.Pzxid
	}
	return slices.Contains(names, mine), nil
}

// stranger tells whether a node is not one to wait for: it came later, or is no participant's.
func (x *exit) stranger(stat client.Stat) bool {
	return stat.Czxid > x.bound || stat.EphemeralOwner == 0
}

// own returns nil when the own node has been deleted: remove starts that, together with ready
// if nobody else is there.
func (x *exit) own(ctx context.Context, remove func(alone bool) *recipes.Removal) error {
	for {
		there, err := x.look(ctx, x.s.Ops)
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("%w: %s: %w", ErrLost, x.mine, client.ErrHoldDeleted)
		}
		waited := false
		for !waited && len(x.rest) > 0 && path.Base(x.mine) < x.rest[0] {
			last := len(x.rest) - 1
			if waited, err = x.wait(ctx, x.s.Ops, x.rest[last]); err != nil {
				return err
			}
			if !waited {
				x.rest = x.rest[:last]
			}
		}
		if !waited {
			return remove(len(x.rest) == 0).Wait(ctx)
		}
	}
}

// others returns nil when all others have left, also in a later session.
func (x *exit) others(ctx context.Context) error {
	again := !x.listed
	for again || len(x.rest) > 0 {
		if again {
			if _, err := x.look(ctx, x.d.cl.Ops); err != nil {
				return err
			}
			again = false
			continue
		}
		waited, err := x.wait(ctx, x.d.cl.Ops, x.rest[0])
		if err != nil {
			return err
		}
		if !waited {
			x.rest = x.rest[1:]
		}
		again = waited
	}
	return nil
}

// wait waits for news of a participant's node; it has not waited if there is none to wait for.
func (x *exit) wait(ctx context.Context, o client.Ops, name string) (waited bool, err error) {
	stat, ok, w, err := watchNode(ctx, o, client.Join(x.d.dir, name))
	if err != nil || !ok {
		return false, err
	}
	defer w.Remove()
	if x.stranger(stat) {
		return false, nil
	}
	select {
	case <-w.C: // also when the connection was lost, or the session is over
		return true, nil
	case <-x.s.Detaching():
		return true, client.ErrDetached
	case <-ctx.Done():
		return true, ended(ctx)
	}
}

// children lists a directory; ok is false if there is none.
func children(ctx context.Context, o client.Ops, dir string) (names []string, ok bool, stat client.Stat, err error) {
	names, stat, err = o.Children(ctx, dir)
	if errors.Is(err, client.ErrNoNode) {
		return nil, false, stat, nil
	}
	return names, err == nil, stat, err
}
