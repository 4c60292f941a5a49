package lock_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// Each is unlocked for itself, in any order, and the last one unlocks the lock.
func TestAgain(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		srv := zktest.Start(t)
		ctx := bounded(t)
		outer, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
		require.NoError(t, err)
		srv.ResetRequests()
		inner, err := outer.Again()
		require.NoError(t, err)
		innermost, err := inner.Again()
		require.NoError(t, err)
		all := []*lock.Held{outer, inner, innermost}
		for _, h := range all {
			require.NoError(t, h.Err())
			require.Equal(t, []any{outer.Token(), outer.Path(), outer.Handle()}, []any{h.Token(), h.Path(), h.Handle()})
		}
		for n, i := range order {
			require.Empty(t, srv.Requests(zktest.On(path+"*")), "nothing was sent")
			require.NoError(t, all[i].Unlock(ctx))
			require.NoError(t, all[i].Unlock(ctx), "again, and nothing happens")
			require.Equal(t, lock.ErrUnlocked, all[i].Err())
			require.Equal(t, lock.ErrUnlocked, context.Cause(all[i].Context()))
			_, err := all[i].Again()
			require.ErrorIs(t, err, lock.ErrUnlocked)
			for _, j := range order[n+1:] {
				require.NoError(t, all[j].Err())
				require.NoError(t, all[j].Context().Err())
				require.Len(t, contenders(srv), 1)
			}
		}
		require.Empty(t, contenders(srv))
	}
}

// A loss ends them all, and there is no entering again.
func TestAgainIsLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	ctx := bounded(t)
	a, err := lock.NewMutex(cl, path).Lock(ctx)
	require.NoError(t, err)
	b, err := a.Again()
	require.NoError(t, err)
	c, err := a.Again()
	require.NoError(t, err)
	require.NoError(t, c.Unlock(ctx))
	s, err := cl.Session(ctx)
	require.NoError(t, err)
	srv.ExpireSession(s.ID())
	for _, h := range []*lock.Held{a, b} {
		<-h.Context().Done()
		require.ErrorIs(t, h.Err(), lock.ErrLost)
		require.ErrorIs(t, context.Cause(h.Context()), client.ErrSessionLost)
		_, err = h.Again()
		require.ErrorIs(t, err, lock.ErrLost)
		require.NoError(t, h.Unlock(ctx))
		require.ErrorIs(t, h.Err(), lock.ErrLost, "the first cause stands")
	}
	require.Equal(t, lock.ErrUnlocked, c.Err())
}

// Its transactions end with it, not with the lock only.
func TestAgainTxn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", nil))
	ctx := bounded(t)
	outer, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	inner, err := outer.Again()
	require.NoError(t, err)
	txn := inner.Txn().Set("/data", []byte("inner"), client.AnyVersion)
	require.NoError(t, inner.Unlock(ctx))
	_, err = txn.Commit(ctx)
	require.ErrorIs(t, err, lock.ErrUnlocked)
	require.Equal(t, client.NotSent, client.Outcome(err))
	_, err = outer.Txn().Set("/data", []byte("outer"), client.AnyVersion).Commit(ctx)
	require.NoError(t, err)
	n, _ := srv.Node("/data")
	require.Equal(t, "outer", string(n.Data))
	require.NoError(t, outer.Unlock(ctx))
}

// A context under the one that Unlock ends does not cut it short.
func TestUnlockUnderItsOwnContext(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a, err := lock.NewMutex(connect(t, srv), path).Lock(bounded(t))
	require.NoError(t, err)
	b, err := a.Again()
	require.NoError(t, err)
	require.NoError(t, a.Unlock(a.Context()))
	require.NoError(t, b.Unlock(b.Context()))
	require.Empty(t, contenders(srv))
}

// What fn took again and keeps outlasts Do.
func TestDoAgain(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	var kept *lock.Held
	require.NoError(t, lock.NewMutex(connect(t, srv), path).Do(ctx, func(_ context.Context, held *lock.Held) (err error) {
		kept, err = held.Again()
		return err
	}))
	require.NoError(t, kept.Err())
	require.Len(t, contenders(srv), 1)
	require.NoError(t, kept.Unlock(ctx))
	require.Empty(t, contenders(srv))
}

// Many at once: the lock is unlocked exactly when the last one is.
func TestAgainFromManyGoroutines(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	outer, err := lock.NewMutex(connect(t, srv), path).Lock(ctx)
	require.NoError(t, err)
	srv.ResetRequests()
	var all sync.WaitGroup
	for range 8 {
		h, err := outer.Again()
		require.NoError(t, err)
		all.Go(func() {
			for range 10 {
				inner, err := h.Again()
				if err != nil || inner.Err() != nil {
					t.Error(err, inner.Err())
					return
				}
				if err := inner.Unlock(ctx); err != nil {
					t.Error(err)
				}
			}
			if err := h.Unlock(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	require.NoError(t, outer.Unlock(ctx))
	all.Wait()
	require.Empty(t, contenders(srv))
	require.Len(t, srv.Requests(zktest.On(path+"/*", zktest.OpDelete)), 1)
}
