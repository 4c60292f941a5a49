package election_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

type key struct{}

func TestRunReturnsWhatTheFunctionReturns(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a")
	ctx, cancel := context.WithCancel(context.WithValue(bounded(t), key{}, "value"))
	defer cancel()
	require.NoError(t, e.Run(ctx, func(ctx context.Context, term *election.Term) error {
		require.Equal(t, "value", ctx.Value(key{}))
		require.NoError(t, ctx.Err())
		require.NoError(t, term.Err())
		require.Equal(t, []string{base(term.Path())}, nodes(srv, dir))
		return nil
	}))
	require.Empty(t, nodes(srv, dir), "resigned")

	failed := errors.New("of fn")
	require.Equal(t, failed, e.Run(ctx, func(context.Context, *election.Term) error { return failed }), "as it is")

	srv.FailNext(zktest.On(dir+"/*", zktest.OpDelete), zktest.NoAuth)
	err := e.Run(ctx, func(context.Context, *election.Term) error { return failed })
	require.ErrorIs(t, err, failed)
	require.ErrorIs(t, err, client.ErrNoAuth, "the leadership was not given up")

	require.PanicsWithValue(t, "of fn", func() {
		_ = e.Run(ctx, func(context.Context, *election.Term) error { panic("of fn") })
	})
	require.Empty(t, nodes(srv, dir), "resigned after a panic")

	require.NoError(t, e.Run(ctx, func(ctx context.Context, _ *election.Term) error {
		cancel()
		<-ctx.Done()
		require.Equal(t, context.Canceled, context.Cause(ctx))
		return nil
	}), "what fn says counts")
	require.Empty(t, nodes(srv, dir), "resigned although ctx has ended")
	require.ErrorIs(t, e.Run(ctx, func(context.Context, *election.Term) error {
		t.Error("fn ran without the leadership")
		return nil
	}), context.Canceled)
	requireGone(t, srv)
}

// leading is a function for Run that tells of its terms and returns when it is told to.
type leading struct {
	terms  chan *election.Term
	ctxs   chan context.Context
	finish chan error
}

func newLeading() *leading {
	return &leading{make(chan *election.Term, 10), make(chan context.Context, 10), make(chan error)}
}

func (l *leading) fn(ctx context.Context, term *election.Term) error {
	l.ctxs <- ctx
	l.terms <- term
	return <-l.finish
}

func (l *leading) run(ctx context.Context, e *election.Election) <-chan error {
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, l.fn) }()
	return done
}

// The function has ended before the leadership is given up, however its term ends but for the
// loss of its session; and Run campaigns again, at the end of the line.
func TestFunctionEndsBeforeTheNextLeads(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*election.Term) error{
		"resigned":    func(term *election.Term) error { return term.Resign(term.Context()) },
		"handed over": func(term *election.Term) error { return term.HandOver(term.Context(), "b") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			e := election.New(connect(t, srv), dir, "a")
			ctx, cancel := context.WithCancel(bounded(t))
			defer cancel()
			fn := newLeading()
			done := fn.run(ctx, e)
			term := wait(t, "the first term", fn.terms)
			next := standing(ctx, t, srv, election.New(connect(t, srv), dir, "b"))
			srv.ResetRequests()
			gaveUp := make(chan error, 1)
			go func() { gaveUp <- end(term) }()
			under := wait(t, "fn's context", fn.ctxs)
			wait(t, "its end", under.Done())
			require.ErrorIs(t, context.Cause(under), election.ErrResigned)
			require.ErrorIs(t, term.Err(), election.ErrResigned)
			_, err := term.Txn().Create("/last-words", nil).Commit(ctx)
			require.NoError(t, err, "the leadership lasts as long as fn")
			require.Empty(t, next)
			require.Empty(t, gaveUp, "it waits for fn")
			require.Empty(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpDelete}}))
			fn.finish <- nil
			require.NoError(t, wait(t, "the end of the call", gaveUp))
			second := elected(t, next)
			require.Empty(t, done, "it goes on")
			require.NoError(t, second.Resign(ctx))
			again := wait(t, "another term", fn.terms)
			require.Greater(t, again.Token(), second.Token())
			cancel()
			fn.finish <- nil
			require.NoError(t, wait(t, "the end of Run", done))
			requireGone(t, srv)
		})
	}
}

// Called by the function itself, with its context, nothing waits for itself.
func TestFunctionEndsItsOwnTerm(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a")
	b := election.New(connect(t, srv), dir, "b")
	ctx := bounded(t)
	n, rival := 0, make(chan error, 1)
	require.NoError(t, e.Run(ctx, func(ctx context.Context, term *election.Term) error {
		switch n++; n {
		case 1:
			require.NoError(t, term.Resign(ctx))
			require.NoError(t, term.Resign(context.WithoutCancel(ctx)), "known by its mark")
			return ctx.Err()
		case 2:
			next := standing(context.WithoutCancel(ctx), t, srv, b)
			require.NoError(t, term.HandOver(ctx, "b"))
			require.ErrorIs(t, term.HandOver(ctx, "b"), election.ErrHandedOver)
			require.ErrorIs(t, term.Err(), election.ErrHandedOver)
			go func() {
				o := <-next
				if o.err == nil {
					o.err = o.term.Resign(t.Context())
				}
				rival <- o.err
			}()
			return errors.New("late")
		}
		return nil
	}))
	require.Equal(t, 3, n)
	require.NoError(t, wait(t, "the end of b's term", rival))
	requireGone(t, srv)
}

// A term that is lost ends the function's context with the reason (K1), and then there is another
// one. What the function says then ends nothing, and is logged.
func TestRunGoesOnAfterALoss(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	var log syncBuffer
	cl := connect(t, srv, quick, client.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	e := election.New(cl, dir, "a")
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	fn := newLeading()
	done := fn.run(ctx, e)
	var last int64
	for _, returned := range []error{nil, context.Canceled, errors.New("work left undone")} {
		term := wait(t, "a term", fn.terms)
		under := wait(t, "its context", fn.ctxs)
		require.Greater(t, term.Token(), last)
		last = term.Token()
		require.True(t, srv.ExpireSession(sessionOf(t, cl)))
		wait(t, "its end", under.Done())
		require.ErrorIs(t, context.Cause(under), election.ErrLost)
		require.ErrorIs(t, context.Cause(under), client.ErrSessionLost)
		require.NoError(t, term.Resign(under), "of its own function: nothing to wait for")
		require.ErrorIs(t, e.Healthy(), election.ErrLost, "the function lingers")
		fn.finish <- returned
	}
	term := wait(t, "a term", fn.terms)
	require.Contains(t, log.String(), "work left undone")
	require.NotContains(t, log.String(), "context canceled")
	require.NoError(t, e.Healthy())
	cancel()
	require.True(t, srv.ExpireSession(sessionOf(t, cl)))
	wait(t, "the end of the term", term.Context().Done())
	fn.finish <- nil
	require.ErrorIs(t, wait(t, "the end of Run", done), election.ErrLost, "lost and cancelled: what it did may have overlapped")
}

func TestRunEndsWithItsClient(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	e := election.New(cl, dir, "a")
	fn := newLeading()
	done := fn.run(t.Context(), e)
	under := wait(t, "a term", fn.ctxs)
	require.NoError(t, cl.Close())
	wait(t, "its end", under.Done())
	fn.finish <- nil
	require.ErrorIs(t, wait(t, "the end of Run", done), client.ErrClosed)
	require.ErrorIs(t, e.Healthy(), client.ErrClosed)
	require.Empty(t, nodes(srv, dir))
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Run ends when its context does also if the answer to a hand-over is lost and no server is in reach any more:
// when the session is over.
func TestRunEndsThoughAHandOverCannotBeDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, other := connect(t, srv, quick), connect(t, srv)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := election.New(cl, dir, "a")
		lost := srv.SwallowReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return len(r.Multi) > 2 }})
		go func() {
			<-lost.Fired()
			srv.Doors()[0].Kill()
			cancel()
		}()
		leads, waits := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- e.Run(ctx, func(ctx context.Context, term *election.Term) error {
				close(leads)
				<-waits
				return term.HandOver(ctx, "b")
			})
		}()
		<-leads
		next := standing(ctx, t, srv, election.New(other, dir, "b"))
		close(waits)
		err := wait(t, "the end of Run", done)
		if err != nil {
			require.True(t, isAny(err, context.Canceled, election.ErrLost), "%v", err)
		}
		<-next
	})
}
