package tree

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// content is a node with its data.
type content struct {
	stat
	output.Data
	data []byte
}

func contentOf(path string, data []byte, s client.Stat) content {
	return content{stat: statOf(path, s), Data: output.DataOf(data), data: data}
}

// Table implements [output.Document].
func (c content) Table() output.Table {
	return output.Table{Rows: append([][]string{{"data", string(c.data)}}, c.stat.Table().Rows...)}
}

// Raw implements [output.Document].
func (c content) Raw() []byte { return c.data }

// Get returns the command that prints a node's data.
func Get(env *app.Env) *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:   "get PATH",
		Short: "Print a node's data",
		Long: `Print a node's data as it is; a line end is added only on a terminal. With --long, or as json or yaml, with its stat; in these
data that is text is called text, and other data bytes, in base64.`,
		Args: cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			data, s, err := cl.Get(ctx, args[0])
			if err != nil {
				return err
			}
			if p.Format() == "raw" || p.Format() == "table" && !long {
				return env.Emit(data)
			}
			return p.Print(contentOf(args[0], data, s))
		}),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "with the stat")
	return cmd
}

// Set returns the command that replaces a node's data.
func Set(env *app.Env) *cobra.Command {
	var (
		in      app.Input
		version int32
	)
	cmd := &cobra.Command{
		Use:   "set PATH [DATA]",
		Short: "Replace a node's data",
		Args:  cobra.RangeArgs(1, 2),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			data, err := in.Must(env, args[1:])
			if err != nil {
				return err
			}
			s, err := cl.Set(ctx, args[0], data, version)
			if err != nil || p.Format() == "table" {
				return err
			}
			return p.Print(statOf(args[0], s))
		}),
	}
	in.Flags(cmd)
	cmd.Flags().Int32Var(&version, "version", client.AnyVersion, "only if the node has this version; -1 is any")
	return cmd
}
