package queue_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/zktest"
)

// BenchmarkPutTakeAck is one item's whole way.
func BenchmarkPutTakeAck(b *testing.B) {
	srv := zktest.Start(b)
	q := texts(connect(b, srv))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Put(ctx, "item"); err != nil {
			b.Fatal(err)
		}
		item, err := q.TryTake(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if err := item.Ack(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutParallel is many producers on one Queue.
func BenchmarkPutParallel(b *testing.B) {
	srv := zktest.Start(b)
	q := texts(connect(b, srv))
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := q.Put(b.Context(), "item"); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkBatch is 1,000 items, put, taken and acknowledged at once.
func BenchmarkBatch(b *testing.B) {
	srv := zktest.Start(b)
	q := texts(connect(b, srv))
	all := numbered(1000)
	b.ReportAllocs()
	for b.Loop() {
		_, err := q.PutAll(b.Context(), all)
		require.NoError(b, err)
		items, err := q.TakeAll(b.Context(), len(all))
		require.NoError(b, err)
		require.NoError(b, q.AckAll(b.Context(), items))
	}
}

var _ = queue.DefaultSegment
