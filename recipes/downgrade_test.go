package recipes_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// readers and writers are the two sides of a read-write lock.
func readers(layout recipes.Layout) recipes.LineConfig {
	return recipes.LineConfig{Layout: layout, Kind: recipes.KindRead, Others: []recipes.Kind{recipes.KindWrite}, Rule: recipes.NearestWriterAhead, Data: []byte("reader")}
}

func writers(layout recipes.Layout) recipes.LineConfig {
	return recipes.LineConfig{Layout: layout, Kind: recipes.KindWrite, Others: []recipes.Kind{recipes.KindRead}, Data: []byte("writer")}
}

func TestNearestWriterAhead(t *testing.T) {
	t.Parallel()
	line := func(kinds ...recipes.Kind) (out []recipes.Contender) {
		for i, k := range kinds {
			out = append(out, recipes.Contender{Sequence: recipes.Sequence(i), Kind: k})
		}
		return out
	}
	const r, w = recipes.KindRead, recipes.KindWrite
	for _, tc := range []struct {
		ahead []recipes.Contender
		want  int // -1: served
	}{
		{line(), -1},
		{line(r, r), -1},
		{line(w), 0},
		{line(w, r, w, r, r), 2},
		{line(r, recipes.KindMutex, r), 1},
		{line(r, recipes.KindLatch), 1},
		{line(r, 77, r), 1},
	} {
		b, blocked := recipes.NearestWriterAhead(tc.ahead, recipes.Contender{Kind: r})
		require.Equal(t, tc.want >= 0, blocked)
		if blocked {
			require.Equal(t, tc.ahead[tc.want], b)
		}
	}
}

// Exactly what is written, in both layouts: a plain ephemeral node with the writer's own
// digits takes the place of the writer's, in one transaction.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	for layout, want := range map[recipes.Layout]string{
		recipes.Curator: `^_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-__READ__0000000007$`,
		recipes.Kazoo:   `^[0-9a-f]{32}__rlock__0000000007$`,
	} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			require.NoError(t, srv.Create(dir, nil))
			require.NoError(t, srv.SetNextSequence(dir, 7))
			cl := connect(t, srv)
			rd, wr := newLine(t, cl, readers(layout)), newLine(t, cl, writers(layout))
			g := acquire(t, wr)
			behind := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), readers(layout)))
			next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(layout)))
			after := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), readers(layout)))

			srv.ResetRequests()
			var atReplacement error
			srv.OnRequest(func(r zktest.Request) {
				if r.Op == zktest.OpMulti {
					atReplacement = context.Cause(g.Context())
				}
			})
			r, err := rd.Downgrade(t.Context(), g)
			require.NoError(t, err)
			srv.OnRequest(nil)
			require.ErrorIs(t, atReplacement, recipes.ErrReleased, "before readers are let in")
			require.Regexp(t, want, base(r.Path()))
			require.Contains(t, nodes(srv), base(r.Path()))
			require.NotContains(t, nodes(srv), base(g.Path()))
			sent := srv.Requests(zktest.Match{Session: g.Session().ID()})
			require.Len(t, sent, 2, "a transaction and a look")
			require.Equal(t, zktest.OpMulti, sent[0].Op)
			require.Len(t, sent[0].Multi, 2)
			require.EqualValues(t, client.Ephemeral, sent[0].Multi[0].Flags, "plain, without the server's number")
			node, _ := srv.Node(r.Path())
			require.Equal(t, "reader", string(node.Data))

			require.ErrorIs(t, g.Err(), recipes.ErrReleased)
			require.ErrorContains(t, context.Cause(g.Context()), "downgraded")
			require.NoError(t, r.Err())
			require.NoError(t, r.Context().Err())
			require.True(t, r.ValidUntil().After(time.Now()))
			require.Equal(t, g.Token(), r.Token())
			require.Greater(t, node.Stat.Czxid, r.Token())
			release(t, g)
			require.NoError(t, r.Err(), "the old grant's release does not touch the new one")
			require.Contains(t, nodes(srv), base(r.Path()))

			first := wait(t, "the reader behind", behind)
			require.NoError(t, first.err)
			release(t, first.grant)
			require.Empty(t, next, "no writer")
			require.Empty(t, after, "nor who came after one")
			release(t, r)
			second := wait(t, "the writer", next)
			require.NoError(t, second.err)
			// It has its token from the time when it came, before the downgrade.
			require.Greater(t, node.Stat.Czxid, second.grant.Token())
			require.Greater(t, second.grant.Token(), r.Token())
			release(t, second.grant)
			last := wait(t, "the last reader", after)
			require.NoError(t, last.err)
			release(t, last.grant)
			requireClean(t, srv, 0)
		})
	}
}

// What cannot be downgraded is left as it is.
func TestDowngradeRefuses(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, other := connect(t, srv), connect(t, srv)
	rd, wr := newLine(t, cl, readers(0)), newLine(t, cl, writers(0))
	g := acquire(t, wr)
	elsewhere, err := recipes.NewLine(cl, "/elsewhere", readers(0))
	require.NoError(t, err)
	for name, l := range map[string]*recipes.Line{
		"line of writers": wr,
		"other client":    newLine(t, other, readers(0)),
		"other directory": elsewhere,
		"other layout":    newLine(t, cl, readers(recipes.Kazoo)),
	} {
		_, err := l.Downgrade(t.Context(), g)
		require.ErrorIs(t, err, client.ErrBadArgument, name)
		require.NoError(t, g.Err(), name)
	}
	_, err = rd.Downgrade(t.Context(), nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = rd.Downgrade(ended, g)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, g.Err())
	require.Equal(t, []string{base(g.Path())}, nodes(srv))

	r, err := rd.Downgrade(t.Context(), g)
	require.NoError(t, err)
	_, err = rd.Downgrade(t.Context(), r)
	require.ErrorIs(t, err, client.ErrBadArgument, "a reader")
	require.NoError(t, r.Err())
	_, err = rd.Downgrade(t.Context(), g)
	require.ErrorIs(t, err, recipes.ErrReleased, "not twice")
	release(t, r)
	g = acquire(t, wr)
	release(t, g)
	_, err = rd.Downgrade(t.Context(), g)
	require.ErrorIs(t, err, recipes.ErrReleased)
}

// A line whose numbers are used up is ordered by age: who waits would be ahead of the new node.
func TestDowngradeNearTheEndOfTheNumbers(t *testing.T) {
	t.Parallel()
	for first, want := range map[int32]error{
		math.MaxInt32 - 1<<24:     nil,
		math.MaxInt32 - 1<<24 + 1: recipes.ErrUsedUp,
		math.MaxInt32:             recipes.ErrUsedUp,
		-5:                        recipes.ErrUsedUp,
	} {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(dir, nil))
		require.NoError(t, srv.SetNextSequence(dir, first))
		cl := connect(t, srv)
		g := acquire(t, newLine(t, cl, writers(0)))
		r, err := newLine(t, cl, readers(0)).Downgrade(t.Context(), g)
		require.ErrorIs(t, err, want)
		if want != nil {
			require.NoError(t, g.Err())
			r = g
		}
		next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
		release(t, r)
		o := wait(t, "the next writer", next)
		require.NoError(t, o.err)
		release(t, o.grant)
	}
}

// Curator from 5.5 on downgrades in two steps: for a while the reader stands beside
// the writer, with the same number. Whoever is behind waits for what is in its way of the two.
func TestDowngradedByCurator(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	const w, r = dir + "/_c_1-__WRIT__0000000003", dir + "/_c_2-__READ__0000000003"
	require.NoError(t, srv.Create(w, nil))
	require.NoError(t, srv.Create(r, nil))
	require.NoError(t, srv.SetNextSequence(dir, 4))
	reading := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), readers(0)))
	writing := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
	require.NoError(t, srv.Delete(w))
	o := wait(t, "the reader", reading)
	require.NoError(t, o.err, "it shares with Curator's")
	again := after(srv, blocked)
	release(t, o.grant)
	wait(t, "the writer watching the next", again)
	require.Empty(t, writing)
	require.NoError(t, srv.Delete(r))
	o = wait(t, "the writer", writing)
	require.NoError(t, o.err)
	release(t, o.grant)
}

// A grant that was downgraded can be taken up like any other, with its token.
func TestResumeOfDowngraded(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	a := connect(t, srv)
	g := acquire(t, newLine(t, a, writers(0)))
	next := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), writers(0)))
	r, err := newLine(t, a, readers(0)).Downgrade(t.Context(), g)
	require.NoError(t, err)
	text, err := r.Handle().MarshalText()
	require.NoError(t, err)
	var h recipes.GrantHandle
	require.NoError(t, h.UnmarshalText(text))
	require.Equal(t, r.Handle(), h)
	for i := range text {
		bad := append([]byte(nil), text...)
		bad[i] ^= 1
		require.ErrorIs(t, h.UnmarshalText(bad), client.ErrBadArgument)
	}
	b := connect(t, srv, client.WithSession(detach(t, a)))
	again, err := recipes.Resume(t.Context(), b, h)
	require.NoError(t, err)
	require.Equal(t, g.Token(), again.Token())
	require.Equal(t, r.Handle(), again.Handle())
	require.Empty(t, next)
	release(t, again)
	o := wait(t, "the next writer", next)
	require.NoError(t, o.err)
	require.Greater(t, o.grant.Token(), again.Token())
	release(t, o.grant)
}
