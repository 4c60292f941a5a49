package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

// desk is where one worker works: nodes of its own, all of them ephemeral, below the directory of the bench.
type desk struct {
	cl   *client.Client
	node string // for get and set
	dir  string // for create and lock
	data []byte
}

// work is what can be measured: one time of it.
var work = map[string]func(ctx context.Context, d *desk, n int) error{
	"get": func(ctx context.Context, d *desk, _ int) error {
		_, _, err := d.cl.Get(ctx, d.node)
		return err
	},
	"set": func(ctx context.Context, d *desk, _ int) error {
		_, err := d.cl.Set(ctx, d.node, d.data, client.AnyVersion)
		return err
	},
	"create": func(ctx context.Context, d *desk, n int) error { // and delete
		path := fmt.Sprintf("%s-c%d", d.node, n)
		if _, err := d.cl.Create(ctx, path, d.data, client.WithMode(client.Ephemeral)); err != nil {
			return err
		}
		return d.cl.Delete(ctx, path, client.AnyVersion)
	},
	"lock": func(ctx context.Context, d *desk, _ int) error { // one that nobody else wants, and unlock
		h, err := lock.NewMutex(d.cl, d.dir).Lock(ctx)
		if err != nil {
			return err
		}
		return h.Unlock(ctx)
	},
}

// order is that in which the kinds of work are measured.
var order = []string{"get", "set", "create", "lock"}

// measure has all workers do one kind of work for so long, and waits for them.
func measure(ctx context.Context, kind string, desks []*desk, span time.Duration) figure {
	within, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	tallies := make([]*tally, len(desks))
	began := time.Now()
	var workers sync.WaitGroup
	for i, d := range desks {
		tallies[i] = &tally{}
		workers.Go(func() { tallies[i].repeat(within, ctx, d, work[kind]) })
	}
	workers.Wait()
	return figureOf(kind, tallies, time.Since(began))
}

// repeat works until within has ended. What has been begun by then is done to its end, by ctx, so that nothing is cut short.
func (t *tally) repeat(within, ctx context.Context, d *desk, do func(ctx context.Context, d *desk, n int) error) {
	const most = 100 // failures in a row: it makes no sense to go on
	for n, row := 0, 0; within.Err() == nil && row < most; n++ {
		began := time.Now()
		err := do(ctx, d, n)
		switch {
		case ctx.Err() != nil: // interrupted
			return
		case err != nil:
			row++
			if t.failed++; t.why == nil {
				t.why = err
			}
		default:
			row = 0
			t.took = append(t.took, time.Since(began))
		}
	}
}
