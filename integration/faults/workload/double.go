package workload

import (
	"context"
	"errors"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// together is how many have to be there.
const together = 2

// DoubleBarrier is a double barrier for two, round after round: nobody is inside before two have been there at once, and
// nobody has left while another believes to be inside who was there when it began to leave.
//
// Operations: acquire is to enter, release ({acquire}, {}) to leave, as Fail or Unknown where that did not wait for the others. Note about an acquire: held.
func DoubleBarrier() *Workload {
	return &Workload{
		Name:    "double-barrier",
		Doc:     "a double barrier lets nobody in before 2 are there, and nobody out before all have left",
		Clients: together,
		Run: func(ctx context.Context, env *Env) error {
			d := barrier.NewDouble(env.Client, env.Path+"/room", together)
			return takeTurns(ctx, env, func() error { return visit(ctx, env, d) })
		},
		Check: func(h *history.History) []models.Violation { return models.Rounds(h, together) },
	}
}

func visit(ctx context.Context, env *Env, d *barrier.Double) error {
	bounded, cancel := env.Bounded(ctx)
	defer cancel()
	op := env.Record.Invoke(models.Acquire, nil)
	in, err := d.Enter(bounded)
	if err != nil {
		op.Fail(err)
		return surprise(bounded, "enter", err)
	}
	op.OK(nil)
	env.Hold(ctx, op, entered{in}, env.Stay())
	bounded, cancel = env.Bounded(ctx)
	defer cancel()
	rel := env.Record.Invoke(models.Release, models.ReleaseArgs{Acquire: op.Op()})
	switch err := in.Leave(bounded); {
	case err == nil:
		rel.OK(nil)
	case errors.Is(err, barrier.ErrLost):
		rel.Fail(err)
	default:
		rel.Unknown(err)
		return surprise(bounded, "leave", err)
	}
	return nil
}

// entered is a place inside as something that is held; it has no token.
type entered struct{ *barrier.Inside }

// Token implements Holding.
func (entered) Token() int64 { return 0 }
