package recipe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/recipes"
)

// groups is what all commands of groups are told.
type groups struct {
	env     *app.Env
	shallow bool
}

// Group returns the commands of groups.
func Group(env *app.Env) *cobra.Command {
	c := groups{env: env}
	cmd := noun(&cobra.Command{
		Use:   "group",
		Short: "Be a member of a group, and see who is",
		Long: `Be a member of a group, and see who is. Membership is no lock: that a member is listed does not say that it still lives.

With --layout kazoo the members are those of Kazoo's Party, with --shallow those of its ShallowParty.`,
	}, c.join(), c.list(), c.watch())
	cmd.PersistentFlags().BoolVar(&c.shallow, "shallow", false, "the names of Kazoo's ShallowParty")
	return cmd
}

func (c *groups) options() ([]group.Option, error) {
	layout, err := c.env.Layout()
	if err != nil {
		return nil, err
	}
	if c.shallow {
		return []group.Option{group.WithShallowParty()}, nil
	}
	return []group.Option{group.WithLayout(layout)}, nil
}

func (c *groups) join() *cobra.Command {
	var (
		guard   guarded.Guard
		id      string
		in      app.Input
		text    string
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "join PATH [-- COMMAND [ARG...]]",
		Short: "Be a member of a group, while a command runs or until a signal",
		Long: `Be a member of the group at PATH, under --id and with the --data that others see, while a command runs, or without
a command until a signal. The membership outlives lost connections and sessions. An id that somebody else has is
waited for.

The command finds ZOOKIT_PATH and ZOOKIT_ID in its environment, gets the signals that this program gets, and is ended when this
program is killed. A membership is no grant: the command is not ended because the group does not see it for a while.

Without a command the path of the member's node is printed once the others can see it.

Exit status: the command's own, 128 and the signal's number if a signal ended it; without a command 0 after a signal; 75 if the
id was taken for as long as --timeout.`,
		Example: "  zookit group join /workers --id worker-7 --data 10.0.0.7:8080 -- ./serve",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && cmd.ArgsLenAtDash() < 0 {
				return nil
			}
			return guarded.PathAndCommand(cmd, args)
		},
	}
	cmd.RunE = app.With(c.env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
		opts, err := c.options()
		if err != nil {
			return err
		}
		data, given, err := in.Read(c.env, nil)
		switch {
		case err != nil:
			return err
		case given && cmd.Flags().Changed("data"):
			return app.Usagef("the data is given twice: by --data and by --file")
		case !given:
			data = []byte(text)
		}
		s, err := cl.Session(ctx)
		if err != nil {
			return err
		}
		if err := guard.Check(s); err != nil {
			return err
		}
		wait, stop := guarded.Waiting(ctx, timeout)
		m, err := group.Join(wait, cl, args[0], guarded.Identifier(id), data, opts...)
		stop()
		if err != nil {
			return guarded.Missed(ctx, args[0], timeout, false, err)
		}
		if len(args) > 1 {
			err = guard.Run(ctx, c.env, cl, guarded.Steady(), guarded.Command{Path: args[0], Args: args[1:], Env: []string{"ZOOKIT_ID=" + m.ID()}})
		} else {
			err = c.stay(ctx, m)
		}
		if leaving := guarded.Release(ctx, m.Leave, settling); leaving != nil && !errors.Is(leaving, client.ErrClosed) {
			c.env.Say("the membership goes with the session: %v", leaving)
		}
		return err
	})
	guard.Flags(cmd)
	in.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&id, "id", "", "what this member is called (default: host and process id)")
	f.StringVar(&text, "data", "", "what the others see of it, an address for example")
	f.DurationVar(&timeout, "timeout", 0, "how long to wait for the id (default: for ever)")
	return cmd
}

// stay returns when the program is to end, and tells people how the membership fares.
func (c *groups) stay(ctx context.Context, m *group.Member) error {
	printed, missing := false, false
	for change := range m.States(ctx) {
		switch change.State {
		case recipes.NodePresent:
			if !printed {
				if _, err := fmt.Fprintln(c.env.Out, m.Path()); err != nil {
					return err
				}
				printed = true
			}
			if missing {
				c.env.Say("a member again")
			}
			missing = false
		case recipes.NodeClosed:
			return change.Err
		case recipes.NodeMissing, recipes.NodeTaken:
			missing = true
			why := change.State.String()
			if change.Err != nil {
				why = change.Err.Error()
			}
			c.env.Say("no member at present: %s", why)
		}
	}
	return nil
}
