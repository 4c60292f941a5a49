package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// fate is what became of a lease.
type fate uint8

const (
	held     fate = iota
	acked         // the item is gone for good
	returned      // others can have it
	buried        // it is a dead letter
	lost          // it was taken away
)

// doubt is a transaction that settles leases, of which it is not known whether it was committed.
type doubt struct {
	c    *core
	open *unsettled
	as   fate

	mu        sync.Mutex
	known     bool
	committed bool
}

func (d *doubt) resolve(ctx context.Context) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known {
		return d.committed, nil
	}
	committed, err := d.c.lanes.settle(ctx, d.open)
	if err == nil {
		d.known, d.committed = true, committed
	}
	return committed, err
}

// enter begins to settle the lease, and returns false if there is nothing left to do: then err says how it was
// settled, nil if that is what is wanted. leave has to be called unless err is that of ctx.
func (l *lease) enter(ctx context.Context, as fate) (todo bool, leave func(), err error) {
	select {
	case l.turn <- struct{}{}: // also if ctx has ended: to give back does not need it
	default:
		select {
		case l.turn <- struct{}{}:
		case <-ctx.Done():
			return false, func() {}, ended(ctx)
		}
	}
	leave = func() { <-l.turn }
	if l.doubt != nil {
		committed, err := l.doubt.resolve(ctx)
		if err != nil {
			return false, leave, l.unknown(err)
		}
		if committed {
			l.fate = l.doubt.as
		}
		l.doubt = nil
	}
	if l.fate == held && !l.begun {
		if err := l.grant.Err(); err != nil {
			l.fate, l.why = lost, err
			l.c.stock.drop()
		}
	}
	switch {
	case l.fate == held:
		l.begun = true
		return true, leave, nil
	case l.fate == lost:
		return false, leave, l.why
	case l.fate == as:
		return false, leave, nil
	}
	return false, leave, fmt.Errorf("%w: %s", ErrSettled, l.it.path)
}

func (l *lease) unknown(err error) error {
	return &client.OpError{Op: "ack", Path: l.it.path, Outcome: client.Unknown, Err: err}
}

// lose notes that the lease is lost, and returns the error that says so.
func (l *lease) lose(why error) error {
	if !errors.Is(why, ErrLost) {
		why = fmt.Errorf("%w: %s: %w", ErrLost, l.it.path, why)
	}
	l.fate, l.why = lost, why
	l.c.stock.drop() // the item is there again, or will be, and was drawn from it
	return why
}

// abandon gives the item back, in the background.
func (l *lease) abandon(ctx context.Context) {
	over, cancel := context.WithCancel(ctx)
	cancel()
	_ = l.grant.Release(over)
}

// giveUp makes the item available to others again.
func (l *lease) giveUp(ctx context.Context) error {
	todo, leave, err := l.enter(ctx, returned)
	defer leave()
	if !todo {
		return err
	}
	err = l.grant.Release(ctx)
	l.c.stock.drop() // the item has been drawn from it
	if ctx.Err() == nil || err == nil {
		l.fate = returned
	}
	return err
}

// settlement is several leases of one session that one transaction settles.
type settlement struct {
	c    *core
	as   fate
	ls   []*lease
	errs []error // of each
	open []bool  // it is still to be settled
	bare []bool  // its lease node has gone
	noID []bool  // its id's node has gone
	move *moving

	crowded int // how often an item could not be deleted because of a node below it
}

// crowdedMost is how often a server is asked to delete an item that it says has another node below it, though
// there is none to be seen: for some ten seconds.
const crowdedMost = 20

// moving is where a settlement puts its only item.
type moving struct {
	to *core
	e  *entry
	at spot
}

// settle settles leases, and returns the error of each.
func (c *core) settle(ctx context.Context, ls []*lease, as fate, move *moving) []error {
	n := len(ls)
	st := &settlement{c: c, as: as, ls: ls, errs: make([]error, n), open: make([]bool, n), bare: make([]bool, n), noID: make([]bool, n), move: move}
	for i, l := range ls {
		todo, leave, err := l.enter(ctx, as)
		defer leave()
		st.open[i], st.errs[i] = todo, err
		if todo {
			l.grant.End() // or the deletion of its node would be taken for a loss
		}
	}
	var pace pace
	for countTrue(st.open) > 0 {
		again, err := st.once(ctx)
		if err == nil && again {
			err = pace.wait(ctx)
		}
		if err != nil {
			st.fail(err)
		}
	}
	return st.errs
}

// fail ends it for all that are still open.
func (st *settlement) fail(err error) {
	for i, l := range st.ls {
		if !st.open[i] {
			continue
		}
		st.open[i], st.errs[i] = false, err
		if errors.Is(err, client.ErrSessionLost) {
			st.errs[i] = l.lose(err)
		}
	}
}

// once is one attempt.
func (st *settlement) once(ctx context.Context) (again bool, err error) {
	s := st.session()
	if err := context.Cause(s.Context()); err != nil && !errors.Is(err, client.ErrClosed) {
		return false, fmt.Errorf("%w: %w", client.ErrSessionLost, err)
	}
	d, p, err := st.c.lanes.commit(ctx, s, st.plan)
	if err == nil {
		if st.move != nil {
			tellMade(ctx, d, p, st.move.at)
		}
		for i, l := range st.ls {
			if st.open[i] {
				st.open[i], l.fate = false, st.as
			}
		}
		return false, nil
	}
	if open, ok := errors.AsType[*unsettled](err); ok {
		d := &doubt{c: st.c, open: open, as: st.as}
		for i, l := range st.ls {
			if st.open[i] {
				st.open[i], l.doubt, st.errs[i] = false, d, l.unknown(open)
			}
		}
		return false, nil
	}
	what, why, ok := p.failedIn(err)
	if !ok {
		return false, err
	}
	gone := errors.Is(why, client.ErrNoNode)
	switch i := what.item; {
	case what.role == roleHolder && gone, what.role == roleItem && gone:
		st.errs[i], st.open[i] = st.ls[i].lose(fmt.Errorf("%w: %w", client.ErrHoldDeleted, why)), false
		return false, nil
	case what.role == roleItem && errors.Is(why, client.ErrNotEmpty):
		alone, err := st.ls[i].alone(ctx)
		if st.crowded++; err != nil || alone && st.crowded < crowdedMost {
			return true, err
		}
		st.errs[i], st.open[i] = st.ls[i].lose(fmt.Errorf("%w: somebody else has put a node below the item: %w", client.ErrHoldDeleted, why)), false
		st.c.leave(st.ls[i].s, []*candidate{st.ls[i].it}) // or it would be kept from all for as long as the session lives
		return false, nil
	case what.role == roleLease && gone:
		st.bare[i] = true
		return false, nil
	case what.role == roleID && gone:
		st.noID[i] = true
		return false, nil
	case st.move != nil && (gone || errors.Is(why, client.ErrBadVersion)):
		if err := st.move.at.refused(ctx, why); err != nil {
			return false, err
		}
		st.move.at, err = st.move.to.store.spot(ctx, st.move.e)
		return true, err
	}
	return false, err
}

// alone tells whether nothing but the lease's own node is below the item. Then a server that says that the item cannot be
// deleted is taken to be about to see that it can. That servers say so was seen on 3.8, right after another session had ended; the
// reason, that a leader counts the nodes of a session until its end is done, is from their source as remembered, and not from an experiment.
func (l *lease) alone(ctx context.Context) (bool, error) {
	names, _, err := l.s.Children(ctx, l.it.path)
	if errors.Is(err, client.ErrNoNode) {
		return true, nil // the next attempt says so
	}
	own := l.holder[len(l.it.path)+1:]
	return err == nil && !slices.ContainsFunc(names, func(name string) bool { return name != own }), err
}

// session is that of the leases.
func (st *settlement) session() *client.Session { return st.ls[0].s }

func (st *settlement) plan(p *plan) {
	for i, l := range st.ls {
		if !st.open[i] {
			continue
		}
		p.note(roleHolder, i).Delete(l.holder, client.AnyVersion)
		p.note(roleItem, i).Delete(l.it.path, client.AnyVersion)
		if !st.bare[i] {
			p.note(roleLease, i).Delete(l.c.store.lease(l.it.name), client.AnyVersion)
		}
		if l.it.named && l.c.cfg.layout == Native && !st.noID[i] && (st.as == acked || st.as == buried) {
			l.c.forgetID(p, i, l.it, l.it.header.keep)
		}
	}
	if m := st.move; m != nil {
		m.at.begin(p)
		addItem(p, 0, m.at, m.e)
		m.at.end(p)
	}
}

// move moves a leased item: to the dead letters, or to where the delayed ones are.
func (l *lease) move(ctx context.Context, to *core, e *entry, as fate) error {
	if err := to.ready(ctx); err != nil {
		return err
	}
	at, err := to.store.spot(ctx, e)
	if err != nil {
		return err
	}
	return l.c.settle(ctx, []*lease{l}, as, &moving{to: to, e: e, at: at})[0]
}

// again is the entry by which a leased item is put again.
func (l *lease) again() *entry {
	e := &entry{id: l.it.id, named: l.it.named, priority: l.it.priority, header: l.it.header, data: l.it.raw, raw: l.it.raw}
	e.header.attempts = l.attempt
	if l.it.broken == nil && len(l.it.bodies) == 1 {
		e.data = l.it.bodies[0]
	}
	return e
}

// ack acknowledges items of any sessions, and returns the error of each.
func (c *core) ack(ctx context.Context, ls []*lease) []error {
	errs := make([]error, len(ls))
	order := make([]int, len(ls)) // the same for all callers, so that none waits for another that waits for it
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ls[a].holder, ls[b].holder) })
	same := map[int]int{} // the same twice
	for len(order) > 0 {
		var some []int
		for len(order) > 0 && len(some) < c.batch() && (len(some) == 0 || ls[order[0]].s == ls[some[0]].s) {
			if n := len(some); n > 0 && ls[order[0]] == ls[some[n-1]] {
				same[order[0]] = some[n-1]
			} else {
				some = append(some, order[0])
			}
			order = order[1:]
		}
		batch := make([]*lease, len(some))
		for i, at := range some {
			batch[i] = ls[at]
		}
		for i, err := range c.settle(ctx, batch, acked, nil) {
			errs[some[i]] = err
			if err == nil && batch[i].it.named && c.cfg.layout == Native {
				c.sweep(ctx, batch[i].it.id)
			}
		}
	}
	for i, other := range same {
		errs[i] = errs[other]
	}
	return errs
}
