package barrier_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/zktest"
)

// BenchmarkDouble is a round of a double barrier: all enter, and all leave.
func BenchmarkDouble(b *testing.B) {
	for _, n := range []int{2, 20} {
		b.Run(fmt.Sprintf("participants=%d", n), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create("/bench", nil)) // no container, which goes when it is empty
			var all []*barrier.Double
			for range n {
				all = append(all, barrier.NewDouble(connect(b, srv), "/bench", n))
			}
			b.ReportAllocs()
			rounds := 0
			for b.Loop() {
				rounds++
				var wg sync.WaitGroup
				for _, d := range all {
					wg.Go(func() {
						in, err := d.Enter(b.Context())
						if err == nil {
							err = in.Leave(b.Context())
						}
						if err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
			b.ReportMetric(float64(len(srv.Requests()))/float64(rounds*n), "requests/participant")
		})
	}
}
