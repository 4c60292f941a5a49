package tree

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// ephemerals are ephemeral nodes.
type ephemerals []stat

// Table implements [output.Document].
func (e ephemerals) Table() output.Table {
	t := output.Table{Header: []string{"SESSION", "MADE", "PATH"}}
	for _, s := range e {
		t.Rows = append(t.Rows, []string{s.EphemeralOwner, s.Ctime.Format(time.RFC3339), s.Path})
	}
	return t
}

// Raw implements [output.Document].
func (e ephemerals) Raw() []byte { return stats(e).Raw() }

// Ephemerals returns the command that lists ephemeral nodes with their owners.
func Ephemerals(env *app.Env) *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use:   "ephemerals [PATH]",
		Short: "List ephemeral nodes with the sessions that own them",
		Long: `List ephemeral nodes at and below a node (default: all of them) with the sessions that own them and the times at which they were
made. They are found by a walk through the tree, which every server allows; what this client may not read is not found.`,
		Args: cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			var only int64
			if owner != "" {
				id, err := strconv.ParseUint(owner, 0, 64)
				if err != nil || id == 0 {
					return app.Usagef("--session %s: a session is a number, as zookit sessions prints them: 0x1000a2b3c4d0001", owner)
				}
				only = int64(id)
			}
			found := ephemerals{}
			err := walk(ctx, cl, rootOf(args), false, func(n *node) error {
				if n.stat.EphemeralOwner != 0 && (only == 0 || n.stat.EphemeralOwner == only) {
					found = append(found, statOf(n.path, n.stat))
				}
				return nil
			})
			if err != nil {
				return err
			}
			return p.Print(found)
		}),
	}
	cmd.Flags().StringVar(&owner, "session", "", "only those of this session")
	return cmd
}
