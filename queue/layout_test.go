package queue_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// What is written in each layout is what the library reads, and nothing else is in its directories: Kazoo's Queue takes every
// child for an item.
func TestWhatLayoutsWrite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		layout queue.Layout
		opts   []queue.PutOption
		dir    string
		name   string
		data   string
	}{
		{queue.KazooQueue, nil, path, "entry-100-0000000000", "v"},
		{queue.KazooQueue, []queue.PutOption{queue.Priority(5)}, path, "entry-005-0000000000", "v"},
		{queue.KazooLockingQueue, nil, path + "/entries", "entry-100-0000000000", "v"},
		{queue.CuratorSimpleQueue, nil, path, "qn-0000000000", "v"},
		{queue.CuratorQueue, nil, path, "queue-0000000000", "\x00\x01\x00\x01\x01\x00\x00\x00\x01v\x02"},
		{queue.CuratorPriorityQueue, []queue.PutOption{queue.Priority(-1)}, path, "queue-0FFFFFFFF0000000000", "\x00\x01\x00\x01\x01\x00\x00\x00\x01v\x02"},
		{queue.CuratorIDQueue, []queue.PutOption{queue.ID("a/b")}, path, "queue-|a_b|0000000000", "\x00\x01\x00\x01\x01\x00\x00\x00\x01v\x02"},
	} {
		srv := zktest.Start(t)
		q := texts(connect(t, srv), queue.WithLayout(tt.layout))
		_, err := q.Put(bounded(t), "v", tt.opts...)
		require.NoError(t, err)
		dir, ok := srv.Node(tt.dir)
		require.True(t, ok)
		require.Equal(t, []string{tt.name}, dir.Children)
		node, _ := srv.Node(tt.dir + "/" + tt.name)
		require.Equal(t, tt.data, string(node.Data))
		root, _ := srv.Node(path)
		if tt.layout == queue.KazooLockingQueue {
			slices.Sort(root.Children)
			require.Equal(t, []string{"entries", "taken"}, root.Children)
		}
		e, err := q.Pop(bounded(t))
		require.NoError(t, err)
		require.Equal(t, "v", e.Value)
	}
}

// The leases are those of the libraries: named as the item, ephemeral.
func TestLeasesOfOtherLayouts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	q := texts(cl, queue.WithLayout(queue.KazooLockingQueue))
	put(t, q, "a", "b")
	item := take(t, q)
	lease, ok := srv.Node(path + "/taken/entry-100-0000000000")
	require.True(t, ok)
	require.Len(t, lease.Data, 32, "a consumer's id, as Kazoo's")
	require.Equal(t, sessionOf(t, cl), lease.Stat.EphemeralOwner)
	// Kazoo's consumer has the other one.
	peer := connect(t, srv)
	_, err := peer.Create(bounded(t), path+"/taken/entry-100-0000000001", []byte("somebody"), client.WithMode(client.Ephemeral))
	require.NoError(t, err)
	_, err = q.TryTake(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	_, err = q.TryPop(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	got := takeLater(bounded(t), q)
	require.NoError(t, peer.Close())
	other := wait(t, "the item", got)
	require.NoError(t, other.err)
	require.Equal(t, "b", other.item.Value)
	require.NoError(t, q.AckAll(bounded(t), []*queue.Item[string]{item, other.item, item}))
	for _, dir := range []string{"/taken", "/entries"} {
		n, _ := srv.Node(path + dir)
		require.Empty(t, n.Children)
	}
}
