package lock_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// What other libraries get wrong; docs/defects.md has the list, and where the other tests of it are.

// A call that was cancelled, before it began or while it waited, leaves the lock as it was: the next
// call is not told of it (K4), and no watch stays on the server however many give up (K6).
func TestCancelledLockIsForgotten(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	mu := lock.NewMutex(connect(t, srv), path)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := mu.Lock(cancelled)
	require.ErrorIs(t, err, context.Canceled)
	held := must(t)(mu.Lock(ctx))
	for range 20 {
		asks, giveUp := context.WithCancel(ctx)
		waits := waiting(asks, t, srv, mu.Lock)
		giveUp()
		require.ErrorIs(t, (<-waits).err, context.Canceled)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Zero(c, srv.Watches())
		assert.Len(c, contenders(srv), 1)
	}, patience, time.Millisecond)
	next := waiting(ctx, t, srv, mu.Lock)
	require.NoError(t, held.Unlock(ctx))
	require.NoError(t, taken(t, next).Unlock(ctx))
	require.Empty(t, contenders(srv))
}

// The session ends at each request of a Lock, before it is executed or before it is answered: what is
// granted is a node of the session that lives, the only one, and nothing that looks like an own node
// of the session before is taken for it (C2, C15, CURATOR-498).
func TestLockWhenSessionEndsAtEachRequest(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(path, nil))
		ctx := bounded(t)
		cl := connect(t, srv, client.WithSessionTimeout(4*time.Second)) // the pauses before it connects again go by that
		s, err := cl.Session(ctx)
		require.NoError(t, err)
		count := n
		held := srv.HoldReply(zktest.Match{Session: s.ID(), Where: func(r zktest.Request) bool {
			count--
			return r.Op != zktest.OpPing && count < 0
		}})
		got := make(chan outcome, 1)
		go func() {
			h, err := lock.NewMutex(cl, path).Lock(ctx)
			got <- outcome{h, err}
		}()
		select {
		case <-held.Fired():
			require.True(t, srv.ExpireSession(s.ID()))
			held.Release()
		case o := <-got:
			require.NoError(t, o.err)
			require.GreaterOrEqual(t, n, 2, "the create and the list")
			require.NoError(t, o.held.Unlock(ctx))
			return
		}
		h := <-got
		require.NoError(t, h.err)
		if h.held.Err() == nil { // else it had been granted already
			now, err := cl.Session(ctx)
			require.NoError(t, err)
			node, ok := srv.Node(h.held.Path())
			require.True(t, ok)
			require.NotEqual(t, s.ID(), node.Stat.EphemeralOwner)
			require.Equal(t, now.ID(), node.Stat.EphemeralOwner)
			require.Equal(t, h.held.Token(), node.Stat.Czxid)
			require.Len(t, contenders(srv), 1)
		}
		require.NoError(t, h.held.Unlock(ctx))
	}
}

// A lock belongs to whoever has its Held, in whichever goroutine (C13).
func TestUnlockElsewhere(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	held := must(t)(lock.NewMutex(connect(t, srv), path).Lock(ctx))
	next := waiting(ctx, t, srv, lock.NewMutex(connect(t, srv), path).Lock)
	done := make(chan error)
	go func() { done <- held.Unlock(ctx) }()
	require.NoError(t, <-done)
	second := taken(t, next)
	go func() { done <- second.Unlock(ctx) }()
	require.NoError(t, <-done)
	require.Empty(t, contenders(srv))
}

// What is called when something happens may call ZooKeeper, and wait for it: nothing of the client's
// stands still meanwhile (kazoo#355, kazoo#405, CURATOR-495).
func TestCallsFromCallbacks(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv, client.WithSessionTimeout(4*time.Second))
	mu := lock.NewMutex(cl, path)
	held := must(t)(mu.Lock(ctx))
	again := make(chan outcome, 2)
	relock := func() {
		h, err := mu.Lock(ctx)
		if err == nil {
			err = h.Unlock(ctx)
		}
		again <- outcome{h, err}
	}
	context.AfterFunc(held.Context(), relock)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range cl.States(watching) { // each state, the present one first
			relock()
			return
		}
	}()
	s, err := cl.Session(ctx)
	require.NoError(t, err)
	require.True(t, srv.ExpireSession(s.ID()))
	for range 2 {
		require.NoError(t, (<-again).err)
	}
	<-ended
	require.ErrorIs(t, held.Err(), lock.ErrLost)
}
