package election_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// Among many that campaign at once each leads in the order in which the server took them into the line,
// and tokens grow in that order.
func TestLeadInTheOrderOfJoining(t *testing.T) {
	t.Parallel()
	const candidates, rounds = 12, 10
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(dir, nil))
	var tokens, sessions []int64 // appended to by who leads
	var runs sync.WaitGroup
	for i := range candidates {
		cl := connect(t, srv)
		e, session := election.New(cl, dir, fmt.Sprint(i)), sessionOf(t, cl)
		runs.Go(func() {
			for range rounds {
				term, err := e.Campaign(t.Context())
				if err != nil {
					t.Errorf("campaign: %v", err)
					return
				}
				tokens, sessions = append(tokens, term.Token()), append(sessions, session)
				if err := term.Resign(context.WithoutCancel(t.Context())); err != nil {
					t.Errorf("resign: %v", err)
				}
			}
		})
	}
	runs.Wait()
	var joined []int64
	for _, r := range srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpCreate2}}) {
		if strings.HasSuffix(r.Path, "-latch-") {
			joined = append(joined, r.Session)
		}
	}
	require.Len(t, tokens, candidates*rounds)
	require.IsIncreasing(t, tokens)
	require.Equal(t, joined, sessions)
}
