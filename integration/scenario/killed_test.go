package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestServersKilled: the leader is killed while a request of Lock or Unlock is on its
// way, and the server that the client is connected to is killed under it. The lock is
// acquired and released exactly once, in the session that the client had.
func TestServersKilled(t *testing.T) {
	e := ensemble.Start(t, 3)
	t.Run("leader, while the create is on its way", func(t *testing.T) { leaderKilled(t, e, opCreate2, false) })
	t.Run("leader, while the list is on its way", func(t *testing.T) { leaderKilled(t, e, opChildren2, false) })
	t.Run("leader, while the delete is on its way", func(t *testing.T) { leaderKilled(t, e, opDelete, true) })
	t.Run("the client's follower", func(t *testing.T) { followerKilled(t, e) })
}

// leaderKilled kills the leader when a follower's client has sent a request with
// op and before the follower gets it.
func leaderKilled(t *testing.T, e *ensemble.Ensemble, op int32, unlock bool) {
	t.Helper()
	ctx := trial.Within(t, 90*time.Second)
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	p := faultproxy.Start(t, followers[0].Addr())
	// Two ways in, so that the client can go on wherever the election ends.
	q := faultproxy.Start(t, followers[1].Addr())
	pin := trial.PinTo(p.Addr())
	cl := trial.Connect(t, p.Addr()+","+q.Addr(), client.WithSessionTimeout(15*time.Second), client.WithDialer(pin.Dial))
	pin.Free()
	observer := trial.Connect(t, e.Connect(), client.WithSessionTimeout(15*time.Second))
	dir := "/killed/" + trial.Sanitize(t.Name())
	trial.MakeDirectory(t, ctx, observer, dir)
	require.NoError(t, cl.Sync(ctx, dir)) // its follower knows the directory too
	mutex := lock.NewMutex(cl, dir)

	var held *lock.Held
	if unlock {
		held, err = mutex.Lock(ctx)
		require.NoError(t, err)
	}
	hit := p.HoldRequest(faultproxy.Op(op))
	done := make(chan error, 1)
	go func() {
		if unlock {
			done <- held.Unlock(ctx)
			return
		}
		var err error
		held, err = mutex.Lock(ctx)
		done <- err
	}()
	_, err = hit.Wait(ctx)
	require.NoError(t, err)
	require.NoError(t, leader.Kill(ctx))
	hit.Release()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-ctx.Done():
		t.Fatal("it did not end")
	}
	if !unlock {
		requireContenders(t, ctx, observer, dir, 1)
		require.NoError(t, held.Unlock(ctx))
	}
	requireContenders(t, ctx, observer, dir, 0)
	require.Equal(t, uint64(1), cl.State().Epoch, "still the first session")
	require.NoError(t, leader.Restart(ctx))
	require.NoError(t, e.WaitServing(ctx))
}

func followerKilled(t *testing.T, e *ensemble.Ensemble) {
	t.Helper()
	ctx := trial.Within(t, 90*time.Second)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	pin := trial.PinTo(followers[0].Addr())
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(10*time.Second), client.WithDialer(pin.Dial))
	pin.Free()
	observer := trial.Connect(t, others(e.Connect(), followers[0].Addr()))
	held, err := lock.NewMutex(cl, "/killed/follower").Lock(ctx)
	require.NoError(t, err)

	require.NoError(t, followers[0].Kill(ctx))
	requireMoved(t, ctx, cl, followers[0].Addr())
	until := held.ValidUntil()
	require.Eventually(t, func() bool { return held.ValidUntil().After(until) }, 20*time.Second, 5*time.Millisecond, "the grant is confirmed over the new connection")
	require.NoError(t, held.Err())
	require.Equal(t, uint64(1), cl.State().Epoch)
	requireContenders(t, ctx, observer, "/killed/follower", 1)
	_, err = lock.NewMutex(observer, "/killed/follower").TryLock(ctx)
	require.ErrorIs(t, err, lock.ErrBusy)
	require.NoError(t, held.Unlock(ctx))
	requireContenders(t, ctx, observer, "/killed/follower", 0)
	require.NoError(t, followers[0].Restart(ctx))
}

// requireMoved waits until the client is connected to another server.
func requireMoved(t *testing.T, ctx context.Context, cl *client.Client, from string) { //nolint:revive // t first
	t.Helper()
	for change := range cl.States(ctx) {
		if change.State == client.Connected && change.Server != from {
			return
		}
	}
	t.Fatal("the client has not moved")
}
