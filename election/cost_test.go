package election_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// What an election costs, counted on the wire.

// heard has who leaves tell the next in any line; that short ones are listed is counted in package recipes.
var heard = election.WithShortLine(-1)

// To lead without other candidates is two requests, to resign one; each resignation wakes the next in
// line, which reads once, and nobody else.
func TestElectionCosts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(dir, nil))
	term := campaign(t, election.New(connect(t, srv), dir, "a", heard))
	require.Equal(t, []string{"create2", "getChildren2"}, requests(srv))
	var line []<-chan outcome
	for i := range 10 {
		line = append(line, standing(t.Context(), t, srv, election.New(connect(t, srv), dir, fmt.Sprint(i), heard)))
	}
	require.Len(t, watches(srv), 10, "each watches one node")
	for i, next := range line {
		srv.ResetRequests()
		require.NoError(t, term.Resign(t.Context()))
		term = elected(t, next)
		require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Len(c, watches(srv), 9-i) }, patience, time.Millisecond)
		require.Empty(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpGetChildren, zktest.OpGetChildren2}}), "nobody lists the line")
		require.Len(t, srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpExists, zktest.OpGetData}}), 1, "one read, by the one that leads now")
	}
	srv.ResetRequests()
	require.NoError(t, term.Resign(t.Context()))
	requireGone(t, srv)
}

// A candidate that gives up takes its watch and its node away; so it is two requests.
func TestCandidateThatGivesUpCosts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a", heard))
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		last := standing(ctx, t, srv, election.New(connect(t, srv), dir, "b", heard))
		srv.ResetRequests()
		cancel()
		require.ErrorIs(t, wait(t, "the end of the campaign", last).err, context.Canceled)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Len(c, nodes(srv, dir), 1)
			assert.Empty(c, watches(srv))
		}, patience, time.Millisecond)
		require.LessOrEqual(t, len(srv.Requests()), 2)
	}
	require.NoError(t, term.Resign(t.Context()))
	requireGone(t, srv)
}

// Candidates that join and leave cost an observer nothing; it watches two nodes at most, and
// lists when the leader goes.
func TestObserverIsNotDisturbedByTheLine(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a", heard))
	cl := connect(t, srv)
	session := sessionOf(t, cl)
	own := func() (watches int) {
		for _, w := range srv.WatchList() {
			if w.Session == session {
				watches++
			}
		}
		return watches
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := observe(ctx, election.New(cl, dir, ""))
	require.Equal(t, "a", seen(t, got))
	srv.ResetRequests()
	others := connect(t, srv)
	var line []<-chan outcome
	for i := range 40 {
		line = append(line, standing(ctx, t, srv, election.New(others, dir, fmt.Sprint(i))))
	}
	all, err := election.New(others, dir, "").Candidates(ctx)
	require.NoError(t, err)
	require.NoError(t, srv.Delete(all[20].Path))
	require.Empty(t, srv.Requests(zktest.Match{Session: session}))
	require.Equal(t, 1, own())
	require.NoError(t, term.Resign(t.Context()))
	require.Equal(t, "0", seen(t, got))
	lists := srv.Requests(zktest.Match{Session: session, Ops: []zktest.Op{zktest.OpGetChildren2, zktest.OpGetChildren}})
	require.Len(t, lists, 1)
	require.Equal(t, 1, own())
	second := elected(t, line[0])
	cancel()
	for _, out := range line[1:] {
		wait(t, "the end of a wait", out)
	}
	require.NoError(t, second.Resign(t.Context()))
}
