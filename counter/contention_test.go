package counter_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// Two hundred clients add at once, over a network on which a request takes a millisecond. A set with a version, after the
// read that it needs, is then one in two milliseconds: by one client that is alone, and by all together, as one
// of them wins. Adds are made at half that rate or faster, and cost twice the two requests at most, with all
// attempts and receipts, where contending sets cost two for each client.
func TestContention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const clients, times, trip = 200, 10, time.Millisecond
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		require.NoError(t, srv.Create(receipts+"/other", nil))
		require.NoError(t, srv.Create(node, make([]byte, 8)))
		ctx := t.Context()
		counters := make([]*counter.Counter, clients)
		for i := range counters {
			counters[i] = counter.New(connect(t, srv), node)
		}
		srv.ResetRequests()
		srv.OnRequest(func(zktest.Request) { time.Sleep(trip) })
		start := time.Now()
		var took time.Duration // until half is done: then all are still at it
		var wg sync.WaitGroup
		for _, c := range counters {
			wg.Go(func() {
				for range times {
					n, err := c.Add(ctx, 1)
					if err != nil {
						t.Error(err)
					}
					if n == clients*times/2 {
						took = time.Since(start)
					}
				}
			})
		}
		wg.Wait()
		srv.OnRequest(nil)
		n, err := counters[0].Value(ctx)
		require.NoError(t, err)
		require.Equal(t, int64(clients*times), n)
		requests := len(srv.Requests())
		t.Logf("%d clients, %d adds: %.2f requests and %.2f ms for each", clients, n, float64(requests)/float64(n), took.Seconds()*2000/float64(n))
		require.LessOrEqual(t, requests, 4*clients*times)
		require.LessOrEqual(t, took, clients*times/2*2*2*trip)
	})
}

// Goroutines that share a Counter do not contend: a thousand adds at once are a few requests.
func TestCombined(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	c := counter.New(connect(t, srv), node)
	_, err := c.Add(ctx, 1)
	require.NoError(t, err)
	srv.ResetRequests()
	held := srv.HoldReply(changes())
	first := later(func() (int64, error) { return c.Add(ctx, 1) })
	wait(t, "the first add", held.Fired())
	var wg, started sync.WaitGroup
	for range 1000 {
		started.Add(1)
		wg.Go(func() {
			started.Done()
			if _, err := c.Add(ctx, 1); err != nil {
				t.Error(err)
			}
		})
	}
	started.Wait()
	held.Release()
	require.NoError(t, wait(t, "the first add", first).err)
	wg.Wait()
	n, err := c.Value(ctx)
	require.NoError(t, err)
	require.Equal(t, int64(1002), n)
	require.Less(t, len(srv.Requests(changes())), 100, "most of them went together")
}

// BenchmarkAdd is adds by so many clients at once, each from one goroutine, and BenchmarkSet the same by
// reads and sets with a version that are repeated until they succeed, as the libraries do it.
func BenchmarkAdd(b *testing.B) {
	contend(b, func(cl *client.Client) func(ctx context.Context) error {
		c := counter.New(cl, node)
		return func(ctx context.Context) error {
			_, err := c.Add(ctx, 1)
			return err
		}
	})
}

func BenchmarkSet(b *testing.B) {
	contend(b, func(cl *client.Client) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			for {
				data, stat, err := cl.Get(ctx, node)
				if err != nil {
					return err
				}
				n := int64(0)
				for _, c := range data {
					n = n<<8 | int64(c)
				}
				n++
				for i := range data {
					data[len(data)-1-i] = byte(n >> (8 * i))
				}
				if _, err = cl.Set(ctx, node, data, stat.Version); !errors.Is(err, client.ErrBadVersion) {
					return err
				}
			}
		}
	})
}

func contend(b *testing.B, adder func(*client.Client) func(context.Context) error) {
	for _, clients := range []int{1, 10, 200} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create(node, make([]byte, 8)))
			adders := make([]func(context.Context) error, clients)
			for i := range adders {
				adders[i] = adder(connect(b, srv))
			}
			work := make(chan struct{})
			requests := 0
			var wg sync.WaitGroup
			b.ResetTimer()
			for _, add := range adders {
				wg.Go(func() {
					for range work {
						if err := add(b.Context()); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := range b.N {
				if i%100 == 99 { // only the latest are kept
					requests += len(srv.Requests())
					srv.ResetRequests()
				}
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.StopTimer()
			requests += len(srv.Requests())
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		})
	}
}
