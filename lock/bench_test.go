package lock_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

// reportRequests tells what each operation has cost the servers.
func reportRequests(b *testing.B, srv *zktest.Server, n int) {
	b.Helper()
	b.ReportMetric(float64(len(srv.Requests()))/float64(n), "requests/op")
}

// BenchmarkLockUnlock is a lock that nobody else wants.
func BenchmarkLockUnlock(b *testing.B) {
	srv := zktest.Start(b)
	require.NoError(b, srv.Create("/bench", nil)) // no container, which goes when it is empty
	m := lock.NewMutex(connect(b, srv), "/bench")
	cycle := func() {
		held, err := m.Lock(b.Context())
		require.NoError(b, err)
		require.NoError(b, held.Unlock(b.Context()))
	}
	cycle()
	srv.ResetRequests()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		cycle()
		n++
	}
	reportRequests(b, srv, n)
}

// BenchmarkHandOver is a lock that all want all the time; an operation is one of them having had it.
func BenchmarkHandOver(b *testing.B) {
	for _, contenders := range []int{10, 100} {
		b.Run(fmt.Sprintf("contenders=%d", contenders), func(b *testing.B) {
			srv := zktest.Start(b)
			require.NoError(b, srv.Create("/bench", nil))
			work := make(chan struct{})
			var wg sync.WaitGroup
			for range contenders {
				m := lock.NewMutex(connect(b, srv), "/bench")
				wg.Go(func() {
					for range work {
						held, err := m.Lock(b.Context())
						if err == nil {
							err = held.Unlock(b.Context())
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			srv.ResetRequests()
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.StopTimer()
			reportRequests(b, srv, b.N)
		})
	}
}
