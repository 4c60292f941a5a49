package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Partition is a partition that belongs to this member, until the context of its function ends. It
// is safe for concurrent use.
type Partition struct {
	name  string
	grant *recipes.Grant
}

// Name returns the partition's name.
func (p *Partition) Name() string { return p.name }

// Token returns the fencing token of this ownership: greater than that of every owner before. What is
// written outside of ZooKeeper is sent along with it, and a resource that has seen a greater one refuses it.
func (p *Partition) Token() int64 { return p.grant.Token() }

// Context returns a context that ends with the ownership, whatever the function that was called for it does. Its
// cause is [ErrLost] with the reason, or that it was given up.
func (p *Partition) Context() context.Context { return p.grant.Context() }

// Err returns nil while the partition is owned, and then the cause of its Context. It looks at the
// clock too, so it also answers rightly in a process that has just been thawed.
func (p *Partition) Err() error { return p.grant.Err() }

// ValidUntil returns the time until which nobody else can own it, as far as is known now.
func (p *Partition) ValidUntil() time.Time { return p.grant.ValidUntil() }

// Txn starts a transaction that the servers carry out only while the partition is owned.
func (p *Partition) Txn() *recipes.Txn { return p.grant.Txn() }

// worker gets hold of a partition and works on it, until it has lost it or the partition is to belong to
// another member. Where it is still to belong to this one another worker follows.
type worker struct {
	r      *partitioning
	name   string
	ctx    context.Context
	cancel context.CancelCauseFunc
	err    error // why it has failed; read after it has ended
}

func (r *partitioning) start(name string) *worker {
	w := &worker{r: r, name: name}
	w.ctx, w.cancel = context.WithCancelCause(r.ctx)
	go func() {
		w.err = w.run()
		w.cancel(nil)
		r.ended <- w // there is room for all
	}()
	return w
}

// run returns when that has come, or with what has failed.
func (w *worker) run() error {
	p := w.r.p
	line, err := recipes.NewLine(p.cl, client.Join(client.Join(p.dir, locksDir), w.name), recipes.LineConfig{Layout: p.s.layout, Data: []byte(p.id), ShortLine: -1})
	if err != nil {
		return err
	}
	g, err := line.Acquire(w.ctx)
	if err != nil {
		if w.ctx.Err() != nil {
			return nil //nolint:nilerr // it was to end
		}
		return fmt.Errorf("partition %s: %w", w.name, err)
	}
	if err := w.own(g); err != nil {
		return fmt.Errorf("partition %s: %w", w.name, err)
	}
	return nil
}

// own has the function work under a grant, and gives that up; the error is one that the function
// returned of its own accord.
func (w *worker) own(g *recipes.Grant) error {
	p := w.r.p
	part := &Partition{name: w.name, grant: g}
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.Context(), func() { cancel(context.Cause(g.Context())) })()
	p.mu.Lock()
	p.owned[w.name] = part
	p.mu.Unlock()
	err := w.r.fn(ctx, part)
	failed := err != nil && ctx.Err() == nil
	if err == nil {
		<-ctx.Done() // it may have nothing to do but to own it
	}
	p.mu.Lock()
	delete(p.owned, w.name)
	p.mu.Unlock()
	if err != nil && !failed && !errors.Is(err, context.Cause(ctx)) && !errors.Is(err, context.Canceled) {
		p.cl.Logger().Warn("the work on a partition has failed behind its end", "path", g.Path(), "err", err)
	}
	done, stop := context.WithTimeout(context.WithoutCancel(w.ctx), farewell)
	defer stop()
	if late := g.Release(done); late != nil && !errors.Is(late, client.ErrClosed) {
		p.cl.Logger().Warn("giving up a partition goes on in the background", "path", g.Path(), "err", late)
	}
	if failed {
		return err
	}
	return nil
}
