package recipes_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestGrantsGoInOrderAndTokensGrow(t *testing.T) {
	t.Parallel()
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		t.Run(layout.String(), func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			a := newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout})
			b := newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout})
			g := acquire(t, a)
			var queue []<-chan outcome
			for i := range 6 {
				queue = append(queue, waiting(t.Context(), t, srv, []*recipes.Line{a, b}[i%2]))
			}
			token := g.Token()
			for i, next := range queue {
				for _, later := range queue[i:] {
					require.Empty(t, later, "nobody else while one holds")
				}
				release(t, g)
				o := wait(t, "the next grant", next)
				require.NoError(t, o.err)
				g = o.grant
				require.Greater(t, g.Token(), token)
				token = g.Token()
			}
			release(t, g)
			requireClean(t, srv, 0)
		})
	}
}

func TestParentsAreMadeInTheLayoutsWay(t *testing.T) {
	t.Parallel()
	for layout, ops := range map[recipes.Layout]zktest.Op{recipes.Curator: zktest.OpCreateContainer, recipes.Kazoo: zktest.OpCreate2} {
		srv := zktest.Start(t)
		l := newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout, Data: []byte("me")})
		g := acquire(t, l)
		require.NotEmpty(t, srv.Requests(zktest.On(dir, ops)), "%s makes its parent with %s", layout, ops)
		n, ok := srv.Node(g.Path())
		require.True(t, ok)
		require.Equal(t, "me", string(n.Data))
		require.Equal(t, g.Session().ID(), n.Stat.EphemeralOwner)
		require.Equal(t, g.Token(), n.Stat.Czxid)
		release(t, g)
	}
}

func TestForeignChildrenAreSkipped(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	for _, name := range []string{"000-aaa", "lock-", "lock-x", "config", "__party__0000000000", "lock-99999999999"} {
		require.NoError(t, srv.Create(dir+"/"+name, nil))
	}
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g := acquire(t, l)
	all, err := l.Contenders(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	release(t, g)
	require.Len(t, nodes(srv), 6)
}

// K and C-style contenders of the same layout made by others are waited for.
func TestWaitsForContendersOfOtherLibraries(t *testing.T) {
	t.Parallel()
	for layout, name := range map[recipes.Layout]string{
		recipes.Curator: "_c_0123456789abcdef0123456789abcdef-lock-0000000000",
		recipes.Kazoo:   "0123456789abcdef0123456789abcdef__lock__0000000000",
	} {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(dir+"/"+name, nil))
		require.NoError(t, srv.SetNextSequence(dir, 1))
		l := newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout})
		_, err := l.TryAcquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrBusy)
		next := waiting(t.Context(), t, srv, l)
		require.NoError(t, srv.Delete(dir+"/"+name))
		o := wait(t, "the grant", next)
		require.NoError(t, o.err)
		release(t, o.grant)
	}
}

func TestLayoutConflict(t *testing.T) {
	t.Parallel()
	const kazoo = "0123456789abcdef0123456789abcdef__lock__0000000007"
	t.Run("found on joining", func(t *testing.T) {
		t.Parallel()
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(dir+"/"+kazoo, nil))
		l := newLine(t, connect(t, srv), recipes.LineConfig{})
		_, err := l.Acquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrLayoutConflict)
		require.ErrorContains(t, err, kazoo)
		require.ErrorContains(t, err, dir)
		requireClean(t, srv, 0, kazoo)
		srv.ResetRequests()
		_, err = l.TryAcquire(t.Context())
		require.ErrorIs(t, err, recipes.ErrLayoutConflict)
		require.Equal(t, []string{"getChildren2"}, requests(srv), "no node is made")
		_, err = l.Contenders(t.Context())
		require.ErrorIs(t, err, recipes.ErrLayoutConflict)
	})
	t.Run("found while waiting", func(t *testing.T) {
		t.Parallel()
		srv := zktest.Start(t)
		l := newLine(t, connect(t, srv), recipes.LineConfig{})
		g := acquire(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		second := waiting(ctx, t, srv, l)
		third := waiting(t.Context(), t, srv, l)
		require.NoError(t, srv.Create(dir+"/"+kazoo, nil))
		cancel() // so that the third has to look at the line
		require.ErrorIs(t, wait(t, "the end of the second's wait", second).err, context.Canceled)
		require.ErrorIs(t, wait(t, "the error", third).err, recipes.ErrLayoutConflict)
		release(t, g)
		requireClean(t, srv, 0, kazoo)
	})
	t.Run("tolerated", func(t *testing.T) {
		t.Parallel()
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(dir+"/"+kazoo, nil))
		require.NoError(t, srv.SetNextSequence(dir, 8))
		l := newLine(t, connect(t, srv), recipes.LineConfig{Tolerant: true})
		next := waiting(t.Context(), t, srv, l)
		all, err := l.Contenders(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.Equal(t, recipes.Kazoo, all[0].Layout)
		require.NoError(t, srv.Delete(dir+"/"+kazoo))
		o := wait(t, "the grant", next)
		require.NoError(t, o.err)
		release(t, o.grant)
	})
}

// Whether the server's counter wraps, or is stuck at its end and gives every contender
// the same number: the order is that of joining, and one holds at a time.
func TestSequencesUsedUp(t *testing.T) {
	t.Parallel()
	for how, opts := range map[string][]zktest.Option{"wrapping": {zktest.WithSequenceWrap()}, "stuck": nil} {
		for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
			t.Run(how+" "+layout.String(), func(t *testing.T) {
				t.Parallel()
				srv := zktest.Start(t, opts...)
				l := newLine(t, connect(t, srv), recipes.LineConfig{Layout: layout})
				require.NoError(t, srv.Create(dir, nil))
				require.NoError(t, srv.SetNextSequence(dir, 1<<31-3))
				g := acquire(t, l)
				var queue []<-chan outcome
				for range 7 {
					queue = append(queue, waiting(t.Context(), t, srv, l))
				}
				_, err := l.TryAcquire(t.Context())
				require.ErrorIs(t, err, recipes.ErrBusy)
				all, err := l.Details(t.Context())
				require.NoError(t, err)
				require.Len(t, all, 8)
				require.True(t, slices.IsSortedFunc(all, func(a, b recipes.Details) int { return cmp.Compare(a.Token, b.Token) }), "in the order of joining")
				require.EqualValues(t, map[string]int{"wrapping": -1<<31 + 4, "stuck": 1<<31 - 1}[how], all[7].Sequence)
				for i, next := range queue {
					for _, later := range queue[i:] {
						require.Empty(t, later)
					}
					release(t, g)
					o := wait(t, "the next grant", next)
					require.NoError(t, o.err)
					g = o.grant
				}
				release(t, g)
			})
		}
	}
}

func TestTryAcquire(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g, err := l.TryAcquire(t.Context())
	require.NoError(t, err, "also where the directory does not exist")
	held := base(g.Path())

	srv.ResetRequests()
	_, err = l.TryAcquire(t.Context())
	require.ErrorIs(t, err, recipes.ErrBusy)
	require.ErrorContains(t, err, held)
	require.Equal(t, []string{"getChildren2"}, requests(srv), "a look is enough where it is clearly busy")

	// Free at the first look, busy when the own node is made: no node stays, and no
	// later try is told busy by it.
	release(t, g)
	list := srv.HoldReply(zktest.On(dir, zktest.OpGetChildren2))
	tried := make(chan error, 1)
	go func() {
		_, err := l.TryAcquire(t.Context())
		tried <- err
	}()
	wait(t, "the look", list.Fired())
	other := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	list.Release()
	require.ErrorIs(t, wait(t, "the refusal", tried), recipes.ErrBusy)
	require.Equal(t, []string{base(other.Path())}, nodes(srv), "deleted before the call returns")
	release(t, other)
	g, err = l.TryAcquire(t.Context())
	require.NoError(t, err)
	release(t, g)
	requireClean(t, srv, 0)
}

func TestErrorsThatEndAWait(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)

	_, err := recipes.NewLine(nil, dir, recipes.LineConfig{})
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = recipes.NewLine(cl, dir, recipes.LineConfig{Layout: 9})
	require.ErrorIs(t, err, client.ErrBadArgument)
	_, err = recipes.NewLine(cl, dir, recipes.LineConfig{Kind: 9})
	require.ErrorIs(t, err, client.ErrBadArgument)

	_, err = recipes.NewLine(cl, "", recipes.LineConfig{})
	require.ErrorIs(t, err, client.ErrBadPath)

	srv.ResetRequests()
	for _, bad := range []string{"x", "/a//b", "/a/", "/a/.."} {
		_, err := recipes.NewLine(cl, bad, recipes.LineConfig{})
		require.ErrorIs(t, err, client.ErrBadPath, "%q", bad)
	}
	l := newLine(t, cl, recipes.LineConfig{Data: make([]byte, 2<<20)})
	_, err = l.Acquire(t.Context())
	require.ErrorIs(t, err, client.ErrTooLarge)
	require.Empty(t, srv.Requests(), "nothing was sent")

	require.NoError(t, srv.Create(dir, nil))
	srv.FailNext(zktest.On(dir+"/*", zktest.OpCreate2), zktest.NoAuth)
	l = newLine(t, cl, recipes.LineConfig{})
	_, err = l.Acquire(t.Context())
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.ErrorContains(t, err, dir)

	g := acquire(t, l)
	next := waiting(t.Context(), t, srv, l)
	require.NoError(t, cl.Close())
	require.ErrorIs(t, wait(t, "the end of the wait", next).err, client.ErrClosed)
	require.ErrorIs(t, g.Err(), client.ErrClosed)
	require.ErrorIs(t, g.Err(), recipes.ErrGrantLost)
	release(t, g)
	_, err = l.Acquire(t.Context())
	require.ErrorIs(t, err, client.ErrClosed)
	require.Empty(t, nodes(srv))
}

func TestRuleOfOnesOwn(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	// Everybody waits for the oldest only: the order of a mutex without its care for the herd.
	l := newLine(t, cl, recipes.LineConfig{Rule: func(ahead []recipes.Contender, _ recipes.Contender) (recipes.Contender, bool) {
		if len(ahead) == 0 {
			return recipes.Contender{}, false
		}
		return ahead[0], true
	}})
	g := acquire(t, l)
	first := waiting(t.Context(), t, srv, l)
	second := waiting(t.Context(), t, srv, l)
	release(t, g)
	o := wait(t, "the first", first)
	require.NoError(t, o.err)
	require.Empty(t, second)
	release(t, o.grant)
	o = wait(t, "the second", second)
	require.NoError(t, o.err)

	wrong := newLine(t, cl, recipes.LineConfig{Rule: func(_ []recipes.Contender, own recipes.Contender) (recipes.Contender, bool) {
		return own, true
	}})
	_, err := wrong.Acquire(t.Context())
	require.ErrorIs(t, err, client.ErrBadArgument)
	requireClean(t, srv, 0, base(o.grant.Path()))
	release(t, o.grant)
}

func TestContendersAndDetails(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	l := newLine(t, cl, recipes.LineConfig{Data: []byte("a")})
	all, err := l.Details(t.Context())
	require.NoError(t, err)
	require.Empty(t, all, "a directory that does not exist has none")

	g := acquire(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	var queue []<-chan outcome
	for i := range 40 {
		queue = append(queue, waiting(ctx, t, srv, newLine(t, cl, recipes.LineConfig{Data: fmt.Append(nil, i)})))
	}
	all, err = l.Details(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 41)
	require.Equal(t, g.Path(), all[0].Path)
	require.Equal(t, g.Token(), all[0].Token)
	require.Equal(t, g.Session().ID(), all[0].Session)
	require.WithinDuration(t, time.Now(), all[0].Since, time.Minute)
	for i, d := range all[1:] {
		assert.Equal(t, fmt.Sprint(i), string(d.Data))
	}
	srv.FailNext(zktest.On(g.Path(), zktest.OpGetData), zktest.NoNode)
	left, err := l.Details(t.Context())
	require.NoError(t, err)
	require.Equal(t, all[1:], left, "those that leave meanwhile are left out")
	srv.FailNext(zktest.On(g.Path(), zktest.OpGetData), zktest.NoAuth)
	_, err = l.Details(t.Context())
	require.ErrorIs(t, err, client.ErrNoAuth)
	require.Equal(t, dir, l.Dir())
	cancel()
	for _, next := range queue {
		require.ErrorIs(t, wait(t, "the end of a wait", next).err, context.Canceled)
	}
	requireClean(t, srv, 0, base(g.Path()))
	release(t, g)
}
