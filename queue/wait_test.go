package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// waiting begins a Take that has to wait, and returns when all there is to do is done. It is for bubbles.
func waiting(ctx context.Context, t testing.TB, q *queue.Queue[string]) <-chan taken {
	t.Helper()
	got := takeLater(ctx, q)
	synctest.Wait()
	select {
	case early := <-got:
		require.FailNow(t, "the take did not wait", "%v", early)
	default:
	}
	return got
}

// An item that arrives wakes one of those that wait, and costs the others nothing.
func TestConsumersDoNotHerd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		producer := texts(connect(t, srv))
		put(t, producer, "x")
		require.NoError(t, take(t, producer).Ack(t.Context()))
		var sessions []int64
		got := make([]<-chan taken, n)
		for i := range n {
			cl := connect(t, srv)
			sessions = append(sessions, sessionOf(t, cl))
			got[i] = waiting(t.Context(), t, texts(cl))
		}
		for i := range n {
			srv.ResetRequests()
			put(t, producer, fmt.Sprint(i))
			synctest.Wait()
			busy := 0
			for _, s := range sessions {
				if len(counted(srv, s)) > 0 {
					busy++
				}
			}
			require.LessOrEqual(t, busy, 2, "the one that takes it and the one that watches next")
			first := <-got[i]
			require.NoError(t, first.err)
			require.Equal(t, fmt.Sprint(i), first.item.Value)
			require.NoError(t, first.item.Ack(t.Context()))
		}
		requireLeft(t, srv, 0)
	})
}

// What becomes available in whatever way wakes a consumer that waits.
func TestWhatWakesAConsumer(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T, srv *zktest.Server, q *queue.Queue[string], cl *client.Client, item *queue.Item[string]){
		"another item": func(t *testing.T, _ *zktest.Server, q *queue.Queue[string], _ *client.Client, _ *queue.Item[string]) {
			put(t, q, "a")
		},
		"an item of a priority that had no nodes": func(t *testing.T, _ *zktest.Server, q *queue.Queue[string], _ *client.Client, _ *queue.Item[string]) {
			_, err := q.Put(t.Context(), "a", queue.Priority(9))
			require.NoError(t, err)
		},
		"one that is given back": func(t *testing.T, _ *zktest.Server, _ *queue.Queue[string], _ *client.Client, item *queue.Item[string]) {
			require.NoError(t, item.Nack(t.Context(), 0))
		},
		"one that is given back with a delay": func(t *testing.T, _ *zktest.Server, _ *queue.Queue[string], _ *client.Client, item *queue.Item[string]) {
			require.NoError(t, item.Nack(t.Context(), time.Second))
		},
		"the expiry of another consumer": func(t *testing.T, srv *zktest.Server, _ *queue.Queue[string], cl *client.Client, _ *queue.Item[string]) {
			require.True(t, srv.ExpireSession(sessionOf(t, cl)))
		},
		"the end of another consumer": func(t *testing.T, _ *zktest.Server, _ *queue.Queue[string], cl *client.Client, _ *queue.Item[string]) {
			require.NoError(t, cl.Close())
		},
		"a full segment and the next": func(t *testing.T, _ *zktest.Server, q *queue.Queue[string], _ *client.Client, _ *queue.Item[string]) {
			_, err := q.PutAll(t.Context(), slices.Repeat([]string{"a"}, 25))
			require.NoError(t, err)
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := zktest.Start(t, zktest.WithInMemoryNetwork())
				other := connect(t, srv)
				q := texts(other, queue.WithSegment(10))
				put(t, q, "a")
				item := take(t, q)
				got := waiting(t.Context(), t, texts(connect(t, srv), queue.WithSegment(10)))
				way(t, srv, q, other, item)
				first := wait(t, "the item", got)
				require.NoError(t, first.err)
				require.Equal(t, "a", first.item.Value)
				require.NoError(t, first.item.Ack(t.Context()))
			})
		})
	}
}

// A wait that is cancelled leaves nothing behind, wherever it was: each request of a wait in turn is the last before the end.
func TestACancelledTakeLeavesNothing(t *testing.T) {
	t.Parallel()
	for step, more := 0, true; more; step++ {
		synctest.Test(t, func(t *testing.T) {
			srv := zktest.Start(t, zktest.WithInMemoryNetwork())
			producer := texts(connect(t, srv))
			put(t, producer, "x")
			require.NoError(t, take(t, producer).Ack(t.Context()))
			cl := connect(t, srv)
			session := sessionOf(t, cl)
			held := srv.HoldReply(nth(session, step))
			ctx, cancel := context.WithCancel(t.Context())
			got := takeLater(ctx, texts(cl))
			synctest.Wait()
			select {
			case <-held.Fired():
			default:
				more = false // it waits, and there is nothing more to hold
			}
			cancel()
			synctest.Wait()
			held.Release()
			end := <-got
			require.ErrorIs(t, end.err, context.Canceled, "step %d", step)
			requireLeft(t, srv, 0)
			put(t, producer, "y")
			require.Equal(t, []string{"y"}, drain(t, producer), "step %d", step)
		})
		require.Less(t, step, 60)
	}
}

// The same for a take that finds something: the item is there for others, and the take has counted at most.
func TestACancelledTakeGivesBack(t *testing.T) {
	t.Parallel()
	for step, more := 0, true; more; step++ {
		synctest.Test(t, func(t *testing.T) {
			srv := zktest.Start(t, zktest.WithInMemoryNetwork())
			producer := texts(connect(t, srv))
			put(t, producer, "x")
			cl := connect(t, srv)
			held := srv.HoldReply(nth(sessionOf(t, cl), step))
			ctx, cancel := context.WithCancel(t.Context())
			got := takeLater(ctx, texts(cl))
			synctest.Wait()
			select {
			case <-held.Fired():
			default:
				more = false
			}
			cancel()
			synctest.Wait()
			held.Release()
			end := <-got
			if end.err == nil {
				require.ErrorIs(t, end.item.Nack(ctx, 0), context.Canceled) // which is enough
			} else {
				require.ErrorIs(t, end.err, context.Canceled, "step %d", step)
			}
			hour, stop := context.WithTimeout(t.Context(), time.Hour)
			defer stop()
			other, err := producer.Take(hour)
			require.NoError(t, err, "step %d: %v", step, left(srv))
			require.NoError(t, other.Ack(t.Context()))
			requireLeft(t, srv, 0)
		})
		require.Less(t, step, 60)
	}
}

// nth matches the n-th request of a session, from 0, of those that somebody waits for.
func nth(session int64, n int) zktest.Match {
	return zktest.Match{Session: session, Where: func(r zktest.Request) bool {
		if r.Op == zktest.OpRemoveWatches {
			return false
		}
		n--
		return n < 0
	}}
}

// Detach ends what waits.
func TestDetachEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		got := waiting(t.Context(), t, texts(cl))
		_, err := cl.Detach(t.Context())
		require.NoError(t, err)
		end := <-got
		require.ErrorIs(t, end.err, client.ErrClosed)
		for p := range srv.Dump() {
			require.False(t, strings.HasPrefix(p, path+"/consumers/") || strings.HasPrefix(p, path+"/leases/"), p)
		}
	})
}
