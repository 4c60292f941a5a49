package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client"
)

// make makes the permits, if the place in line is still there and the limit the one that
// was seen. It returns nothing and no error if it is worth looking again.
func (a *admission) make(ctx context.Context, v *view) ([]string, error) {
	p := a.pool
	if v.nowhere {
		if err := a.makeDir(ctx); err != nil {
			return nil, err
		}
	}
	txn := a.place.Txn().Check(p.path, v.version)
	asked := make([]string, a.n)
	for i := range asked {
		var mode client.Mode
		asked[i], mode = p.cfg.Layout.newPermit()
		txn.Create(client.Join(p.permits, asked[i]), p.cfg.Data, client.WithMode(mode))
	}
	done, err := txn.Commit(ctx)
	failed, refused := errors.AsType[*client.TxnError](err)
	switch {
	case err == nil:
		paths := make([]string, a.n)
		for i, d := range done[1:] {
			paths[i] = d.Path
		}
		return paths, nil
	case client.Outcome(err) == client.Unknown:
		return a.resolve(ctx, asked, err)
	case errors.Is(err, ErrGrantLost), errors.Is(err, ErrReleased):
		return nil, fmt.Errorf("%w: %w", errOwnGone, err)
	case refused && failed.Index == 0 && (errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrNoNode)):
		return nil, nil // the limit has changed, or the pool's node has gone
	case refused && errors.Is(err, client.ErrNoNode):
		return nil, a.makeDir(ctx)
	}
	return nil, err
}

// makeDir makes the directory of the permits, which goes when it is empty, where servers can
// do that.
func (a *admission) makeDir(ctx context.Context) error {
	create := func(mode client.Mode) error {
		_, err := a.session.Idempotent().Create(ctx, a.pool.permits, nil, client.WithMode(mode))
		return err
	}
	err := create(client.Container)
	if errors.Is(err, client.ErrUnimplemented) {
		err = create(client.Persistent)
	}
	if errors.Is(err, client.ErrNodeExists) || errors.Is(err, client.ErrNoNode) { // with its parent
		return nil
	}
	return err
}

// resolve finds out what became of a transaction whose answer was lost, because of why.
func (a *admission) resolve(ctx context.Context, asked []string, why error) ([]string, error) {
	if a.session.Context().Err() != nil {
		return nil, why
	}
	paths, err := a.made(ctx, asked)
	switch {
	case err != nil:
		a.session.Cleanup("delete permits in "+a.pool.permits, func(ctx context.Context) error {
			paths, err := a.made(ctx, asked)
			if err != nil {
				return err
			}
			return deleteAll(ctx, a.session, paths)
		})
		return nil, err
	case len(paths) == 0: // nor will there be
		return nil, nil
	case len(paths) < len(asked): // somebody has deleted the others
		return nil, removeAll(a.session, paths).Wait(ctx)
	}
	return paths, nil
}

// made returns the permits that a transaction has made, behind a commit of the quorum: what
// it has not made by then it never will.
func (a *admission) made(ctx context.Context, asked []string) ([]string, error) {
	if err := a.session.Confirm(ctx); err != nil && !errors.Is(err, client.ErrNoNode) {
		return nil, err
	}
	names, _, err := a.session.Children(ctx, a.pool.permits)
	if err != nil && !errors.Is(err, client.ErrNoNode) {
		return nil, err
	}
	var paths []string
	for _, name := range names {
		if slices.Contains(asked, a.pool.cfg.Layout.permitOf(name)) {
			paths = append(paths, client.Join(a.pool.permits, name))
		}
	}
	return paths, nil
}

// claim makes a grant of permits that were made when the pool looked like v, if they are all
// there, are this session's, and are not too many. Otherwise they are deleted. It returns
// neither grant nor error if it is worth looking again.
func (a *admission) claim(ctx context.Context, v *view, paths []string, since time.Time) (*Grant, error) {
	token, err := a.count(ctx, v, paths)
	var g *Grant
	if err == nil && token != 0 {
		g, err = grantOf(ctx, a.session, a.pool.permits, paths, token, since, nil)
	}
	if g != nil {
		return g, nil
	}
	gone := removeAll(a.session, paths)
	if errors.Is(err, client.ErrNoNode) { // one was deleted
		err = nil
	}
	if err == nil {
		err = gone.Wait(ctx) // before anybody else counts them
	}
	return nil, err
}

// count returns the token of permits that may be granted, and 0 if they may not.
func (a *admission) count(ctx context.Context, v *view, paths []string) (int64, error) {
	b := a.session.Batch()
	for _, path := range paths {
		b.Exists(path)
	}
	found, err := b.Children(a.pool.permits).Do(ctx)
	if err != nil && (found == nil || !errors.Is(err, client.ErrNoNode)) {
		return 0, err
	}
	token := int64(0)
	for _, f := range found[:len(paths)] {
		if !f.Exists || f.Stat.EphemeralOwner != a.session.ID() {
			return 0, nil
		}
		token = max(token, f.Stat.Czxid)
	}
	if len(found[len(paths)].Children) > v.limit {
		return 0, nil
	}
	return token, nil
}
