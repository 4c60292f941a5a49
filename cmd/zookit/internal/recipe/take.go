package recipe

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/guarded"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/queue"
)

// taker takes items, in one of four ways.
type taker struct {
	*queues
	guarded.Guard
	env                       *app.Env
	pop, answer, try, repeat  bool
	long                      bool
	timeout, retryAfter, hold time.Duration
	attempts                  int
	owner                     string
}

func (c *queues) take(env *app.Env) *cobra.Command {
	t := taker{queues: c, env: env}
	cmd := &cobra.Command{
		Use:   "take PATH (-- COMMAND [ARG...] | --hold TIME | --answer | --pop)",
		Short: "Take an item: run a command on it, hold it, or take it out for good",
		Long: `Take an item, waiting for one. What becomes of it is said in one of four ways:

  -- COMMAND   The item is leased while the command runs, which gets its data on standard input. If the command ends
               with status 0 the item is acknowledged and is gone for good; otherwise it is given back, and is the next that is taken,
               or is after --retry-after. At least once: the work can be done again by another one if the lease is lost, or this program
               dies between the command's end and the acknowledgement. The command finds ZOOKIT_PATH, ZOOKIT_ID, ZOOKIT_PRIORITY,
               ZOOKIT_ATTEMPT, ZOOKIT_TOKEN and ZOOKIT_SESSION in its environment. It is guarded as by zookit lock: if the
               lease is lost the command's process group is ended before anybody else can have the item.
  --hold TIME  The item is printed, with the name of its lease: as raw the lease in the first line, and then the data. A process in the
               background holds the lease until zookit queue ack or nack is called with that name, on this machine, or gives the item
               back when the time is over. The caller has to stop working on it then: nothing ends what it does.
  --answer     The item is leased and printed as a line of JSON, and a line on standard input says what becomes of it: ack, nack,
               "nack 30s" or "bury REASON", which makes it a dead letter. The end of the input gives it back. This is for
               programs that run zookit beside themselves; they have to stop working on an item when this program ends.
  --pop        The item is taken out for good and printed. At most once: it is lost if nobody gets to read what is printed.

With --repeat one item after the other is taken, until a signal, or until there is none within --timeout, or none at all with
--try. Then a command that fails does not end it, and --max-attempts is needed, lest one item is tried for ever: an item
that was taken as often as that becomes a dead letter (--dead).

Exit status: the command's own, 128 and the signal's number if a signal ended it; 75 if there was no item
(--try) or none within --timeout; 76 if the lease was lost: the item is handed out again. With --repeat 0 at the end of the queue, and 1
if a command had failed.`,
		Example: "  zookit queue take /jobs -- ./work\n  zookit queue take /jobs --repeat --max-attempts 5 --retry-after 1m -- ./work\n  zookit queue take /jobs --dead --try -- zookit queue put /jobs -f -",
		Args: func(cmd *cobra.Command, args []string) error {
			if t.pop || t.answer || cmd.Flags().Changed("hold") {
				return cobra.ExactArgs(1)(cmd, args)
			}
			if len(args) == 1 {
				return errors.New("say what becomes of the item: PATH -- COMMAND, or --hold, --answer or --pop")
			}
			return guarded.PathAndCommand(cmd, args)
		},
	}
	run := app.With(env, t.run)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("hold") {
			return run(cmd, args)
		}
		if t.hold <= 0 || t.pop || t.answer || t.repeat {
			return app.Usagef("--hold wants a time, and neither --pop, --answer nor --repeat")
		}
		if t.holding() {
			return t.holder(cmd.Context(), args)
		}
		p, err := env.Printer()
		if err != nil {
			return err
		}
		return t.holdFor(cmd.Context(), p)
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&t.pop, "pop", false, "take the item out for good, and print it: at most once")
	f.DurationVar(&t.hold, "hold", 0, "print the item, and hold it for so long at most, until zookit queue ack or nack")
	f.BoolVar(&t.answer, "answer", false, "print the item, and read on standard input what becomes of it")
	f.BoolVar(&t.try, "try", false, "do not wait")
	f.DurationVar(&t.timeout, "timeout", 0, "how long to wait for an item (default: for ever)")
	f.BoolVar(&t.repeat, "repeat", false, "take one item after the other")
	f.IntVar(&t.attempts, "max-attempts", 0, "an item that was taken so often becomes a dead letter (default: never)")
	f.DurationVar(&t.retryAfter, "retry-after", 0, "how long an item is kept back after a command has failed")
	f.StringVar(&t.owner, "owner", "", "what the lease's node says about its holder (default: host and process id)")
	f.BoolVarP(&t.long, "long", "l", false, "with --pop: with its id, priority and attempt")
	return cmd
}

// check is done before anything is taken.
func (t *taker) check(ctx context.Context, cl *client.Client) error {
	switch {
	case t.pop && t.answer:
		return app.Usagef("--pop and --answer exclude each other")
	case t.answer && t.env.Shared():
		return app.Usagef("--answer reads standard input, which is the shell's")
	case t.try && t.timeout > 0:
		return app.Usagef("--try does not wait, and --timeout says how long to")
	case t.pop && (t.attempts > 0 || t.retryAfter > 0):
		return app.Usagef("--pop takes an item for good: there are no attempts")
	case t.repeat && !t.pop && !t.answer && t.attempts < 1:
		return app.Usagef("--repeat needs --max-attempts: otherwise an item whose command fails is tried for ever")
	}
	s, err := cl.Session(ctx)
	if err != nil || t.pop || t.answer || t.hold > 0 { // without a command
		return err
	}
	return t.Check(s)
}

// open returns the queue, when it is certain that the call makes sense.
func (t *taker) open(ctx context.Context, cl *client.Client, path string) (*queue.Queue[[]byte], error) {
	if err := t.check(ctx, cl); err != nil {
		return nil, err
	}
	opts := []queue.Option{queue.WithOwner(guarded.Identifier(t.owner))}
	if t.layout == "kazoo-locking" && t.owner == "" {
		opts = nil // the layout has names of its own
	}
	if t.attempts > 0 {
		opts = append(opts, queue.WithMaxAttempts(t.attempts))
	}
	return t.queues.open(cl, path, opts...)
}

func (t *taker) run(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
	q, err := t.open(ctx, cl, args[0])
	if err != nil {
		return err
	}
	one := func() (bool, error) { return t.command(ctx, cl, q, args) }
	switch {
	case t.pop:
		one = func() (bool, error) { return t.popped(ctx, q, p) }
	case t.answer:
		one = newAnswers(t, q).one(ctx)
	}
	if !t.repeat {
		_, err := one()
		return err
	}
	return t.all(ctx, one)
}

// all takes one item after the other; one says whether it has had one.
func (t *taker) all(ctx context.Context, one func() (bool, error)) error {
	failed := 0
	for {
		had, err := one()
		exit, _ := errors.AsType[*app.Exit](err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
		case !had && exit != nil && exit.Code == app.ExitBusy:
			if failed > 0 {
				return &app.Exit{Code: app.ExitFailed, Err: failures(failed)}
			}
			return nil
		case had && exit != nil && exit.Code != app.ExitNoCommand:
			failed++
			t.env.Say("%v; takes the next", err)
		default:
			return err
		}
	}
}

// wait calls take, for as long as it may wait.
func wait[V any](ctx context.Context, t *taker, path string, take, try func(ctx context.Context) (V, error)) (V, error) {
	if t.try {
		take = try
	}
	within, stop := guarded.Waiting(ctx, t.timeout)
	defer stop()
	v, err := take(within)
	if err != nil {
		err = guarded.Missed(ctx, path, t.timeout, errors.Is(err, queue.ErrEmpty), err)
	}
	return v, err
}

// popped takes an item for good, and prints it.
func (t *taker) popped(ctx context.Context, q *queue.Queue[[]byte], p *output.Printer) (bool, error) {
	e, err := wait(ctx, t, q.Path(), q.Pop, q.TryPop)
	if err != nil {
		return false, err
	}
	it := itemOf(e)
	if t.repeat && (p.Format() != "table" || !t.long) {
		return true, p.Line(it, string(it.Raw()))
	}
	return true, it.show(t.env, p, t.long)
}

// command leases an item and runs the command on it.
func (t *taker) command(ctx context.Context, cl *client.Client, q *queue.Queue[[]byte], args []string) (bool, error) {
	it, err := wait(ctx, t, q.Path(), q.Take, q.TryTake)
	if err != nil {
		return false, err
	}
	err = t.Run(ctx, t.env, cl, it, guarded.Command{
		Path: args[0], Args: args[1:], Env: variables(it), In: bytes.NewReader(itemOf(it.Entry).Raw()),
	})
	if err == nil {
		return true, settled(guarded.Release(ctx, it.Ack, settling))
	}
	if exit, ok := errors.AsType[*app.Exit](err); !ok || exit.Code != app.ExitLost {
		t.giveBack(ctx, it, t.retryAfter)
	}
	return true, err
}
