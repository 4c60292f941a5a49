package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/models"
)

// Watches is nodes that are made, changed and deleted, and watched: who follows the events has the whole truth in the end,
// and no read shows what the events have not told of before.
//
// Operations: write ({what}), read (of a node that an event has named). Notes: missed, early, and settled, as models.Watched has it.
func Watches() *Workload {
	return &Workload{
		Name: "watches",
		Doc:  "who follows a watch misses nothing in the end, and reads nothing newer than the watch has told of",
		Setup: func(ctx context.Context, cl *client.Client, path string) error {
			_, err := cl.Create(ctx, path+"/tree", nil, client.WithParents())
			if errors.Is(err, client.ErrNodeExists) {
				return nil
			}
			return err
		},
		Run: func(ctx context.Context, env *Env) error {
			dir := env.Path + "/tree"
			w, err := env.Client.AddWatch(ctx, dir, client.WatchPersistentRecursive)
			if err != nil {
				return surprise(ctx, "watch", err)
			}
			defer w.Close()
			f := &follower{env: env, w: w, dir: dir, view: map[string]int64{}, told: map[string]bool{}}
			var following sync.WaitGroup
			following.Go(func() { f.follow(ctx) })
			err = takeTurns(ctx, env, func() error { return change(ctx, env, dir) })
			following.Wait()
			return err
		},
		Check: models.Watched,
	}
}

// names is how many nodes there are.
const names = 4

// change makes, changes or deletes a node.
func change(ctx context.Context, env *Env, dir string) error {
	path := fmt.Sprintf("%s/n%d", dir, env.Rand.IntN(names))
	op := env.Record.Invoke("write", map[string]string{"path": path})
	bounded, cancel := env.Bounded(ctx)
	defer cancel()
	var err error
	switch env.Rand.IntN(4) {
	case 0:
		_, err = env.Client.Create(bounded, path, []byte(env.Name))
	case 1:
		err = env.Client.Delete(bounded, path, client.AnyVersion)
	default:
		_, err = env.Client.Set(bounded, path, []byte(env.Name), client.AnyVersion)
	}
	op.End(nil, err)
	if errors.Is(err, client.ErrNoNode) || errors.Is(err, client.ErrNodeExists) || client.Outcome(err) == client.Unknown {
		return nil
	}
	return surprise(bounded, "write", err, client.ErrReadOnly)
}

// follower has a view of the tree, by the events of a watch.
type follower struct {
	env  *Env
	w    *client.Watcher
	dir  string
	view map[string]int64 // by path: the transaction that changed it last; absent if there is none
	told map[string]bool  // paths that events have named, and that have not been read since
	all  bool             // everything is to be read
	over bool             // the watch has ended
}

// follow reads what the events name, until ctx ends, and then until the view is the truth.
func (f *follower) follow(ctx context.Context) {
	tick := time.NewTicker(f.env.pace())
	defer tick.Stop()
	for n := 0; ctx.Err() == nil && !f.over; {
		select {
		case <-tick.C:
			n++
			f.glance(ctx, fmt.Sprintf("%s/n%d", f.dir, n%names))
		case ev, ok := <-f.w.C:
			f.take(ev, ok)
			f.catchUp(ctx)
		case <-ctx.Done():
		}
	}
	f.settle(ctx)
}

func (f *follower) take(ev client.Event, ok bool) {
	switch {
	case !ok:
		f.over = true
	case ev.Type == client.EventResynced:
		f.all = true
	default:
		f.told[ev.Path] = true
	}
}

// drain takes all events that are there.
func (f *follower) drain() {
	for !f.over {
		select {
		case ev, ok := <-f.w.C:
			f.take(ev, ok)
		default:
			return
		}
	}
}

// catchUp reads what has been told of.
func (f *follower) catchUp(ctx context.Context) {
	for f.drain(); (f.all || len(f.told) > 0) && ctx.Err() == nil; f.drain() {
		if f.all {
			f.all = false
			for i := range names {
				f.told[fmt.Sprintf("%s/n%d", f.dir, i)] = true
			}
		}
		for path := range f.told {
			delete(f.told, path)
			if path != f.dir && !f.read(ctx, path) {
				f.told[path] = true
			}
		}
	}
}

// read brings one node of the view up to date.
func (f *follower) read(ctx context.Context, path string) bool {
	stat, ok, err := f.env.Client.Exists(ctx, path)
	switch {
	case err != nil:
		return false
	case ok:
		f.view[path] = stat.Mzxid
	default:
		delete(f.view, path)
	}
	return true
}

// glance reads a node that no event has named, and notes if it has changed all the same.
func (f *follower) glance(ctx context.Context, path string) {
	f.drain()
	if f.all || f.told[path] {
		return
	}
	before, was := f.view[path]
	stat, ok, err := f.env.Client.Exists(ctx, path)
	if err != nil {
		return
	}
	now := stat.Mzxid
	f.drain() // the event, if there was a change, is there by now
	if (ok != was || ok && now != before) && !f.all && !f.told[path] {
		f.env.Record.Note(models.Early, models.Glance{Path: path, View: before, Read: now})
	}
}

// settle waits until the view is the truth: nobody changes anything any more.
func (f *follower) settle(ctx context.Context) {
	ctx, cancel := Cleaning(ctx)
	defer cancel()
	for range 20 {
		if f.over {
			return
		}
		f.catchUp(ctx)
		if diff := f.differences(ctx); diff == "" {
			f.env.Record.Note(models.Settled, nil)
			return
		} else if ctx.Err() != nil {
			f.env.Record.Note(models.Missed, models.Difference{Text: diff})
			return
		}
		wait(ctx, time.Second)
	}
	f.env.Record.Note(models.Missed, models.Difference{Text: f.differences(ctx)})
}

// differences compares the view with what the servers say.
func (f *follower) differences(ctx context.Context) string {
	if err := f.env.Client.Sync(ctx, f.dir); err != nil {
		return err.Error()
	}
	var out []string
	for i := range names {
		path := fmt.Sprintf("%s/n%d", f.dir, i)
		stat, ok, err := f.env.Client.Exists(ctx, path)
		have, had := f.view[path]
		switch {
		case err != nil:
			out = append(out, err.Error())
		case ok != had, ok && stat.Mzxid != have:
			out = append(out, fmt.Sprintf("%s: transaction %d (%v) in the view, %d (%v) in truth", path, have, had, stat.Mzxid, ok))
		}
	}
	return strings.Join(out, "; ")
}
