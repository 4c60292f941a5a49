package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// bench is what is measured, and how.
type bench struct {
	kinds            []string
	workers, clients int
	span             time.Duration
	bytes            int
	path             string
}

// Bench returns the command that measures.
func Bench(env *app.Env) *cobra.Command {
	var b bench
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put a small load on the ensemble, and say how fast it was",
		Long: `Put a small load on the ensemble, one kind of work after the other, and say how many times a second it was done and how long each
took: get, set, create (and delete), lock (one that nobody else wants, and unlock). Each worker does one after the other, so that
--workers is how many are under way at once.

Everything is in a directory of its own below --path, which is deleted at the end; its nodes are ephemeral, and it is a container where
servers have those, so that they go by themselves also if this program is killed. Mind that others share the ensemble: it does as much
as it can.

With --output json it prints {workers, clients, seconds, bytes, work}; each of work has {work, count, errors, perSecond, p50Ms, p95Ms,
p99Ms, maxMs, error}. Names are added to this, never changed.

Exit status: 1 if anything failed.`,
		Example: "  zookit bench\n  zookit bench --work set,lock --workers 50 --duration 10s --bytes 1000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			if err := b.check(); err != nil {
				return err
			}
			r, err := b.run(cmd.Context(), env)
			if err != nil {
				return err
			}
			if err := p.Print(r); err != nil {
				return err
			}
			for _, f := range r.Work {
				if f.why != nil {
					return fmt.Errorf("%s failed %d times, at first: %w", f.Work, f.Errors, f.why)
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&b.kinds, "work", order, "what to measure")
	f.IntVarP(&b.workers, "workers", "c", 10, "how many work at once")
	f.IntVar(&b.clients, "clients", 1, "how many sessions they share")
	f.DurationVarP(&b.span, "duration", "d", 3*time.Second, "how long each kind of work is measured")
	f.IntVar(&b.bytes, "bytes", 100, "how much data the nodes have")
	f.StringVar(&b.path, "path", "/", "below which node to work")
	return cmd
}

func (b *bench) check() error {
	for _, kind := range b.kinds {
		if !slices.Contains(order, kind) {
			return app.Usagef("--work %s: give some of %s", kind, strings.Join(order, ", "))
		}
	}
	switch {
	case b.workers < 1 || b.workers > 10000, b.clients < 1 || b.clients > b.workers:
		return app.Usagef("--workers is from 1 to 10000, and --clients from 1 to that")
	case b.span <= 0:
		return app.Usagef("--duration %v: more than 0", b.span)
	case b.bytes < 0 || b.bytes > 1000000:
		return app.Usagef("--bytes %d: from 0 to 1000000", b.bytes)
	}
	return client.CheckPath(b.path)
}

// farewell is for how long what was made is deleted after an interrupt; what is left then goes with the session.
const farewell = 10 * time.Second

// run makes what is worked on, measures, and deletes it, however it ends.
func (b *bench) run(ctx context.Context, env *app.Env) (r *result, err error) {
	clients := make([]*client.Client, b.clients)
	for i := range clients {
		cl, done, err := env.Connect(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
		clients[i] = cl
	}
	dir := client.Join(b.path, "zookit-bench-"+strings.ToLower(rand.Text()))
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if deleting := clients[0].DeleteAll(ctx, dir); deleting != nil && !errors.Is(deleting, client.ErrNoNode) {
			err = errors.Join(err, fmt.Errorf("%s is left: %w", dir, deleting))
		}
	}()
	desks, err := b.furnish(ctx, clients, dir)
	if err != nil {
		return nil, err
	}
	r = &result{Workers: b.workers, Clients: b.clients, Seconds: b.span.Seconds(), Bytes: b.bytes, Work: []figure{}}
	progress := env.Progress("measured", len(b.kinds))
	defer progress.Done()
	for _, kind := range b.kinds {
		r.Work = append(r.Work, measure(ctx, kind, desks, b.span))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		progress.Add(1)
	}
	return r, nil
}

// furnish makes the directory, and a node for each worker.
func (b *bench) furnish(ctx context.Context, clients []*client.Client, dir string) ([]*desk, error) {
	_, err := clients[0].Create(ctx, dir, nil, client.WithMode(client.Container))
	if errors.Is(err, client.ErrUnimplemented) { // before 3.5.1
		_, err = clients[0].Create(ctx, dir, nil)
	}
	if err != nil {
		return nil, err
	}
	desks := make([]*desk, b.workers)
	for i := range desks {
		d := &desk{cl: clients[i%len(clients)], node: fmt.Sprintf("%s/w%d", dir, i), dir: fmt.Sprintf("%s/l%d", dir, i), data: []byte(strings.Repeat("z", b.bytes))}
		if _, err := d.cl.Create(ctx, d.node, d.data, client.WithMode(client.Ephemeral)); err != nil {
			return nil, err
		}
		desks[i] = d
	}
	return desks, nil
}
