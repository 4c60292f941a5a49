package main

import (
	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/complete"
	"github.com/zookit/zookit/cmd/zookit/internal/man"
	"github.com/zookit/zookit/cmd/zookit/internal/shell"
)

// whole is all of the tool: the commands, the shell that has all of them, and what makes them easy to type.
func whole(env *app.Env) *cobra.Command {
	all := root(env)
	for _, cmd := range []*cobra.Command{shell.Shell(env, root), man.Man(env)} {
		usage(cmd)
		all.AddCommand(cmd)
	}
	complete.Each(all, func(cmd *cobra.Command) { complete.Rewrite(cmd, complete.Trim) })
	complete.Install(all, env, "")
	for flag, values := range map[string][]string{"output": {"table", "json", "yaml", "raw"}, "layout": {"curator", "kazoo"}} {
		// The error would be that there is no such flag, and there is.
		_ = all.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return all
}
