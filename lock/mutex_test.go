package lock_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

const path = "/stacks/42"

const patience = time.Minute

// inMemory is for tests in a bubble of testing/synctest: there the server lives in the
// bubble's time, so that no load of the machine can make an answer late.
var inMemory = zktest.WithInMemoryNetwork()

func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// watched is closed when somebody has begun to watch a node in the lock's directory.
func watched(srv *zktest.Server) <-chan struct{} {
	h := srv.HoldReply(zktest.On(path+"/*", zktest.OpGetData))
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

func contenders(srv *zktest.Server) []string {
	n, _ := srv.Node(path)
	return n.Children
}

func TestLockAndUnlock(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	mu := lock.NewMutex(connect(t, srv), path)
	a, err := mu.Lock(ctx)
	require.NoError(t, err)
	require.NoError(t, a.Err())
	require.NoError(t, a.Context().Err())
	require.True(t, a.ValidUntil().After(time.Now()))
	require.True(t, strings.HasPrefix(a.Path(), path+"/_c_"), a.Path())

	other := lock.NewMutex(connect(t, srv), path)
	_, err = other.TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.ErrorContains(t, err, path)

	waits := watched(srv)
	got := make(chan *lock.Held, 1)
	go func() {
		b, err := other.Lock(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	<-waits
	require.NoError(t, a.Unlock(ctx))
	require.Equal(t, lock.ErrUnlocked, a.Err())
	require.Equal(t, lock.ErrUnlocked, context.Cause(a.Context()))
	b := <-got
	require.Greater(t, b.Token(), a.Token())
	require.NoError(t, a.Unlock(ctx), "again, and nothing happens")
	require.NoError(t, b.Err())
	require.NoError(t, b.Unlock(ctx))
	require.Empty(t, contenders(srv))
}

// Whoever holds it and asks again waits for itself.
func TestNotReentrant(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	mu := lock.NewMutex(connect(t, srv), path)
	held, err := mu.Lock(bounded(t))
	require.NoError(t, err)
	_, err = mu.TryLock(bounded(t))
	require.ErrorIs(t, err, lock.ErrBusy)
	waits := watched(srv)
	ctx, cancel := context.WithCancel(bounded(t))
	go func() {
		<-waits
		cancel()
	}()
	_, err = mu.Lock(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, held.Unlock(bounded(t)))
}

func TestLayoutsAndTolerance(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	ctx := bounded(t)
	kazoo, err := lock.NewMutex(cl, path, lock.WithLayout(recipes.Kazoo)).Lock(ctx)
	require.NoError(t, err)
	require.Contains(t, kazoo.Path(), "__lock__")
	_, err = lock.NewMutex(cl, path).Lock(ctx)
	require.ErrorIs(t, err, lock.ErrLayoutConflict)
	_, err = lock.NewMutex(cl, path).TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrLayoutConflict)
	_, err = lock.NewMutex(cl, path, lock.WithTolerance()).TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, kazoo.Unlock(ctx))
	held, err := lock.NewMutex(cl, path, lock.WithTolerance()).TryLock(ctx)
	require.NoError(t, err)
	require.NoError(t, held.Unlock(ctx))
}

func TestContenders(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	ctx := bounded(t)
	plain, named := lock.NewMutex(cl, path), lock.NewMutex(cl, path, lock.WithIdentifier("engine-7"))
	none, err := plain.Contenders(ctx)
	require.NoError(t, err)
	require.Empty(t, none)

	held, err := plain.Lock(ctx)
	require.NoError(t, err)
	waits := watched(srv)
	waiting, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() {
		_, err := named.Lock(waiting)
		ended <- err
	}()
	<-waits
	all, err := plain.Contenders(ctx)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, held.Path(), all[0].Path)
	require.Equal(t, held.Token(), all[0].Token)
	require.True(t, strings.HasSuffix(all[0].Identifier, fmt.Sprintf("-%d", os.Getpid())), all[0].Identifier)
	require.Equal(t, "engine-7", all[1].Identifier)
	require.Equal(t, all[0].Session, all[1].Session)
	require.NotZero(t, all[0].Session)
	require.WithinDuration(t, time.Now(), all[1].Since, time.Minute)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.NoError(t, held.Unlock(ctx))
}

func TestWhatCannotBeIsReportedByTheFirstCall(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		mu   *lock.Mutex
		want error
		text string
	}{
		"no client":        {lock.NewMutex(nil, path), client.ErrBadArgument, path},
		"no path":          {lock.NewMutex(cl, ""), client.ErrBadPath, "empty"},
		"relative path":    {lock.NewMutex(cl, "stacks"), client.ErrBadPath, "stacks"},
		"dots":             {lock.NewMutex(cl, "/a/../b"), client.ErrBadPath, "/a/../b"},
		"unknown layout":   {lock.NewMutex(cl, path, lock.WithLayout(7)), client.ErrBadArgument, "layout(7)"},
		"nil option":       {lock.NewMutex(cl, path, nil), client.ErrBadArgument, "option 0"},
		"large identifier": {lock.NewMutex(cl, path, lock.WithIdentifier(strings.Repeat("x", 1<<17))), client.ErrBadArgument, "131072"},
	} {
		_, err := c.mu.Lock(t.Context())
		require.ErrorIs(t, err, c.want, name)
		require.ErrorContains(t, err, c.text, name)
		_, err = c.mu.TryLock(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = c.mu.Contenders(t.Context())
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, c.mu.Do(t.Context(), func(context.Context, *lock.Held) error { return nil }), c.want, name)
	}
	require.ErrorIs(t, lock.NewMutex(cl, path).Do(t.Context(), nil), client.ErrBadArgument)
	require.Empty(t, srv.Requests(), "nothing was sent")
}

func TestTxnIsRefusedOnceTheLockIsGone(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", []byte("0")))
	ctx := bounded(t)
	held, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	_, err = held.Txn().Set("/data", []byte("1"), client.AnyVersion).Commit(ctx)
	require.NoError(t, err)
	require.NoError(t, srv.Delete(held.Path()))
	_, err = held.Txn().Set("/data", []byte("2"), client.AnyVersion).Commit(ctx)
	require.ErrorIs(t, err, lock.ErrLost)
	require.ErrorIs(t, held.Err(), lock.ErrLost)
	n, _ := srv.Node("/data")
	require.Equal(t, "1", string(n.Data))
	require.NoError(t, held.Unlock(ctx))
}

type key struct{}

func TestDo(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	mu := lock.NewMutex(connect(t, srv), path)
	ctx, cancel := context.WithCancel(context.WithValue(bounded(t), key{}, "value"))
	defer cancel()

	require.NoError(t, mu.Do(ctx, func(ctx context.Context, held *lock.Held) error {
		require.Equal(t, "value", ctx.Value(key{}))
		require.NoError(t, ctx.Err())
		require.NoError(t, held.Err())
		require.Len(t, contenders(srv), 1)
		return nil
	}))
	require.Empty(t, contenders(srv), "unlocked")

	failed := errors.New("of fn")
	require.Equal(t, failed, mu.Do(ctx, func(context.Context, *lock.Held) error { return failed }), "as it is")

	require.NoError(t, mu.Do(ctx, func(ctx context.Context, held *lock.Held) error {
		return held.Unlock(ctx) // early, on purpose: that is not a loss
	}))

	srv.FailNext(zktest.On(path+"/*", zktest.OpDelete), zktest.NoAuth)
	err := mu.Do(ctx, func(context.Context, *lock.Held) error { return failed })
	require.ErrorIs(t, err, failed)
	require.ErrorIs(t, err, client.ErrNoAuth, "the unlock was refused")

	require.PanicsWithValue(t, "of fn", func() {
		_ = mu.Do(ctx, func(context.Context, *lock.Held) error { panic("of fn") })
	})
	require.Empty(t, contenders(srv), "unlocked after a panic")

	require.ErrorIs(t, mu.Do(ctx, func(ctx context.Context, _ *lock.Held) error {
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}), context.Canceled)
	require.Empty(t, contenders(srv), "unlocked although ctx has ended")

	require.ErrorIs(t, mu.Do(ctx, func(context.Context, *lock.Held) error {
		t.Error("fn ran without the lock")
		return nil
	}), context.Canceled)
}

// Lost under fn: its context ends with the reason, and Do says so whatever fn says.
func TestDoSaysThatTheLockWasLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		cl := connect(t, srv)
		mu := lock.NewMutex(cl, path)
		failed := errors.New("of fn")
		for _, returned := range []error{nil, failed, lock.ErrLost} {
			err := mu.Do(bounded(t), func(ctx context.Context, held *lock.Held) error {
				s, err := cl.Session(ctx)
				require.NoError(t, err)
				require.True(t, srv.ExpireSession(s.ID()))
				<-ctx.Done()
				require.ErrorIs(t, context.Cause(ctx), lock.ErrLost)
				require.ErrorIs(t, context.Cause(ctx), client.ErrSessionLost)
				require.ErrorIs(t, held.Err(), lock.ErrLost)
				return returned
			})
			require.ErrorIs(t, err, lock.ErrLost)
			if returned != nil {
				require.ErrorIs(t, err, returned)
			}
		}
	})
}

func TestMutualExclusion(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	mus := []*lock.Mutex{lock.NewMutex(connect(t, srv), path), lock.NewMutex(connect(t, srv), path)}
	ctx := bounded(t)
	var holders, last atomic.Int64
	done := make(chan error, 8)
	for i := range 8 {
		go func() {
			done <- func() error {
				for range 5 {
					err := mus[i%2].Do(ctx, func(_ context.Context, held *lock.Held) error {
						if n := holders.Add(1); n != 1 {
							return fmt.Errorf("%d holders", n)
						}
						if before := last.Swap(held.Token()); before >= held.Token() {
							return fmt.Errorf("token %d after %d", held.Token(), before)
						}
						holders.Add(-1)
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
	require.Empty(t, contenders(srv))
}
