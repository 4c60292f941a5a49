package tree

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Tree returns the command that draws a subtree.
func Tree(env *app.Env) *cobra.Command {
	var depth int
	cmd := &cobra.Command{
		Use:   "tree [PATH]",
		Short: "Draw a node and what is below it",
		Long:  "Draw a node and what is below it. Ephemeral nodes are marked with *. In other forms than table it is a list of stats.",
		Args:  cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			root := "/"
			if len(args) > 0 {
				root = args[0]
			}
			var (
				all   stats
				rules []string // of the levels above
			)
			err := walk(ctx, cl, root, false, func(n *node) error {
				if p.Format() == "table" {
					rules = draw(env, n, rules)
				} else {
					all = append(all, statOf(n.path, n.stat))
				}
				if depth > 0 && n.depth >= depth {
					return errSkip
				}
				return nil
			})
			if err != nil || p.Format() == "table" {
				return err
			}
			return p.Print(all)
		}),
	}
	cmd.Flags().IntVarP(&depth, "depth", "d", 0, "how many levels (default: all)")
	return cmd
}

// draw prints one line, and returns the rules of its children's.
func draw(env *app.Env, n *node, rules []string) []string {
	mark := ""
	if n.stat.EphemeralOwner != 0 {
		mark = "*"
	}
	if n.depth == 0 {
		fmt.Fprintln(env.Out, output.Legible(n.path)+mark)
		return []string{}
	}
	rules = rules[:n.depth-1]
	branch, rule := "├── ", "│   "
	if n.last {
		branch, rule = "└── ", "    "
	}
	fmt.Fprintln(env.Out, strings.Join(rules, "")+branch+output.Legible(n.name())+mark)
	return append(rules, rule)
}
