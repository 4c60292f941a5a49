package recipes_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// sights counts the requests that tell what is in a directory, and those that look at single nodes of
// it.
type sights struct{ lists, reads atomic.Int64 }

// watch begins to count.
func (s *sights) watch(srv *zktest.Server, dir string) {
	srv.OnRequest(func(r zktest.Request) {
		switch r.Op {
		case zktest.OpGetChildren, zktest.OpGetChildren2:
			if r.Path == dir {
				s.lists.Add(1)
			}
		case zktest.OpExists, zktest.OpGetData:
			if strings.HasPrefix(r.Path, dir+"/") {
				s.reads.Add(1)
			}
		}
	})
}

// Thousands stand in one line, and are served without anybody listing it: what a hand-over costs does
// not grow with the line. Each is served in its turn.
func TestLongLineDrains(t *testing.T) {
	t.Parallel()
	drain(t, manyWaiters)
}

// The same with 5,000 where the tests have the race detector, which is too slow for so many: CI runs the benchmarks
// without it.
func BenchmarkLongLineDrains(b *testing.B) {
	for b.Loop() {
		drain(b, 5_000)
	}
}

// drain serves a line of so many waiters.
func drain(t testing.TB, many int) {
	t.Helper()
	const limit = 5 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	// So long that nobody confirms what it holds meanwhile, which costs a watch and a read.
	srv := zktest.Start(t, zktest.WithSessionTimeouts(time.Second, 10*limit))
	sessions := client.WithSessionTimeout(10 * limit)
	holder := acquire(t, newLine(t, connect(t, srv, sessions), long))
	var joining, seen sights
	joining.watch(srv, dir)
	tokens := make([]int64, 0, many) // appended to by who holds
	var waiters sync.WaitGroup
	for range 5 {
		l := newLine(t, connect(t, srv, sessions), long)
		for range many / 5 {
			waiters.Go(func() {
				g, err := l.Acquire(ctx)
				if err != nil {
					t.Errorf("acquire: %v", err)
					return
				}
				tokens = append(tokens, g.Token())
				if err := g.Release(ctx); err != nil {
					t.Errorf("release: %v", err)
				}
			})
		}
	}
	require.Eventually(t, func() bool { return joining.reads.Load() == int64(many) && srv.Watches() == many }, limit, 20*time.Millisecond, "each watches one node")
	seen.watch(srv, dir)
	release(t, holder)
	waiters.Wait()
	srv.OnRequest(nil)
	require.Len(t, tokens, many)
	require.IsIncreasing(t, tokens)
	require.Zero(t, seen.lists.Load(), "lists of the line")
	require.LessOrEqual(t, seen.reads.Load(), int64(many), "one read for the one that is woken")
	requireClean(t, srv, 0)
}

// The line before a pool is served likewise; what is listed at each hand-over are the permits.
func TestLongLineOfPoolDrains(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		const waiting = 100
		srv := zktest.Start(t)
		hold := take(t, at.pool(t, connect(t, srv), 1), 1)
		done := make(chan outcome, waiting)
		for range 4 {
			p := at.pool(t, connect(t, srv), 1)
			for range waiting / 4 {
				go func() {
					g, err := p.Acquire(t.Context(), 1)
					done <- outcome{g, err}
				}()
			}
		}
		// All but the first in line watch the one ahead; the first, the permits and the limit.
		require.Eventually(t, func() bool { return srv.Watches() == waiting+1 }, patience, time.Millisecond)
		var line sights
		line.watch(srv, at.line)
		release(t, hold)
		tokens := make([]int64, 0, waiting)
		for range waiting {
			o := wait(t, "a permit", done)
			require.NoError(t, o.err)
			tokens = append(tokens, o.grant.Token())
			release(t, o.grant)
		}
		require.IsIncreasing(t, tokens)
		// In Kazoo's layout who is behind a holder that has not waited, the first, has to look: a
		// writer, whose nodes have the same names, might have become a reader there.
		lists := map[recipes.Layout]int64{recipes.Kazoo: 1}[at.layout]
		require.Equal(t, lists, line.lists.Load(), "lists of the line")
		at.requireLeft(t, srv, 0, 0)
	})
}
