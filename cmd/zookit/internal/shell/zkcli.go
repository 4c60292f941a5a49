package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// command is one of zkCli.sh's.
func command(use, short string, args cobra.PositionalArgs, run func(ctx context.Context, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		return run(cmd.Context(), args)
	}}
}

// nodeCommands are the commands about nodes that zkCli.sh has under another name than the tool.
func (s *session) nodeCommands(env *app.Env) []*cobra.Command {
	one := cobra.ExactArgs(1)
	version := strconv.Itoa(int(client.AnyVersion))
	versioned := func(cmd *cobra.Command) *cobra.Command {
		cmd.Flags().StringVarP(&version, "version", "v", version, "only if it has this version; -1 is any")
		return cmd
	}
	var stat bool
	withStat := func(cmd *cobra.Command) *cobra.Command {
		cmd.Flags().BoolVarP(&stat, "stat", "s", false, "the stat, too")
		return cmd
	}
	recursively := func(name string) *cobra.Command {
		return command(name+" PATH", "Delete a node and all that is below it", one, func(ctx context.Context, args []string) error {
			return s.tool(ctx, env, "rm", "--recursive", args[0])
		})
	}
	mode := "PERSISTENT_RECURSIVE"
	addWatch := command("addWatch PATH", "Say what happens to a node, and to all below it, until removewatches", one, func(ctx context.Context, args []string) error {
		modes := map[string]client.AddWatchMode{"PERSISTENT": client.WatchPersistent, "PERSISTENT_RECURSIVE": client.WatchPersistentRecursive}
		m, ok := modes[mode]
		if !ok {
			return app.Usagef("-m %s: give PERSISTENT or PERSISTENT_RECURSIVE", mode)
		}
		return s.addWatch(ctx, args[0], m)
	})
	var all bool
	setACL := withStat(versioned(command("setAcl PATH ACL", "Replace a node's access control list", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return s.looked(ctx, env, args, false, stat, nil, func() error {
			return s.setACL(ctx, env, args[0], args[1], version, all)
		})
	})))
	setACL.Flags().BoolVarP(&all, "recursive", "R", false, "of all that is below, too, deepest first")
	addWatch.Flags().StringVarP(&mode, "mode", "m", mode, "PERSISTENT, for the node alone, or PERSISTENT_RECURSIVE")
	return []*cobra.Command{
		versioned(command("delete PATH", "Delete a node", one, func(ctx context.Context, args []string) error {
			return s.tool(ctx, env, "rm", "--version", version, args[0])
		})),
		recursively("deleteall"), recursively("rmr"),
		withStat(command("getAcl PATH", "Print a node's access control list", one, func(ctx context.Context, args []string) error {
			return s.looked(ctx, env, args, false, stat, nil, func() error { return s.tool(ctx, env, "acl", args[0]) })
		})),
		setACL,
		command("sync PATH", "Have the server catch up with its leader", one, func(ctx context.Context, args []string) error {
			return s.cl.Sync(ctx, args[0])
		}),
		command("getEphemerals [PATH]", "List this session's ephemeral nodes whose paths begin so", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
			paths, err := s.cl.Ephemerals(ctx, args[0])
			for _, path := range paths {
				fmt.Fprintln(env.Out, output.Legible(path))
			}
			return err
		}),
		command("getAllChildrenNumber PATH", "Count the nodes below a node", one, func(ctx context.Context, args []string) error {
			n, err := s.cl.AllChildrenNumber(ctx, args[0])
			if err == nil {
				fmt.Fprintln(env.Out, n)
			}
			return err
		}),
		addWatch,
		command("removewatches PATH", "End the watches of addWatch on a node", one, func(_ context.Context, args []string) error {
			return s.removeWatches(args[0])
		}),
	}
}

// setACL goes from the deepest nodes up: a list that takes away rights does not stand in the way of its own spread.
func (s *session) setACL(ctx context.Context, env *app.Env, path, acl, version string, all bool) error {
	paths := []string{path}
	for i := 0; all && i < len(paths); i++ {
		children, _, err := s.cl.Children(ctx, paths[i])
		switch {
		case errors.Is(err, client.ErrNoNode) && i > 0: // gone meanwhile
		case err != nil:
			return err
		}
		for _, child := range children {
			paths = append(paths, client.Join(paths[i], child))
		}
	}
	for _, path := range slices.Backward(paths) {
		err := s.tool(ctx, env, "acl", path, "--set", acl, "--version", version)
		if err != nil && !(errors.Is(err, client.ErrNoNode) && len(paths) > 1) {
			return err
		}
	}
	return nil
}
