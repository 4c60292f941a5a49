package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// Many at once, with weights: never more than the limit are held, and all come through.
func TestPoolManyAtOnce(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		const limit, workers, rounds = 5, 9, 4
		srv := zktest.Start(t)
		var pools []*recipes.Pool
		for range 3 {
			pools = append(pools, at.pool(t, connect(t, srv), limit))
		}
		var held census
		done := make(chan error, workers)
		for i := range workers {
			go func() {
				done <- func() error {
					for round := range rounds {
						g, err := pools[i%3].Acquire(t.Context(), 1+(i+round)%limit)
						if err != nil {
							return err
						}
						out := held.in(g)
						if n := len(at.held(srv)); n > limit {
							return fmt.Errorf("%d nodes", n)
						}
						out()
						if err := g.Release(t.Context()); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		for range workers {
			require.NoError(t, wait(t, "a worker", done))
		}
		require.LessOrEqual(t, held.most.Load(), int64(limit))
		require.Positive(t, held.most.Load())
		at.requireLeft(t, srv, 0, 0)
	})
}

// The same while sessions expire, connections are lost, answers are swallowed, callers give up
// and the limit changes: never more than the greatest limit are held.
func TestPoolManyUnderFaults(t *testing.T) {
	t.Parallel()
	eachPoolSite(t, func(t *testing.T, at poolSite) {
		const limit, workers, rounds = 4, 6, 6
		srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
		var pools []*recipes.Pool
		var clients []*client.Client
		for range 3 {
			cl := connect(t, srv)
			clients = append(clients, cl)
			p := at.pool(t, cl, limit)
			release(t, take(t, p, 1)) // has seen the limit before it changes
			pools = append(pools, p)
		}
		var held census
		done := make(chan error, workers)
		working, finish := context.WithCancel(t.Context())
		for i := range workers {
			go func() {
				done <- func() error {
					for round := range rounds {
						ctx, cancel := context.WithCancel(t.Context())
						if (i+round)%5 == 0 {
							context.AfterFunc(working, cancel)
							time.AfterFunc(rand.N(20*time.Millisecond), cancel)
						}
						g, err := pools[i%3].Acquire(ctx, 1+(i+round)%2)
						cancel()
						if errors.Is(err, context.Canceled) {
							continue
						}
						if err != nil {
							return err
						}
						out := held.in(g)
						stop := context.AfterFunc(g.Context(), out)
						_ = srv.Zxid() // the server is asked, so that others run
						stop()
						out()
						if err := g.Release(t.Context()); err != nil {
							return err
						}
					}
					return nil
				}()
			}()
		}
		var faults sync.WaitGroup
		faults.Go(func() {
			for n := range 8 { // connections that do not last make a client slow to come back
				until := 2 + rand.N(10)
				fault := srv.SwallowReply(zktest.Match{
					Ops:   []zktest.Op{zktest.OpMulti, zktest.OpCreate2, zktest.OpDelete},
					Where: func(zktest.Request) bool { until--; return until < 0 },
				})
				select {
				case <-fault.Fired():
				case <-working.Done():
					fault.Cancel()
					return
				}
				switch n % 4 {
				case 1:
					if s, err := clients[n%3].Session(working); err == nil {
						srv.ExpireSession(s.ID())
					}
				case 2:
					srv.DropConnections()
				case 3:
					_ = pools[0].SetLimit(working, limit-n%3)
				}
			}
		})
		for range workers {
			if err := wait(t, "a worker", done); err != nil {
				finish()
				faults.Wait()
				require.NoError(t, err)
			}
		}
		finish()
		faults.Wait()
		require.LessOrEqual(t, held.most.Load(), int64(limit))
		at.requireLeft(t, srv, 0, 0)
	})
}
