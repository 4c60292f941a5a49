package tree

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Edit returns the command that has a person edit a node's data.
func Edit(env *app.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "edit PATH",
		Short: "Edit a node's data in $VISUAL or $EDITOR",
		Long: `Edit a node's data in $VISUAL or $EDITOR. It is stored only if nobody else has changed the node meanwhile; otherwise the text
is kept in a file, whose name is printed.`,
		Args: cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			data, stat, err := cl.Get(ctx, args[0])
			if err != nil {
				return err
			}
			return env.Edit(ctx, args[0], data, func(ctx context.Context, edited []byte) error {
				_, err := cl.Set(ctx, args[0], edited, stat.Version)
				return err
			})
		}),
	}
}
