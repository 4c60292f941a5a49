package recipes

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// place is a persistent node in a line that waits for its turn. It belongs to no session:
// when one is over the wait goes on in the next.
type place struct {
	line  *Line
	path  string
	own   Contender
	token int64 // 0 until it has been read
}

// enlist makes a persistent contender. If it returns an error there is no node, or the client is
// seeing to it that there will be none, which undo waits for if it is not nil.
//
// A create whose reply is lost together with its session must not be executed later, when nobody looks
// for it any more: no end of a session would delete what it makes. So it comes in one
// transaction with the deletion of a fence, an ephemeral contender made before: once the
// fence is known to be gone, the transaction has been executed or never will be.
func (l *Line) enlist(ctx context.Context, s *client.Session) (pl *place, undo *uprooting, err error) {
	fence, err := l.fence(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	prefix, err := l.cfg.Layout.NewPrefix(l.cfg.Kind)
	if err != nil {
		Remove(s, fence, nil)
		return nil, nil, err
	}
	results, err := s.Txn().Delete(fence, client.AnyVersion).
		Create(client.Join(l.dir, prefix), l.cfg.Data, client.WithMode(client.PersistentSequential)).Commit(ctx)
	name := ""
	switch {
	case err == nil:
		name = path.Base(results[1].Path)
	case client.Outcome(err) == client.Unknown:
		if name, err = l.trace(ctx, fence, prefix); err != nil {
			return nil, l.forget(fence, prefix), err
		}
		if name == "" {
			return nil, nil, fmt.Errorf("%s: %w", client.Join(l.dir, prefix), errOwnGone)
		}
	default:
		_ = Remove(s, fence, nil).Wait(ctx) // else the caller's next try might find it ahead
		return nil, nil, err
	}
	pl = &place{line: l, path: client.Join(l.dir, name)}
	kind, seq, ok := l.cfg.Layout.Parse(name, l.cfg.Kind)
	if !ok {
		return nil, uproot(l.cl, pl.path, 0), fmt.Errorf("the server answered the create of %s with the name %s, which has no sequence number", prefix, name)
	}
	pl.own = Contender{Name: name, Sequence: seq, Kind: kind, Layout: l.cfg.Layout}
	return pl, nil, nil
}

// fence makes an ephemeral contender, and the directory if need be.
func (l *Line) fence(ctx context.Context, s *client.Session) (string, error) {
	prefix, err := l.cfg.Layout.NewPrefix(l.cfg.Kind)
	if err != nil {
		return "", err
	}
	parents := client.WithParents()
	if l.cfg.Layout.grammar().containers {
		parents = client.WithContainerParents()
	}
	made, err := s.Create(ctx, client.Join(l.dir, prefix), l.cfg.Data, client.WithMode(client.EphemeralSequential), client.WithProtection(prefix), parents)
	return made.Path, err
}

// trace finds out the name of a node whose create was left open, in whichever session: none if there is no
// such node, and never will be.
func (l *Line) trace(ctx context.Context, fence, prefix string) (string, error) {
	var pace pace
	for {
		s, err := l.cl.Session(ctx)
		if err != nil {
			return "", err
		}
		name, err := l.traceIn(ctx, s, fence, prefix)
		if err == nil || !passing(err) {
			return name, err
		}
		if err := pace.wait(ctx); err != nil {
			return "", err
		}
	}
}

func (l *Line) traceIn(ctx context.Context, s *client.Session, fence, prefix string) (string, error) {
	if err := pulled(s.Idempotent().Delete(ctx, fence, client.AnyVersion)); err != nil {
		return "", err
	}
	names, _, err := s.Children(ctx, l.dir) // behind the deletion
	if err != nil {
		return "", pulled(err)
	}
	i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, prefix) })
	if i < 0 {
		return "", nil
	}
	return names[i], nil
}

// forget has the node deleted whose create was left open, if there is one.
func (l *Line) forget(fence, prefix string) *uprooting {
	return startUprooting(l.cl, client.Join(l.dir, prefix), func(ctx context.Context, s *client.Session) error {
		name, err := l.traceIn(ctx, s, fence, prefix)
		if err != nil || name == "" {
			return err
		}
		return pulled(s.Delete(ctx, client.Join(l.dir, name), client.AnyVersion))
	})
}

// wait returns nil as soon as the rule lets the place through and a quorum has confirmed that
// its node stands. Each wake-up is followed by a new look, and nothing that was known before counts.
func (pl *place) wait(ctx context.Context, s *client.Session, try bool) error {
	var pace pace
	for {
		select {
		case <-s.Detaching():
			return client.ErrDetached
		default:
		}
		if pl.token == 0 {
			stat, ok, err := standing(ctx, s, pl.path, 0)
			if err != nil {
				return err
			}
			if !ok {
				return pl.gone()
			}
			pl.token = stat.Czxid
		}
		line, err := pl.line.list(ctx, s)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(line, func(c Contender) bool { return c.Name == pl.own.Name })
		if at < 0 { // or the server lags behind
			switch _, ok, err := standing(ctx, s, pl.path, pl.token); {
			case err != nil:
				return err
			case !ok:
				return pl.gone()
			}
			if err := pace.wait(ctx); err != nil {
				return err
			}
			continue
		}
		ahead := line[:at:at]
		b, blocked := pl.line.cfg.Rule(ahead, pl.own)
		switch {
		case !blocked:
			return pl.confirm(ctx, s)
		case !slices.ContainsFunc(ahead, func(c Contender) bool { return c.Name == b.Name }):
			return fmt.Errorf("%w: the rule named %q as the one to wait for, which is not ahead of %s", client.ErrBadArgument, b.Name, pl.own.Name)
		case try:
			return busy(b)
		}
		if err := pl.watch(ctx, s, b); err != nil {
			return err
		}
	}
}

func (pl *place) gone() error { return fmt.Errorf("%s: %w", pl.path, errOwnGone) }

func (pl *place) confirm(ctx context.Context, s *client.Session) error {
	err := s.Confirm(ctx, pl.path)
	if errors.Is(err, client.ErrNoNode) {
		return pl.gone()
	}
	return err
}

// watch returns nil when it is time to look at the line again.
func (pl *place) watch(ctx context.Context, s *client.Session, b Contender) error {
	_, _, w, err := s.GetW(ctx, client.Join(pl.line.dir, b.Name))
	if err != nil {
		return pulled(err)
	}
	defer w.Remove()
	select {
	case <-w.C: // also when the connection was lost, and the watch with it
		return nil
	case <-s.Detaching():
		return client.ErrDetached
	case <-s.Context().Done():
		return context.Cause(s.Context())
	case <-ctx.Done():
		return ended(ctx)
	}
}

// farewell bounds how long a call whose context has ended waits for the deletion of its node.
const farewell = 5 * time.Second

// withdrawn waits for the deletion of a node that was given up, and adds to why if that is not
// certain when the call returns.
func withdrawn(ctx context.Context, undo *uprooting, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := undo.wait(ctx); err != nil {
		return fmt.Errorf("%w; a persistent node may be left, look for it in Contenders and Break it: %w", why, err)
	}
	return why
}
