package lock_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// One process locks, its successor is gone as well, and a third one unlocks.
func TestLockPersistent(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	a, b := connect(t, srv), connect(t, srv)
	p, err := lock.NewMutex(a, path, lock.WithIdentifier("engine-7")).LockPersistent(ctx)
	require.NoError(t, err)
	text, err := p.Handle().MarshalText()
	require.NoError(t, err)
	require.NoError(t, a.Close())

	mu := lock.NewMutex(b, path)
	_, err = mu.TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	_, err = mu.TryLockPersistent(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	c := all(t, mu)
	require.Equal(t, []lock.Contender{{Path: p.Path(), Identifier: "engine-7", Token: p.Token(), Since: c[0].Since, Persistent: true}}, c)
	var handle recipes.PersistentHandle
	require.NoError(t, handle.UnmarshalText(text))
	again, err := lock.OpenPersistent(ctx, b, handle)
	require.NoError(t, err)
	require.NoError(t, again.Check(ctx))
	asked, err := again.Revoked(ctx)
	require.NoError(t, err)
	require.False(t, asked)
	require.NoError(t, mu.Revoke(ctx, c[0]))
	asked, err = again.Revoked(ctx)
	require.NoError(t, err)
	require.True(t, asked)
	require.True(t, all(t, mu)[0].Revoked)
	_, err = again.Txn().Set(again.Path(), nil, client.AnyVersion).Commit(ctx)
	require.NoError(t, err)
	require.NoError(t, again.Unlock(ctx))
	require.Equal(t, lock.ErrUnlocked, again.Check(ctx))
	_, err = lock.OpenPersistent(ctx, b, handle)
	require.ErrorIs(t, err, lock.ErrLost)

	p, err = mu.TryLockPersistent(ctx)
	require.NoError(t, err)
	require.Greater(t, p.Token(), again.Token())
	require.NoError(t, p.Unlock(ctx))
	require.Empty(t, contenders(srv))
	_, err = lock.NewMutex(b, "").LockPersistent(ctx)
	require.ErrorIs(t, err, client.ErrBadPath)
	_, err = lock.NewMutex(b, "").TryLockPersistent(ctx)
	require.ErrorIs(t, err, client.ErrBadPath)
}

// What Kazoo's acquire(ephemeral=False) has left is waited for, shown and broken.
func TestBreakKazoosPersistentLock(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	const theirs = path + "/3b1ecdd01f374e4a8a0b0f1a4f0b5a11__lock__0000000000"
	require.NoError(t, srv.Create(theirs, []byte("left")))
	require.NoError(t, srv.SetNextSequence(path, 1))
	mu := lock.NewMutex(connect(t, srv), path, lock.WithLayout(recipes.Kazoo))
	waits := watched(srv)
	got := make(chan *lock.Held, 1)
	go func() {
		held, err := mu.Lock(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- held
	}()
	<-waits
	c := all(t, mu)
	require.True(t, c[0].Persistent)
	require.False(t, c[1].Persistent)
	require.Equal(t, "left", c[0].Identifier)
	require.NoError(t, mu.Break(ctx, c[0]))
	held := <-got
	require.Equal(t, c[1].Path, held.Path())
	require.NoError(t, held.Unlock(ctx))
}

// A holder that is broken learns why its lock ended.
func TestBreak(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	mu := lock.NewMutex(connect(t, srv, client.WithSessionTimeout(5*time.Second)), path)
	held, err := mu.Lock(ctx)
	require.NoError(t, err)
	other := lock.NewMutex(connect(t, srv), path)
	require.NoError(t, other.Break(ctx, all(t, other)[0]))
	next, err := other.Lock(ctx)
	require.NoError(t, err)
	arrives(t, "the end of the lock", held.Context().Done())
	require.ErrorIs(t, context.Cause(held.Context()), lock.ErrLost)
	require.ErrorIs(t, context.Cause(held.Context()), client.ErrHoldDeleted)
	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, next.Err())
	require.NoError(t, next.Unlock(ctx))
}
