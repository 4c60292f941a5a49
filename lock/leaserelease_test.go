package lock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// A lease that is released while it is being renewed is given back, and what the renewal has written with it.
func TestLeaseReleasedWhileItIsRenewed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		taken, err := lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("me")).TryTake(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Minute)
		before := leaseNode(srv)
		written := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return len(r.Multi) > 1 }})
		renewed, released := make(chan error, 1), make(chan error, 1)
		go func() { renewed <- taken.Renew(t.Context()) }()
		<-written.Fired()
		require.NotEqual(t, before, leaseNode(srv))
		go func() { released <- taken.Release(t.Context()) }()
		synctest.Wait()
		written.Release()
		require.ErrorIs(t, <-renewed, lock.ErrUnlocked)
		require.NoError(t, <-released)
		_, there := srv.Node(holderPath)
		require.False(t, there, leaseNode(srv))
	})
}

// Somebody has taken it without the lock just before it is given back: theirs stays.
func TestLeaseReleaseLeavesALaterHolderAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *zktest.Server, connect func() *client.Client) {
		taken, err := lock.NewLease(connect(), leasePath, time.Hour, lock.WithHolder("me")).TryTake(t.Context())
		require.NoError(t, err)
		const theirs = `{"version": 1, "holder": "other", "end": "2199-02-03T04:05:06"}`
		once := false
		srv.OnRequest(func(r zktest.Request) {
			if !once && r.Op == zktest.OpMulti && len(r.Multi) > 1 {
				once = true
				if err := srv.Set(holderPath, []byte(theirs)); err != nil {
					t.Error(err)
				}
			}
		})
		require.NoError(t, taken.Release(t.Context()))
		srv.OnRequest(nil)
		require.True(t, once)
		requireBytes(t, srv, theirs)
	})
}
