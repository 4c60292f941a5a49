package client_test

import (
	"context"
	"errors"
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

// closeTime is what Close takes at most.
const closeTime = 2 * time.Second

// Close ends the session on the server, and everything else of the client.
func TestClose(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	s := session(t, cl)
	_, err := cl.Create(t.Context(), "/mine", nil, client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	h, err := s.Hold("/mine")
	require.NoError(t, err)
	require.NoError(t, cl.Close())
	require.Empty(t, srv.Sessions())
	require.False(t, exists("/mine")(srv))
	require.ErrorIs(t, context.Cause(s.Context()), client.ErrClosed)
	require.ErrorIs(t, context.Cause(h.Context()), client.ErrClosed)
	require.NoError(t, cl.Close(), "again")
	_, err = cl.Session(t.Context())
	require.ErrorIs(t, err, client.ErrClosed)
	require.Equal(t, client.Closed, cl.State().State)
}

// Whatever state the client is in, Close ends in bounded time, everybody who calls it
// gets the same, and it says if the session could not be ended.
func TestCloseInEveryState(t *testing.T) {
	refused := func(context.Context, string) error { return errors.New("connection refused") }
	hangs := func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	for name, tc := range map[string]struct {
		enter func(p *pipes, st *states)
		fails bool
		takes time.Duration
	}{
		"connected": {func(*pipes, *states) {}, false, 0},
		"suspended, servers refuse": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.dial = refused })
			p.cut()
			st.until(client.Suspended)
			time.Sleep(time.Second)
		}, true, closeTime},
		"suspended, dial hangs": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.dial = hangs })
			p.cut()
			st.until(client.Suspended)
			time.Sleep(100 * time.Millisecond)
		}, true, closeTime},
		"suspended, handshake hangs": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.greet = func(*jute.ConnectRequest) bool { time.Sleep(time.Minute); return false } })
			p.cut()
			st.until(client.Suspended)
			time.Sleep(100 * time.Millisecond)
		}, true, closeTime},
		"connected, server silent": {func(p *pipes, _ *states) {
			p.mute(true)
		}, true, closeTime},
		"lost, servers refuse": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.dial = refused })
			p.cut()
			st.until(client.Lost)
			time.Sleep(time.Second)
		}, false, closeTime},
		"lost, dial hangs": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.dial = hangs })
			p.cut()
			st.until(client.Connecting)
			time.Sleep(time.Second)
		}, false, closeTime},
		"lost, handshake hangs": {func(p *pipes, st *states) {
			p.set(func(p *pipes) { p.greet = func(*jute.ConnectRequest) bool { time.Sleep(time.Minute); return false } })
			p.cut()
			st.until(client.Connecting)
			time.Sleep(100 * time.Millisecond)
		}, false, closeTime},
		"connected again": {func(p *pipes, st *states) {
			p.cut()
			st.until(client.Suspended)
			st.until(client.Connected)
		}, false, 0},
		"the server hangs up instead of saying goodbye": {func(p *pipes, _ *states) {
			p.set(func(p *pipes) {
				p.answer = func(f frame) reaction { return reaction{hangUp: f.op == jute.OpCloseSession} }
			})
		}, true, closeTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1", client.WithSessionTimeout(8*time.Second))
				st := follow(t, cl)
				s := session(t, cl)
				tc.enter(p, st)
				start := time.Now()
				var wg sync.WaitGroup
				errs := make([]error, 5)
				for i := range errs {
					wg.Go(func() { errs[i] = cl.Close() })
				}
				wg.Wait()
				require.LessOrEqual(t, time.Since(start), tc.takes)
				for _, err := range errs {
					require.Equal(t, errs[0], err)
				}
				if tc.fails {
					require.ErrorContains(t, errs[0], "could not be ended")
					require.ErrorContains(t, errs[0], "8s")
				} else {
					require.NoError(t, errs[0])
				}
				require.Equal(t, client.Closed, st.until(client.Closed).State)
				require.Error(t, s.Context().Err())
				require.Equal(t, errs[0], cl.Close(), "later, too")
			})
		})
	}
}

// Close during each kind of operation, with the request on its way: it ends, with the
// class that is true.
func TestCloseDuringOperations(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := newTree(t, inMemory)
				cl := primed(t, srv)
				held := srv.HoldReply(op.on)
				done := make(chan error, 1)
				go func() { done <- op.do(t.Context(), cl.Ops) }()
				wait(t, held.Fired(), "the request was executed")
				start := time.Now()
				closeErr := cl.Close()
				require.LessOrEqual(t, time.Since(start), closeTime)
				require.ErrorContains(t, closeErr, "could not be ended", "its reply waits behind the one that is held")
				err, _ := receive(t, done)
				require.ErrorIs(t, err, client.ErrClosed)
				require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
			})
		})
	}
}

// Close while operations come and go: each of them ends with a result or with ErrClosed.
func TestCloseAmongOperations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 5 {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			var wg, busy sync.WaitGroup
			for i := range 16 {
				busy.Add(1)
				wg.Go(func() {
					for n := 0; ; n++ {
						op := operations()[(i+n)%len(operations())]
						err := op.do(t.Context(), cl.Ops)
						if n == 0 {
							busy.Done()
						}
						if errors.Is(err, client.ErrClosed) {
							return
						}
						assert.True(t, err == nil || client.Outcome(err) == client.Definite, "%s: %v", op.name, err)
					}
				})
			}
			busy.Wait()
			require.NoError(t, cl.Close())
			wg.Wait()
			require.Empty(t, srv.Sessions())
		}
	})
}

// Close right after Connect, and during everything that a session goes through.
func TestCloseAtAnyTime(t *testing.T) {
	for ms := range 60 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			p.set(func(p *pipes) {
				p.dial = func(ctx context.Context, _ string) error {
					time.Sleep(3 * time.Millisecond)
					return ctx.Err()
				}
				p.greet = func(*jute.ConnectRequest) bool { time.Sleep(2 * time.Millisecond); return true }
				p.expired = func(int64) bool { return ms%2 == 0 }
			})
			cl := p.connect(t, "10.0.0.1:1,10.0.0.2:1", client.WithAuth("digest", "u:p"))
			p.cut()
			time.Sleep(time.Duration(ms) * time.Millisecond)
			start := time.Now()
			_ = cl.Close()
			require.LessOrEqual(t, time.Since(start), closeTime)
		})
	}
}

// A client that was never connected closes as well: see TestConnectTimes. Here its
// server is gone for good.
func TestCloseAfterServerIsGone(t *testing.T) {
	t.Parallel()
	srv, err := zktest.NewServer()
	require.NoError(t, err)
	cl := connectTo(t, srv.Addr())
	st := follow(t, cl)
	require.NoError(t, srv.Close())
	st.until(client.Suspended)
	require.ErrorContains(t, cl.Close(), "could not be ended")
}
