package recipes_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestOwnNodeDeletedWhileWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g := acquire(t, l)
	next := waiting(t.Context(), t, srv, l)
	own := nodes(srv)[0]
	if own == base(g.Path()) {
		own = nodes(srv)[1]
	}
	require.NoError(t, srv.Delete(dir+"/"+own))
	release(t, g)
	o := wait(t, "the grant", next)
	require.NoError(t, o.err)
	require.NotEqual(t, own, base(o.grant.Path()), "never granted by a node that is gone")
	require.Equal(t, []string{base(o.grant.Path())}, nodes(srv))
	release(t, o.grant)
}

func TestDirectoryDeletedWhileWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g := acquire(t, l)
	next := waiting(t.Context(), t, srv, l)
	require.NoError(t, srv.Delete("/stacks"))
	o := wait(t, "the grant", next)
	require.NoError(t, o.err)
	require.Equal(t, []string{base(o.grant.Path())}, nodes(srv))
	require.Greater(t, o.grant.Token(), g.Token(), "tokens grow though sequences begin again")
	release(t, g)
	require.Equal(t, []string{base(o.grant.Path())}, nodes(srv), "the old grant's release leaves the new one alone")
	release(t, o.grant)
}

func TestSessionLostWhileWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	cl := connect(t, srv)
	old, err := cl.Session(t.Context())
	require.NoError(t, err)
	next := waiting(t.Context(), t, srv, newLine(t, cl, recipes.LineConfig{}))
	rejoined := after(srv, blocked)
	require.True(t, srv.ExpireSession(old.ID()))
	wait(t, "the waiter in its new session", rejoined)
	release(t, g)
	o := wait(t, "the grant", next)
	require.NoError(t, o.err)
	require.NotEqual(t, old.ID(), o.grant.Session().ID())
	require.Equal(t, []string{base(o.grant.Path())}, nodes(srv))
	release(t, o.grant)
}

func TestConnectionLostWhileWaiting(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	g := acquire(t, newLine(t, connect(t, srv), recipes.LineConfig{}))
	cl := connect(t, srv)
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	next := waiting(t.Context(), t, srv, newLine(t, cl, recipes.LineConfig{}))
	before := nodes(srv)
	again := after(srv, blocked)
	require.True(t, srv.DropConnection(s.ID()))
	wait(t, "the watch after the reconnect", again)
	require.Equal(t, before, nodes(srv), "it keeps its place")
	release(t, g)
	o := wait(t, "the grant", next)
	require.NoError(t, o.err)
	release(t, o.grant)
	requireClean(t, srv, 0)
}

// A look at the line is due on every wake-up: the blocker's data may be written without
// it having gone anywhere.
func TestBlockerWrittenIsNotGone(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	g := acquire(t, l)
	next := waiting(t.Context(), t, srv, l)
	again := after(srv, blocked)
	require.NoError(t, srv.Set(g.Path(), []byte("__REVOKE__")))
	wait(t, "the watch to be set again", again)
	require.Empty(t, next)
	release(t, g)
	o := wait(t, "the grant", next)
	require.NoError(t, o.err)
	release(t, o.grant)
}

// K2: a deadline is for the whole wait, not for each predecessor.
func TestDeadlineIsForTheWholeWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		l := newLine(t, connect(t, srv), recipes.LineConfig{})
		g := acquire(t, l)
		second := waiting(t.Context(), t, srv, l)
		deadline := time.Now().Add(300 * time.Millisecond)
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		defer cancel()
		third := waiting(ctx, t, srv, l)
		release(t, g)
		o := wait(t, "the second", second)
		require.NoError(t, o.err)
		timedOut := wait(t, "the end of the third's wait", third)
		require.ErrorIs(t, timedOut.err, context.DeadlineExceeded)
		require.WithinDuration(t, deadline, time.Now(), 200*time.Millisecond)
		requireClean(t, srv, 0, base(o.grant.Path()))
		release(t, o.grant)
	})
}

// The directory goes just after the own node was made in it.
func TestDirectoryDeletedWhileJoining(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	require.NoError(t, srv.Create(dir, nil))
	l := newLine(t, connect(t, srv), recipes.LineConfig{})
	srv.FailNext(zktest.On(dir, zktest.OpGetChildren2), zktest.NoNode) // behind the create
	lost := srv.FailNext(zktest.On(dir, zktest.OpGetChildren2), zktest.NoNode)
	g := acquire(t, l)
	wait(t, "the failure", lost.Fired())
	requireClean(t, srv, 0, base(g.Path()))
	release(t, g)
}

// A parent that cannot be made (a chroot that was deleted) is not waited for.
func TestParentMissingForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		l, err := recipes.NewLine(connect(t, srv), "/", recipes.LineConfig{})
		require.NoError(t, err)
		for range 200 {
			srv.FailNext(zktest.On("/_c_*", zktest.OpCreate2), zktest.NoNode)
		}
		_, err = l.Acquire(t.Context())
		require.ErrorIs(t, err, client.ErrNoNode)
		require.ErrorContains(t, err, "line /:")
	})
}

func TestManyLinesAtOnce(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cls := []*client.Client{connect(t, srv), connect(t, srv), connect(t, srv)}
	var holders, runs atomic.Int32
	work := func(l *recipes.Line) error {
		for range 5 {
			g, err := l.Acquire(t.Context())
			if err != nil {
				return err
			}
			if n := holders.Add(1); n != 1 {
				return fmt.Errorf("%d holders", n)
			}
			runs.Add(1)
			holders.Add(-1)
			if err := g.Release(t.Context()); err != nil {
				return err
			}
		}
		return nil
	}
	done := make(chan error, 12)
	for i := range 12 {
		l := newLine(t, cls[i%3], recipes.LineConfig{})
		go func() { done <- work(l) }()
	}
	for range 12 {
		require.NoError(t, wait(t, "a worker", done))
	}
	require.EqualValues(t, 60, runs.Load())
	requireClean(t, srv, 0)
}
