package locks

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// entry is something of zookit's that could be had on a path.
type entry func(ctx context.Context, cl *client.Client, path string) error

func mutex(l recipes.Layout) entry {
	return func(ctx context.Context, cl *client.Client, path string) error {
		_, err := lock.NewMutex(cl, path, lock.WithLayout(l)).Lock(ctx)
		return err
	}
}

func writer(l recipes.Layout) entry {
	return func(ctx context.Context, cl *client.Client, path string) error {
		_, err := lock.NewRWMutex(cl, path, lock.WithLayout(l)).Lock(ctx)
		return err
	}
}

func reader(l recipes.Layout) entry {
	return func(ctx context.Context, cl *client.Client, path string) error {
		_, err := lock.NewRWMutex(cl, path, lock.WithLayout(l)).RLock(ctx)
		return err
	}
}

func semaphore(l recipes.Layout) entry {
	return func(ctx context.Context, cl *client.Client, path string) error {
		_, err := lock.NewSemaphore(cl, path, limit, lock.WithLayout(l)).Acquire(ctx, 1)
		return err
	}
}

func campaign(options ...election.Option) entry {
	return func(ctx context.Context, cl *client.Client, path string) error {
		_, err := election.New(cl, path, "zookit", options...).Campaign(ctx)
		return err
	}
}

// The entries, in both layouts.
var (
	latch          = campaign()
	selector       = campaign(election.WithLeaderSelector())
	kazooElection  = campaign(election.WithLayout(recipes.Kazoo))
	mutexCurator   = mutex(recipes.Curator)
	mutexKazoo     = mutex(recipes.Kazoo)
	writerCurator  = writer(recipes.Curator)
	writerKazoo    = writer(recipes.Kazoo)
	readerCurator  = reader(recipes.Curator)
	readerKazoo    = reader(recipes.Kazoo)
	permitsCurator = semaphore(recipes.Curator)
	permitsKazoo   = semaphore(recipes.Kazoo)
)

// strangers are, for what a process of a library holds, what of zookit's cannot share the path with it.
var strangers = map[recipes.Layout]map[string]map[string]entry{
	recipes.Kazoo: {
		"mutex": {
			"mutex": mutexCurator, "writer": writerCurator, "reader": readerCurator, "latch": latch, "selector": selector,
			"semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"rw": {
			"mutex": mutexCurator, "writer": writerCurator, "reader": readerCurator, "latch": latch,
			"semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"read": {
			"mutex": mutexCurator, "writer": writerCurator, "reader": readerCurator, "latch": latch,
			"semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo, "Kazoo's mutex": mutexKazoo,
		},
		"election": {"mutex": mutexCurator, "latch": latch, "selector": selector, "semaphore": permitsCurator},
		"semaphore": {
			"semaphore": permitsCurator, "Kazoo's mutex": mutexKazoo, "mutex": mutexCurator,
			"writer": writerCurator, "Kazoo's writer": writerKazoo, "Kazoo's reader": readerKazoo, "latch": latch, "Kazoo's election": kazooElection,
		},
	},
	recipes.Curator: {
		"mutex": {
			"Kazoo's mutex": mutexKazoo, "writer": writerCurator, "reader": readerCurator, "Kazoo's writer": writerKazoo, "latch": latch,
			"Kazoo's election": kazooElection, "semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"rw": {
			"mutex": mutexCurator, "Kazoo's mutex": mutexKazoo, "Kazoo's writer": writerKazoo, "Kazoo's reader": readerKazoo, "latch": latch,
			"selector": selector, "semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"read": {
			"mutex": mutexCurator, "Kazoo's mutex": mutexKazoo, "Kazoo's writer": writerKazoo, "Kazoo's reader": readerKazoo, "latch": latch,
			"semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"latch": {
			"mutex": mutexCurator, "Kazoo's mutex": mutexKazoo, "writer": writerCurator, "reader": readerCurator, "selector": selector,
			"Kazoo's election": kazooElection, "semaphore": permitsCurator, "Kazoo's semaphore": permitsKazoo,
		},
		"semaphore": {
			"Kazoo's semaphore": permitsKazoo, "mutex": mutexCurator, "Kazoo's mutex": mutexKazoo,
			"writer": writerCurator, "reader": readerCurator, "Kazoo's writer": writerKazoo, "latch": latch, "Kazoo's election": kazooElection,
		},
	},
}

// refusals has a process of the library hold one of each, and shows that whatever of
// zookit's would not exclude it there is refused, and leaves no trace on the path.
func refusals(t *testing.T, addr string, layout recipes.Layout, command []string) {
	t.Helper()
	ctx := trial.Within(t, patience)
	j := newJournal()
	cl := trial.Connect(t, addr, client.WithSessionTimeout(longSessions))
	p := startPeer(ctx, t, j, layout.String(), command, addr, longSessions, "/unused")
	for held, entries := range strangers[layout] {
		path := "/refused/" + held
		p.tell(t, "take", held, path)
		select {
		case took := <-p.took:
			require.Equal(t, path, took)
		case <-p.done:
			t.Fatal(j.wait(ctx, nil, nil, 0, 0))
		case <-ctx.Done():
			t.Fatalf("%s does not get the %s: %v", p.name, held, j.wait(ctx, nil, nil, 0, 0))
		}
		before := tree(t, cl, path)
		require.NotEmpty(t, before)
		for name, enter := range entries {
			// Who is not refused gets in, or waits for ever.
			soon, cancel := context.WithTimeout(ctx, 30*time.Second)
			require.ErrorIs(t, enter(soon, cl, path), recipes.ErrLayoutConflict, "%s of zookit's on the path of a %s of %s's", name, held, layout)
			cancel()
		}
		// What had been made before the other was seen is deleted behind the caller's back.
		require.Eventually(t, func() bool { return slices.Equal(before, tree(t, cl, path)) }, time.Minute, 100*time.Millisecond, held)
	}
}

// tree lists the ephemeral nodes on a path, two levels deep.
func tree(t *testing.T, cl *client.Client, path string) []string {
	t.Helper()
	all := []string{}
	for _, dir := range append([]string{path}, children(t, cl, path)...) {
		for _, node := range children(t, cl, dir) {
			stat, _, err := cl.Exists(t.Context(), node)
			require.NoError(t, err)
			if stat.EphemeralOwner != 0 {
				all = append(all, node)
			}
		}
	}
	slices.Sort(all)
	return all
}

// children lists the paths of a node's children; it may have gone.
func children(t *testing.T, cl *client.Client, path string) []string {
	t.Helper()
	names, _, err := cl.Children(t.Context(), path)
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	require.NoError(t, err)
	for i, name := range names {
		names[i] = client.Join(path, name)
	}
	return names
}
