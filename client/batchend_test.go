package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// When the context ends what was answered counts, what is under way is unknown, and the
// rest was not sent. The call returns at once.
func TestBatchCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithSessionTimeout(time.Hour))
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				return reaction{ignore: f.op == jute.OpSetData}
			}
		})
		b := cl.Batch().Get("/a").Get("/b").Set("/c", nil, 0).Get("/d")
		for range 1000 {
			b.Get("/e")
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errStop)
		defer cancel()
		began := time.Now()
		results, err := b.Do(ctx)
		require.Equal(t, time.Second, time.Since(began))
		require.ErrorIs(t, err, errStop)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, client.Unknown, client.Outcome(err))
		for i, r := range results {
			switch {
			case i < 2:
				require.NoError(t, r.Err)
				require.Equal(t, "data", string(r.Data))
			case i < 1000:
				require.Equal(t, client.Unknown, client.Outcome(r.Err), i)
			default:
				require.Equal(t, client.NotSent, client.Outcome(r.Err), i)
			}
			if i >= 2 {
				require.ErrorIs(t, r.Err, errStop)
			}
		}
		require.Len(t, p.seen(), 1000)
	})
}

// late is a context that ends when somebody begins to wait, after all that is under way
// has arrived.
type late struct {
	context.Context
	end context.CancelFunc
}

func (l late) Done() <-chan struct{} {
	time.Sleep(time.Second) // the bubble's time
	l.end()
	return l.Context.Done()
}

// What was answered when the context ended is answered.
func TestBatchAnsweredWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		b := cl.Batch()
		for range 100 {
			b.Set("/a", nil, client.AnyVersion)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.Do(late{ctx, cancel})
		require.NoError(t, err)
		require.Error(t, ctx.Err())
	})
}

// What is repeated after a loss comes before what has not been sent yet.
func TestBatchRepeatsBeforeItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{hangUp: f.conn == 1 && len(p.seen()) == 500} }
		})
		b := cl.Batch()
		for i := range 1500 {
			b.Get(fmt.Sprintf("/%04d", i))
		}
		_, err := b.Do(t.Context())
		require.NoError(t, err)
		var again []string
		for _, f := range p.seen(jute.OpGetData) {
			if f.conn == 2 {
				var r jute.PathRequest
				r.Decode(jute.NewDecoder(f.body))
				again = append(again, r.Path)
			}
		}
		require.Len(t, again, 1001)
		require.Equal(t, "/0499", again[0])
		require.IsIncreasing(t, again)
	})
}

var errStop = errors.New("stopped by the test")

// A batch of which nothing was sent is not sent.
func TestBatchNotConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.mute(true)
		p.cut()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		results, err := cl.Batch().Get("/a").Set("/a", nil, 0).Do(ctx)
		require.Equal(t, client.NotSent, client.Outcome(err))
		require.ErrorIs(t, err, client.ErrNotConnected)
		for _, r := range results {
			require.ErrorIs(t, r.Err, client.ErrNotConnected)
			require.ErrorIs(t, r.Err, context.DeadlineExceeded)
		}
	})
}

// An operation that the server has refused because of its load is repeated.
func TestBatchThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpSetData && len(p.seen(jute.OpSetData)) < 3 {
					return reaction{code: jute.ThrottledOp}
				}
				return reaction{}
			}
		})
		_, err := cl.Batch().Get("/a").Set("/a", nil, client.AnyVersion).Get("/b").Do(t.Context())
		require.NoError(t, err)
		require.Len(t, p.seen(jute.OpSetData), 3)
		require.Len(t, p.seen(jute.OpGetData), 2)
	})
}

// A session's batch is that session's: it does not go on in the next one.
func TestBatchOfSession(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	st := follow(t, cl)
	s := session(t, cl)
	b := s.Batch().Create("/x", nil, client.WithMode(client.Ephemeral)).Get("/n")
	require.True(t, srv.ExpireSession(s.ID()))
	st.until(client.Lost)
	st.until(client.Connected)
	results, err := b.Do(t.Context())
	require.ErrorIs(t, err, client.ErrSessionLost)
	require.ErrorIs(t, results[1].Err, client.ErrSessionLost)
	require.Equal(t, client.NotSent, client.Outcome(err))
	require.Zero(t, sent(srv, "/x"))
}

// One operation's large reply harms no other.
func TestBatchLargeReply(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	require.NoError(t, srv.Create("/large", large(5000)))
	cl := connect(t, srv, client.WithMaxReply(4096))
	results, err := cl.Batch().Get("/n").Get("/large").Get("/n").Do(t.Context())
	require.ErrorIs(t, err, client.ErrReplyTooLarge)
	require.NoError(t, results[0].Err)
	require.Equal(t, "old", string(results[2].Data))
}

// A batch costs one round trip, single operations one each.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batches of %d", size), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create("/n", large(64)))
			cl := connect(b, srv)
			b.ReportAllocs()
			for b.Loop() {
				batch := cl.Batch()
				for range size {
					batch.Get("/n")
				}
				_, err := batch.Do(b.Context())
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/get")
		})
	}
	b.Run("one by one", func(b *testing.B) {
		srv := zktest.Start(b)
		require.NoError(b, srv.Create("/n", large(64)))
		cl := connect(b, srv)
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := cl.Get(b.Context(), "/n")
			require.NoError(b, err)
		}
	})
}
