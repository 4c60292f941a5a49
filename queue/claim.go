package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// holderPrefix begins the name of the node below an item that tells whose lease it is. It is sequential: its
// number is how many leases there were before.
const holderPrefix = "l-"

// lease is an item that is leased to this process.
type lease struct {
	c       *core
	it      *candidate
	s       *client.Session
	holder  string // the node below the item, which nobody else can have
	attempt int
	token   int64
	grant   *recipes.Grant

	turn  chan struct{} // cap 1: full while it is being settled; guards the rest
	begun bool          // the grant has been ended for that
	fate  fate
	why   error  // it is lost
	doubt *doubt // the transaction that settles it, if it is not known what became of that
}

// claim leases items in one transaction, or none of them. Whoever else wants one of them makes it
// fail, and so does an item of a better priority that was put since the look. It returns errStale then.
func (c *core) claim(ctx context.Context, s *client.Session, items []*candidate, checks []check, asked time.Time) ([]*lease, error) {
	d, p, err := c.lanes.commit(ctx, s, func(p *plan) {
		for _, ch := range checks {
			p.note(roleCheck, 0).Check(ch.path, ch.version)
		}
		for i, it := range items {
			p.note(roleLease, i).Create(c.store.lease(it.name), []byte(c.cfg.owner), client.WithMode(client.Ephemeral))
			p.note(roleHolder, i).Create(client.Join(it.path, holderPrefix), nil, client.WithMode(client.EphemeralSequential))
		}
	})
	if err != nil {
		c.stock.drop() // they have been drawn from it, and may be there still
	}
	if open, ok := errors.AsType[*unsettled](err); ok {
		c.undo(s, open, items)
		return nil, err
	}
	if what, why, ok := p.failedIn(err); ok {
		switch {
		case what.role == roleLease && errors.Is(why, client.ErrNoNode):
			c.reset()
		case what.role == roleLease, what.role == roleHolder:
			c.stock.lost()
		}
		if errors.Is(why, client.ErrNoNode) || errors.Is(why, client.ErrNodeExists) || errors.Is(why, client.ErrBadVersion) {
			return nil, fmt.Errorf("%w: %w", errStale, err)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	var holders []string
	for i, part := range p.parts {
		if part.role == roleHolder && d.results != nil {
			holders = append(holders, d.results[i].Path)
		}
	}
	leases, err := c.leases(ctx, s, items, holders, d.zxid, asked)
	if err != nil {
		c.stock.drop()
		c.leave(s, items)
	}
	return leases, err
}

// leases makes leases of items that have been claimed.
func (c *core) leases(ctx context.Context, s *client.Session, items []*candidate, holders []string, zxid int64, asked time.Time) ([]*lease, error) {
	out := make([]*lease, 0, len(items))
	for i, it := range items {
		l := &lease{c: c, it: it, s: s, token: zxid, turn: make(chan struct{}, 1)}
		if holders != nil {
			l.holder = holders[i]
		} else if ok, err := l.find(ctx); err != nil {
			return nil, err
		} else if !ok {
			continue // it has been taken away already
		}
		_, number, _ := sequence(l.holder)
		l.attempt = it.header.attempts + int(number) + 1
		grant, err := recipes.Claim(ctx, s, recipes.Claimed{Path: l.holder, Token: l.token, For: c.path, Asked: asked, Delete: l.giveBack})
		if err != nil {
			for _, other := range out {
				other.grant.End()
			}
			return nil, err
		}
		l.grant = grant
		out = append(out, l)
	}
	return out, nil
}

// find finds the node of a claim whose answer was lost.
func (l *lease) find(ctx context.Context) (bool, error) {
	path, token, err := ownHolder(ctx, l.s, l.it.path)
	l.holder, l.token = path, token
	return path != "", err
}

// ownHolder returns the node below an item that is this session's, and its czxid; "" if there is none.
func ownHolder(ctx context.Context, s *client.Session, item string) (string, int64, error) {
	names, _, err := s.Children(ctx, item)
	if errors.Is(err, client.ErrNoNode) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, holderPrefix) {
			continue
		}
		path := client.Join(item, name)
		stat, ok, err := s.Exists(ctx, path)
		if err != nil {
			return "", 0, err
		}
		if ok && stat.EphemeralOwner == s.ID() {
			return path, stat.Czxid, nil
		}
	}
	return "", 0, nil
}

// giveBack is one try to end a lease, so that others find the item.
func (l *lease) giveBack(ctx context.Context) error {
	return l.c.giveBack(ctx, l.s, l.it, l.holder)
}

// giveBack deletes the nodes of a lease, if it is that lease still, and rings the bell.
func (c *core) giveBack(ctx context.Context, s *client.Session, it *candidate, holder string) error {
	alone, silent := false, false
	for {
		p := &plan{t: s.Txn()}
		p.note(roleHolder, 0).Delete(holder, client.AnyVersion)
		if !alone {
			p.note(roleLease, 0).Delete(c.store.lease(it.name), client.AnyVersion)
		}
		if !silent {
			c.store.ring(p, it)
		}
		_, err := p.t.Commit(ctx)
		what, why, ok := p.failedIn(err)
		switch {
		case ok && what.role == roleBell && !silent:
			silent = true
		case !ok || !errors.Is(why, client.ErrNoNode):
			return err
		case what.role == roleHolder: // it has gone, and with it the lease
			return nil
		case what.role == roleLease: // somebody has deleted it
			alone = true
		default:
			return err
		}
	}
}

// leave gives back items that have just been claimed, in the background.
func (c *core) leave(s *client.Session, items []*candidate) {
	for _, it := range items {
		s.Cleanup("give back "+it.path, func(ctx context.Context) error {
			holder, _, err := ownHolder(ctx, s, it.path)
			if err != nil || holder == "" {
				return err
			}
			return c.giveBack(ctx, s, it, holder)
		})
	}
}

// undo finds out, in the background, whether items were claimed, and gives them back then.
func (c *core) undo(s *client.Session, open *unsettled, items []*candidate) {
	s.Cleanup("give back items of "+c.path, func(ctx context.Context) error {
		committed, err := c.lanes.settle(ctx, open)
		if errors.Is(err, client.ErrNoNode) {
			return nil // with its child, which is this session's: so the session is over, and the claim with it
		}
		if err == nil && committed {
			c.leave(s, items)
		}
		return err
	})
}
