package coordinate

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/lock"
)

// Lock returns the command that runs another one under a lock or with permits.
func Lock(env *app.Env) *cobra.Command {
	var c struct {
		guarded.Guard
		timeout        time.Duration
		try            bool
		shared, write  bool
		permits, limit int
		id             string
	}
	cmd := &cobra.Command{
		Use:   "lock PATH -- COMMAND [ARG...]",
		Short: "Run a command while holding a lock",
		Long: `Run a command while holding the lock at PATH, or with --limit some of its permits.

The command finds ZOOKIT_PATH, ZOOKIT_TOKEN and ZOOKIT_SESSION in its environment. The token grows with each
holder: send it along with what the command writes, and have the target refuse an older one. Signals are passed
on to the command. If the lock is lost the command's whole process group gets SIGTERM and, after --grace, SIGKILL, before
anybody else can hold the lock, also if this program is stopped or killed.

Exit status: the command's own, 128 and the signal's number if a signal ended it; 64 for a wrong call, 69 if no
server is reached, 75 if the lock is busy (--try) or not had within --timeout, 76 if it was lost while the
command was running.`,
		Example: "  zookit lock /stacks/42 --timeout 30s -- ./update-stack\n  zookit lock /stacks/42 --shared -- ./report\n  zookit lock /uploads --limit 4 -- ./upload",
		Args:    guarded.PathAndCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case c.shared && c.write, c.limit > 0 && (c.shared || c.write):
				return app.Usagef("--shared, --write and --limit exclude each other")
			case c.limit == 0 && cmd.Flags().Changed("permits"):
				return app.Usagef("--permits needs --limit")
			}
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
			opts := []lock.Option{lock.WithLayout(layout), lock.WithIdentifier(guarded.Identifier(c.id))}
			var acquire, try func(ctx context.Context) (*lock.Held, error)
			switch path := args[0]; {
			case c.limit > 0:
				sem := lock.NewSemaphore(cl, path, c.limit, opts...)
				acquire = func(ctx context.Context) (*lock.Held, error) { return sem.Acquire(ctx, c.permits) }
				try = func(ctx context.Context) (*lock.Held, error) { return sem.TryAcquire(ctx, c.permits) }
			case c.shared:
				rw := lock.NewRWMutex(cl, path, opts...)
				acquire, try = rw.RLock, rw.TryRLock
			case c.write:
				rw := lock.NewRWMutex(cl, path, opts...)
				acquire, try = rw.Lock, rw.TryLock
			default:
				m := lock.NewMutex(cl, path, opts...)
				acquire, try = m.Lock, m.TryLock
			}
			if c.try {
				acquire = try
			}
			wait, stop := guarded.Waiting(ctx, c.timeout)
			defer stop()
			h, err := acquire(wait)
			if err != nil {
				return guarded.Missed(ctx, args[0], c.timeout, errors.Is(err, lock.ErrBusy), err)
			}
			err = c.Run(ctx, env, cl, h, guarded.Command{Path: args[0], Args: args[1:]})
			if unlocking := guarded.Release(ctx, h.Unlock, 10*time.Second); unlocking != nil {
				env.Say("the lock goes with the session: %v", unlocking)
			}
			return err
		},
	}
	c.Flags(cmd)
	f := cmd.Flags()
	f.DurationVar(&c.timeout, "timeout", 0, "how long to wait for the lock (default: for ever)")
	f.BoolVar(&c.try, "try", false, "do not wait")
	f.BoolVar(&c.shared, "shared", false, "read-write lock: share it with other readers")
	f.BoolVar(&c.write, "write", false, "read-write lock: exclude its readers and writers")
	f.IntVar(&c.limit, "limit", 0, "semaphore: how many permits there are at PATH")
	f.IntVar(&c.permits, "permits", 1, "semaphore: how many of them to hold")
	f.StringVar(&c.id, "id", "", "what the lock's node says about its holder (default: host and process id)")
	return cmd
}
