package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/lock"
)

// takeTurns does one turn after the other until ctx ends.
func takeTurns(ctx context.Context, env *Env, turn func() error) error {
	for ctx.Err() == nil {
		if err := turn(); err != nil {
			return err
		}
		env.Pause(ctx)
	}
	return nil
}

// takeTurn locks, works and unlocks. Mostly it waits as long as it takes, and sometimes for a short time only, or
// not at all.
func takeTurn(ctx context.Context, env *Env, l lock.Locker, args any, work func(*history.Pending, *lock.Held)) error {
	op := env.Record.Invoke(models.Acquire, args)
	held, err := somehow(ctx, env, l.Lock, l.TryLock)
	if err != nil {
		op.Fail(err) // nothing is left of it, which the end of the run shows
		return surprise(ctx, "lock", err, context.DeadlineExceeded, lock.ErrBusy)
	}
	op.OK(models.AcquireResult{Token: held.Token()})
	work(op, held)
	env.Release(ctx, op, held.Unlock)
	return nil
}

// somehow acquires in one of several ways.
func somehow[T any](ctx context.Context, env *Env, wait, try func(context.Context) (T, error)) (T, error) {
	switch env.Rand.IntN(6) {
	case 0:
		ctx, cancel := context.WithTimeout(ctx, env.Some())
		defer cancel()
		return wait(ctx)
	case 1:
		ctx, cancel := context.WithTimeout(ctx, 10*env.Some())
		defer cancel()
		return try(ctx)
	default:
		return wait(ctx)
	}
}
