package queue_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// An id is known from its Put until some time after its item has gone.
func TestIDsAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		q := texts(cl, queue.WithMemory(time.Minute))
		weird := "a/b |%\x00ü-0000000001"
		for range 2 {
			id, err := q.Put(t.Context(), "x", queue.ID(weird))
			require.NoError(t, err)
			require.Equal(t, weird, id)
			_, err = q.Put(t.Context(), "y", queue.ID(weird))
			require.ErrorIs(t, err, queue.ErrDuplicate)
			item := take(t, q)
			require.Equal(t, weird, item.ID)
			_, err = q.Put(t.Context(), "y", queue.ID(weird))
			require.ErrorIs(t, err, queue.ErrDuplicate, "while it is leased")
			require.NoError(t, item.Nack(t.Context(), time.Second))
			_, err = q.Put(t.Context(), "y", queue.ID(weird))
			require.ErrorIs(t, err, queue.ErrDuplicate, "while it is delayed")
			item, err = q.Take(t.Context())
			require.NoError(t, err)
			require.NoError(t, item.Ack(t.Context()))
			_, err = q.Put(t.Context(), "y", queue.ID(weird))
			require.ErrorIs(t, err, queue.ErrDuplicate, "after it has gone")
			time.Sleep(2 * time.Minute)
			// Somebody's acknowledgements, in the same shard, have what is over deleted.
			for i := 0; known(srv, weird); i++ {
				require.Less(t, i, 100_000)
				id := fmt.Sprint("other ", i)
				if shardOf(t, srv, cl, id) == shardOf(t, srv, cl, weird) {
					for range 64 {
						_, err = texts(cl, queue.WithMemory(0)).Put(t.Context(), "z", queue.ID(id))
						require.NoError(t, err)
						_, err = q.Pop(t.Context())
						require.NoError(t, err)
					}
				}
			}
		}
		now := texts(cl, queue.WithMemory(0))
		for range 2 {
			_, err := now.Put(t.Context(), "x", queue.ID("soon forgotten"))
			require.NoError(t, err)
			_, err = now.Pop(t.Context())
			require.NoError(t, err)
		}
	})
}

func known(srv *zktest.Server, id string) bool { return shardIn(srv, id) != "" }

// shardIn is the shard in which the id is.
func shardIn(srv *zktest.Server, id string) string {
	for p, n := range srv.Dump() {
		if strings.HasPrefix(p, path+"/ids/") && len(n.Children) > 0 {
			for _, name := range n.Children {
				if name == "i"+escape(id) {
					return p
				}
			}
		}
	}
	return ""
}

// shardOf is the shard of an id, which it puts for that if need be.
func shardOf(t *testing.T, srv *zktest.Server, cl *client.Client, id string) string {
	t.Helper()
	if at := shardIn(srv, id); at != "" {
		return at
	}
	q := texts(cl, queue.WithMemory(0))
	_, err := q.Put(t.Context(), "z", queue.ID(id))
	require.NoError(t, err)
	defer func() {
		_, err = q.Pop(t.Context())
		require.NoError(t, err)
	}()
	return shardIn(srv, id)
}

// Of a PutAll those are left out whose id is known, or comes twice.
func TestPutAllLeavesOutWhatIsKnown(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	_, err := q.Put(bounded(t), "b", queue.ID("2"))
	require.NoError(t, err)
	ids, err := q.PutAll(bounded(t), []string{"a", "b", "c", "a", "d"}, queue.IDs("1", "2", "3", "1", "4"))
	require.ErrorIs(t, err, queue.ErrDuplicate)
	require.Len(t, ids, 5)
	var failed *queue.PutError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, []bool{true, false, true, false, true}, failed.There)
	require.Equal(t, []string{"b", "a", "c", "d"}, drain(t, q))
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		const producers, each, most = 5, 20, 12
		var all sync.WaitGroup
		for i := range producers {
			cl := connect(t, srv)
			all.Go(func() {
				q := texts(cl, queue.WithCapacity(most))
				for j := range each {
					if _, err := q.Put(t.Context(), fmt.Sprint(i, ".", j)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		q := texts(connect(t, srv))
		synctest.Wait()
		time.Sleep(time.Minute)
		bounded := texts(connect(t, srv), queue.WithCapacity(most))
		_, err := bounded.Put(t.Context(), "x", queue.IfRoom())
		require.ErrorIs(t, err, queue.ErrFull)
		_, err = texts(connect(t, srv), queue.WithCapacity(most+1)).Put(t.Context(), "x")
		require.ErrorIs(t, err, queue.ErrCapacityConflict)
		seen := map[string]bool{}
		for len(seen) < producers*each {
			n, err := q.Len(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, n, most)
			if len(seen)%2 == 0 {
				item, err := q.Take(t.Context())
				require.NoError(t, err)
				require.NoError(t, item.Ack(t.Context()))
				seen[item.Value] = true
				continue
			}
			e, err := q.Pop(t.Context())
			require.NoError(t, err)
			seen[e.Value] = true
		}
		all.Wait()
		_, err = q.TryTake(t.Context())
		require.ErrorIs(t, err, queue.ErrEmpty)
		requireLeft(t, srv, 0)
	})
}

// A wait for room that is cancelled leaves nothing, and says that nothing was put.
func TestAWaitForRoomIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		q := texts(connect(t, srv), queue.WithCapacity(1))
		put(t, q, "a")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := texts(connect(t, srv), queue.WithCapacity(1)).Put(ctx, "b")
			done <- err
		}()
		synctest.Wait()
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, client.NotSent, client.Outcome(err))
		requireLeft(t, srv, 1)
	})
}

// Many put at once through one Queue and through several, and each item comes once.
func TestManyProducersAndConsumers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	const producers, consumers, each = 4, 6, 60
	var all sync.WaitGroup
	shared := texts(connect(t, srv), queue.WithSegment(25))
	for i := range producers {
		q := shared
		if i%2 == 1 {
			q = texts(connect(t, srv), queue.WithSegment(25))
		}
		all.Go(func() {
			for j := range each {
				if _, err := q.Put(bounded(t), fmt.Sprint(i, ".", j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	ctx, enough := context.WithCancel(bounded(t))
	for i := range consumers {
		q := shared
		if i%2 == 1 {
			q = texts(connect(t, srv))
		}
		all.Go(func() {
			for item, err := range q.Items(ctx, 1+i) {
				if err != nil {
					break
				}
				if err := item.Ack(bounded(t)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[item.Value]++
				if len(seen) == producers*each {
					enough()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	enough()
	require.Len(t, seen, producers*each)
	for v, n := range seen {
		require.Equal(t, 1, n, v)
	}
	requireLeft(t, srv, 0)
}
