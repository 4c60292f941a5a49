package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Names below a partitioner's path: those of Kazoo's SetPartitioner.
const (
	partyDir = "party"
	locksDir = "locks"
)

// Partitioner divides a set of partitions over the members that run one on the same path: each
// partition belongs to one of them at most, and to one of them as soon as possible. It is safe
// for concurrent use, and holds nothing while Run does not run.
//
// The members are a group in the path's directory `party`. From it each computes by itself whose
// partition is whose, and then gets hold of its own by a lock for each partition, in the directory `locks`.
// So it is the locks that keep two owners apart, whatever members believe at a moment, and
// the group that brings all partitions to somebody.
type Partitioner struct {
	cl         *client.Client
	dir, id    string
	partitions []string // sorted, each once
	s          settings
	err        error
	running    atomic.Bool

	mu    sync.Mutex
	owned map[string]*Partition
}

// NewPartitioner returns a member of the partitioner at path, whose id no other member has. All members have to
// give the same partitions, which are names without a slash, in any order. Nothing is sent; an
// argument that cannot be is reported by Run.
//
// With WithLayout(recipes.Kazoo) Kazoo's SetPartitioner takes part: on the same path, of the same set, and with its own
// function of division.
func NewPartitioner(cl *client.Client, path, id string, partitions []string, opts ...Option) *Partitioner {
	p := &Partitioner{cl: cl, dir: path, id: id, partitions: distinct(partitions), owned: map[string]*Partition{}}
	p.s, p.err = apply(cl, path, opts)
	if p.err != nil {
		return p
	}
	p.s.shallow = p.s.layout == recipes.Kazoo
	switch {
	case p.s.assign != nil:
	case p.s.layout == recipes.Kazoo:
		p.s.assign = Strided
	default:
		p.s.assign = Balanced
	}
	if _, _, err := p.s.name(id, nil); err != nil {
		p.err = p.failed(err)
	}
	for _, name := range p.partitions {
		if name == "" || strings.Contains(name, "/") || client.CheckPath("/"+name) != nil {
			p.err = p.failed(fmt.Errorf("%w: the partition %.100q cannot be the name of a node", client.ErrBadArgument, name))
		}
	}
	return p
}

func (p *Partitioner) failed(err error) error { return fmt.Errorf("partitioner %s: %w", p.dir, err) }

// Path returns the partitioner's path.
func (p *Partitioner) Path() string { return p.dir }

// Owned returns the partitions that belong to this member now, by name.
func (p *Partitioner) Owned() []*Partition {
	p.mu.Lock()
	defer p.mu.Unlock()
	owned := make([]*Partition, 0, len(p.owned))
	for _, part := range p.owned {
		owned = append(owned, part)
	}
	slices.SortFunc(owned, func(a, b *Partition) int { return strings.Compare(a.name, b.name) })
	return owned
}

// Members lists the members, by id.
func (p *Partitioner) Members(ctx context.Context) ([]Info, error) {
	if p.err != nil {
		return nil, p.err
	}
	s := p.s
	opts := []Option{WithLayout(s.layout)}
	if s.shallow {
		opts = append(opts, WithShallowParty())
	}
	return Members(ctx, p.cl, client.Join(p.dir, partyDir), opts...)
}

// Run takes part until ctx ends: it calls fn for each partition that comes to belong to this member, on a
// goroutine for each.
//
// fn gets ctx, ended in addition when the partition belongs to this member no more: with cause [ErrMoved]
// when another member is to have it, and [ErrLost] when it has got lost, by the end of the session, say.
// fn has to return then: the partition is given up when it has, never before, and the next owner begins
// only then. So a fn that does not return keeps its partition from everybody. When fn returns
// nil before, the partition stays this member's, with nothing running, until it moves or is lost; each time that it
// comes back fn is called again. When fn returns an error before, Run ends with that.
//
// It returns when ctx has ended, with the error of that, after all fn have returned and this member has
// left; or with what fn returned, or with what the client or the servers definitely refuse: client.ErrBadArgument,
// client.ErrNoAuth, client.ErrClosed, client.ErrDetached, [ErrLayoutConflict], and [ErrTaken] with the error of ctx if
// another member has the id. Lost connections and sessions do not end it. A partitioner runs once at a time: [ErrRunning].
//
// What it costs: a change of the members is at most one read for each member (see [View]). A
// partition that moves is three requests where it comes from and goes to. A member that owns
// something has one small transaction confirmed every fifth of its session's timeout, however much it owns up
// to 1,000 partitions.
func (p *Partitioner) Run(ctx context.Context, fn func(ctx context.Context, part *Partition) error) error {
	switch {
	case p.err != nil:
		return p.err
	case fn == nil:
		return p.failed(fmt.Errorf("%w: the function to run for each partition is nil", client.ErrBadArgument))
	case !p.running.CompareAndSwap(false, true):
		return p.failed(ErrRunning)
	}
	defer p.running.Store(false)
	err := p.run(ctx, fn)
	if err == nil {
		err = ended(ctx)
	}
	return p.failed(err)
}

func (p *Partitioner) run(ctx context.Context, fn func(ctx context.Context, part *Partition) error) error {
	party := client.Join(p.dir, partyDir)
	view, err := observe(ctx, p.cl, party, p.s)
	if err != nil {
		return err
	}
	defer view.Close()
	member, err := join(ctx, p.cl, party, p.id, nil, &p.s)
	if err != nil {
		return err
	}
	r := newPartitioning(p, view, fn)
	err = r.loop(ctx)
	r.stop(ctx)
	// Beside the end of what runs: the others may stand in line before it is there.
	farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if left := member.Leave(farewell); left != nil && !errors.Is(left, client.ErrClosed) {
		p.cl.Logger().Warn("leaving the partitioner goes on in the background", "path", p.dir, "err", left)
	}
	return errors.Join(err, r.wait())
}

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
