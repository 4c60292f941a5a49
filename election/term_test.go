package election_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// Whoever has lost its session leads no more, at once and for good: neither does the term say
// otherwise, nor does the participant, asked again, lead by what it remembers (Kazoo's Election
// runs on, K1; Curator's mutex is acquired again from memory, C1).
func TestLostTermIsOver(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	e := election.New(cl, dir, "a")
	term := campaign(t, e)
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, "b"))
	require.True(t, srv.ExpireSession(sessionOf(t, cl)))
	wait(t, "the end of the term", term.Context().Done())
	require.ErrorIs(t, term.Err(), election.ErrLost)
	require.ErrorIs(t, term.Err(), client.ErrSessionLost)
	require.ErrorIs(t, context.Cause(term.Context()), election.ErrLost)
	second := elected(t, next)

	again := standing(t.Context(), t, srv, e)
	require.Empty(t, again)
	require.ErrorIs(t, term.Err(), election.ErrLost, "for good")
	_, err := term.Txn().Delete(second.Path(), client.AnyVersion).Commit(t.Context())
	require.ErrorIs(t, err, election.ErrLost)
	require.NoError(t, term.Resign(t.Context()), "it keeps nobody from leading")
	require.ErrorIs(t, term.Err(), election.ErrLost, "the first cause stands")
	require.NoError(t, second.Err(), "and a later leader's node is not touched")

	require.NoError(t, second.Resign(t.Context()))
	third := elected(t, again)
	require.NotEqual(t, term.Path(), third.Path())
	n, _ := srv.Node(third.Path())
	require.Equal(t, sessionOf(t, cl), n.Stat.EphemeralOwner)
	require.NoError(t, third.Resign(t.Context()))
}

// In virtual time: on a machine that is late, a term of a second ends because nothing confirms it.
func TestTermEndsWhenItsNodeIsDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		e := election.New(connect(t, srv, client.WithSessionTimeout(10*time.Second)), dir, "a")
		term := campaign(t, e)
		require.NoError(t, srv.Delete(term.Path()))
		wait(t, "the end of the term", term.Context().Done())
		require.ErrorIs(t, term.Err(), election.ErrLost)
		require.ErrorIs(t, term.Err(), client.ErrHoldDeleted)
		require.NoError(t, term.Resign(t.Context()))
		again := campaign(t, e)
		require.NotEqual(t, term.Path(), again.Path())
		require.NoError(t, again.Resign(t.Context()))
	})
}

// A silent server: the term ends before the session can be over, by the clock alone.
func TestTermEndsBeforeAnybodyElseCanLead(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	cl := connect(t, srv, client.WithSessionTimeout(time.Second))
	term := campaign(t, election.New(cl, dir, "a"))
	var endedAt time.Time
	ended := make(chan struct{})
	context.AfterFunc(term.Context(), func() {
		endedAt = time.Now()
		close(ended)
	})
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, "b"))
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	srv.OnRequest(func(r zktest.Request) { // cut off, with no reset that would tell it
		if r.Session == s.ID() {
			<-ended
		}
	})
	t.Cleanup(func() { srv.OnRequest(nil) })
	second := elected(t, next)
	electedAt := time.Now()
	wait(t, "the end of the first term", ended)
	require.True(t, endedAt.Before(electedAt), "ended %s after the next was elected", endedAt.Sub(electedAt))
	require.NoError(t, second.Resign(t.Context()))
}

// A resignation that the server refuses is not taken for one that has happened (C14): the error
// says so, nobody else leads, and it is tried until it has.
func TestRefusedResignation(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a"))
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, "b"))
	first := srv.FailNext(zktest.On(term.Path(), zktest.OpDelete), zktest.NoAuth)
	second := srv.HoldReply(zktest.On(term.Path(), zktest.OpDelete)) // the next try
	require.ErrorIs(t, term.Resign(t.Context()), client.ErrNoAuth)
	wait(t, "the refusal", first.Fired())
	require.ErrorIs(t, term.Err(), election.ErrResigned)
	wait(t, "another try", second.Fired())
	second.Release()
	require.NoError(t, elected(t, next).Resign(t.Context()))
	requireGone(t, srv)
}

func TestResignManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	term := campaign(t, election.New(connect(t, srv), dir, "a"))
	srv.ResetRequests()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := term.Resign(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.NoError(t, term.Resign(term.Context()))
	require.Equal(t, []string{"delete"}, requests(srv))
}

// With the context of the term, which the call itself ends, Resign waits all the same; with one
// that has ended before it does not.
func TestResignContexts(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a")
	term := campaign(t, e)
	require.NoError(t, term.Resign(term.Context()))
	require.Empty(t, nodes(srv, dir))

	term = campaign(t, e)
	held := srv.HoldReply(zktest.On(term.Path(), zktest.OpDelete))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, term.Resign(over), context.Canceled)
	wait(t, "the delete in the background", held.Fired())
	held.Release()
	require.NoError(t, term.Resign(t.Context()))
	requireGone(t, srv)
}

func TestTxnIsRefusedOnceTheLeadershipIsGone(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create("/data", []byte("0")))
	term := campaign(t, election.New(connect(t, srv), dir, "a"))
	_, err := term.Txn().Set("/data", []byte("1"), client.AnyVersion).Commit(t.Context())
	require.NoError(t, err)
	late := term.Txn().Set("/data", []byte("2"), client.AnyVersion)
	require.NoError(t, srv.Delete(term.Path()))
	_, err = late.Commit(t.Context())
	require.ErrorIs(t, err, election.ErrLost)
	require.ErrorIs(t, term.Err(), election.ErrLost)
	n, _ := srv.Node("/data")
	require.Equal(t, "1", string(n.Data))
}
