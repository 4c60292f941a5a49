package client_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

// BenchmarkGet is so many goroutines that read one node through one client.
func BenchmarkGet(b *testing.B) {
	for _, inflight := range []int{1, 128} {
		b.Run(fmt.Sprintf("inflight=%d", inflight), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create("/bench", make([]byte, 100)))
			cl := connect(b, srv)
			b.ReportAllocs()
			b.SetParallelism(inflight) // for each processor
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, _, err := cl.Get(b.Context(), "/bench"); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
