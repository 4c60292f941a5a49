package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/lock"
)

// RWLock is a lock of readers and writers: who writes is alone, and nobody else writes when a writer becomes a reader.
//
// Operations: acquire ({mode, follows}, {token}), release. Note about an acquire: held.
func RWLock() *Workload {
	return &Workload{
		Name: "rwlock",
		Doc:  "a read-write lock has many readers or one writer at a time, a downgrade lets nobody in between, and its tokens grow",
		Run: func(ctx context.Context, env *Env) error {
			rw := lock.NewRWMutex(env.Client, env.Path, lock.WithShortLine(env.shortLine()))
			return takeTurns(ctx, env, func() error {
				if env.Rand.IntN(2) == 0 {
					return takeTurn(ctx, env, rw.RLocker(), models.AcquireArgs{Mode: models.ModeRead}, func(op *history.Pending, held *lock.Held) {
						env.Hold(ctx, op, held, env.Stay())
					})
				}
				return takeTurn(ctx, env, rw, models.AcquireArgs{Mode: models.ModeWrite}, func(op *history.Pending, held *lock.Held) {
					env.Hold(ctx, op, held, env.Stay())
					if env.Rand.IntN(3) == 0 {
						downgrade(ctx, env, rw, op, held)
					}
				})
			})
		},
		Check: func(h *history.History) []models.Violation {
			return append(models.Exclusive(h), models.Tokens(h)...)
		},
	}
}

// downgrade goes on as a reader.
func downgrade(ctx context.Context, env *Env, rw *lock.RWMutex, writing *history.Pending, held *lock.Held) {
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	op := env.Record.Invoke(models.Acquire, models.AcquireArgs{Mode: models.ModeRead, Follows: writing.Op()})
	reading, err := rw.Downgrade(ctx, held)
	if err != nil {
		op.Fail(err)
		return
	}
	op.OK(models.AcquireResult{Token: reading.Token()})
	env.Hold(ctx, op, reading, env.Some())
	env.Release(ctx, op, reading.Unlock)
}
