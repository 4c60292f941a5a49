package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// fault is something that happens to one request of a session.
type fault func(srv *zktest.Server, session int64, on zktest.Match) <-chan struct{}

// faults are: the request or its reply is lost, and the session lives or ends with that.
func faults() map[string]fault {
	expire := func(srv *zktest.Server, session int64, fired <-chan struct{}) <-chan struct{} {
		out := make(chan struct{})
		go func() {
			<-fired
			srv.ExpireSession(session)
			close(out)
		}()
		return out
	}
	return map[string]fault{
		"request": func(srv *zktest.Server, _ int64, on zktest.Match) <-chan struct{} { return srv.DropRequest(on).Fired() },
		"reply": func(srv *zktest.Server, _ int64, on zktest.Match) <-chan struct{} {
			return srv.SwallowReply(on).Fired()
		},
		"request and session": func(srv *zktest.Server, session int64, on zktest.Match) <-chan struct{} {
			return expire(srv, session, srv.DropRequest(on).Fired())
		},
		"reply and session": func(srv *zktest.Server, session int64, on zktest.Match) <-chan struct{} {
			return expire(srv, session, srv.SwallowReply(on).Fired())
		},
	}
}

// atEachStep runs a scenario once for each request of its session and each fault that can happen to it. The servers delete
// containers as real ones do, once a minute.
func atEachStep(t *testing.T, scenario func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string)) {
	t.Helper()
	for name, happen := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for step, more := 0, true; more; step++ {
				synctest.Test(t, func(t *testing.T) {
					srv := zktest.Start(t, zktest.WithInMemoryNetwork(), zktest.WithContainerInterval(time.Minute))
					cl := connect(t, srv)
					var happened <-chan struct{}
					begin := func() { happened = happen(srv, sessionOf(t, cl), nth(sessionOf(t, cl), step)) }
					scenario(t, srv, cl, begin, fmt.Sprintf("%s lost at step %d", name, step))
					synctest.Wait()
					select {
					case <-happened:
					default:
						more = false
						// so that the goroutine that waits for it ends
						_, _, _ = cl.Exists(t.Context(), "/x")
						for range step + 1 {
							_, _, _ = cl.Exists(t.Context(), "/x")
						}
					}
				})
				require.Less(t, step, 80)
			}
			t.Log("all steps")
		})
	}
}

// remaining takes out what is left, and returns how often each value is there.
func remaining(t *testing.T, srv *zktest.Server) map[string]int {
	t.Helper()
	q := texts(connect(t, srv))
	out := map[string]int{}
	for {
		e, err := q.TryPop(t.Context())
		if err != nil {
			require.ErrorIs(t, err, queue.ErrEmpty)
			return out
		}
		out[e.Value]++
	}
}

// A Put that says nil has put its item once, whatever was lost: Curator's puts twice and Kazoo's fails although
// it has put (C5, 1.6b).
func TestFaultsOfPut(t *testing.T) {
	t.Parallel()
	ways := map[string][]queue.PutOption{
		"plain": nil, "with an id": {queue.ID("one")}, "delayed": {queue.Delay(time.Millisecond)}, "by priority": {queue.Priority(3)},
	}
	for name, opts := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
				begin()
				_, err := texts(cl).Put(t.Context(), "v", opts...)
				require.NoError(t, err, what)
				time.Sleep(time.Second)
				require.Equal(t, map[string]int{"v": 1}, remaining(t, srv), what)
			})
		})
	}
}

// So has a PutAll, over several segments, and in a bounded queue.
func TestFaultsOfPutAll(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]queue.Option{"segments": {queue.WithSegment(10)}, "bounded": {queue.WithSegment(10), queue.WithCapacity(100)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
				begin()
				q := texts(cl, opts...)
				for range 2 {
					_, err := q.PutAll(t.Context(), numbered(12))
					require.NoError(t, err, what)
				}
				got := remaining(t, srv)
				require.Len(t, got, 12, what)
				for v, n := range got {
					require.Equal(t, 2, n, "%s: %s", what, v)
				}
			})
		})
	}
}

// An item that is taken and acknowledged is delivered until an Ack says nil, and then no more. It is delivered twice
// only for a lease that was lost, and says so (Kazoo and Curator lose it: K14, C6).
func TestFaultsOfTakeAndAck(t *testing.T) {
	t.Parallel()
	atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
		put(t, texts(connect(t, srv)), "v", "w")
		begin()
		q := texts(cl)
		acked := map[string]int{}
		lastAttempt := map[string]int{}
		for len(acked) < 2 {
			item, err := q.Take(t.Context())
			require.NoError(t, err, what)
			require.Greater(t, item.Attempt, lastAttempt[item.Value], what)
			lastAttempt[item.Value] = item.Attempt
			err = item.Ack(t.Context())
			if err == nil {
				acked[item.Value]++
				continue
			}
			require.ErrorIs(t, err, queue.ErrLost, what)
		}
		require.Equal(t, map[string]int{"v": 1, "w": 1}, acked, what)
		require.Empty(t, remaining(t, srv), what)
		requireLeft(t, srv, 0)
	})
}

// The same for several at once.
func TestFaultsOfTakeAll(t *testing.T) {
	t.Parallel()
	atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
		_, err := texts(connect(t, srv)).PutAll(t.Context(), numbered(20))
		require.NoError(t, err)
		begin()
		q := texts(cl)
		acked := map[string]int{}
		for len(acked) < 20 {
			items, err := q.TakeAll(t.Context(), 15)
			require.NoError(t, err, what)
			_ = q.AckAll(t.Context(), items)
			for _, item := range items {
				err := item.Ack(t.Context())
				if err == nil {
					acked[item.Value]++
				} else {
					require.ErrorIs(t, err, queue.ErrLost, what)
				}
			}
		}
		for v, n := range acked {
			require.Equal(t, 1, n, "%s: %s", what, v)
		}
		require.Empty(t, remaining(t, srv), what)
		requireLeft(t, srv, 0)
	})
}

// What is given back is there once, with the attempt counted, now or later; so is a dead letter.
func TestFaultsOfGivingBack(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T, item *queue.Item[string]) error{
		"at once": func(t *testing.T, item *queue.Item[string]) error { t.Helper(); return item.Nack(t.Context(), 0) },
		"with delay": func(t *testing.T, item *queue.Item[string]) error {
			t.Helper()
			return item.Nack(t.Context(), time.Second)
		},
		"dead": func(t *testing.T, item *queue.Item[string]) error {
			t.Helper()
			return item.Bury(t.Context(), "because")
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
				_, err := texts(connect(t, srv)).Put(t.Context(), "v", queue.ID("v"))
				require.NoError(t, err)
				begin()
				item, err := texts(cl).Take(t.Context())
				require.NoError(t, err, what)
				err = way(t, item)
				if err != nil {
					require.ErrorIs(t, err, queue.ErrLost, what)
				}
				other := texts(connect(t, srv))
				if name == "dead" && err == nil {
					other = other.Dead()
				}
				again, err := other.Take(t.Context())
				require.NoError(t, err, what)
				require.Equal(t, "v", again.ID, what)
				require.Greater(t, again.Attempt, item.Attempt, what)
				require.NoError(t, again.Ack(t.Context()))
				require.Empty(t, remaining(t, srv), what)
				requireLeft(t, srv, 0)
			})
		})
	}
}

// A Pop takes one item out, once, and returns it.
func TestFaultsOfPop(t *testing.T) {
	t.Parallel()
	atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
		put(t, texts(connect(t, srv)), "v", "w", "x")
		begin()
		q := texts(cl)
		for _, want := range []string{"v", "w"} {
			e, err := q.Pop(t.Context())
			require.NoError(t, err, what)
			require.Equal(t, want, e.Value, what)
			require.Equal(t, 1, e.Attempt, what)
		}
		require.Equal(t, map[string]int{"x": 1}, remaining(t, srv), what)
		requireLeft(t, srv, 0)
	})
}
