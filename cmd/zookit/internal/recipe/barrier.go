package recipe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Barrier returns the commands of barriers.
func Barrier(env *app.Env) *cobra.Command {
	return noun(&cobra.Command{
		Use:   "barrier",
		Short: "Hold programs back until a barrier is lifted, or until all are there",
		Long: `Hold programs back. A barrier is set, which belongs to no process and stays, waited for, and lifted. With run several programs
begin together and end together: a double barrier.`,
	}, setBarrier(env), liftBarrier(env), waitBarrier(env), runTogether(env))
}

// turn is a command that sets or lifts the barrier at a path; same is said if it was so already.
func turn(env *app.Env, verb, short, same string, do func(ctx context.Context, b *barrier.Barrier) (bool, error)) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " PATH",
		Short: short,
		Long:  short + ". If it is so already that is no failure, and said on standard error.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			layout, err := env.Layout()
			if err != nil {
				return err
			}
			b := barrier.New(cl, args[0], barrier.WithLayout(layout), barrier.WithIdentifier(guarded.Identifier("")))
			changed, err := do(ctx, b)
			if err == nil && !changed {
				env.Say("%s %s", args[0], same)
			}
			return err
		}),
	}
}

func setBarrier(env *app.Env) *cobra.Command {
	return turn(env, "set", "Set a barrier: who waits, waits until it is lifted", "was set already", func(ctx context.Context, b *barrier.Barrier) (bool, error) { return b.Create(ctx) })
}

func liftBarrier(env *app.Env) *cobra.Command {
	return turn(env, "lift", "Lift a barrier: who waits, goes on", "was not set", func(ctx context.Context, b *barrier.Barrier) (bool, error) { return b.Remove(ctx) })
}

func waitBarrier(env *app.Env) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait PATH",
		Short: "Wait until a barrier is not set, or was lifted meanwhile",
		Long:  "Wait until a barrier is not set, or was lifted meanwhile. Exit status 75 if it was not so within --timeout.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			layout, err := env.Layout()
			if err != nil {
				return err
			}
			within, stop := guarded.Waiting(ctx, timeout)
			defer stop()
			err = barrier.New(cl, args[0], barrier.WithLayout(layout)).Wait(within)
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				return &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s: not lifted within %v", args[0], timeout)}
			}
			return err
		}),
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait (default: for ever)")
	return cmd
}

// inside is a place in a double barrier, as a grant: the others cannot have left without it as long as
// the servers certainly keep its session. Somebody who deletes its node by hand is heard of by its context.
type inside struct {
	*barrier.Inside
	session *client.Session
}

// ValidUntil implements [child.Grant].
func (in inside) ValidUntil() time.Time { return in.session.ConfirmedUntil() }

func runTogether(env *app.Env) *cobra.Command {
	var (
		guard   guarded.Guard
		parties int
		timeout time.Duration
		id      string
	)
	cmd := &cobra.Command{
		Use:   "run PATH --parties N -- COMMAND [ARG...]",
		Short: "Run a command together with others: begin together, and end together",
		Long: `Wait until N programs are at the double barrier at PATH, run the command, and wait until all of their commands have ended. All give
the same N. If this program is lost to the others while the command is running, the command is ended as by zookit lock,
before they can go on without it.

Exit status: the command's own, 128 and the signal's number if a signal ended it; 75 if not all were there within
--timeout; 76 if this program was lost to the others.`,
		Example: "  zookit barrier run /rounds/1 --parties 3 -- ./compute",
		Args:    guarded.PathAndCommand,
	}
	cmd.RunE = app.With(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
		if parties < 1 {
			return app.Usagef("--parties %d: how many programs there are, this one included", parties)
		}
		layout, err := env.Layout()
		if err != nil {
			return err
		}
		s, err := cl.Session(ctx)
		if err != nil {
			return err
		}
		if err := guard.Check(s); err != nil {
			return err
		}
		d := barrier.NewDouble(cl, args[0], parties, barrier.WithLayout(layout), barrier.WithIdentifier(guarded.Identifier(id)))
		within, stop := guarded.Waiting(ctx, timeout)
		in, err := d.Enter(within)
		stop()
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s: %d were not there within %v", args[0], parties, timeout)}
		}
		if err != nil {
			return err
		}
		if s, err = cl.Session(ctx); err != nil { // another one, if the first was lost in Enter
			return err
		}
		err = guard.Run(ctx, env, cl, inside{in, s}, guarded.Command{Path: args[0], Args: args[1:]})
		left := in.Leave(ctx)
		switch {
		case err != nil:
			return err
		case errors.Is(left, barrier.ErrLost):
			return &app.Exit{Code: app.ExitLost, Err: left}
		}
		return left
	})
	guard.Flags(cmd)
	f := cmd.Flags()
	f.IntVar(&parties, "parties", 0, "how many programs there are, this one included")
	f.DurationVar(&timeout, "timeout", 0, "how long to wait for the others to be there (default: for ever)")
	f.StringVar(&id, "id", "", "what this program's node says about it (default: host and process id)")
	return cmd
}
