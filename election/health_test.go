package election_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

func TestHealthy(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv, quick)
	e, other := election.New(cl, dir, "a"), election.New(connect(t, srv), dir, "b")
	require.ErrorIs(t, e.Healthy(), election.ErrIdle)

	first := campaign(t, other)
	require.NoError(t, other.Healthy(), "leading")
	require.ErrorIs(t, e.Healthy(), election.ErrIdle)
	next := standing(t.Context(), t, srv, e)
	require.NoError(t, e.Healthy(), "standing")
	srv.Refuse()
	require.True(t, srv.DropConnection(sessionOf(t, cl)))
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.ErrorIs(c, e.Healthy(), client.ErrNotConnected) }, patience, 1e6)
	srv.Accept()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.NoError(c, e.Healthy()) }, patience, 1e6)
	require.NoError(t, first.Resign(t.Context()))
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.ErrorIs(c, other.Healthy(), election.ErrIdle) }, patience, 1e6)
	term := elected(t, next)

	srv.ResetRequests()
	require.NoError(t, e.Healthy())
	require.Empty(t, requests(srv), "nothing is sent")
	srv.Refuse()
	require.True(t, srv.DropConnection(sessionOf(t, cl)))
	require.NoError(t, e.Healthy(), "a leader without a connection leads on")
	srv.Accept()
	require.NoError(t, term.Resign(t.Context()))
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.ErrorIs(c, e.Healthy(), election.ErrIdle) }, patience, 1e6)
}

// The end of a campaign that nobody takes up again is seen.
func TestHealthyAfterALoss(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	e := election.New(cl, dir, "a")
	term := campaign(t, e)
	require.True(t, srv.ExpireSession(sessionOf(t, cl)))
	wait(t, "the end of the term", term.Context().Done())
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.ErrorIs(c, e.Healthy(), election.ErrIdle) }, patience, 1e6)
	require.NoError(t, cl.Close())
	require.ErrorIs(t, e.Healthy(), client.ErrClosed)
}

// A function that does not end when its term does is seen, and what happens then.
func TestHealthyTellsOfAFunctionThatLingers(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a")
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	fn := newLeading()
	done := fn.run(ctx, e)
	term := wait(t, "a term", fn.terms)
	require.NoError(t, e.Healthy())
	over, end := context.WithCancel(ctx)
	end()
	require.ErrorIs(t, term.Resign(over), context.Canceled, "it cannot wait")
	require.ErrorIs(t, e.Healthy(), election.ErrResigned)
	require.ErrorContains(t, e.Healthy(), "has not returned")
	require.Len(t, nodes(srv, dir), 1, "nobody else leads")
	fn.finish <- nil
	wait(t, "another term", fn.terms)
	require.NoError(t, e.Healthy())
	cancel()
	fn.finish <- nil
	require.NoError(t, wait(t, "the end of Run", done))
	require.ErrorIs(t, e.Healthy(), election.ErrIdle)
}
