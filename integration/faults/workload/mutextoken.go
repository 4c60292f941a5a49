package workload

import (
	"context"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// MutexToken is a resource that refuses stale tokens and is read and written under a lock: no update is ever lost, whoever was
// stopped, and whatever else was done.
//
// Operations and notes are those of MutexUnguarded.
func MutexToken() *Workload {
	return &Workload{
		Name:    "mutex-token",
		Doc:     "no update of a resource that checks the mutex's tokens is ever lost, also when processes are stopped",
		Guarded: true,
		Run:     func(ctx context.Context, env *Env) error { return updateTurns(ctx, env) },
		Check: func(h *history.History) []models.Violation {
			return append(models.Fenced(h), models.Tokens(h)...)
		},
	}
}
