package election_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestCampaignAndResign(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a, b := election.New(connect(t, srv), dir, "a"), election.New(connect(t, srv), dir, "b")
	require.Equal(t, "a", a.ID())
	require.Equal(t, dir, a.Path())
	_, err := a.Leader(t.Context())
	require.ErrorIs(t, err, election.ErrNoLeader)

	first := campaign(t, a)
	require.True(t, first.ValidUntil().After(time.Now()))
	next := standing(t.Context(), t, srv, b)
	all, err := b.Candidates(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, election.Candidate{ID: "a", Path: first.Path(), Session: all[0].Session, Token: first.Token(), Since: all[0].Since}, all[0])
	require.NotZero(t, all[0].Session)
	require.WithinDuration(t, time.Now(), all[0].Since, time.Minute)
	require.Equal(t, "b", all[1].ID)
	leader, err := b.Leader(t.Context())
	require.NoError(t, err)
	require.Equal(t, all[0], leader.Candidate)
	require.False(t, leader.None())

	require.Empty(t, next)
	require.NoError(t, first.Resign(t.Context()))
	require.Equal(t, election.ErrResigned, first.Err())
	require.Equal(t, election.ErrResigned, context.Cause(first.Context()))
	second := elected(t, next)
	require.Greater(t, second.Token(), first.Token())
	require.NoError(t, first.Resign(t.Context()), "again, and nothing happens")
	require.NoError(t, second.Err())
	require.NoError(t, second.Resign(t.Context()))
	requireGone(t, srv)
}

// What is on the server is byte for byte what the other libraries write.
func TestLayouts(t *testing.T) {
	t.Parallel()
	const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`
	for name, c := range map[string]struct {
		opts      []election.Option
		node      string
		container bool
		other     string // of the layout that Curator or Kazoo would not see
	}{
		"LeaderLatch":      {nil, `^_c_` + uuid + `-latch-0000000000$`, true, "_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-0000000007"},
		"LeaderSelector":   {[]election.Option{election.WithLeaderSelector()}, `^_c_` + uuid + `-lock-0000000000$`, true, "_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-latch-0000000007"},
		"Kazoo's Election": {[]election.Option{election.WithLayout(recipes.Kazoo)}, `^[0-9a-f]{32}__lock__0000000000$`, false, "_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-latch-0000000007"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			cl := connect(t, srv)
			e := election.New(cl, dir, "wörker-7", c.opts...)
			term := campaign(t, e)
			require.Regexp(t, c.node, base(term.Path()))
			n, ok := srv.Node(term.Path())
			require.True(t, ok)
			require.Equal(t, "77c3b6726b65722d37", hex.EncodeToString(n.Data), "the id in UTF-8 and nothing else")
			require.Equal(t, sessionOf(t, cl), n.Stat.EphemeralOwner)
			require.Equal(t, term.Token(), n.Stat.Czxid)
			parent, _ := srv.Node(dir)
			require.Empty(t, parent.Data)
			require.NoError(t, term.Resign(t.Context()))
			require.Eventually(t, func() bool {
				_, ok := srv.Node(dir)
				return ok != c.container
			}, patience, time.Millisecond, "a container goes with its last candidate")

			require.NoError(t, srv.Create(dir+"/"+c.other, nil))
			_, err := e.Campaign(t.Context())
			require.ErrorIs(t, err, election.ErrLayoutConflict)
			_, err = e.Leader(t.Context())
			require.ErrorIs(t, err, election.ErrLayoutConflict)
			_, err = e.Candidates(t.Context())
			require.ErrorIs(t, err, election.ErrLayoutConflict)
			for _, err := range e.Observe(t.Context()) {
				require.ErrorIs(t, err, election.ErrLayoutConflict)
			}
		})
	}
}

// A leader is whoever has the first node, not whoever has its id (compare CURATOR-696 and 604: a
// node of a session before, which looks like one's own, makes nobody lead).
func TestIdenticalIDs(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	old := connect(t, srv)
	first := campaign(t, election.New(old, dir, "worker"))
	now := connect(t, srv)
	e := election.New(now, dir, "worker")
	next := standing(t.Context(), t, srv, e)
	require.Empty(t, next)
	all, err := e.Candidates(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"worker", "worker"}, []string{all[0].ID, all[1].ID})
	require.True(t, srv.ExpireSession(sessionOf(t, old)))
	second := elected(t, next)
	wait(t, "the end of the first term", first.Context().Done())
	n, _ := srv.Node(second.Path())
	require.Equal(t, sessionOf(t, now), n.Stat.EphemeralOwner)
	require.NoError(t, second.Resign(t.Context()))
}

func TestEmptyID(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	e := election.New(connect(t, srv), dir, "")
	term := campaign(t, e)
	leader, err := e.Leader(t.Context())
	require.NoError(t, err)
	require.Empty(t, leader.ID)
	require.False(t, leader.None(), "it is somebody all the same")
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, ""))
	require.NoError(t, term.HandOver(t.Context(), ""))
	require.NoError(t, elected(t, next).Resign(t.Context()))
}

func TestWhatCannotBeIsReportedByTheFirstCall(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	for name, c := range map[string]struct {
		e    *election.Election
		want error
		text string
	}{
		"no client":         {election.New(nil, dir, "a"), client.ErrBadArgument, dir},
		"relative path":     {election.New(cl, "workers", "a"), client.ErrBadPath, "workers"},
		"nil option":        {election.New(cl, dir, "a", nil), client.ErrBadArgument, "option 0"},
		"unknown layout":    {election.New(cl, dir, "a", election.WithLayout(9)), client.ErrBadArgument, "layout(9)"},
		"selector of Kazoo": {election.New(cl, dir, "a", election.WithLeaderSelector(), election.WithLayout(recipes.Kazoo)), client.ErrBadArgument, "kazoo"},
		"long id":           {election.New(cl, dir, strings.Repeat("x", 1<<17)), client.ErrBadArgument, "131072"},
		"not UTF-8":         {election.New(cl, dir, "\xff"), client.ErrBadArgument, "UTF-8"},
		"bad data path":     {election.New(cl, dir, "a", election.WithData("data")), client.ErrBadPath, "data"},
		"data within":       {election.New(cl, dir, "a", election.WithData(dir+"/data")), client.ErrBadArgument, dir + "/data"},
		"data on the path":  {election.New(cl, dir, "a", election.WithData(dir)), client.ErrBadArgument, dir},
		"data under root":   {election.New(cl, "/", "a", election.WithData("/data")), client.ErrBadArgument, "/data"},
	} {
		_, err := c.e.Campaign(t.Context())
		require.ErrorIs(t, err, c.want, name)
		require.ErrorContains(t, err, c.text, name)
		_, err = c.e.Leader(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = c.e.Candidates(t.Context())
		require.ErrorIs(t, err, c.want, name)
		_, err = c.e.Resume(t.Context(), recipes.GrantHandle{})
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, c.e.Healthy(), c.want, name)
		require.ErrorIs(t, c.e.Run(t.Context(), func(context.Context, *election.Term) error { return nil }), c.want, name)
		seen := 0
		for _, err := range c.e.Observe(t.Context()) {
			require.ErrorIs(t, err, c.want, name)
			seen++
		}
		require.Equal(t, 1, seen)
	}
	e := election.New(cl, dir, "a")
	require.ErrorIs(t, e.Run(t.Context(), nil), client.ErrBadArgument)
	require.Empty(t, srv.Requests(), "nothing was sent")
}

// A candidate that is looked up after a lost connection stays where it is: it does not make its
// node anew, over which two that are woken by each other's could go on for ever (CURATOR-644,
// 645).
func TestReconnectsDoNotCostThePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		term := campaign(t, election.New(connect(t, srv, quick), dir, "a"))
		var waits []<-chan outcome
		for _, id := range []string{"b", "c"} {
			waits = append(waits, standing(t.Context(), t, srv, election.New(connect(t, srv, quick), dir, id)))
		}
		before := nodes(srv, dir)
		srv.ResetRequests()
		for range 5 {
			again := srv.HoldReply(zktest.On("*", zktest.OpGetData))
			srv.DropConnections()
			wait(t, "a candidate that looks again", again.Fired())
			again.Release()
		}
		require.Equal(t, before, nodes(srv, dir))
		require.Empty(t, srv.Requests(zktest.Match{Ops: append(zktest.Creates(), zktest.OpDelete)}))
		require.NoError(t, term.Err())
		require.NoError(t, term.Resign(t.Context()))
		require.NoError(t, elected(t, waits[0]).Resign(t.Context()))
		require.NoError(t, elected(t, waits[1]).Resign(t.Context()))
		requireGone(t, srv)
	})
}

// A term is taken up by the next process, with its token and what it has published.
func TestResume(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a := connect(t, srv)
	term := campaign(t, election.New(a, dir, "a", election.WithData(dataDir)))
	require.NoError(t, term.Publish(t.Context(), []byte("one")))
	next := standing(t.Context(), t, srv, election.New(connect(t, srv), dir, "b"))
	left, err := a.Detach(bounded(t))
	require.NoError(t, err)
	require.ErrorIs(t, term.Err(), client.ErrDetached)
	require.ErrorIs(t, term.Resign(t.Context()), client.ErrDetached)

	cl := connect(t, srv, client.WithSession(left))
	e := election.New(cl, dir, "a", election.WithData(dataDir))
	_, err = election.New(cl, "/other", "a").Resume(t.Context(), term.Handle())
	require.ErrorIs(t, err, client.ErrBadArgument)
	again, err := e.Resume(t.Context(), term.Handle())
	require.NoError(t, err)
	require.Equal(t, term.Token(), again.Token())
	leader, err := e.Leader(t.Context())
	require.NoError(t, err)
	require.Equal(t, "one", string(leader.Data))
	require.NoError(t, again.Publish(t.Context(), []byte("two")))
	leader, err = e.Leader(t.Context())
	require.NoError(t, err)
	require.Equal(t, "two", string(leader.Data))
	require.Empty(t, next)
	require.NoError(t, again.Resign(t.Context()))
	require.NoError(t, elected(t, next).Resign(t.Context()))
	requireGone(t, srv)
	_, err = e.Resume(t.Context(), term.Handle())
	require.ErrorIs(t, err, election.ErrLost)
}
