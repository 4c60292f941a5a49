package election_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// BenchmarkResign is a leader that resigns until the next one, who has been waiting, leads.
func BenchmarkResign(b *testing.B) {
	srv := zktest.Start(b)
	candidates := []*election.Election{election.New(connect(b, srv), dir, "a"), election.New(connect(b, srv), dir, "b")}
	term := campaign(b, candidates[0])
	b.ReportAllocs()
	next := 1
	for b.Loop() {
		b.StopTimer()
		waiting := standing(b.Context(), b, srv, candidates[next])
		b.StartTimer()
		require.NoError(b, term.Resign(b.Context()))
		term = elected(b, waiting)
		next = 1 - next
	}
	require.NoError(b, term.Resign(b.Context()))
}
