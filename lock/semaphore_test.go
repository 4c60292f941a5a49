package lock_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// fullSemaphore is closed when somebody has begun to wait for permits.
func fullSemaphore(srv *zktest.Server) <-chan struct{} {
	h := srv.HoldReply(zktest.Match{Path: path, Ops: []zktest.Op{zktest.OpGetData}, Where: func(r zktest.Request) bool { return r.Watch }})
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

func TestSemaphore(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		srv := zktest.Start(t)
		ctx := bounded(t)
		mine := lock.NewSemaphore(connect(t, srv), path, 3, lock.WithLayout(layout), lock.WithIdentifier("engine-7"))
		other := lock.NewSemaphore(connect(t, srv), path, 3, lock.WithLayout(layout), lock.WithIdentifier("engine-8"))
		a, err := mine.Acquire(ctx, 2)
		require.NoError(t, err)
		b, err := other.Acquire(ctx, 1)
		require.NoError(t, err)
		_, err = other.TryAcquire(ctx, 1)
		require.ErrorIs(t, err, lock.ErrBusy)

		all, err := other.Holders(ctx)
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, lock.Holder{Path: all[0].Path, Permits: 2, Identifier: "engine-7", Session: all[0].Session, Token: a.Token(), Since: all[0].Since}, all[0])
		require.Equal(t, []any{"engine-8", 1, b.Token(), b.Path()}, []any{all[1].Identifier, all[1].Permits, all[1].Token, all[1].Path})
		require.NotEqual(t, all[0].Session, all[1].Session)

		waits := fullSemaphore(srv)
		got := make(chan *lock.Held, 1)
		go func() {
			h, err := other.Acquire(ctx, 3)
			if err != nil {
				t.Error(err)
			}
			got <- h
		}()
		<-waits
		require.NoError(t, a.Unlock(ctx))
		require.NoError(t, mine.SetLimit(ctx, 4))
		c := <-got
		require.Greater(t, c.Token(), b.Token())
		n, err := other.Limit(ctx)
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.NoError(t, b.Unlock(ctx))
		require.NoError(t, c.Unlock(ctx))
		all, err = mine.Holders(ctx)
		require.NoError(t, err)
		require.Empty(t, all)
	}
}

func TestSemaphoreDo(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	s := lock.NewSemaphore(cl, path, 2)
	failed := errors.New("of fn")
	require.Equal(t, failed, s.Do(bounded(t), 2, func(ctx context.Context, held *lock.Held) error {
		require.NoError(t, ctx.Err())
		require.NoError(t, held.Err())
		return failed
	}))
	err := s.Do(bounded(t), 2, func(ctx context.Context, _ *lock.Held) error {
		session, err := cl.Session(ctx)
		require.NoError(t, err)
		require.True(t, srv.ExpireSession(session.ID()))
		<-ctx.Done()
		require.ErrorIs(t, context.Cause(ctx), lock.ErrLost)
		return nil
	})
	require.ErrorIs(t, err, lock.ErrLost)
	require.ErrorIs(t, s.Do(bounded(t), 1, nil), client.ErrBadArgument)
	require.ErrorIs(t, s.Do(bounded(t), 3, func(context.Context, *lock.Held) error {
		t.Error("fn ran without permits")
		return nil
	}), lock.ErrOverLimit)
}

// A path is for a lock or for a semaphore.
func TestSemaphoreAndMutexDoNotShareAPath(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	ctx := bounded(t)
	held, err := lock.NewMutex(cl, path).Lock(ctx)
	require.NoError(t, err)
	_, err = lock.NewSemaphore(cl, path, 1).Acquire(ctx, 1)
	require.ErrorIs(t, err, lock.ErrLayoutConflict)
	_, err = lock.NewSemaphore(cl, path, 1, lock.WithLayout(recipes.Kazoo)).Acquire(ctx, 1)
	require.ErrorIs(t, err, lock.ErrLayoutConflict)
	require.NoError(t, held.Unlock(ctx))
}

func TestWhatCannotBeASemaphoreIsReportedByTheFirstCall(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		s    *lock.Semaphore
		want error
		text string
	}{
		"no client":        {lock.NewSemaphore(nil, path, 1), client.ErrBadArgument, path},
		"no limit":         {lock.NewSemaphore(cl, path, 0), client.ErrBadArgument, "a limit of 0"},
		"root":             {lock.NewSemaphore(cl, "/", 1), client.ErrBadPath, "root"},
		"unknown layout":   {lock.NewSemaphore(cl, path, 1, lock.WithLayout(7)), client.ErrBadArgument, "layout(7)"},
		"nil option":       {lock.NewSemaphore(cl, path, 1, nil), client.ErrBadArgument, "option 0"},
		"tolerance":        {lock.NewSemaphore(cl, path, 1, lock.WithTolerance()), client.ErrBadArgument, "WithTolerance"},
		"large identifier": {lock.NewSemaphore(cl, path, 1, lock.WithIdentifier(strings.Repeat("x", 1<<17))), client.ErrBadArgument, "131072"},
	} {
		_, err := c.s.Acquire(t.Context(), 1)
		require.ErrorIs(t, err, c.want, name)
		require.ErrorContains(t, err, c.text, name)
		_, err = c.s.TryAcquire(t.Context(), 1)
		require.ErrorIs(t, err, c.want, name)
		_, err = c.s.Holders(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = c.s.Limit(t.Context())
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, c.s.SetLimit(t.Context(), 1), c.want, name)
		require.ErrorIs(t, c.s.Do(t.Context(), 1, func(context.Context, *lock.Held) error { return nil }), c.want, name)
	}
	require.Empty(t, srv.Requests(), "nothing was sent")
}
