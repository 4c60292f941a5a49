package queue_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// What queues cost, counted on the wire.

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("item %d", i)
	}
	return out
}

// A Put is one request, a Take that knows what there is one, and an Ack one.
func TestCostOfOneItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where time stands still, so nothing is confirmed or looked at again meanwhile
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, other := connect(t, srv), connect(t, srv)
		q, consumer := texts(cl), texts(other)
		put(t, q, "to begin with")
		srv.ResetRequests()
		put(t, q, "a", "b", "c")
		require.Len(t, counted(srv, sessionOf(t, cl)), 3, "%s", steps(counted(srv, sessionOf(t, cl))))
		require.NoError(t, take(t, consumer).Ack(bounded(t)))
		srv.ResetRequests()
		for range 2 {
			require.NoError(t, take(t, consumer).Ack(bounded(t)))
		}
		require.Len(t, counted(srv, sessionOf(t, other)), 4, "the claims and the acknowledgements: %s", steps(counted(srv, sessionOf(t, other))))
	})
}

// A thousand items are put in at most 12 requests, and taken and acknowledged in at most 40: the
// promise of the issue, with everything that has to be made first.
func TestCostOfAThousandItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where time stands still, so nothing is confirmed or looked at again meanwhile
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl, other := connect(t, srv), connect(t, srv)
		all := numbered(1000)
		srv.ResetRequests()
		ids, err := texts(cl).PutAll(bounded(t), all)
		require.NoError(t, err)
		require.Len(t, ids, 1000)
		puts := counted(srv, sessionOf(t, cl))
		t.Logf("PutAll of 1000: %d requests", len(puts))
		require.LessOrEqual(t, len(puts), 12, "%s", steps(puts))
		srv.ResetRequests()
		q := texts(other)
		items, err := q.TakeAll(bounded(t), 1000)
		require.NoError(t, err)
		require.Len(t, items, 1000)
		for i, item := range items {
			require.Equal(t, all[i], item.Value)
			require.Equal(t, 1, item.Attempt)
		}
		require.NoError(t, q.AckAll(bounded(t), items))
		takes := counted(srv, sessionOf(t, other))
		t.Logf("TakeAll of 1000 and AckAll: %d requests", len(takes))
		require.LessOrEqual(t, len(takes), 40, "%s", steps(takes))
		requireLeft(t, srv, 0)
	})
}

var _ = queue.ErrEmpty
