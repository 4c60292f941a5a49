package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

const (
	// maxBatch is how many items one transaction puts, leases or acknowledges.
	maxBatch = 500
	// maxBytes is how many bytes of items it puts: ZooKeeper takes requests of 1 MiB.
	maxBytes = 512 << 10
	// maxPaths is how many bytes of paths it leases or acknowledges, for the same reason.
	maxPaths = 900_000
)

// entries makes entries of encoded items.
func (c *core) entries(bodies [][]byte, opts []PutOption) ([]*entry, putting, error) {
	var o putting
	for i, opt := range opts {
		if opt == nil {
			return nil, o, fmt.Errorf("%w: option %d is nil", client.ErrBadArgument, i)
		}
		if err := opt(&o); err != nil {
			return nil, o, err
		}
	}
	priority, err := c.cfg.layout.priority(o.priority)
	if err != nil {
		return nil, o, err
	}
	switch {
	case !o.due.IsZero() && !c.cfg.layout.delays():
		return nil, o, fmt.Errorf("%w: %s has no delays", ErrUnsupported, c.cfg.layout)
	case o.ids != nil && !c.cfg.layout.named():
		return nil, o, fmt.Errorf("%w: %s has no ids", ErrUnsupported, c.cfg.layout)
	case o.ids != nil && len(o.ids) != len(bodies):
		return nil, o, fmt.Errorf("%w: %d ids for %d items", client.ErrBadArgument, len(o.ids), len(bodies))
	}
	due, now := int64(0), time.Now()
	switch {
	case o.due.After(now):
		due = o.due.UnixMilli()
	case c.cfg.layout == CuratorDelayQueue: // where each item has a time
		due = now.UnixMilli()
	}
	out := make([]*entry, len(bodies))
	for i, body := range bodies {
		e := &entry{priority: priority, due: due, data: body}
		if o.ids != nil {
			e.id, e.named = o.ids[i], true
			e.header.keep = c.cfg.memory
		} else {
			e.id = strings.ToLower(rand.Text())
		}
		out[i] = e
	}
	return out, o, nil
}

// put puts entries, several in one transaction, and tells which of them are there now. The
// error says why others are not.
func (c *core) put(ctx context.Context, all []*entry, o putting) (there []bool, err error) {
	there = make([]bool, len(all))
	var errs []error
	most := maxBatch
	if c.cfg.capacity > 0 { // many at once would wait until the queue is nearly empty
		most = max(1, min(most, c.cfg.capacity/4))
	}
	for from := 0; from < len(all); {
		upTo, bytes := from, 0
		for upTo < len(all) && upTo-from < most && (upTo == from || bytes+c.weight(all[upTo]) <= maxBytes) {
			bytes += c.weight(all[upTo])
			upTo++
		}
		twice, err := c.putSome(ctx, all[from:upTo], o)
		if err != nil {
			errs = append(errs, err)
			break
		}
		for i := from; i < upTo; i++ {
			there[i] = !twice[i-from]
		}
		if n := countTrue(twice); n > 0 {
			errs = append(errs, fmt.Errorf("%d of %d items: %w", n, upTo-from, ErrDuplicate))
		}
		from = upTo
	}
	return there, errors.Join(errs...)
}

// batch is how many items one transaction leases or acknowledges, however long their ids are.
func (c *core) batch() int { return max(1, min(maxBatch, maxPaths/(4*(len(c.path)+3*MaxID+50)))) }

// weight is about what an entry costs in a request.
func (c *core) weight(e *entry) int { return len(e.data) + 2*(len(c.side)+3*len(e.id)) + 200 }

func countTrue(of []bool) int {
	n := 0
	for _, b := range of {
		if b {
			n++
		}
	}
	return n
}

// putSome puts entries in one transaction, but for those whose id is known, which it tells.
func (c *core) putSome(ctx context.Context, some []*entry, o putting) (twice []bool, err error) {
	twice = make([]bool, len(some))
	if err := c.ready(ctx); err != nil {
		return nil, c.unsent(err)
	}
	if c.cfg.capacity > 0 {
		leave, err := c.bound.enter(ctx)
		if err != nil {
			return nil, c.unsent(err)
		}
		defer leave()
	}
	var pace pace
	for {
		n := len(some) - countTrue(twice)
		if n == 0 {
			return twice, nil
		}
		again, err := c.putOnce(ctx, some, twice, n, o)
		if err != nil {
			return nil, c.told(err)
		}
		if !again {
			return twice, nil
		}
		if err := pace.wait(ctx); err != nil {
			return nil, c.unsent(err)
		}
	}
}

// putOnce is one attempt; again says that it is worth another.
func (c *core) putOnce(ctx context.Context, some []*entry, twice []bool, n int, o putting) (again bool, err error) {
	at, err := c.store.spot(ctx, some[0])
	if err != nil {
		return false, c.unsent(err)
	}
	room := int32(0)
	if c.cfg.capacity > 0 {
		if room, err = c.bound.room(ctx, c, n, o.ifRoom); err != nil {
			return false, c.unsent(err)
		}
	}
	boundAt := -1
	d, p, err := c.lanes.commit(ctx, nil, func(p *plan) {
		at.begin(p)
		for i, e := range some {
			if !twice[i] {
				addItem(p, i, at, e)
				if e.named && c.cfg.layout == Native {
					p.note(roleID, i).Create(c.idPath(e.id), nil)
				}
			}
		}
		at.end(p)
		if c.cfg.capacity > 0 {
			boundAt = p.t.Len()
			p.note(roleBound, 0).Set(c.bound.path(c), c.bound.text(c), room)
		}
	})
	if err == nil {
		c.putDone(ctx, d, p, at, boundAt, n)
		return false, nil
	}
	what, why, ok := p.failedIn(err)
	if !ok {
		return false, err
	}
	switch what.role {
	case roleID:
		if errors.Is(why, client.ErrNodeExists) {
			return c.known(ctx, some, twice, what.item)
		}
		return true, c.mkShard(ctx, some[what.item].id)
	case roleBound:
		c.bound.forget()
		return true, nil
	case rolePlace, roleNew, roleBell:
		if errors.Is(why, client.ErrNoNode) || errors.Is(why, client.ErrBadVersion) {
			return true, at.refused(ctx, why)
		}
	case roleCheck, roleItem, roleLease, roleHolder:
	}
	return false, err
}

func addItem(p *plan, i int, at spot, e *entry) {
	p.note(roleNew, i).Create(at.prefix(e), at.seal(e), client.WithMode(client.PersistentSequential))
}

// putDone learns from a transaction that was committed.
func (c *core) putDone(ctx context.Context, d *done, p *plan, at spot, boundAt, n int) {
	if d.results == nil {
		c.bound.forget()
		return
	}
	if boundAt >= 0 {
		c.bound.put(d.results[boundAt].Stat.Version, n)
	}
	tellMade(ctx, d, p, at)
}

// tellMade tells a place what the last node is that was made there.
func tellMade(ctx context.Context, d *done, p *plan, at spot) {
	for i := len(p.parts) - 1; i >= 0 && d.results != nil; i-- {
		if p.parts[i].role == roleNew {
			at.made(ctx, d.results[i].Path)
			return
		}
	}
}

// unsent is the error of a put that has put nothing.
func (c *core) unsent(err error) error {
	if _, ok := errors.AsType[*client.OpError](err); ok && client.Outcome(err) != client.Unknown {
		return err
	}
	return &client.OpError{Op: "put", Path: c.path, Outcome: client.NotSent, Err: err}
}

// told is the error of a put that has put nothing, unless that is not known.
func (c *core) told(err error) error {
	if open, ok := errors.AsType[*unsettled](err); ok {
		return &client.OpError{Op: "put", Path: c.path, Outcome: client.Unknown, Err: open}
	}
	return c.unsent(err)
}
