package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// partitions are what is divided: more than there are clients mostly, so that each has some.
var partitions = []string{"p0", "p1", "p2", "p3", "p4", "p5"}

// Partitioner is partitions that are divided over clients, which come and go: each belongs to one at a time, whose
// function works on it until it is told to end, and sometimes for a while longer.
//
// Operations: take-part ({partitions, session}), acquire ({what}, {token}), noted when the function is called, and list-partners now and then. Note
// about an acquire: held.
func Partitioner() *Workload {
	return &Workload{
		Name: "partitioner",
		Doc:  "a partition has one owner at a time, until its function has returned; tokens grow; each is somebody's as long as somebody is there",
		Run: func(ctx context.Context, env *Env) error {
			p := group.NewPartitioner(env.Client, env.Path+"/jobs", env.Name, partitions)
			return takeTurns(ctx, env, func() error { return takePart(ctx, env, p) })
		},
		Check: func(h *history.History) []models.Violation {
			return append(append(models.Exclusive(h), models.Tokens(h)...), models.Owned(h)...)
		},
	}
}

// errEnough is what a function ends a Run with that has had enough.
var errEnough = errors.New("enough")

// takePart is one of the members for a while.
func takePart(ctx context.Context, env *Env, p *group.Partitioner) error {
	d := env.Stay()
	if env.Rand.IntN(3) == 0 { // long enough for all to be somebody's
		d = 8*env.Session + env.Some()
	}
	run, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	j := &jobs{env: env, rand: rand.New(rand.NewPCG(env.Rand.Uint64(), 1))}
	op := env.Record.Invoke(models.TakePart, models.TakePartArgs{Partitions: partitions, Session: int64(env.Session)})
	var looking sync.WaitGroup
	looking.Go(func() { lookAround(run, env, p) })
	err := p.Run(run, func(ctx context.Context, part *group.Partition) error { return j.work(ctx, part) })
	op.OK(nil)
	err = surprise(run, "partitioner", err, errEnough)
	cancel()
	looking.Wait()
	return err
}

// lookAround reads who takes part, again and again: that is seen to go on while nothing moves.
func lookAround(ctx context.Context, env *Env, p *group.Partitioner) {
	for wait(ctx, max(time.Second, env.Session)); ctx.Err() == nil; wait(ctx, max(time.Second, env.Session)) {
		op := env.Record.Invoke("list-partners", nil)
		_, err := p.Members(ctx)
		op.End(nil, err)
	}
}

// jobs are the functions of one Run, which run at once.
type jobs struct {
	env  *Env
	mu   sync.Mutex
	rand *rand.Rand
}

func (j *jobs) random(n int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rand.IntN(n)
}

// work works on a partition until ctx ends, and longer, as long as it is not lost.
func (j *jobs) work(ctx context.Context, part *group.Partition) error {
	op := j.env.Record.Invoke(models.Acquire, models.AcquireArgs{What: part.Name()})
	op.OK(models.AcquireResult{Token: part.Token()})
	w := newWorking(ctx, part, j.env.Exact)
	defer w.stop()
	d := time.Hour
	if j.random(30) == 0 {
		d = time.Duration(j.random(int(2*j.env.Session + j.env.pace())))
	}
	j.env.Hold(ctx, op, w, d)
	if ctx.Err() == nil && w.Err() == nil {
		return errEnough
	}
	if j.random(3) == 0 { // it takes its time to end
		j.env.Hold(context.WithoutCancel(ctx), op, w, time.Duration(j.random(int(j.env.Session/2+j.env.pace()))))
	}
	return context.Cause(ctx)
}

// working is a partition that is worked on: until it is lost, also when it is to be another's.
type working struct {
	*group.Partition
	told context.Context // the function's
	lost context.Context
	stop context.CancelFunc
	// byContext tells to believe the context of the function as long as that lives.
	byContext bool
}

func newWorking(told context.Context, part *group.Partition, exact bool) *working {
	w := &working{Partition: part, told: told, byContext: exact}
	lost, cancel := context.WithCancel(context.WithoutCancel(told))
	undo := context.AfterFunc(told, func() {
		undo := context.AfterFunc(part.Context(), func() {
			if errors.Is(part.Err(), group.ErrLost) {
				cancel()
			}
		})
		context.AfterFunc(lost, func() { undo() })
	})
	w.lost, w.stop = lost, func() {
		undo()
		cancel()
	}
	return w
}

// Context implements Holding.
func (w *working) Context() context.Context { return w.lost }

// Err implements Holding.
func (w *working) Err() error {
	if w.byContext && w.told.Err() == nil {
		return nil
	}
	if err := w.Partition.Err(); errors.Is(err, group.ErrLost) {
		return err
	}
	return nil
}
