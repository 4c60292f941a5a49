package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/coordinate"
	"github.com/zookit/zookit/cmd/zookit/internal/dev"
	"github.com/zookit/zookit/cmd/zookit/internal/ensemble"
	"github.com/zookit/zookit/cmd/zookit/internal/health"
	"github.com/zookit/zookit/cmd/zookit/internal/inspect"
	"github.com/zookit/zookit/cmd/zookit/internal/load"
	"github.com/zookit/zookit/cmd/zookit/internal/recipe"
	"github.com/zookit/zookit/cmd/zookit/internal/tree"
)

// groups are the commands by what they are for.
var groups = []struct {
	title    string
	commands []func(*app.Env) *cobra.Command
}{
	{"Run a command under coordination", []func(*app.Env) *cobra.Command{coordinate.Lock, coordinate.Elect}},
	{"Use recipes", []func(*app.Env) *cobra.Command{recipe.Queue, recipe.Counter, recipe.Group, recipe.Config, recipe.Barrier}},
	{"Look and change", []func(*app.Env) *cobra.Command{tree.List, tree.Tree, tree.Get, tree.Stat, tree.Set, tree.Create, tree.Remove, tree.Watch, tree.Wait, tree.ACL, tree.Find, tree.Grep, tree.Usage, tree.Edit,
		tree.Copy, tree.Mirror, tree.Diff, tree.Export, tree.Import}},
	{"Look into recipes", []func(*app.Env) *cobra.Command{inspect.Inspect, inspect.Locks, inspect.Break}},
	{"Servers", []func(*app.Env) *cobra.Command{health.Health, load.Bench, dev.Dev}},
	{"Sessions and members", []func(*app.Env) *cobra.Command{tree.Ephemerals, ensemble.Sessions, ensemble.WhoAmI, ensemble.Reconfig}},
}

// run executes one command line.
func run(ctx context.Context, env *app.Env, args []string) error {
	root := whole(env)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// root is the whole tool.
func root(env *app.Env) *cobra.Command {
	root := &cobra.Command{
		Use:                        "zookit",
		Short:                      "Locks, elections and a look into ZooKeeper, from any shell",
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs, // which are commands that there are not
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &app.Exit{Code: app.ExitUsage, Err: err} })
	env.Flags(root.PersistentFlags())
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
		for _, make := range g.commands {
			cmd := make(env)
			cmd.GroupID = g.title
			usage(cmd)
			root.AddCommand(cmd)
		}
	}
	return root
}

func unknown(cmd *cobra.Command, name string) error {
	hint := "zookit help lists them"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return app.Usagef("there is no command %q; %s", name, hint)
}

// usage has wrong numbers of arguments reported as what they are: a wrong call.
func usage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return app.Usagef("%s: %w\nUsage: %s", cmd.CommandPath(), err, cmd.UseLine())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usage(sub)
	}
}
