package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
)

// staleTries is how often in a row a call that does not wait looks again because others were first.
const staleTries = 16

// draw returns up to n items that can be had, read, and what a claim of them depends on. None, if there are none.
func (c *core) draw(ctx context.Context, s *client.Session, n int) ([]*candidate, []check, error) {
	for looked := false; ; {
		items, from := c.stock.draw(n)
		if items == nil {
			if looked {
				return nil, nil, nil
			}
			v, err := c.store.look(ctx, s, n)
			if err != nil {
				return nil, nil, err
			}
			c.stock.fill(v)
			looked = true
			continue
		}
		items, err := c.read(ctx, s, items)
		if err != nil {
			c.stock.drop() // or what comes next would pass these over
			return nil, nil, err
		}
		if wanted := min(n, len(items)); wanted > 0 {
			c.stock.back(from, items[wanted:])
			return items[:wanted:wanted], from.dependsOn(items[:wanted]), nil
		}
	}
}

const (
	firstRead = 64  // items that are read at once as long as their size is not known
	mostRead  = 500 // and at most
)

// read reads what has not been read, and leaves out items that somebody has taken meanwhile.
func (c *core) read(ctx context.Context, s *client.Session, items []*candidate) ([]*candidate, error) {
	var out []*candidate
	for len(items) > 0 && items[0].read {
		out, items = append(out, items[0]), items[1:]
	}
	many := firstRead
	for from := 0; from < len(items); {
		some := items[from:min(len(items), from+many)]
		r := c.reads(s.Ops)
		for _, it := range some {
			r.get(it.path)
		}
		found, err := r.do(ctx)
		if errors.Is(err, client.ErrReplyTooLarge) && len(some) > 1 {
			many = (len(some) + 1) / 2
			continue
		}
		if err != nil {
			return nil, err
		}
		bytes := 1
		for i, f := range found {
			bytes += len(f.Data)
			if f.Err == nil && f.Stat.NumChildren == 0 { // otherwise somebody has it, or had
				some[i].fill(c, f)
				out = append(out, some[i])
			}
		}
		from += len(some)
		many = max(1, min(mostRead, maxBytes/(bytes/len(some)+1)))
	}
	return out, nil
}

// fill is told what the item's node holds.
func (it *candidate) fill(c *core, f client.ReadResult) {
	it.read, it.stat, it.raw = true, f.Stat, f.Data
	it.header, it.bodies, it.broken = c.store.body(f.Data)
}

// lease leases up to n items that can be had now; none, if there are none.
func (c *core) lease(ctx context.Context, s *client.Session, n int, asked time.Time) ([]*lease, error) {
	if err := c.hold(ctx, s); err != nil {
		if errors.Is(err, client.ErrNoNode) {
			c.reset()
			err = errors.Join(err, c.ready(ctx))
		}
		return nil, err
	}
	items, checks, err := c.draw(ctx, s, min(n, c.batch()))
	if err != nil || len(items) == 0 {
		return nil, err
	}
	got, err := c.claim(ctx, s, items, checks, asked)
	if err != nil {
		return nil, err
	}
	c.stock.won()
	return c.fit(ctx, got), nil
}

// fit moves what must not be handed out to the dead letters, and returns the rest.
func (c *core) fit(ctx context.Context, got []*lease) []*lease {
	var out []*lease
	for _, l := range got {
		if c.cfg.attempts == 0 || l.attempt <= c.cfg.attempts {
			out = append(out, l)
			continue
		}
		l.attempt-- // it is not handed out
		if err := c.bury(ctx, l, fmt.Sprintf("handed out %d times", l.attempt)); err != nil {
			c.cl.Logger().Warn("an item was not moved to the dead letters, and is tried again", "path", l.it.path, "err", err)
			l.abandon(ctx)
		}
	}
	return out
}

// take leases up to n items, one at least unless it does not wait: then none, and no error, is possible.
func (c *core) take(ctx context.Context, n int, wait bool) ([]*lease, error) {
	if !c.cfg.layout.leases(c.cfg.lockPath) {
		return nil, fmt.Errorf("%w: %s has no leases: use Pop, or a lock path where there can be one", ErrUnsupported, c.cfg.layout)
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	var out []*lease
	asked, need := time.Now(), 1
	try := c.inSession(func(ctx context.Context, s *client.Session) (bool, error) {
		got, err := c.lease(ctx, s, n-len(out), asked)
		out = append(out, got...)
		return len(out) >= need, err
	})
	err := c.directly(ctx, try)
	if err == nil && len(out) == 0 && wait {
		err = c.await(ctx, try)
	}
	for err == nil && len(out) >= need && len(out) < n { // whatever else there is
		need = len(out) + 1
		err = c.directly(ctx, try)
	}
	if len(out) > 0 {
		return out, nil // the next call says what is wrong
	}
	return nil, err
}

// inSession announces an attempt in a session, so that what it takes is not left to another process half done.
func (c *core) inSession(try attempt) attempt {
	return func(ctx context.Context, s *client.Session) (bool, error) {
		end, err := s.Begin()
		if err != nil {
			return false, err
		}
		defer end()
		return try(ctx, s)
	}
}

// directly tries to take what there is, without standing in line, and returns nil if there is nothing.
func (c *core) directly(ctx context.Context, try attempt) error {
	pace := pace{most: 50 * time.Millisecond}
	for tries := 0; ; tries++ {
		s, err := c.cl.Session(ctx)
		if err != nil {
			return err
		}
		over, err := try(ctx, s)
		switch {
		case over || err == nil:
			return err
		case !passing(err):
			return err
		case tries >= staleTries && errors.Is(err, errStale):
			return nil // others are quicker: it is as if nothing were there
		}
		if errors.Is(err, client.ErrNoNode) && !errors.Is(err, errStale) {
			if err := c.ready(ctx); err != nil {
				return err
			}
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}
