package discovery_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/zktest"
)

// BenchmarkPick is the choice of one of a hundred instances.
func BenchmarkPick(b *testing.B) {
	srv := zktest.Start(b)
	d := discovery.New(connect(b, srv), "/services")
	for i := range 100 {
		_, err := d.Register(b.Context(), discovery.Instance{Name: "billing", ID: fmt.Sprint(i), Address: "10.0.0.7", Port: 8000 + i})
		require.NoError(b, err)
	}
	s, err := d.Watch(b.Context(), "billing")
	require.NoError(b, err)
	defer s.Close()
	p, err := s.Provider(discovery.RoundRobin())
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		pick, err := p.Pick()
		if err != nil {
			b.Fatal(err)
		}
		pick.Done(nil)
	}
}
