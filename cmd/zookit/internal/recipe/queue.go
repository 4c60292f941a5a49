package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

// queues is what all commands of queues are told.
type queues struct {
	layout, locks string
	dead          bool
}

const queueLayouts = "native, kazoo, kazoo-locking, curator, curator-simple, curator-priority, curator-delay or curator-id"

var queueLayout = map[string]queue.Layout{
	"native":           queue.Native,
	"kazoo":            queue.KazooQueue,
	"kazoo-locking":    queue.KazooLockingQueue,
	"curator":          queue.CuratorQueue,
	"curator-simple":   queue.CuratorSimpleQueue,
	"curator-priority": queue.CuratorPriorityQueue,
	"curator-delay":    queue.CuratorDelayQueue,
	"curator-id":       queue.CuratorIDQueue,
}

// Queue returns the commands of queues.
func Queue(env *app.Env) *cobra.Command {
	var c queues
	cmd := noun(&cobra.Command{
		Use:   "queue",
		Short: "Put items into a queue, and take them out",
		Long: `Put items into a queue, and take them out. Items are bytes; those of Go programs are JSON unless they say otherwise.

A taken item is leased: nobody else gets it until it is acknowledged or given back. A lease is the session's of the process
that has taken the item and cannot be passed on to another one. So zookit queue take runs a command and acknowledges when that has
succeeded; or, with --hold, leaves a process behind that holds the lease, and that zookit queue ack and nack talk to.`,
	}, c.put(env), c.take(env), ackHeld(), nackHeld(), c.peek(env), c.size(env))
	f := cmd.PersistentFlags()
	f.StringVar(&c.layout, "layout", "native", "whose znodes: "+queueLayouts+"; what the environment or a profile says of layouts does not count here")
	f.StringVar(&c.locks, "lock-path", "", "with a layout of Curator's: the directory in which consumers lock items, without which there are no leases")
	f.BoolVar(&c.dead, "dead", false, "the queue of the dead letters in place of the queue itself")
	return cmd
}

// open returns the queue at path.
func (c *queues) open(cl *client.Client, path string, opts ...queue.Option) (*queue.Queue[[]byte], error) {
	layout, err := choice("layout", c.layout, queueLayout, queueLayouts)
	if err != nil {
		return nil, err
	}
	opts = append(opts, queue.WithLayout(layout))
	if c.locks != "" {
		opts = append(opts, queue.WithLockPath(c.locks))
	}
	q := queue.NewWith(cl, path, recipes.Raw{}, opts...)
	if c.dead {
		q = q.Dead()
	}
	return q, nil
}

// item is an item, as it is printed.
type item struct {
	ID       string `json:"id"`
	Priority int    `json:"priority"`
	Attempt  int    `json:"attempt"`
	Reason   string `json:"reason,omitempty"`
	output.Data
	More []output.Data `json:"more,omitempty"`

	raw [][]byte
}

func itemOf(e queue.Entry[[]byte]) item {
	it := item{ID: e.ID, Priority: e.Priority, Attempt: e.Attempt, Reason: e.Reason, Data: output.DataOf(e.Value), raw: [][]byte{e.Value}}
	for _, more := range e.More {
		it.More = append(it.More, output.DataOf(more))
		it.raw = append(it.raw, more)
	}
	return it
}

// Table implements [output.Document].
func (it item) Table() output.Table {
	var rows [][]string
	for _, data := range it.raw {
		rows = append(rows, []string{"data", string(data)})
	}
	rows = append(rows, []string{"id", it.ID}, []string{"priority", strconv.Itoa(it.Priority)}, []string{"attempt", strconv.Itoa(it.Attempt)})
	if it.Reason != "" {
		rows = append(rows, []string{"reason", it.Reason})
	}
	return output.Table{Rows: rows}
}

// Raw implements [output.Document].
func (it item) Raw() []byte {
	return bytes.Join(it.raw, []byte("\n"))
}

// show prints an item: its data, unless more is asked for.
func (it item) show(env *app.Env, p *output.Printer, long bool) error {
	if p.Format() == "raw" || p.Format() == "table" && !long {
		return env.Emit(it.Raw())
	}
	return p.Print(it)
}

// nothing is the exit status of a queue that has nothing to give, or no room.
func nothing(err error) error {
	if errors.Is(err, queue.ErrEmpty) || errors.Is(err, queue.ErrFull) {
		return &app.Exit{Code: app.ExitBusy, Err: err}
	}
	return err
}

func (c *queues) peek(env *app.Env) *cobra.Command {
	var long bool
	cmd := &cobra.Command{
		Use:   "peek PATH",
		Short: "Print the item that would be taken next, and leave it there",
		Long: `Print the item that would be taken next, and leave it there. It may be gone at once.

Exit status 75 if there is none to be had now.`,
		Args: cobra.ExactArgs(1),
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			q, err := c.open(cl, args[0])
			if err != nil {
				return err
			}
			e, err := q.Peek(ctx)
			if err != nil {
				return nothing(err)
			}
			return itemOf(e).show(env, p, long)
		}),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "with its id, priority, and how often it was taken before")
	return cmd
}

// number is one number.
type number int64

// Table implements [output.Document].
func (n number) Table() output.Table { return output.Table{Rows: [][]string{{n.text()}}} }

// Raw implements [output.Document].
func (n number) Raw() []byte { return []byte(n.text() + "\n") }

func (n number) text() string { return strconv.FormatInt(int64(n), 10) }

func (c *queues) size(env *app.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "len PATH",
		Short: "Print how many items there are: those that can be taken, delayed ones and leased ones",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			q, err := c.open(cl, args[0])
			if err != nil {
				return err
			}
			n, err := q.Len(ctx)
			if err != nil {
				return err
			}
			return p.Print(number(n))
		}),
	}
}

// variables tell a command of the item that it gets.
func variables(it *queue.Item[[]byte]) []string {
	return []string{"ZOOKIT_ID=" + it.ID, fmt.Sprintf("ZOOKIT_PRIORITY=%d", it.Priority), fmt.Sprintf("ZOOKIT_ATTEMPT=%d", it.Attempt)}
}
