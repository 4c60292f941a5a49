package election_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func published(t testing.TB, e *election.Election) string {
	t.Helper()
	l, err := e.Leader(t.Context())
	require.NoError(t, err)
	if l.Data == nil {
		return "nothing"
	}
	return string(l.Data)
}

func TestPublish(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			require.NoError(t, srv.Create(dir, []byte("the user's")))
			opts := []election.Option{election.WithLayout(layout), election.WithData(dataDir)}
			cl := connect(t, srv)
			a, b := election.New(cl, dir, "a", opts...), election.New(connect(t, srv), dir, "b", opts...)
			term := campaign(t, a)
			require.Equal(t, "nothing", published(t, b))
			for _, data := range []string{"one", "two", "two", "", "three"} {
				require.NoError(t, term.Publish(t.Context(), []byte(data)))
				require.Equal(t, data, published(t, b))
			}
			n, _ := srv.Node(term.Path())
			require.Equal(t, "a", string(n.Data), "the id stays what other libraries read")
			n, _ = srv.Node(dir)
			require.Equal(t, "the user's", string(n.Data))
			n, _ = srv.Node(dataDir + "/" + base(term.Path()))
			require.Equal(t, "three", string(n.Data))
			require.Equal(t, sessionOf(t, cl), n.Stat.EphemeralOwner, "it goes with the session")
			require.Equal(t, "nothing", published(t, election.New(cl, dir, "x", election.WithLayout(layout))), "who does not look for it")

			next := standing(t.Context(), t, srv, b)
			require.NoError(t, term.Resign(t.Context()))
			second := elected(t, next)
			require.Equal(t, "nothing", published(t, a), "the data of a term is not that of the next")
			require.ErrorIs(t, term.Publish(t.Context(), []byte("late")), election.ErrResigned)
			require.NoError(t, second.Publish(t.Context(), []byte("b's")))
			require.Equal(t, "b's", published(t, a))
			require.NoError(t, second.Resign(t.Context()))
			requireGone(t, srv)
		})
	}
}

func TestPublishRefused(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	plain := campaign(t, election.New(cl, dir, "a"))
	require.ErrorIs(t, plain.Publish(t.Context(), nil), client.ErrBadArgument)
	require.NoError(t, plain.Resign(t.Context()))

	e := election.New(cl, dir, "a", election.WithData(dataDir))
	term := campaign(t, e)
	require.ErrorIs(t, term.Publish(t.Context(), make([]byte, 2<<20)), client.ErrTooLarge)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, term.Publish(over, nil), context.Canceled)
	require.NoError(t, term.Publish(t.Context(), []byte("one")))

	// The leader's node has gone, and the leader does not know: the servers refuse.
	require.NoError(t, srv.Delete(term.Path()))
	require.ErrorIs(t, term.Publish(t.Context(), []byte("two")), election.ErrLost)
	require.ErrorIs(t, term.Err(), election.ErrLost)
	requireGone(t, srv)
}

// The session is lost while Publish finds out what has become of a request: so is the term.
func TestPublishSessionLost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv, quick)
	session := sessionOf(t, cl)
	term := campaign(t, election.New(cl, dir, "a", election.WithData(dataDir)))
	require.NoError(t, term.Publish(t.Context(), []byte("one")))
	srv.SwallowReply(zktest.On(dir+"/*", zktest.OpMulti))
	look := srv.HoldReply(zktest.On(dataDir+"/*", zktest.OpGetData))
	done := make(chan error, 1)
	go func() { done <- term.Publish(t.Context(), []byte("two")) }()
	wait(t, "a look at the data", look.Fired())
	require.True(t, srv.ExpireSession(session))
	look.Release()
	err := wait(t, "the end of Publish", done)
	require.ErrorIs(t, err, election.ErrLost)
	require.ErrorIs(t, err, client.ErrSessionLost)
	requireGone(t, srv)
}

// Somebody tidies up, or writes where only the leader writes.
func TestPublishIsNotDisturbed(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a", election.WithData(dataDir))
	term := campaign(t, e)
	require.NoError(t, term.Publish(t.Context(), []byte("one")))
	node := dataDir + "/" + base(term.Path())
	require.NoError(t, srv.Set(node, []byte("somebody's")))
	require.NoError(t, term.Publish(t.Context(), []byte("two")))
	require.Equal(t, "two", published(t, e))
	require.NoError(t, srv.Delete(node))
	require.NoError(t, term.Publish(t.Context(), []byte("three")))
	require.Equal(t, "three", published(t, e))
	require.NoError(t, srv.Delete(dataDir))
	require.NoError(t, term.Publish(t.Context(), []byte("four")))
	require.Equal(t, "four", published(t, e))
	require.NoError(t, term.Resign(t.Context()))
	requireGone(t, srv)
}

// A Publish that is under way when the term is given up leaves nothing behind.
func TestPublishWhileResigning(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "a", election.WithData(dataDir))
	for i := range 100 {
		term := campaign(t, e)
		done := make(chan error, 2)
		for j := range 2 {
			go func() { done <- term.Publish(t.Context(), fmt.Append(nil, i, j)) }()
		}
		require.NoError(t, term.Resign(t.Context()))
		for range 2 {
			if err := wait(t, "the end of Publish", done); err != nil {
				require.True(t, isAny(err, election.ErrResigned, election.ErrLost, client.ErrNoNode), "%v", err)
			}
		}
	}
	requireGone(t, srv)
}

// A session that is left to another process holds no data of a term that was resigned before.
func TestDataGoesBeforeDetach(t *testing.T) {
	t.Parallel()
	for range 20 {
		srv := zktest.Start(t)
		cl := connect(t, srv)
		term := campaign(t, election.New(cl, dir, "a", election.WithData(dataDir)))
		require.NoError(t, term.Publish(t.Context(), []byte("one")))
		node := dataDir + "/" + base(term.Path())
		require.NoError(t, term.Resign(t.Context()))
		_, err := cl.Detach(t.Context())
		require.NoError(t, err)
		_, ok := srv.Node(node)
		require.False(t, ok, "the data outlives its term")
	}
}
