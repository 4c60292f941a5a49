package workload

import (
	"context"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// Barrier is a barrier that all close, open, and wait at: each close and open is told whether it was the one that
// did it, and who waits is let through only when it is open, or has been meanwhile.
//
// Operations: close ({}, {done}), open ({}, {done}), pass.
func Barrier() *Workload {
	return &Workload{
		Name: "barrier",
		Doc:  "closing, opening and waiting at a barrier are linearizable, also when replies are lost",
		Run: func(ctx context.Context, env *Env) error {
			b := barrier.New(env.Client, env.Path+"/gate")
			return takeTurns(ctx, env, func() error {
				bounded, cancel := env.Bounded(ctx)
				defer cancel()
				switch env.Rand.IntN(3) {
				case 0:
					return swing(bounded, env.Record.Invoke(models.CloseGate, nil), b.Create)
				case 1:
					return swing(bounded, env.Record.Invoke(models.OpenGate, nil), b.Remove)
				default:
					op := env.Record.Invoke(models.PassGate, nil)
					err := b.Wait(bounded)
					if err != nil {
						op.Fail(err)
						return surprise(bounded, "wait at the barrier", err)
					}
					op.OK(nil)
					return nil
				}
			})
		},
		Check: models.Gate,
	}
}

func swing(ctx context.Context, op *history.Pending, call func(context.Context) (bool, error)) error {
	done, err := call(ctx)
	op.End(models.GateResult{Done: done}, err)
	if client.Outcome(err) == client.Unknown {
		return nil
	}
	return surprise(ctx, "swing the barrier", err)
}
