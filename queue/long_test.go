package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// largest is a hook that remembers the largest request and reply.
type largest struct{ request, reply atomic.Int64 }

func (l *largest) OnOp(e client.OpEnd) {
	for _, of := range []struct {
		most *atomic.Int64
		n    int
	}{{&l.request, e.RequestBytes}, {&l.reply, e.ReplyBytes}} {
		for old := of.most.Load(); int64(of.n) > old && !of.most.CompareAndSwap(old, int64(of.n)); old = of.most.Load() {
		}
	}
}

// A queue of 100,000 items works as a short one does: no request or reply is near ZooKeeper's limit of 1 MiB, and
// a take costs what it costs otherwise.
func TestAVeryLongQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where time stands still, so nothing is confirmed or looked at again meanwhile
		const n = 100_000
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		var sizes largest
		cl := connect(t, srv, client.WithHooks(&sizes))
		ctx := context.WithoutCancel(t.Context())
		q := texts(cl)
		_, err := q.PutAll(ctx, numbered(n))
		require.NoError(t, err)
		session := sessionOf(t, cl)
		srv.ResetRequests()
		length, err := q.Len(ctx)
		require.NoError(t, err)
		require.Equal(t, n, length)
		require.Len(t, counted(srv, session), 3, "%s", steps(counted(srv, session)))
		srv.ResetRequests()
		for i := range 50 {
			item := take(t, q)
			require.Equal(t, fmt.Sprintf("item %d", i), item.Value)
			require.NoError(t, item.Ack(ctx))
		}
		got := counted(srv, session)
		t.Logf("50 of %d items taken and acknowledged one by one: %d requests", n, len(got))
		require.LessOrEqual(t, len(got), 50*2+30, "%s", steps(got))
		_, err = q.Put(ctx, "urgent", queue.Priority(-1))
		require.NoError(t, err)
		require.Equal(t, "urgent", take(t, q).Value)
		items, err := q.TakeAll(ctx, 5000)
		require.NoError(t, err)
		require.Len(t, items, 5000)
		require.Equal(t, "item 50", items[0].Value)
		require.Equal(t, "item 5049", items[4999].Value)
		require.NoError(t, q.AckAll(ctx, items))
		t.Logf("largest request %d bytes, largest reply %d bytes", sizes.request.Load(), sizes.reply.Load())
		require.Less(t, sizes.request.Load(), int64(1<<20))
		require.Less(t, sizes.reply.Load(), int64(1<<20))
	})
}

// Items of the largest size go, alone and many at once, and what is larger is refused before it is sent.
func TestLargeItems(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := queue.NewWith(connect(t, srv), path, recipes.Raw{})
	var all [][]byte
	for i := range 30 {
		all = append(all, make([]byte, 1<<(i%20)))
	}
	_, err := q.PutAll(bounded(t), all)
	require.NoError(t, err)
	items, err := q.TakeAll(bounded(t), 100)
	require.NoError(t, err)
	require.Len(t, items, 30)
	for i, item := range items {
		require.Len(t, item.Value, len(all[i]))
	}
	require.NoError(t, q.AckAll(bounded(t), items))
	_, err = q.Put(bounded(t), make([]byte, 1<<20))
	require.ErrorIs(t, err, client.ErrTooLarge)
	require.Equal(t, client.NotSent, client.Outcome(err))
}
