package queue_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// atEachReply has a call's context end while the reply to each of its requests in turn is kept back.
func atEachReply(t *testing.T, scenario func(t *testing.T, srv *zktest.Server, cl *client.Client, hold func() (ctx context.Context, end func()), step int)) {
	t.Helper()
	for step, more := 0, true; more; step++ {
		synctest.Test(t, func(t *testing.T) {
			srv := zktest.Start(t, zktest.WithInMemoryNetwork())
			cl := connect(t, srv)
			scenario(t, srv, cl, func() (context.Context, func()) {
				held := srv.HoldReply(nth(sessionOf(t, cl), step))
				ctx, cancel := context.WithCancel(t.Context())
				return ctx, func() {
					synctest.Wait()
					select {
					case <-held.Fired():
					default:
						more = false
					}
					cancel()
					synctest.Wait()
					held.Release()
				}
			}, step)
		})
		require.Less(t, step, 60)
	}
}

// A Put that is cancelled says truly whether it has put: and by its id it can be repeated.
func TestACancelledPut(t *testing.T) {
	t.Parallel()
	unknown := 0
	atEachReply(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, hold func() (context.Context, func()), step int) {
		q := texts(cl)
		ctx, end := hold()
		done := make(chan error, 1)
		go func() {
			_, err := q.Put(ctx, "v", queue.ID("v"))
			done <- err
		}()
		end()
		err := <-done
		there := len(left(srv))
		switch {
		case err == nil:
			require.Equal(t, 1, there, "step %d", step)
		case client.Outcome(err) == client.Unknown:
			unknown++
			require.ErrorIs(t, err, context.Canceled)
		default:
			require.Equal(t, 0, there, "step %d: %v", step, err)
		}
		_, err = q.Put(t.Context(), "v", queue.ID("v"))
		if there > 0 {
			require.ErrorIs(t, err, queue.ErrDuplicate, "step %d", step)
		} else {
			require.NoError(t, err, "step %d", step)
		}
		require.Equal(t, []string{"v"}, drain(t, q))
	})
	require.Positive(t, unknown)
}

// An Ack that is cancelled can be repeated, and says then what became of it. So can a Pop be known.
func TestACancelledAck(t *testing.T) {
	t.Parallel()
	atEachReply(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, hold func() (context.Context, func()), step int) {
		q := texts(cl)
		put(t, q, "v", "w")
		item := take(t, q)
		ctx, end := hold()
		done := make(chan error, 1)
		go func() { done <- item.Ack(ctx) }()
		end()
		if err := <-done; err != nil {
			require.ErrorIs(t, err, context.Canceled, "step %d", step)
			require.Error(t, item.Context().Err())
			if step%2 == 0 {
				require.NoError(t, item.Ack(t.Context()), "step %d", step)
			} else if err := item.Nack(t.Context(), 0); err == nil {
				require.NoError(t, take(t, texts(connect(t, srv))).Ack(t.Context()))
			} else {
				require.ErrorIs(t, err, queue.ErrSettled, "step %d: it had been acknowledged", step)
			}
		}
		require.Equal(t, []string{"w"}, drain(t, q))
		requireLeft(t, srv, 0)
	})
}

// A Pop that is cancelled has taken out nothing, or says that it may have, and what.
func TestACancelledPop(t *testing.T) {
	t.Parallel()
	atEachReply(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, hold func() (context.Context, func()), step int) {
		q := texts(cl)
		put(t, texts(connect(t, srv)), "v", "w")
		ctx, end := hold()
		type popped struct {
			e   queue.Entry[string]
			err error
		}
		done := make(chan popped, 1)
		go func() {
			e, err := q.Pop(ctx)
			done <- popped{e, err}
		}()
		end()
		got := <-done
		rest := drain(t, q)
		if got.e.Value == "" {
			require.ErrorIs(t, got.err, context.Canceled)
			require.Equal(t, []string{"v", "w"}, rest, "step %d", step)
			return
		}
		require.Equal(t, "v", got.e.Value)
		if got.err == nil || len(rest) == 1 {
			require.Equal(t, []string{"w"}, rest, "step %d", step)
		} else {
			require.Equal(t, client.Unknown, client.Outcome(got.err))
		}
	})
}

// When the servers have deleted the lane before anybody could ask, the outcome is Unknown, and the id tells.
func TestAPutOfWhichNobodyKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork()) // which deletes containers at once
		cl := connect(t, srv)
		_, err := texts(cl, queue.WithMemory(0)).Put(t.Context(), "first", queue.ID("v")) // after which the shard is there
		require.NoError(t, err)
		q := texts(cl)
		require.Equal(t, []string{"first"}, drain(t, q))
		session := sessionOf(t, cl)
		lost := srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Session: session})
		go func() {
			<-lost.Fired()
			srv.ExpireSession(session)
		}()
		_, err = q.Put(t.Context(), "v", queue.ID("v"))
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		_, err = q.Put(t.Context(), "v", queue.ID("v"))
		require.ErrorIs(t, err, queue.ErrDuplicate)
		require.Equal(t, []string{"v"}, drain(t, q))
	})
}
