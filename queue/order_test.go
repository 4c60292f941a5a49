package queue_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

func TestPrioritiesGoBeforeTheOrderOfPuts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	for _, p := range []int{0, 7, -3, 1 << 30, -1 << 31, 7, 0} {
		_, err := q.Put(bounded(t), fmt.Sprint(p), queue.Priority(p))
		require.NoError(t, err)
	}
	require.Equal(t, []string{"-2147483648", "-3", "0", "0", "7", "7", "1073741824"}, drain(t, q))
}

// A consumer that knows of other items takes a better one that has come since (Kazoo does not, before it has
// drained what it knows: K15).
func TestABetterItemIsNotPassedOver(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q, producer := texts(connect(t, srv)), texts(connect(t, srv))
	put(t, producer, "a", "b", "c")
	require.Equal(t, "a", take(t, q).Value)
	_, err := producer.Put(bounded(t), "urgent", queue.Priority(-1)) // a priority that had no nodes
	require.NoError(t, err)
	require.Equal(t, "urgent", take(t, q).Value)
	require.Equal(t, "b", take(t, q).Value)
	_, err = producer.Put(bounded(t), "urgent too", queue.Priority(-1)) // and one that had
	require.NoError(t, err)
	entry, err := q.TryPop(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "urgent too", entry.Value)
	require.Equal(t, []string{"c"}, drain(t, q))
}

// Segments are filled, closed, drained and deleted; the order is that of the puts whoever put.
func TestSegments(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	one, two := texts(connect(t, srv), queue.WithSegment(10)), texts(connect(t, srv), queue.WithSegment(10))
	var want []string
	for i := range 55 {
		q := one
		if i%3 == 1 {
			q = two
		}
		v := fmt.Sprint(i)
		put(t, q, v)
		want = append(want, v)
	}
	level, _ := srv.Node(path + "/segments/100000000")
	require.Len(t, level.Children, 6)
	n, err := two.Len(bounded(t))
	require.NoError(t, err)
	require.Equal(t, 55, n)
	require.Equal(t, want, drain(t, two))
	_, err = one.TryTake(bounded(t))
	require.ErrorIs(t, err, queue.ErrEmpty)
	level, _ = srv.Node(path + "/segments/100000000")
	require.Equal(t, []string{"s-0000000005"}, level.Children, "empty segments are deleted, but for the last one")
	put(t, one, "again")
	require.Equal(t, []string{"again"}, drain(t, two))
	requireLeft(t, srv, 0)
}

func TestDelayedItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		q := texts(connect(t, srv))
		start := time.Now()
		for _, d := range []time.Duration{3 * time.Hour, 90 * time.Second, 0, 10 * time.Second, 10*time.Second + time.Millisecond} {
			_, err := q.Put(t.Context(), d.String(), queue.Delay(d))
			require.NoError(t, err)
		}
		_, err := q.Put(t.Context(), "first of 10s", queue.Delay(10*time.Second), queue.Priority(-1))
		require.NoError(t, err)
		_, err = q.Put(t.Context(), "long past", queue.NotBefore(start.Add(-time.Hour)))
		require.NoError(t, err)
		n, err := q.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, n)
		for _, want := range []struct {
			value string
			at    time.Duration
		}{
			{"0s", 0}, {"long past", 0}, {"first of 10s", 10 * time.Second}, {"10s", 10 * time.Second},
			{"10.001s", 10*time.Second + time.Millisecond}, {"1m30s", 90 * time.Second}, {"3h0m0s", 3 * time.Hour},
		} {
			item, err := q.Take(t.Context())
			require.NoError(t, err)
			require.Equal(t, want.value, item.Value)
			require.WithinDuration(t, start.Add(want.at), time.Now(), 2*time.Millisecond)
			require.NoError(t, item.Ack(t.Context()))
		}
		_, err = q.TryTake(t.Context())
		require.ErrorIs(t, err, queue.ErrEmpty)
		time.Sleep(2 * time.Minute)
		_, err = q.TryTake(t.Context())
		require.ErrorIs(t, err, queue.ErrEmpty)
		delayed, _ := srv.Node(path + "/delayed")
		require.Empty(t, delayed.Children, "buckets that are over are deleted")
	})
}

// A delayed item wakes the consumer that waits, also one that was put after the wait began.
func TestTheWaitForADelayedItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		q, producer := texts(connect(t, srv)), texts(connect(t, srv))
		start := time.Now()
		_, err := producer.Put(t.Context(), "later", queue.Delay(time.Hour))
		require.NoError(t, err)
		got := takeLater(t.Context(), q)
		time.Sleep(time.Minute)
		_, err = producer.Put(t.Context(), "sooner", queue.Delay(time.Minute))
		require.NoError(t, err)
		first := <-got
		require.NoError(t, first.err)
		require.Equal(t, "sooner", first.item.Value)
		require.WithinDuration(t, start.Add(2*time.Minute), time.Now(), 5*time.Millisecond)
		require.NoError(t, first.item.Nack(t.Context(), 10*time.Minute))
		second, err := q.Take(t.Context())
		require.NoError(t, err)
		require.Equal(t, "sooner", second.Value)
		require.Equal(t, 2, second.Attempt)
		require.WithinDuration(t, start.Add(12*time.Minute), time.Now(), 10*time.Millisecond)
		require.NoError(t, second.Ack(t.Context()))
		require.NoError(t, second.Ack(t.Context()))
	})
}

// A busy consumer, which does not wait, is late by no more than its knowledge is old.
func TestABusyConsumerSeesDelayedItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		q := texts(connect(t, srv))
		_, err := q.PutAll(t.Context(), numbered(100))
		require.NoError(t, err)
		require.NoError(t, take(t, q).Ack(t.Context()))
		_, err = q.Put(t.Context(), "due", queue.Delay(2*time.Second), queue.Priority(-1))
		require.NoError(t, err)
		for i := range 40 {
			time.Sleep(100 * time.Millisecond)
			item := take(t, q)
			require.NoError(t, item.Ack(t.Context()))
			if item.Value == "due" {
				require.LessOrEqual(t, i, 30)
				require.GreaterOrEqual(t, i, 19)
				return
			}
		}
		t.Fatal("the item never came")
	})
}

// A delayed item that has become due does not overtake those of a better priority that a look has left in the
// next segment.
func TestADueItemOvertakesNoSegment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		q := texts(connect(t, srv), queue.WithSegment(10))
		var want []string
		for i := range 12 {
			put(t, q, fmt.Sprint(i))
			want = append(want, fmt.Sprint(i))
		}
		_, err := q.Put(t.Context(), "worse", queue.Priority(5), queue.Delay(time.Second))
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.Equal(t, append(want, "worse"), drain(t, q))
	})
}

// A call that is cancelled while it reads items passes them over for nobody who comes next (a run of the laboratory has seen that).
func TestCancelledReadPassesNothingOver(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	q := texts(connect(t, srv))
	const many = 40 // more than are read at once
	var values []string
	for i := range many {
		values = append(values, fmt.Sprintf("%02d", i))
	}
	put(t, q, values...)
	ctx, cancel := context.WithCancel(bounded(t))
	read := srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpMultiRead}, Path: path + "/segments/100000000/s-0000000000/*"})
	out := takeLater(ctx, q)
	wait(t, "the read of items", read.Fired())
	cancel()
	require.ErrorIs(t, wait(t, "the end of Take", out).err, context.Canceled)
	read.Release()
	item := take(t, q)
	require.Equal(t, values[0], item.Value)
	require.NoError(t, item.Ack(bounded(t)))
}
