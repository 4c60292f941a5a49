package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/resource"
	"github.com/zookit/zookit/lock"
)

// MutexUnguarded is a resource that checks nothing and is read and written under a lock; no update may be lost.
//
// Precisely: a holder reads the version, waits, makes sure that it still holds, and replaces what it has read. A
// write that replaces something that its writer has not read is a violation, unless the writer, or one that wrote in between, was
// stopped (SIGSTOP) after it had asked for the lock, or did not know after the answer to its write that it still held: it may
// have been lost with the write under way. No lock can help against either; see MutexToken.
//
// Operations: acquire, release, as those of MutexHistory; write ({acquire}, {held}). Note of the resource: written.
func MutexUnguarded() *Workload {
	return &Workload{
		Name: "mutex-unguarded",
		Doc:  "no update of an unguarded resource is lost under a mutex, unless a process was stopped or the lock lost with a write under way",
		Run:  func(ctx context.Context, env *Env) error { return updateTurns(ctx, env) },
		Check: func(h *history.History) []models.Violation {
			return append(models.Unguarded(h), models.Exclusive(h)...)
		},
	}
}

// updateTurns locks and updates the resource until ctx ends.
func updateTurns(ctx context.Context, env *Env) error {
	m := lock.NewMutex(env.Client, env.Path, lock.WithShortLine(env.shortLine()))
	return takeTurns(ctx, env, func() error {
		return takeTurn(ctx, env, m, nil, func(op *history.Pending, held *lock.Held) {
			for range 1 + env.Rand.IntN(3) {
				if !update(ctx, env, op, held) {
					return
				}
			}
		})
	})
}

// update reads the resource, holds for a while, and writes. It is false if there is no point in going on.
func update(ctx context.Context, env *Env, op *history.Pending, held *lock.Held) bool {
	base, err := env.Resource.Read(held.Context(), held.Token())
	if err != nil {
		return false
	}
	env.Hold(ctx, op, held, env.Stay())
	write := env.Record.Invoke(models.Written, models.WrittenArgs{Acquire: op.Op()})
	if err := held.Err(); err != nil {
		write.Fail(err)
		return false
	}
	err = env.Resource.Write(held.Context(), resource.Write{Client: env.Name, Acquire: op.Op(), Token: held.Token(), Base: base})
	if err != nil {
		write.Unknown(err)
		return false
	}
	write.OK(models.WrittenResult{Held: held.Err() == nil})
	return ctx.Err() == nil
}
