package members

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

const number = 12

func partitions() (names []string) {
	for i := range number {
		names = append(names, fmt.Sprintf("p-%02d", i))
	}
	return names
}

// divider is a member of zookit's that takes part until it is stopped.
type divider struct {
	p       *group.Partitioner
	clashes atomic.Int64
	cancel  context.CancelFunc
	done    chan error
}

func divide(t *testing.T, cl *client.Client, path, id, witness string) *divider {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	d := &divider{p: group.NewPartitioner(cl, path, id, partitions(), group.WithLayout(recipes.Kazoo)), cancel: cancel, done: make(chan error, 1)}
	go func() {
		d.done <- d.p.Run(ctx, func(ctx context.Context, part *group.Partition) error {
			mark := client.Join(witness, part.Name())
			session, err := cl.Session(ctx)
			if err != nil {
				return nil //nolint:nilerr // it is over
			}
			_, err = session.Create(ctx, mark, []byte(id), client.WithMode(client.Ephemeral))
			if errors.Is(err, client.ErrNodeExists) {
				d.clashes.Add(1)
			} else if err != nil {
				return err
			}
			<-ctx.Done()
			return session.Delete(context.WithoutCancel(ctx), mark, client.AnyVersion)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-d.done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return d
}

// owned are the partitions of members by the witness directory, the word of all kinds.
func owned(ctx context.Context, t *testing.T, look *client.Client, witness string) map[string]int {
	t.Helper()
	share := map[string]int{}
	names, _, err := look.Children(ctx, witness)
	require.NoError(t, err)
	for _, name := range names {
		who, _, err := look.Get(ctx, client.Join(witness, name))
		if errors.Is(err, client.ErrNoNode) {
			continue
		}
		require.NoError(t, err)
		share[string(who)]++
	}
	return share
}

// divided: Kazoo's SetPartitioner and zookit's divide one set, each its part of it, whoever comes and goes.
func divided(t *testing.T, p *place) {
	ctx := trial.Within(t, 3*patience)
	const path, witness = "/divided/set", "/divided/witness"
	look := p.client(t)
	trial.MakeDirectory(t, ctx, look, witness)
	program, victim := launch(t, p.kazoo, p.e.Connect()), launch(t, p.kazoo, p.e.Connect())
	wanted := func(share map[string]int) {
		t.Helper()
		require.Eventually(t, func() bool {
			now := owned(ctx, t, look, witness)
			if len(now) != len(share) {
				return false
			}
			for who, n := range share {
				if now[who] != n {
					return false
				}
			}
			return true
		}, patience, 100*time.Millisecond, "wanted %v", share)
	}
	a := divide(t, p.client(t), path, "a-zookit", witness)
	wanted(map[string]int{"a-zookit": 12})
	k := program.open(ctx, t, "b-kazoo", steady)
	k.tell(t, "divide", path, fmt.Sprint(number), witness)
	wanted(map[string]int{"a-zookit": 6, "b-kazoo": 6})
	v := victim.open(ctx, t, "c-kazoo", brief)
	v.tell(t, "divide", path, fmt.Sprint(number), witness)
	wanted(map[string]int{"a-zookit": 4, "b-kazoo": 4, "c-kazoo": 4})
	d := divide(t, p.client(t), path, "d-zookit", witness)
	wanted(map[string]int{"a-zookit": 3, "b-kazoo": 3, "c-kazoo": 3, "d-zookit": 3})
	victim.kill(t)
	wanted(map[string]int{"a-zookit": 4, "b-kazoo": 4, "d-zookit": 4})
	a.cancel()
	wanted(map[string]int{"b-kazoo": 6, "d-zookit": 6})
	k.tell(t, "finish")
	wanted(map[string]int{"d-zookit": 12})
	require.Zero(t, a.clashes.Load()+d.clashes.Load())
	for {
		said := k.hear(ctx, t, "owns")
		require.NotContains(t, said, "clash")
		if len(k.said) == 1 { // "finished"
			break
		}
	}
	k.hear(ctx, t, "finished")
}
