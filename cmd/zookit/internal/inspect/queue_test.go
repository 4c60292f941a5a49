package inspect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
)

func TestNativeQueue(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	q := queue.New[string](st.connect(), "/q", queue.WithOwner("worker-7"), queue.WithCapacity(100))
	ctx := t.Context()
	due := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	_, err := q.Put(ctx, "later", queue.NotBefore(due))
	require.NoError(t, err)
	for _, p := range []int{5, 5, -2} {
		_, err := q.Put(ctx, "x", queue.Priority(p))
		require.NoError(t, err)
	}
	dead, err := q.Take(ctx)
	require.NoError(t, err)
	require.NoError(t, dead.Bury(ctx, "it is broken"))
	item, err := q.Take(ctx)
	require.NoError(t, err)

	before := len(st.srv.Dump())
	r := st.look("/q")
	requireKind(t, r, kindQueue, "native")
	require.Equal(t, 3, r.Queue.Items)
	require.Equal(t, 1, r.Queue.Leased)
	require.Equal(t, 1, r.Queue.Delayed)
	require.Equal(t, 1, r.Queue.Dead)
	require.Equal(t, 100, *r.Limit)
	require.WithinDuration(t, due, r.Queue.NextDue, 0)
	require.WithinDuration(t, time.Now(), r.Queue.Oldest, limit)
	require.Equal(t, []string{"worker-7"}, identifiers(r.Holders))
	require.Equal(t, item.Token(), r.Holders[0].Token)
	require.Contains(t, r.Summary, "3 items of at most 100, 1 leased, 1 delayed, 1 dead")
	require.Len(t, st.srv.Dump(), before, "looking makes nothing")
}

func TestConsumersThatWait(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	q := queue.New[string](st.connect(), "/q", queue.WithOwner("idle"))
	st.later(func(ctx context.Context) { _, _ = q.Take(ctx) })
	r := st.standing("/q", 0, 1)
	require.Equal(t, "consumer", r.Waiting[0].Role)
	require.Equal(t, "idle", r.Waiting[0].Identifier)
}

// The queues of the libraries, as zookit writes and they read them.
func TestQueuesOfOthers(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for layout, mayBe := range map[queue.Layout][]string{
		queue.KazooQueue: nil, queue.KazooLockingQueue: nil, queue.CuratorSimpleQueue: nil, queue.CuratorQueue: nil,
		queue.CuratorPriorityQueue: nil, queue.CuratorDelayQueue: {queue.CuratorIDQueue.String()}, queue.CuratorIDQueue: nil,
	} {
		t.Run(layout.String(), func(t *testing.T) {
			ctx := t.Context()
			path := "/queues/" + layout.String()
			q := queue.New[string](st.cl, path, queue.WithLayout(layout), queue.WithOwner("me"))
			first, opts := time.Time{}, []queue.PutOption{}
			switch layout {
			case queue.CuratorIDQueue:
				opts = append(opts, queue.ID("order"))
			case queue.CuratorDelayQueue:
				first = time.Now().Add(time.Hour).Truncate(time.Millisecond)
				opts = append(opts, queue.NotBefore(first))
			default:
			}
			for range 2 {
				_, err := q.Put(ctx, "x", opts...)
				require.NoError(t, err)
			}
			if layout == queue.KazooLockingQueue {
				_, err := q.Take(ctx)
				require.NoError(t, err)
			}
			r := st.look(path)
			requireKind(t, r, kindQueue, layout.String(), mayBe...)
			require.Equal(t, 2, r.Queue.Items)
			switch layout {
			case queue.KazooLockingQueue:
				require.Equal(t, 1, r.Queue.Leased)
				require.Equal(t, []string{"me"}, identifiers(r.Holders))
			case queue.CuratorDelayQueue:
				require.Equal(t, 2, r.Queue.Delayed)
				require.WithinDuration(t, first, r.Queue.NextDue, 0)
			default:
			}
			if layout != queue.CuratorDelayQueue {
				require.WithinDuration(t, time.Now(), r.Queue.Oldest, limit)
			}
		})
	}
}
