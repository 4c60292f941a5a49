package counter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// What changes cost: the first a receipt, a read and a transaction; those that follow one request; and each
// receipt one for its deletion, when it has not been used for a second.
func TestCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		require.NoError(t, srv.Create(receipts+"/other", nil))
		require.NoError(t, srv.Create(node, make([]byte, 8)))
		cl := connect(t, srv)
		c := counter.New(cl, node)
		add := func() int {
			srv.ResetRequests()
			_, err := c.Add(bounded(t), 1)
			require.NoError(t, err)
			return len(srv.Requests())
		}
		require.Equal(t, 3, add(), "%s", steps(srv.Requests()))
		for range 10 {
			time.Sleep(900 * time.Millisecond)
			require.Equal(t, 1, add(), "%s", steps(srv.Requests()))
		}
		srv.ResetRequests()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		requests := srv.Requests(zktest.On(receipts + "/*"))
		require.GreaterOrEqual(t, len(requests), 1)
		require.Equal(t, zktest.OpDelete, requests[0].Op)
		dir, _ := srv.Node(receipts)
		require.Equal(t, []string{"other"}, dir.Children)
		require.Equal(t, 3, add(), "%s", steps(srv.Requests()))
	})
}

// Receipts that nobody has used for a day are deleted by others; younger ones are not.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		dead := connect(t, srv)
		_, err := counter.New(dead, node).Add(bounded(t), 1)
		require.NoError(t, err)
		require.NoError(t, dead.Close())
		left, _ := srv.Node(receipts)
		require.Len(t, left.Children, 1, "the receipt of who has died")

		c := counter.New(connect(t, srv), node)
		adds := func(n int) {
			for range n {
				_, err := c.Add(bounded(t), 1)
				require.NoError(t, err)
				time.Sleep(2 * time.Second)
			}
		}
		srv.AdvanceClock(23 * time.Hour)
		adds(200)
		now, _ := srv.Node(receipts)
		require.Equal(t, left.Children, now.Children, "it is not a day old")
		srv.AdvanceClock(2 * time.Hour)
		adds(400)
		now, _ = srv.Node(receipts)
		require.Empty(t, now.Children)
	})
}

// The receipts' directory can be elsewhere, and be written by their owners alone.
func TestReceiptsElsewhere(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv, client.WithAuth("digest", "a:b"), client.WithDefaultACL(client.AuthACL(client.PermAll)))
	c := counter.New(cl, node, counter.WithReceipts("/own/place"))
	_, err := c.Add(bounded(t), 1)
	require.NoError(t, err)
	dir, ok := srv.Node("/own/place")
	require.True(t, ok)
	require.Len(t, dir.Children, 1)
	_, err = connect(t, srv).Set(bounded(t), client.Join("/own/place", dir.Children[0]), nil, client.AnyVersion)
	require.ErrorIs(t, err, client.ErrNoAuth)
	_, ok = srv.Node(receipts)
	require.False(t, ok)
}
