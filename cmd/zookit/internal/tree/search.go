package tree

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Find returns the command that looks for nodes.
func Find(env *app.Env) *cobra.Command {
	var (
		name                  string
		ephemeral, persistent bool
		newer, older          time.Duration
		larger                int
	)
	cmd := &cobra.Command{
		Use:   "find [PATH]",
		Short: "Print the paths of nodes that are as wanted",
		Args:  cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			if _, err := path.Match(name, ""); err != nil {
				return app.Usagef("--name %s: %w", name, err)
			}
			now := time.Now()
			var found stats
			err := walk(ctx, cl, rootOf(args), false, func(n *node) error {
				matches, _ := path.Match(name, n.name())
				switch {
				case name != "" && !matches:
				case ephemeral && n.stat.EphemeralOwner == 0, persistent && n.stat.EphemeralOwner != 0:
				case newer > 0 && now.Sub(n.stat.Mtime) > newer, older > 0 && now.Sub(n.stat.Mtime) < older:
				case n.stat.DataLength < larger:
				default:
					found = append(found, statOf(n.path, n.stat))
				}
				return nil
			})
			if err != nil {
				return err
			}
			if p.Format() != "table" {
				return p.Print(found)
			}
			for _, s := range found {
				fmt.Fprintln(env.Out, output.Legible(s.Path))
			}
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "pattern of the name, with * ? [...]")
	f.BoolVar(&ephemeral, "ephemeral", false, "only ephemeral nodes")
	f.BoolVar(&persistent, "persistent", false, "only others")
	f.DurationVar(&newer, "changed-within", 0, "changed since so long at most, by the servers' clock")
	f.DurationVar(&older, "unchanged-for", 0, "not changed for so long")
	f.IntVar(&larger, "larger", 0, "at least so many bytes of data")
	return cmd
}

func rootOf(args []string) string {
	if len(args) == 0 {
		return "/"
	}
	return args[0]
}

// Grep returns the command that looks for text in data.
func Grep(env *app.Env) *cobra.Command {
	var only bool
	cmd := &cobra.Command{
		Use:   "grep PATTERN [PATH]",
		Short: "Print the lines of nodes' data that match a regular expression",
		Long:  "Print the lines of nodes' data that match a regular expression (RE2), with their paths. Exit status 1 if there are none.",
		Args:  cobra.RangeArgs(1, 2),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			re, err := regexp.Compile(args[0])
			if err != nil {
				return app.Usagef("%w", err)
			}
			found := false
			err = walk(ctx, cl, rootOf(args[1:]), true, func(n *node) error {
				for line := range bytes.Lines(n.data) {
					if !re.Match(line) {
						continue
					}
					found = true
					if only {
						_, err := fmt.Fprintln(env.Out, output.Legible(n.path))
						return err
					}
					if _, err := fmt.Fprintf(env.Out, "%s:%s\n", output.Legible(n.path), output.Legible(string(bytes.TrimRight(line, "\r\n")))); err != nil {
						return err
					}
				}
				return nil
			})
			if err == nil && !found {
				err = &app.Exit{Code: app.ExitFailed}
			}
			return err
		}),
	}
	cmd.Flags().BoolVarP(&only, "paths", "l", false, "print only the paths")
	return cmd
}

// usage is what a subtree takes.
type usage struct {
	Path  string `json:"path"`
	Nodes int    `json:"nodes"`
	Bytes int    `json:"bytes"`
}

type usages []usage

// Table implements [output.Document].
func (u usages) Table() output.Table {
	t := output.Table{Header: []string{"BYTES", "NODES", "PATH"}}
	for _, one := range u {
		t.Rows = append(t.Rows, []string{strconv.Itoa(one.Bytes), strconv.Itoa(one.Nodes), one.Path})
	}
	return t
}

// Raw implements [output.Document].
func (u usages) Raw() []byte {
	var out []byte
	for _, one := range u {
		out = fmt.Appendf(out, "%d\t%d\t%s\n", one.Bytes, one.Nodes, one.Path)
	}
	return out
}

// Usage returns the command that adds up data.
func Usage(env *app.Env) *cobra.Command {
	var depth int
	cmd := &cobra.Command{
		Use:   "du [PATH]",
		Short: "Add up nodes and bytes of data below each child",
		Args:  cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			all := usages{}
			var open []int // places in all of the nodes above
			err := walk(ctx, cl, rootOf(args), false, func(n *node) error {
				open = open[:min(len(open), n.depth)]
				if n.depth <= depth {
					open = append(open, len(all))
					all = append(all, usage{Path: n.path})
				}
				for _, i := range open {
					all[i].Nodes++
					all[i].Bytes += n.stat.DataLength
				}
				return nil
			})
			if err != nil {
				return err
			}
			return p.Print(all)
		}),
	}
	cmd.Flags().IntVarP(&depth, "depth", "d", 1, "how many levels to print")
	return cmd
}
