package queue

import (
	"context"
	"errors"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Consumers that find nothing stand in a line, and only the first of them watches: so an item that
// arrives wakes one. It keeps its place until it has taken something, so that the one behind it does
// not go for the same item.

// attempt takes what there is, in session s; it returns true when that was what the caller wanted.
type attempt func(ctx context.Context, s *client.Session) (bool, error)

// await calls try, as the first in line, whenever there may be something, until it returns true or an error.
func (c *core) await(ctx context.Context, try attempt) error {
	line, err := recipes.NewLine(c.cl, client.Join(c.side, "consumers"), recipes.LineConfig{Data: []byte(c.cfg.owner), ShortLine: -1})
	if err != nil {
		return err
	}
	var pace pace
	for {
		place, err := line.Acquire(ctx)
		if err != nil {
			return err
		}
		end, err := place.Session().Begin()
		over := err != nil
		if err == nil {
			over, err = c.first(ctx, place, try)
		}
		left, cancel := context.WithCancel(ctx)
		cancel()
		_ = place.Release(left) // in the background
		if end != nil {
			end()
		}
		if over || (err != nil && !passing(err)) {
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// first waits while it is the first in line; over says that there is nothing more to wait for.
func (c *core) first(ctx context.Context, place *recipes.Grant, try attempt) (over bool, err error) {
	var pace pace
	for {
		rung, over, err := c.once(ctx, place, try)
		if over || (err != nil && !errors.Is(err, errStale)) {
			return over, err
		}
		if place.Err() != nil {
			return false, nil //nolint:nilerr // it joins the line again
		}
		if rung {
			pace.n = 0
		} else if err := pace.wait(ctx); err != nil {
			return true, err
		}
	}
}

// once arms the alarm, looks, and has try take what is there or waits; rung says that it did, and
// not in vain.
func (c *core) once(ctx context.Context, place *recipes.Grant, try attempt) (rung, over bool, err error) {
	if err := c.ready(ctx); err != nil {
		return false, false, err
	}
	s := place.Session()
	a := newAlarm()
	defer a.off()
	if err := c.store.arm(ctx, s, a); err != nil {
		if errors.Is(err, client.ErrNoNode) {
			c.reset()
		}
		return false, false, err
	}
	v, err := c.store.look(ctx, s, 1)
	if err != nil {
		return false, false, err
	}
	if len(v.items) > 0 {
		c.stock.fill(v)
		over, err := try(ctx, s)
		return false, over, err
	}
	var due <-chan time.Time
	if !v.next.IsZero() {
		timer := time.NewTimer(max(0, time.Until(v.next)))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-a.rings:
	case <-due:
	case <-place.Context().Done():
	case <-s.Detaching():
		return false, true, client.ErrDetached
	case <-ctx.Done():
		return false, true, ended(ctx)
	}
	return true, false, nil
}
