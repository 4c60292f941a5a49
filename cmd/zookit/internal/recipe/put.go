package recipe

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/queue"
)

// ids are those of items that were put.
type ids []string

// Table implements [output.Document].
func (i ids) Table() output.Table {
	var t output.Table
	for _, id := range i {
		t.Rows = append(t.Rows, []string{id})
	}
	return t
}

// Raw implements [output.Document].
func (i ids) Raw() []byte {
	if len(i) == 0 {
		return nil
	}
	return []byte(strings.Join(i, "\n") + "\n")
}

// of returns those that are there.
func (i ids) of(there []bool) ids {
	out := ids{}
	for n, id := range i {
		if n < len(there) && there[n] {
			out = append(out, id)
		}
	}
	return out
}

func (c *queues) put(env *app.Env) *cobra.Command {
	var (
		in             app.Input
		lines, ifRoom  bool
		priority, room int
		delay, timeout time.Duration
		id             string
		remember       time.Duration
	)
	cmd := &cobra.Command{
		Use:   "put PATH [DATA]",
		Short: "Put an item into a queue, or one for each line",
		Long: `Put an item into a queue, or with --lines one for each line of the data, and print the ids. When it returns 0 the items are
in the queue, once, whatever connections and sessions were lost meanwhile.

Who does not know whether an item was put repeats the call with the same --id: an item whose id the queue knows is not added again, which
is no failure and said on standard error.

Exit status: 75 if a queue with --capacity has no room (--if-room), or not within --timeout.`,
		Example: "  zookit queue put /jobs '{\"stack\":42}' --id update-42\n  zookit queue put /jobs --lines -f jobs.txt --priority 5",
		Args:    cobra.RangeArgs(1, 2),
	}
	cmd.RunE = app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
		data, err := in.Must(env, args[1:])
		switch {
		case err != nil:
			return err
		case lines && id != "":
			return app.Usagef("--id is for one item, and --lines for several")
		}
		var opts []queue.Option
		if room > 0 {
			opts = append(opts, queue.WithCapacity(room))
		}
		if cmd.Flags().Changed("remember") {
			opts = append(opts, queue.WithMemory(remember))
		}
		q, err := c.open(cl, args[0], opts...)
		if err != nil {
			return err
		}
		var how []queue.PutOption
		if cmd.Flags().Changed("priority") {
			how = append(how, queue.Priority(priority))
		}
		if delay != 0 {
			how = append(how, queue.Delay(delay))
		}
		if id != "" {
			how = append(how, queue.ID(id))
		}
		if ifRoom {
			how = append(how, queue.IfRoom())
		}
		items := [][]byte{data}
		if lines {
			items = split(data)
		}
		wait, stop := guarded.Waiting(ctx, timeout)
		defer stop()
		put, err := q.PutAll(wait, items, how...)
		switch {
		case errors.Is(err, queue.ErrDuplicate):
			env.Say("%s: an item of the id %s is in the queue, or was: nothing was added", args[0], id)
			put = []string{id}
		case err != nil:
			if some, ok := errors.AsType[*queue.PutError](err); ok && len(items) > 1 {
				err = errors.Join(err, p.Print(ids(put).of(some.There)))
			}
			return guarded.Missed(ctx, args[0], timeout, errors.Is(err, queue.ErrFull), err)
		}
		return p.Print(ids(put))
	})
	in.Flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&lines, "lines", false, "each line of the data is an item")
	f.IntVar(&priority, "priority", 0, "those with a lower number come out first (in Kazoo's layouts the default is 100)")
	f.DurationVar(&delay, "delay", 0, "keep the items back for so long")
	f.StringVar(&id, "id", "", "the item's id, by which the queue knows it (default: a random one)")
	f.DurationVar(&remember, "remember", queue.DefaultMemory, "for how long the id is remembered once the item is gone")
	f.IntVar(&room, "capacity", 0, "how many items the queue holds at most; all who put say the same (default: any number)")
	f.BoolVar(&ifRoom, "if-room", false, "do not wait for room")
	f.DurationVar(&timeout, "timeout", 0, "how long to wait for room (default: for ever)")
	return cmd
}

// split returns the lines of data that are not empty.
func split(data []byte) [][]byte {
	var out [][]byte
	for line := range bytes.Lines(data) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}
