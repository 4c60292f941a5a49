package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

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
			edited, file, err := env.Edit(ctx, args[0], data)
			if err != nil {
				return err
			}
			if bytes.Equal(edited, data) {
				env.Say("%s is as it was", args[0])
				return os.Remove(file)
			}
			if _, err := cl.Set(ctx, args[0], edited, stat.Version); err != nil {
				if errors.Is(err, client.ErrBadVersion) {
					err = fmt.Errorf("%w: somebody else has changed it meanwhile", err)
				}
				return fmt.Errorf("%w; the text is in %s", err, file)
			}
			return os.Remove(file)
		}),
	}
}
