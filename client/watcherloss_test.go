package client_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// After a reconnect each Watcher says that it stands again, and nothing is missed:
// neither what happened meanwhile, for whoever then reads, nor what happens from then on.
func TestWatcherAfterReconnect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range watchModes {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			st := follow(t, cl)
			w := addWatch(t, cl, "/n", mode)
			for i := range int32(3) {
				srv.Refuse()
				cut(t, srv, st)
				require.NoError(t, srv.Set("/n", nil))
				srv.Accept()
				resynced(t, w)
				_, stat, err := cl.Get(t.Context(), "/n")
				require.NoError(t, err)
				require.Equal(t, 2*i+1, stat.Version)
				require.NoError(t, srv.Set("/n", nil))
				heard(t, w, evSet("/n"))
			}
			require.Equal(t, 1, srv.Watches())
			silent(t, cl, w)
		}
	})
}

// The Watcher outlives its session.
func TestWatcherInNewSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range watchModes {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			w := addWatch(t, cl, "/n", mode)
			closed := addWatch(t, cl, "/n", mode)
			closed.Close()
			for range 2 {
				srv.Refuse()
				require.True(t, srv.ExpireSession(session(t, cl).ID()))
				srv.Accept()
				resynced(t, w)
				require.NoError(t, srv.Set("/n", nil))
				heard(t, w, evSet("/n"))
				require.Equal(t, 1, srv.Watches())
			}
			require.EqualValues(t, 3, cl.State().Epoch)
			ended(t, closed)
			w.Close()
			require.NoError(t, cl.Sync(t.Context(), "/"))
			require.Zero(t, srv.Watches())
		}
	})
}

// Nothing is sent over a new connection before the watches: what others ask for comes
// behind them, also what was waiting for the connection.
func TestWatchesAreFirstOnConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		p.answer = func(frame) reaction { return reaction{after: 20 * time.Millisecond} }
		cl := p.connect(t, "10.0.0.1:1")
		addWatch(t, cl, "/n", client.WatchPersistent)
		addWatch(t, cl, "/tree", client.WatchPersistentRecursive)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, _, _ = cl.Get(ctx, "/n")
				}
			})
		}
		for range 30 {
			time.Sleep(2 * time.Second)
			p.cut()
		}
		time.Sleep(2 * time.Second)
		cancel()
		wg.Wait()
		first := map[int]jute.Op{1: jute.OpSetWatches2}
		for _, f := range p.seen() {
			if _, ok := first[f.conn]; !ok {
				first[f.conn] = f.op
			}
		}
		require.GreaterOrEqual(t, len(first), 31)
		for _, op := range first {
			require.Equal(t, jute.OpSetWatches2, op)
		}
		require.Len(t, p.seen(jute.OpSetWatches2), len(first)-1, "one for all, once a connection")
	})
}

// What a server refuses for good ends the Watchers that have asked for it, and no others.
func TestWatcherRefused(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	srv.FailNext(zktest.On("/n", zktest.OpAddWatch), zktest.Unimplemented)
	w, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
	require.ErrorIs(t, err, client.ErrUnimplemented)
	require.Equal(t, client.Definite, client.Outcome(err))
	require.Nil(t, w)

	w = addWatch(t, cl, "/n", client.WatchPersistent)
	srv.FailNext(zktest.On("/n", zktest.OpAddWatch), zktest.NoAuth)
	_, err = cl.AddWatch(t.Context(), "/n", client.WatchPersistentRecursive)
	require.ErrorIs(t, err, client.ErrNoAuth)
	r := addWatch(t, cl, "/n", client.WatchPersistentRecursive)
	require.NoError(t, srv.Set("/n", nil))
	heard(t, w, evSet("/n"))
	heard(t, r, evSet("/n"))

	srv.FailNext(zktest.On("", zktest.OpSetWatches2), zktest.Unimplemented)
	srv.DropConnections()
	for _, w := range []*client.Watcher{w, r} {
		ended(t, w)
		require.ErrorIs(t, w.Err(), client.ErrUnimplemented)
		w.Close()
		require.ErrorIs(t, w.Err(), client.ErrUnimplemented)
	}
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
	addWatch(t, cl, "/n", client.WatchPersistent)
}

// What a server refuses for now is asked for again.
func TestWatcherPutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []zktest.Code{zktest.ThrottledOp, zktest.SessionMoved} {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			srv.FailNext(zktest.On("/n", zktest.OpAddWatch), code)
			srv.FailNext(zktest.On("", zktest.OpSetWatches2), code)
			srv.FailNext(zktest.On("", zktest.OpSetWatches2), code)
			w := addWatch(t, cl, "/n", client.WatchPersistent)
			require.Equal(t, 1, srv.Watches())
			srv.FailNext(zktest.On("", zktest.OpSetWatches2), code)
			srv.DropConnections()
			resynced(t, w)
			require.NoError(t, srv.Set("/n", nil))
			heard(t, w, evSet("/n"))
		}
	})
}

// The requests to set many watches again keep to the limit.
func TestWatchesAreSetAgainWithinLimit(t *testing.T) {
	t.Parallel()
	srv := newTree(t, zktest.WithMaxBuffer(1024))
	cl := primed(t, srv, client.WithMaxRequest(1024))
	var ws []*client.Watcher
	for i := range 100 {
		ws = append(ws, addWatch(t, cl, fmt.Sprintf("/%d%s", i, large(i*5)), watchModes[i%2]))
	}
	srv.DropConnections()
	for _, w := range ws {
		resynced(t, w)
	}
	require.Equal(t, 100, srv.Watches())
	require.Equal(t, 2, srv.Accepted(), "no request was too large")
	require.Less(t, sent(srv, "", zktest.OpSetWatches2), 40)
}

// Watchers end with the client, and say why.
func TestWatchersOfClosedClient(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	w := addWatch(t, cl, "/n", client.WatchPersistent)
	require.NoError(t, srv.Set("/n", nil))
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.NoError(t, cl.Close())
	heard(t, w, evSet("/n")) // what was there stays
	ended(t, w)
	require.ErrorIs(t, w.Err(), client.ErrClosed)
	w.Close()
	require.ErrorIs(t, w.Err(), client.ErrClosed)
	_, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
	require.ErrorIs(t, err, client.ErrClosed)
	require.Equal(t, client.NotSent, client.Outcome(err))
}

// Watchers end at once with a client that is being closed, though a silent server holds
// up the closing; so does who waits for one.
func TestWatchersEndWithSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		w := addWatch(t, cl, "/n", client.WatchPersistent)
		p.mute(true)
		failed := make(chan error)
		go func() {
			_, err := cl.AddWatch(t.Context(), "/m", client.WatchPersistent)
			failed <- err
		}()
		synctest.Wait()
		start := time.Now()
		go cl.Close()
		ended(t, w)
		require.ErrorIs(t, w.Err(), client.ErrClosed)
		require.ErrorIs(t, <-failed, client.ErrClosed)
		require.Zero(t, time.Since(start))
	})
}

// A refused credential ends the client and its Watchers.
func TestWatchersOfClientWithRefusedCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithAuth("digest", "u:p"))
		w := addWatch(t, cl, "/n", client.WatchPersistent)
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction {
				if f.op == jute.OpAuth {
					return reaction{code: jute.AuthFailed}
				}
				return reaction{}
			}
		})
		p.cut()
		ended(t, w)
		require.ErrorIs(t, w.Err(), client.ErrAuthFailed)
		_, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
		require.ErrorIs(t, err, client.ErrAuthFailed)
	})
}

// AddWatch obeys its context wherever it waits, and leaves nothing.
func TestAddWatchIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		refused := func(context.Context, string) error { return errHangUp }
		stuck := func(frame) reaction { return reaction{ignore: true} }
		for name, tc := range map[string]struct {
			arrange func(p *pipes)
			outcome client.OutcomeKind
			also    error
		}{
			"while not connected": {func(p *pipes) { p.dial = refused }, client.NotSent, client.ErrNotConnected},
			"before the answer":   {func(p *pipes) { p.answer = stuck }, client.Unknown, nil},
		} {
			p.set(tc.arrange)
			if tc.also != nil {
				p.cut()
				synctest.Wait()
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			start := time.Now()
			w, err := cl.AddWatch(ctx, "/n", client.WatchPersistent)
			cancel()
			require.Nil(t, w, name)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, tc.outcome, client.Outcome(err), name)
			if tc.also != nil {
				require.ErrorIs(t, err, tc.also)
			}
			require.Equal(t, time.Second, time.Since(start))
			synctest.Wait()
			p.set(func(p *pipes) { p.dial, p.answer = nil, nil })
			p.cut()
			synctest.Wait()
			require.NoError(t, cl.Sync(t.Context(), "/"))
		}
		require.Len(t, p.seen(jute.OpAddWatch), 1)
		require.Len(t, p.seen(jute.OpRemoveWatches), 1, "behind what was sent")
		require.Empty(t, p.seen(jute.OpSetWatches2), "it is not set again")
		addWatch(t, cl, "/n", client.WatchPersistent)
	})
}

// The connection is lost while the watch is being set: it is set over the next one.
func TestAddWatchAcrossLoss(t *testing.T) {
	t.Parallel()
	for _, fault := range []func(*zktest.Server) *zktest.Fault{
		func(s *zktest.Server) *zktest.Fault { return s.DropRequest(zktest.On("/n", zktest.OpAddWatch)) },
		func(s *zktest.Server) *zktest.Fault { return s.SwallowReply(zktest.On("/n", zktest.OpAddWatch)) },
		func(s *zktest.Server) *zktest.Fault { // and again
			s.DropRequest(zktest.On("/n", zktest.OpAddWatch))
			return s.SwallowReply(zktest.On("", zktest.OpSetWatches2))
		},
	} {
		srv := newTree(t)
		cl := primed(t, srv)
		f := fault(srv)
		w := addWatch(t, cl, "/n", client.WatchPersistent)
		wait(t, f.Fired(), "the request was disturbed")
		require.Equal(t, 1, srv.Watches())
		require.NoError(t, srv.Set("/n", nil))
		heard(t, w, evSet("/n"))
		silent(t, cl, w)
	}
}

// The request for a lasting watch is throttled, over and over, while a one-shot watch
// relies on it already; then it is refused for good, or accepted.
func TestOneShotBehindThrottledWatch(t *testing.T) {
	for _, code := range []jute.Code{jute.Unimplemented, jute.OK} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			verdict := jute.ThrottledOp
			p.answer = func(f frame) reaction {
				if f.op == jute.OpAddWatch || f.op == jute.OpSetWatches2 {
					p.mu.Lock()
					defer p.mu.Unlock()
					return reaction{code: verdict}
				}
				return reaction{}
			}
			cl := p.connect(t, "10.0.0.1:1")
			done := make(chan error)
			go func() {
				_, err := cl.AddWatch(t.Context(), "/n", client.WatchPersistent)
				done <- err
			}()
			time.Sleep(time.Second)
			_, _, w, err := cl.GetW(t.Context(), "/n")
			require.NoError(t, err)
			time.Sleep(time.Minute)
			idle(t, w)
			require.Less(t, len(p.seen(jute.OpSetWatches2)), 50, "it does not press")
			p.set(func(*pipes) { verdict = code })
			if err := <-done; code == jute.OK {
				require.NoError(t, err)
				p.event(jute.EventNodeDataChanged, "/n")
				require.Equal(t, evSet("/n"), event(t, w))
			} else {
				require.ErrorIs(t, err, client.ErrUnimplemented)
				require.Equal(t, client.EventConnectionLost, event(t, w).Type)
			}
		})
	}
}
