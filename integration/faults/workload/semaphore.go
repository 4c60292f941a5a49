package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/lock"
)

// permits is the limit of the semaphore.
const permits = 3

// Semaphore is three permits, of which clients take one to three.
//
// Operations: acquire ({permits}, {token}), release. Note about an acquire: held.
func Semaphore() *Workload {
	return &Workload{
		Name: "semaphore",
		Doc:  "of a semaphore's 3 permits no more than 3 are held at a time",
		Run: func(ctx context.Context, env *Env) error {
			s := lock.NewSemaphore(env.Client, env.Path+"/pool", permits, lock.WithShortLine(env.shortLine()))
			return takeTurns(ctx, env, func() error {
				n := 1 + env.Rand.IntN(permits)
				return takeTurn(ctx, env, weighed{s, n}, models.AcquireArgs{Permits: n}, func(op *history.Pending, held *lock.Held) {
					env.Hold(ctx, op, held, env.Stay())
				})
			})
		},
		Check: func(h *history.History) []models.Violation { return models.Permits(h, permits) },
	}
}

// weighed is a semaphore as a lock, of which n permits are taken.
type weighed struct {
	s *lock.Semaphore
	n int
}

// Lock implements lock.Locker.
func (w weighed) Lock(ctx context.Context) (*lock.Held, error) { return w.s.Acquire(ctx, w.n) }

// TryLock implements lock.Locker.
func (w weighed) TryLock(ctx context.Context) (*lock.Held, error) { return w.s.TryAcquire(ctx, w.n) }

// Path implements lock.Locker.
func (w weighed) Path() string { return w.s.Path() }
