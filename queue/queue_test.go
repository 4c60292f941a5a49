package queue_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

func TestItemsComeOutInTheOrderInWhichTheyWerePut(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	put(t, q, "a", "b", "c")
	n, err := q.Len(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	first := take(t, q)
	require.Equal(t, "a", first.Value)
	require.Equal(t, 1, first.Attempt)
	require.NoError(t, first.Err())
	second := take(t, texts(connect(t, srv)))
	require.Equal(t, "b", second.Value)
	require.Greater(t, second.Token(), first.Token())
	require.NoError(t, first.Nack(bounded(t), 0))
	again := take(t, texts(connect(t, srv)))
	require.Equal(t, "a", again.Value)
	require.Equal(t, 2, again.Attempt)
	require.NoError(t, again.Ack(bounded(t)))
	require.NoError(t, again.Ack(bounded(t)))
	require.ErrorIs(t, first.Ack(bounded(t)), queue.ErrSettled)
	require.NoError(t, second.Ack(bounded(t)))
	require.Equal(t, []string{"c"}, drain(t, q))
	_, err = q.TryTake(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	requireLeft(t, srv, 0)
}
