package coordinate

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/election"
)

// Elect returns the command that runs another one while it leads.
func Elect(env *app.Env) *cobra.Command {
	var c struct {
		guarded.Guard
		id      string
		once    bool
		timeout time.Duration
	}
	cmd := &cobra.Command{
		Use:   "elect PATH -- COMMAND [ARG...]",
		Short: "Run a command while leading",
		Long: `Stand for election at PATH and run the command while leading. When the leadership is lost the command is
ended, as by zookit lock, and this program stands again; when the command ends by itself with status 0 the
leadership is given up and this program stands again, with --once it ends.

Exit status: with --once the command's own and 76 if the leadership was lost; otherwise that of a command that has
failed; 75 if --timeout passed without an election, 64 for a wrong call, 69 if no server is reached.`,
		Example: "  zookit elect /workers/leader --id worker-7 -- ./scheduler",
		Args:    guarded.PathAndCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			layout, err := env.Layout()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			cl, done, err := env.Connect(ctx)
			if err != nil {
				return err
			}
			defer done()
			s, err := cl.Session(ctx)
			if err != nil {
				return err
			}
			if err := c.Check(s); err != nil {
				return err
			}
			e := election.New(cl, args[0], guarded.Identifier(c.id), election.WithLayout(layout))
			for {
				wait, stop := guarded.Waiting(ctx, c.timeout)
				term, err := e.Campaign(wait)
				stop()
				if err != nil {
					return guarded.Missed(ctx, args[0], c.timeout, false, err)
				}
				env.Say("leads %s with token %d", args[0], term.Token())
				err = c.Run(ctx, env, cl, term, guarded.Command{Path: args[0], Args: args[1:]})
				if resigning := guarded.Release(ctx, term.Resign, 10*time.Second); resigning != nil {
					env.Say("the leadership goes with the session: %v", resigning)
				}
				exit, _ := errors.AsType[*app.Exit](err)
				if c.once || err != nil && (exit == nil || exit.Code != app.ExitLost) {
					return err
				}
				if err != nil {
					env.Say("%v; stands again", err)
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
			}
		},
	}
	c.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&c.id, "id", "", "what this candidate is called (default: host and process id)")
	f.BoolVar(&c.once, "once", false, "lead once, then end")
	f.DurationVar(&c.timeout, "timeout", 0, "how long to wait for the leadership (default: for ever)")
	return cmd
}
