package config_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/zktest"
)

// BenchmarkChange is a change that all who watch the document in one process have seen.
func BenchmarkChange(b *testing.B) {
	for _, watchers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create("/bench", []byte("0")))
			cl := connect(b, srv)
			seen := make(chan int, watchers)
			for range watchers {
				v, err := config.Watch[int](b.Context(), cl, "/bench")
				require.NoError(b, err)
				b.Cleanup(v.Close)
				go func() { // ends with v
					for n, err := range v.Updates(b.Context()) {
						if err == nil {
							seen <- n
						}
					}
				}()
			}
			for range watchers {
				require.Zero(b, <-seen)
			}
			srv.ResetRequests()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				require.NoError(b, srv.Set("/bench", fmt.Append(nil, n)))
				for range watchers {
					require.Equal(b, n, <-seen)
				}
			}
			b.ReportMetric(float64(len(srv.Requests()))/float64(n), "requests/op")
		})
	}
}

// BenchmarkLoad is a look at the value at hand.
func BenchmarkLoad(b *testing.B) {
	srv := zktest.Start(b)
	require.NoError(b, srv.Create("/bench", []byte("1")))
	v, err := config.Watch[int](b.Context(), connect(b, srv), "/bench")
	require.NoError(b, err)
	defer v.Close()
	b.ReportAllocs()
	for b.Loop() {
		if v.Load() != 1 {
			b.Fatal("not the value")
		}
	}
}
