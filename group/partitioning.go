package group

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
)

// farewell bounds how long a call whose context has ended goes on to tell the servers.
const farewell = 5 * time.Second

// partitioning is one call of Run.
type partitioning struct {
	p    *Partitioner
	view *View
	fn   func(ctx context.Context, part *Partition) error

	members chan []Info // cap 1: the newest
	blind   chan error  // cap 1: why there will be no more
	ended   chan *worker

	// These belong to the goroutine of Run.
	mine    map[string]bool
	workers map[string]*worker
	now     []string // the members by which mine was computed

	cancel context.CancelCauseFunc // of everything
	ctx    context.Context
	watch  sync.WaitGroup
}

func newPartitioning(p *Partitioner, view *View, fn func(ctx context.Context, part *Partition) error) *partitioning {
	return &partitioning{
		p: p, view: view, fn: fn,
		members: make(chan []Info, 1), blind: make(chan error, 1), ended: make(chan *worker, len(p.partitions)),
		mine: map[string]bool{}, workers: map[string]*worker{},
	}
}

// loop divides whenever the members have changed, until ctx ends or something fails.
func (r *partitioning) loop(ctx context.Context) error {
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.watch.Go(func() { r.follow(r.ctx) })
	var (
		settled = time.NewTimer(0)
		armed   bool
		newest  []Info
		limit   time.Time // by when changes that go on are followed all the same
	)
	settled.Stop()
	defer settled.Stop()
	for {
		select {
		case newest = <-r.members:
			d := r.p.s.settle
			if d == 0 {
				if err := r.divide(newest); err != nil {
					return err
				}
				continue
			}
			if !armed {
				armed, limit = true, time.Now().Add(10*d)
			}
			settled.Reset(min(d, max(0, time.Until(limit))))
		case <-settled.C:
			armed = false
			if err := r.divide(newest); err != nil {
				return err
			}
		case w := <-r.ended:
			delete(r.workers, w.name)
			if w.err != nil {
				return w.err
			}
			r.tend()
		case err := <-r.blind:
			return err
		case <-ctx.Done():
			return ended(ctx)
		}
	}
}

// follow hands on who the members are.
func (r *partitioning) follow(ctx context.Context) {
	var last error
	for members, err := range r.view.Updates(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				r.p.cl.Logger().Warn("the partitioner may not see who is there", "path", r.p.dir, "err", err)
			}
			last = err
			continue
		}
		select { // what was there is old
		case <-r.members:
		default:
		}
		r.members <- members
	}
	if ctx.Err() == nil {
		r.blind <- last
	}
}

// divide computes what belongs to this member, and has it so.
func (r *partitioning) divide(members []Info) error {
	ids := make([]string, 0, len(members))
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	ids = distinct(ids)
	if slices.Equal(ids, r.now) {
		return nil
	}
	r.now = ids
	clear(r.mine)
	partitions := r.p.partitions
	if own, ok := slices.BinarySearch(ids, r.p.id); ok && len(partitions) > 0 {
		owners := r.p.s.assign(slices.Clone(partitions), slices.Clone(ids))
		if len(owners) != len(partitions) {
			return fmt.Errorf("%w: the assignment has told the owners of %d partitions, and there are %d", client.ErrBadArgument, len(owners), len(partitions))
		}
		for i, owner := range owners {
			if owner < 0 || owner >= len(ids) {
				return fmt.Errorf("%w: the assignment has given partition %q to member %d of %d", client.ErrBadArgument, partitions[i], owner, len(ids))
			}
			if owner == own {
				r.mine[partitions[i]] = true
			}
		}
	}
	r.p.cl.Logger().Debug("partitions divided", "path", r.p.dir)
	r.tend()
	return nil
}

// tend ends what does not belong to this member any more, and begins with what has come.
func (r *partitioning) tend() {
	for name, w := range r.workers {
		if !r.mine[name] {
			w.cancel(ErrMoved)
		}
	}
	for name := range r.mine {
		if r.workers[name] == nil { // one that has been told to end is waited for
			r.workers[name] = r.start(name)
		}
	}
}

// stop ends everything.
func (r *partitioning) stop(ctx context.Context) {
	why := ended(ctx)
	if why == nil {
		why = ErrMoved // to whoever stays
	}
	r.cancel(why)
	for _, w := range r.workers {
		w.cancel(why)
	}
}

// wait returns when nothing runs any more, with what has failed meanwhile.
func (r *partitioning) wait() (err error) {
	for len(r.workers) > 0 {
		w := <-r.ended
		delete(r.workers, w.name)
		if err == nil {
			err = w.err
		}
	}
	r.watch.Wait()
	return err
}
