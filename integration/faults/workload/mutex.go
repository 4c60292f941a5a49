package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/lock"
)

// MutexHistory is a lock, judged by its history alone: no two clients believe at the same time that they hold
// it, and tokens grow. After Jepsen's lock test for etcd.
//
// Operations: acquire ({}, {token}), release ({acquire}, {}). Note about an acquire: held.
func MutexHistory() *Workload {
	return &Workload{
		Name: "mutex-history",
		Doc:  "a mutex has one holder at a time, by the holders' own account, and its tokens grow",
		Run: func(ctx context.Context, env *Env) error {
			m := lock.NewMutex(env.Client, env.Path, lock.WithShortLine(env.shortLine()))
			return takeTurns(ctx, env, func() error {
				return takeTurn(ctx, env, m, nil, func(op *history.Pending, held *lock.Held) { env.Hold(ctx, op, held, env.Stay()) })
			})
		},
		Check: func(h *history.History) []models.Violation {
			return append(models.Exclusive(h), models.Tokens(h)...)
		},
	}
}
