package recipe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/recipes"
)

// counters is what all commands of counters are told.
type counters struct {
	env      *app.Env
	layout   string
	initial  int64
	receipts string
}

const counterLayouts = "curator, curator-int or kazoo"

var counterLayout = map[string]counter.Layout{
	"curator":     counter.Long,
	"curator-int": counter.Int,
	"kazoo":       counter.Text,
}

// Counter returns the commands of counters.
func Counter(env *app.Env) *cobra.Command {
	c := counters{env: env}
	cmd := noun(&cobra.Command{
		Use:   "counter",
		Short: "Read, change and watch a number that programs share",
		Long: `Read, change and watch a number that programs share. A change is made exactly once when the exit status is 0, also if replies
and sessions are lost.

The number is written as Curator's DistributedAtomicLong does (--layout curator), its SharedCount (curator-int), or Kazoo's Counter
(kazoo); a node that holds none in that layout is left alone.`,
	}, c.get(), c.add(), c.set(), c.watch())
	f := cmd.PersistentFlags()
	f.StringVar(&c.layout, "layout", "", "how the number is written: "+counterLayouts+" ($ZOOKIT_LAYOUT; default curator)")
	f.Int64Var(&c.initial, "initial", 0, "what the counter is before somebody has changed it")
	f.StringVar(&c.receipts, "receipts", "/zookit/receipts", "below which node it is kept, while the command runs, whether its change was made")
	return cmd
}

func (c *counters) open(cl *client.Client, path string, more ...counter.Option) (*counter.Counter, error) {
	name := c.layout
	if name == "" {
		general, err := c.env.Layout()
		if err != nil {
			return nil, err
		}
		name = "curator"
		if general == recipes.Kazoo {
			name = "kazoo"
		}
	}
	layout, err := choice("layout", name, counterLayout, counterLayouts)
	if err != nil {
		return nil, err
	}
	return counter.New(cl, path, append(more, counter.WithLayout(layout), counter.WithInitial(c.initial))...), nil
}

// change makes a change. What the package keeps to know of it by is in a directory of this process, which goes
// with the command: otherwise a script that counts would leave a node behind for each call.
func (c *counters) change(ctx context.Context, cl *client.Client, path string, f func(n *counter.Counter) error) error {
	dir := client.Join(c.receipts, "tool-"+rand.Text())
	n, err := c.open(cl, path, counter.WithReceipts(dir))
	if err != nil {
		return err
	}
	err = f(n)
	gone := guarded.Release(ctx, func(ctx context.Context) error { return cl.DeleteAll(ctx, dir) }, 5*time.Second)
	if gone != nil && !errors.Is(gone, client.ErrNoNode) {
		c.env.Say("left behind: %v", gone)
	}
	return err
}

func (c *counters) get() *cobra.Command {
	return &cobra.Command{
		Use:   "get PATH",
		Short: "Print the number",
		Long:  "Print the number, as the server that answers knows it, which may be late by a moment: add PATH 0 is not.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			n, err := c.open(cl, args[0])
			if err != nil {
				return err
			}
			v, err := n.Value(ctx)
			if err != nil {
				return err
			}
			return p.Print(number(v))
		}),
	}
}

func (c *counters) add() *cobra.Command {
	return &cobra.Command{
		Use:     "add PATH [N]",
		Short:   "Add to the number, and print the sum",
		Long:    "Add N, or 1, to the number, exactly once, and print the sum. For a negative N put -- before the path.",
		Example: "  zookit counter add /builds\n  zookit counter add -- /free -1",
		Args:    cobra.RangeArgs(1, 2),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			delta := int64(1)
			if len(args) > 1 {
				var err error
				if delta, err = integer(args[1]); err != nil {
					return err
				}
			}
			var sum int64
			err := c.change(ctx, cl, args[0], func(n *counter.Counter) (err error) {
				sum, err = n.Add(ctx, delta)
				return err
			})
			if err != nil {
				return err
			}
			return p.Print(number(sum))
		}),
	}
}

func (c *counters) set() *cobra.Command {
	var old string
	cmd := &cobra.Command{
		Use:   "set PATH N",
		Short: "Set the number",
		Long: `Set the number, whatever it was, or with --if only if it was that. For a negative N put -- before the path.

Exit status 75 if --if was given and it was another number.`,
		Args: cobra.ExactArgs(2),
	}
	cmd.RunE = app.With(c.env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
		next, err := integer(args[1])
		if err != nil {
			return err
		}
		var was int64
		if cmd.Flags().Changed("if") {
			if was, err = integer(old); err != nil {
				return err
			}
		}
		return c.change(ctx, cl, args[0], func(n *counter.Counter) error {
			if !cmd.Flags().Changed("if") {
				return n.Set(ctx, next)
			}
			swapped, err := n.CompareAndSet(ctx, was, next)
			if err == nil && !swapped {
				err = &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s is not %d: it was not changed", args[0], was)}
			}
			return err
		})
	})
	cmd.Flags().StringVar(&old, "if", "", "only if it is this number")
	return cmd
}

func (c *counters) watch() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:   "watch PATH",
		Short: "Print the number, and again whenever it has changed",
		Long:  "Print the number, and again whenever it has changed, one a line, until interrupted. What it was for a moment only may be left out.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			n, err := c.open(cl, args[0])
			if err != nil {
				return err
			}
			return follow(ctx, c.env, n.Watch(ctx), count, func(v int64) (int, error) { return 1, p.Line(v, number(v).text()) })
		}),
	}
	cmd.Flags().IntVar(&count, "count", 0, "end after so many lines (default: never)")
	return cmd
}

func integer(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, app.Usagef("%q: give an integer from %d to %d", text, int64(-1<<63), int64(1<<63-1))
	}
	return n, nil
}
