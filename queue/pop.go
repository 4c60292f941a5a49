package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// pop takes one item out for good. check is asked before whether it can be used: one that cannot becomes a dead letter, and
// the error is check's. If it is not known whether the item was taken out it is returned together with the error.
func (c *core) pop(ctx context.Context, wait bool, check func(*candidate) error) (*candidate, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	var got *candidate
	try := c.inSession(func(ctx context.Context, s *client.Session) (bool, error) {
		it, err := c.popOne(ctx, s, check)
		got = it
		return it != nil, err
	})
	err := c.directly(ctx, try)
	if err == nil && got == nil && wait {
		err = c.await(ctx, try)
	}
	return got, err
}

func (c *core) popOne(ctx context.Context, s *client.Session, check func(*candidate) error) (*candidate, error) {
	items, checks, err := c.draw(ctx, s, 1)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	it := items[0]
	bad := it.broken
	if bad == nil {
		bad = check(it)
	}
	var at spot
	l := &lease{c: c, it: it, attempt: it.attempt()}
	e := l.again()
	if bad != nil {
		e.named, e.header.reason, e.header.keep = false, bad.Error(), 0
		if err := c.letters().ready(ctx); err != nil {
			return nil, err
		}
		if at, err = c.letters().store.spot(ctx, e); err != nil {
			return nil, err
		}
	}
	noID := false
	for {
		d, p, err := c.lanes.commit(ctx, s, func(p *plan) { c.planPop(p, it, checks, at, e, noID) })
		open, _ := errors.AsType[*unsettled](err)
		switch {
		case err == nil:
			for i, part := range p.parts {
				if part.role == roleItem && d.results != nil {
					it.stat.Cversion = d.results[i].Stat.Cversion
					break
				}
			}
			if bad != nil {
				tellMade(ctx, d, p, at)
				return nil, fmt.Errorf("%s: %w", it.path, bad)
			}
			c.stock.won()
			if it.named && c.cfg.layout == Native {
				c.sweep(ctx, it.id)
			}
			return it, nil
		case open != nil && bad == nil:
			return it, &client.OpError{Op: "pop", Path: it.path, Outcome: client.Unknown, Err: open}
		}
		what, why, ok := p.failedIn(err)
		if !ok {
			c.stock.drop() // the item has been drawn from it, and is there still
			return nil, err
		}
		switch {
		case what.role == roleID && errors.Is(why, client.ErrNoNode):
			noID = true
			continue
		case what.role == rolePlace || what.role == roleNew || what.role == roleBell:
			if err := at.refused(ctx, why); err != nil {
				return nil, err
			}
		case what.role == roleLease && errors.Is(why, client.ErrNoNode):
			c.reset()
		case what.role == roleLease || what.role == roleItem:
			c.stock.lost()
		}
		if errors.Is(why, client.ErrNoAuth) {
			return nil, err
		}
		c.stock.drop()
		return nil, fmt.Errorf("%w: %w", errStale, err)
	}
}

// planPop deletes an item that nobody has leased, and puts it among the dead letters if at is a place there.
func (c *core) planPop(p *plan, it *candidate, checks []check, at spot, e *entry, noID bool) {
	for _, ch := range checks {
		p.note(roleCheck, 0).Check(ch.path, ch.version)
	}
	if lease := c.store.lease(it.name); lease != "" { // which must not be there
		p.note(roleLease, 0).Create(lease, nil, client.WithMode(client.Ephemeral))
		p.note(roleLease, 0).Delete(lease, client.AnyVersion)
	}
	// The answer to the set tells how often the item has been leased until now.
	p.note(roleItem, 0).Set(it.path, nil, it.stat.Version)
	p.note(roleItem, 0).Delete(it.path, client.AnyVersion)
	if it.named && c.cfg.layout == Native && !noID {
		c.forgetID(p, 0, it, it.header.keep)
	}
	if at != nil {
		at.begin(p)
		addItem(p, 0, at, e)
		at.end(p)
	}
}

// attempt is how often the item would have been handed out if it were now.
func (it *candidate) attempt() int {
	return it.header.attempts + int(it.stat.Cversion)/2 + 1 // nodes below it were made, and are gone
}
