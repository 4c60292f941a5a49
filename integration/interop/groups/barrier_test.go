package groups

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

// barrierRounds is how often each kind closes the barrier for each to open it.
const barrierRounds = 8

// barriers: on one path each kind closes the barrier and each opens it, and each time one of each kind waits; a
// closer and a waiter are killed.
func barriers(t *testing.T, p *place) {
	ctx := trial.Within(t, 2*patience)
	look := p.client(t)
	trial.MakeDirectory(t, ctx, look, "/barrier")
	path := "/barrier/gate"
	gate := barrier.New(look, path)
	all := []*member{
		join(p.client(t), "z", recipes.Curator).serve(t),
		p.kazoo.open(ctx, t, "barrier-k", steady),
		p.curator.open(ctx, t, "barrier-c", steady),
	}
	waiters := []*member{
		join(p.client(t), "zw", recipes.Kazoo).serve(t),
		p.kazoo.open(ctx, t, "barrier-kw", steady),
		p.curator.open(ctx, t, "barrier-cw", steady),
	}
	// opened has the barrier, which is closed, opened while the waiters wait at it.
	opened := func(round string, opens *member) {
		before := mark(ctx, t, look, client.Join(round, "opens"))
		opens.tell("remove", path)
		opens.expect(ctx, t, "removed")
		for _, w := range waiters {
			w.expect(ctx, t, "through")
			require.Greater(t, made(ctx, t, look, client.Join(round, w.name)), before, "%s came through while it was closed", w.name)
		}
		removed, err := gate.Remove(ctx)
		require.NoError(t, err)
		require.False(t, removed, "it is open already")
	}
	for i := range barrierRounds {
		for _, closes := range all {
			for _, opens := range all {
				round := fmt.Sprintf("/barrier/%s-%s-%d", closes.kind, opens.kind, i)
				trial.MakeDirectory(t, ctx, look, round)
				closes.tell("set", path)
				closes.expect(ctx, t, "set")
				created, err := gate.Create(ctx)
				require.NoError(t, err)
				require.False(t, created, "it is closed already")
				for _, w := range waiters {
					w.tell("wait", path, client.Join(round, w.name))
				}
				watched(ctx, t, p, path, len(waiters))
				for _, w := range waiters {
					w.silent(t)
				}
				opened(round, opens)
			}
		}
	}
	// The process that has closed it is killed, and with it one that waits: it stays closed.
	for _, kind := range []string{"kazoo", "curator"} {
		victim, round := p.launch(t, kind), "/barrier/"+kind+"-killed"
		trial.MakeDirectory(t, ctx, look, round)
		closes, doomed := victim.open(ctx, t, "barrier-closer", brief), victim.open(ctx, t, "barrier-doomed", brief)
		closes.tell("set", path)
		closes.expect(ctx, t, "set")
		for _, w := range append(slices.Clip(waiters), doomed) {
			w.tell("wait", path, client.Join(round, w.name))
		}
		watched(ctx, t, p, path, len(waiters)+1)
		victim.kill(t)
		watched(ctx, t, p, path, len(waiters))
		for _, w := range waiters {
			w.silent(t)
		}
		opened(round, all[0])
	}
}

// mark makes a node and returns its transaction: what is made after it has a greater one.
func mark(ctx context.Context, t *testing.T, look *client.Client, path string) int64 {
	t.Helper()
	node, err := look.Create(ctx, path, nil)
	require.NoError(t, err)
	return node.Stat.Czxid
}

// made returns the transaction that made a witness.
func made(ctx context.Context, t *testing.T, look *client.Client, path string) int64 {
	t.Helper()
	stat, ok, err := look.Exists(ctx, path)
	require.NoError(t, err)
	require.True(t, ok, path)
	return stat.Czxid
}

// watched waits until so many sessions watch a path.
func watched(ctx context.Context, t *testing.T, p *place, path string, sessions int) {
	t.Helper()
	server, err := admin.NewServer(p.e.Servers()[0].Addr())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		all, err := server.Command(ctx, "wchp")
		if err != nil {
			return false
		}
		_, of, _ := strings.Cut("\n"+all, "\n"+path+"\n")
		n := 0
		for line := range strings.Lines(of) {
			if !strings.HasPrefix(line, "\t") {
				break
			}
			n++
		}
		return n == sessions
	}, patience, 20*time.Millisecond, "%d sessions watch %s", sessions, path)
}
