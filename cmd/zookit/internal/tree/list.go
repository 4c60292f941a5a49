package tree

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// names are the names of children.
type names []string

// Table implements [output.Document].
func (n names) Table() output.Table {
	rows := make([][]string, len(n))
	for i, name := range n {
		rows[i] = []string{name}
	}
	return output.Table{Rows: rows}
}

// Raw implements [output.Document].
func (n names) Raw() []byte {
	if len(n) == 0 {
		return nil
	}
	return []byte(strings.Join(n, "\n") + "\n")
}

// stats are the stats of children.
type stats []stat

// Table implements [output.Document].
func (s stats) Table() output.Table {
	t := output.Table{Header: []string{"NAME", "VERSION", "BYTES", "CHILDREN", "OWNER", "CHANGED"}}
	for _, c := range s {
		owner := c.EphemeralOwner
		if owner == "0x0" {
			owner = "-"
		}
		t.Rows = append(t.Rows, []string{
			c.Path[strings.LastIndexByte(c.Path, '/')+1:], strconv.Itoa(int(c.Version)), strconv.Itoa(c.DataLength),
			strconv.Itoa(c.NumChildren), owner, c.Mtime.Format(time.RFC3339),
		})
	}
	return t
}

// Raw implements [output.Document].
func (s stats) Raw() []byte {
	var out []byte
	for _, c := range s {
		out = append(append(out, c.Path...), '\n')
	}
	return out
}

// List returns the command that lists a node's children.
func List(env *app.Env) *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:   "ls [PATH]",
		Short: "List a node's children",
		Args:  cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			path := "/"
			if len(args) > 0 {
				path = args[0]
			}
			children, _, err := cl.Children(ctx, path)
			if err != nil {
				return err
			}
			if !long {
				return p.Print(names(children))
			}
			b := cl.Batch()
			for _, name := range children {
				b.Exists(client.Join(path, name))
			}
			found, err := b.Do(ctx)
			if err != nil {
				return err
			}
			out := stats{}
			for i, f := range found {
				if f.Exists { // not gone meanwhile
					out = append(out, statOf(client.Join(path, children[i]), f.Stat))
				}
			}
			return p.Print(out)
		}),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "with versions, sizes, owners and times")
	return cmd
}
