package tree

import (
	"context"
	"io"
	"os"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// content is a node with its data.
type content struct {
	stat
	Text  *string `json:"text,omitempty"` // the data, if it is text
	Bytes []byte  `json:"bytes,omitempty"`
	data  []byte
}

func contentOf(path string, data []byte, s client.Stat) content {
	c := content{stat: statOf(path, s), data: data}
	if utf8.Valid(data) {
		text := string(data)
		c.Text = &text
	} else {
		c.Bytes = data
	}
	return c
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
				_, err := env.Out.Write(data)
				if err == nil && env.Terminal() && len(data) > 0 && data[len(data)-1] != '\n' {
					_, err = io.WriteString(env.Out, "\n")
				}
				return err
			}
			return p.Print(contentOf(args[0], data, s))
		}),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "with the stat")
	return cmd
}

// input is where a command's data comes from: an argument, a file, or standard input for "-".
type input struct{ file string }

func (i *input) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&i.file, "file", "f", "", "take the data from this file; - is standard input")
}

// read returns the data; given tells whether there is any.
func (i *input) read(env *app.Env, args []string) (data []byte, given bool, err error) {
	switch {
	case i.file != "" && len(args) > 0:
		return nil, false, app.Usagef("the data is given twice: as an argument and by --file")
	case i.file == "-":
		data, err = io.ReadAll(env.In)
	case i.file != "":
		data, err = os.ReadFile(i.file)
	case len(args) > 0:
		return []byte(args[0]), true, nil
	default:
		return nil, false, nil
	}
	return data, true, err
}

// Set returns the command that replaces a node's data.
func Set(env *app.Env) *cobra.Command {
	var (
		in      input
		version int32
	)
	cmd := &cobra.Command{
		Use:   "set PATH [DATA]",
		Short: "Replace a node's data",
		Args:  cobra.RangeArgs(1, 2),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			data, given, err := in.read(env, args[1:])
			if err == nil && !given {
				err = app.Usagef("the data is missing: give it as an argument, or by --file")
			}
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
	in.flags(cmd)
	cmd.Flags().Int32Var(&version, "version", client.AnyVersion, "only if the node has this version; -1 is any")
	return cmd
}
