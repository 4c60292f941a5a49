package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// suspended returns a client whose server is gone for now.
func suspended(t *testing.T, srv *zktest.Server) (*client.Client, *states) {
	t.Helper()
	cl := primed(t, srv)
	st := follow(t, cl)
	srv.Refuse()
	cut(t, srv, st)
	srv.ResetRequests()
	return cl, st
}

// waiting runs all operations until they all wait at the gate, calls then, and
// returns their errors when they have ended. It is for a bubble.
func waiting(ctx context.Context, t *testing.T, bound bool, then func(p *pipes, st *states)) map[string]error {
	t.Helper()
	p := newPipes(t)
	cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1")
	st := follow(t, cl)
	target := cl.Ops
	if bound {
		target = session(t, cl).Ops
	}
	p.set(func(p *pipes) {
		p.dial = func(context.Context, string) error { return errors.New("connection refused") }
	})
	p.cut()
	st.until(client.Suspended)
	var wg sync.WaitGroup
	var mu sync.Mutex
	errs := map[string]error{}
	for _, op := range operations() {
		wg.Go(func() {
			err := op.do(ctx, target)
			mu.Lock()
			defer mu.Unlock()
			errs[op.name] = err
		})
	}
	synctest.Wait()
	mu.Lock()
	require.Empty(t, errs, "they wait")
	mu.Unlock()
	then(p, st)
	wg.Wait()
	require.Len(t, errs, len(operations()))
	p.set(func(p *pipes) { p.dial = nil })
	st.until(client.Connected)
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Len(t, p.seen(), 1, "the sync, and nothing that was given up before")
	return errs
}

// While not connected every operation waits, until its context ends: then it
// certainly was not sent, and never will be.
func TestGateWaitsUntilContextEnds(t *testing.T) {
	for _, bound := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			reason := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			errs := waiting(ctx, t, bound, func(*pipes, *states) { cancel(reason) })
			for name, err := range errs {
				require.Equal(t, client.NotSent, client.Outcome(err), "%s: %v", name, err)
				require.ErrorIs(t, err, client.ErrNotConnected, name)
				require.ErrorIs(t, err, context.Canceled, name)
				require.ErrorIs(t, err, reason, name)
			}
		})
	}
}

// TestB3_NothingWaitsIntoTheNextSession: go-zookeeper executes in the new session
// what was queued in the old one. An operation of a session waits for that session,
// and ends with it.
func TestB3_NothingWaitsIntoTheNextSession(t *testing.T) {
	for _, how := range []string{"the servers say so", "by the client's own clock"} {
		synctest.Test(t, func(t *testing.T) {
			errs := waiting(t.Context(), t, true, func(p *pipes, st *states) {
				if how == "the servers say so" {
					p.set(func(p *pipes) {
						p.dial = nil
						p.expired = func(session int64) bool { return session == 1 }
					})
				}
				require.EqualValues(t, 1, st.until(client.Lost).Epoch)
			})
			for name, err := range errs {
				require.Equal(t, client.NotSent, client.Outcome(err), "%s: %v", name, err)
				require.ErrorIs(t, err, client.ErrSessionLost, name)
			}
		})
	}
}

// When the connection is back, whoever waited goes on.
func TestGateOpens(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl, st := suspended(t, srv)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := cl.Create(t.Context(), fmt.Sprintf("/n/%d", i), nil)
			assert.NoError(t, err)
		})
	}
	srv.Accept()
	wg.Wait()
	st.until(client.Connected)
	require.Equal(t, 100, below(srv, "/n", ""))
	require.Equal(t, 100, sent(srv, "/n/*", zktest.OpCreate2))
}

// After Close, nothing is sent.
func TestGateOfClosedClient(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	s := session(t, cl)
	require.NoError(t, cl.Close())
	srv.ResetRequests()
	for _, op := range operations() {
		for _, target := range []client.Ops{cl.Ops, s.Ops} {
			err := op.do(t.Context(), target)
			require.ErrorIs(t, err, client.ErrClosed, op.name)
			require.Equal(t, client.NotSent, client.Outcome(err), op.name)
		}
	}
	require.ErrorIs(t, s.Confirm(t.Context()), client.ErrClosed)
	_, err := s.Hold("/n")
	require.ErrorIs(t, err, client.ErrClosed)
	_, _, err = s.CreateAndList(t.Context(), "/x", nil)
	require.ErrorIs(t, err, client.ErrClosed)
	require.Empty(t, srv.Requests())
}

// An operation whose context is over is not sent.
func TestGateOfContextThatIsOver(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.ResetRequests()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, op := range operations() {
		err := op.do(ctx, cl.Ops)
		require.ErrorIs(t, err, context.Canceled, op.name)
		require.Equal(t, client.NotSent, client.Outcome(err), op.name)
	}
	require.Empty(t, srv.Requests())
}

// What is wrong with an argument is said at once, connected or not.
func TestGateDoesNotHoldUpBadInput(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl, _ := suspended(t, srv)
	ctx := t.Context()
	_, _, err := cl.Get(ctx, "bad")
	require.ErrorIs(t, err, client.ErrBadPath)
	_, err = cl.Set(ctx, "/n", large(2<<20), 0)
	require.ErrorIs(t, err, client.ErrTooLarge)
	require.Equal(t, client.NotSent, client.Outcome(err))
	_, err = cl.Create(ctx, "/x", large(2<<20))
	require.ErrorIs(t, err, client.ErrTooLarge)
	_, err = cl.Txn().Set("/n", large(2<<20), 0).Commit(ctx)
	require.ErrorIs(t, err, client.ErrTooLarge)
}

// Requests that were certainly not sent when the connection ended are sent over the
// next one, once; the one that was on its way has an unknown outcome.
func TestWritesNotSentAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		stuck := make(chan struct{})
		defer close(stuck)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpGetData && f.conn == 1 {
					<-stuck // this server reads nothing any more
				}
				return reaction{}
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := cl.Get(t.Context(), "/a")
			assert.NoError(t, err, "a read is repeated")
		})
		synctest.Wait()
		wg.Go(func() {
			_, err := cl.Set(t.Context(), "/on/its/way", nil, client.AnyVersion)
			assert.Equal(t, client.Unknown, client.Outcome(err))
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				_, err := cl.Set(t.Context(), "/not/sent", nil, client.AnyVersion)
				assert.NoError(t, err)
			})
		}
		synctest.Wait()
		p.cut()
		wg.Wait()
		require.Len(t, p.seen(jute.OpSetData), 10)
	})
}

// An answer that says "not executed, try again" is not the operation's.
func TestRefusedRequestsAreRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []zktest.Code{zktest.SessionMoved, zktest.ThrottledOp} {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			s := session(t, cl)
			connections := srv.Accepted()
			srv.FailNext(zktest.On("/n", zktest.OpExists), code)
			_, ok, err := s.Exists(t.Context(), "/n")
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, 2, sent(srv, "/n", zktest.OpExists))
			srv.FailNext(zktest.On("/new", zktest.OpCreate2), code)
			_, err = s.Create(t.Context(), "/new", nil)
			require.NoError(t, err)
			require.Equal(t, 2, sent(srv, "/new", zktest.OpCreate2))
			if code == zktest.ThrottledOp {
				require.Equal(t, connections, srv.Accepted(), "the server is busy, not wrong")
			} else {
				require.Equal(t, connections+2, srv.Accepted(), "another one is asked")
			}
		}
	})
}

func TestThrottledUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpSetData {
					return reaction{code: jute.ThrottledOp}
				}
				return reaction{}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := cl.Set(ctx, "/a", nil, 0)
		require.ErrorIs(t, err, client.ErrThrottled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, client.NotSent, client.Outcome(err))
		require.Less(t, len(p.seen(jute.OpSetData)), 200, "with pauses")
	})
}
