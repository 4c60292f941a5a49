package lock_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// A lock goes from one process to the next without anybody else getting it.
func TestResume(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	open := func(opts ...client.Option) *client.Client {
		cl, err := client.Connect(t.Context(), srv.Addr(), opts...)
		require.NoError(t, err)
		t.Cleanup(func() { _ = cl.Close() })
		return cl
	}
	a, other := open(), open()
	held, err := lock.NewMutex(a, "/resume/lock").Lock(t.Context())
	require.NoError(t, err)
	session, err := a.Detach(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, held.Err(), lock.ErrLost)
	require.ErrorIs(t, context.Cause(held.Context()), client.ErrDetached)

	b := open(client.WithSession(session))
	_, err = lock.NewMutex(other, "/resume/lock").TryLock(t.Context())
	require.ErrorIs(t, err, lock.ErrBusy)
	again, err := lock.Resume(t.Context(), b, held.Handle())
	require.NoError(t, err)
	require.Equal(t, held.Token(), again.Token())
	require.NoError(t, again.Unlock(t.Context()))
	next, err := lock.NewMutex(other, "/resume/lock").Lock(t.Context())
	require.NoError(t, err)
	require.Greater(t, next.Token(), held.Token())
	_, err = lock.Resume(t.Context(), b, held.Handle())
	require.ErrorIs(t, err, lock.ErrLost)
	_, err = lock.Resume(t.Context(), b, recipes.GrantHandle{})
	require.ErrorIs(t, err, client.ErrBadArgument)
}

// Do tells that its lock was left to another process: it is not unlocked.
func TestDoIsDetached(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, err := client.Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	err = lock.NewMutex(cl, "/resume/lock").Do(t.Context(), func(ctx context.Context, _ *lock.Held) error {
		_, err := cl.Detach(t.Context())
		<-ctx.Done()
		require.ErrorIs(t, context.Cause(ctx), client.ErrDetached)
		return err
	})
	require.ErrorIs(t, err, lock.ErrLost)
	require.ErrorIs(t, err, client.ErrDetached)
	node, _ := srv.Node("/resume/lock")
	require.Len(t, node.Children, 1)
}
