package queue_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// In the layouts of the libraries, too, a Put that says nil has put once, a Pop takes out what it returns, and an Ack is
// the only one, whatever is lost: theirs puts twice, and loses what it takes (K14, C5, C6).
func TestFaultsInOtherLayouts(t *testing.T) {
	t.Parallel()
	for _, layout := range []queue.Layout{
		queue.KazooQueue, queue.KazooLockingQueue, queue.CuratorSimpleQueue, queue.CuratorQueue, queue.CuratorPriorityQueue, queue.CuratorDelayQueue, queue.CuratorIDQueue,
	} {
		opts := []queue.Option{queue.WithLayout(layout)}
		leases := layout == queue.KazooLockingQueue
		if layout >= queue.CuratorQueue {
			opts, leases = append(opts, queue.WithLockPath("/locks")), true
		}
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			atEachStep(t, func(t *testing.T, srv *zktest.Server, cl *client.Client, begin func(), what string) {
				begin()
				q := texts(cl, opts...)
				other := texts(connect(t, srv), opts...)
				var puts []queue.PutOption
				if layout == queue.CuratorIDQueue {
					puts = append(puts, queue.ID("x"))
				}
				for _, v := range []string{"a", "b", "c"} {
					_, err := q.Put(t.Context(), v, puts...)
					require.NoError(t, err, what)
				}
				e, err := q.Pop(t.Context())
				require.NoError(t, err, what)
				require.Equal(t, "a", e.Value, what)
				if leases {
					for {
						item, err := q.Take(t.Context())
						require.NoError(t, err, what)
						require.Equal(t, "b", item.Value, what)
						if err = item.Ack(t.Context()); err == nil {
							break
						}
						require.ErrorIs(t, err, queue.ErrLost, what)
					}
				} else {
					e, err = q.Pop(t.Context())
					require.NoError(t, err, what)
					require.Equal(t, "b", e.Value, what)
				}
				e, err = other.Pop(t.Context())
				require.NoError(t, err, what)
				require.Equal(t, "c", e.Value, what)
				_, err = other.TryPop(t.Context())
				require.ErrorIs(t, err, queue.ErrEmpty, what)
			})
		})
	}
}
