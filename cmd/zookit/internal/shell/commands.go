package shell

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/complete"
)

// group are the commands that there are only here.
const group = "As in zkCli.sh"

// commands is what can be typed: the tool's commands, and those of zkCli.sh.
func (s *session) commands() (*cobra.Command, error) {
	env, err := s.env.Inside(s.cl)
	if err != nil {
		return nil, err
	}
	root := bare(s.tree(env), env)
	root.AddGroup(&cobra.Group{ID: group, Title: group + ":"})
	s.extend(root, env)
	for _, cmd := range slices.Concat(s.nodeCommands(env), s.ownCommands(env)) {
		cmd.GroupID = group
		if there := child(root, cmd.Name()); there != nil && there.HasSubCommands() {
			// The tool has a command of that name with others below it; alone it means what zkCli.sh has it mean.
			there.RunE, there.Args = cmd.RunE, cobra.NoArgs
			there.Flags().AddFlagSet(cmd.Flags())
			continue
		} else if there != nil {
			root.RemoveCommand(there)
		}
		root.AddCommand(cmd)
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd == root {
			overview(root, env)
			return
		}
		help(cmd, args)
	})
	complete.Each(root, func(cmd *cobra.Command) {
		complete.Rewrite(cmd, s.resolve)
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if err != nil && app.Code(err) != app.ExitUsage {
					err = app.Usagef("%s: %w\nUsage: %s", cmd.Name(), err, cmd.Use)
				}
				return err
			}
		}
	})
	complete.Install(root, env, s.here)
	return root, nil
}

// bare takes away what makes no sense within a session: flags that say how to connect, whose letters zkCli.sh uses otherwise,
// and the command that has no session.
func bare(root *cobra.Command, env *app.Env) *cobra.Command {
	root.ResetFlags()
	env.FormFlags(root.PersistentFlags())
	root.CompletionOptions.DisableDefaultCmd = true
	if dev := child(root, "dev"); dev != nil {
		root.RemoveCommand(dev)
	}
	return root
}

func child(root *cobra.Command, name string) *cobra.Command {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			return cmd
		}
	}
	return nil
}

// overview is the help on everything: one line a command.
func overview(root *cobra.Command, env *app.Env) {
	w := tabwriter.NewWriter(env.Out, 0, 4, 2, ' ', 0)
	groups := root.Groups()
	last := len(groups) - 1 // the shell's own, which people look for first
	for _, g := range slices.Concat(groups[last:], groups[:last]) {
		title := g.Title + "\n"
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID && cmd.IsAvailableCommand() {
				fmt.Fprintf(w, "%s  %s\t%s\n", title, cmd.Use, cmd.Short)
				title = ""
			}
		}
	}
	fmt.Fprintln(w, "help COMMAND says more of one. Paths may be relative: cd, pwd; words with spaces stand in quotes.")
	_ = w.Flush()
}
